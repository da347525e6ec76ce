"""Imports every chapter, so that whoever imports this has the whole surface: the table of contents."""

from tradepost.surfaces.wishpost_v2 import auth, labels, oauth, orders, tracking
from tradepost.surfaces.wishpost_v2.surface import api

CHAPTERS = {auth: "Tokens", oauth: "OAuth", orders: "Orders", labels: "Labels", tracking: "Tracking"}

__all__ = ["CHAPTERS", "api"]
