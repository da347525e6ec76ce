"""Imports every chapter, so that whoever imports this has the whole surface: the table of contents."""

from tradepost.surfaces.wishpost_v3 import channels, oauth
from tradepost.surfaces.wishpost_v3.surface import api

CHAPTERS = {oauth: "OAuth2", channels: "Channels"}

__all__ = ["CHAPTERS", "api"]
