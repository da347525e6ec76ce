"""Imports every chapter, so that whoever imports this has the whole surface: the table of contents."""

from tradepost.surfaces.wishpost_v3 import (
    announcements,
    channels,
    flat,
    flat_announcements,
    flat_oauth,
    labels,
    oauth,
    orders,
    payments,
    tracking,
)
from tradepost.surfaces.wishpost_v3.surface import api

CHAPTERS = {
    oauth: "OAuth2",
    channels: "Channels",
    orders: "Orders",
    labels: "Labels",
    tracking: "Tracking",
    payments: "Payments",
    announcements: "Announcements",
    flat: "Older calls",
    flat_announcements: "Older announcements",
    flat_oauth: "Older OAuth calls",
}

__all__ = ["CHAPTERS", "api"]
