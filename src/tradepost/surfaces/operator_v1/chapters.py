"""Imports every chapter, so that whoever imports this has the whole surface: the table of contents."""

from tradepost.surfaces.operator_v1 import (
    announcements,
    infractions,
    merchants,
    operators,
    orders,
    products,
    tickets,
    tracking,
)
from tradepost.surfaces.operator_v1.surface import api

CHAPTERS = {
    operators: "Operators",
    merchants: "Merchants",
    orders: "Orders",
    tracking: "Tracking",
    products: "Products",
    tickets: "Tickets",
    infractions: "Infractions",
    announcements: "Announcements",
}

__all__ = ["CHAPTERS", "api"]
