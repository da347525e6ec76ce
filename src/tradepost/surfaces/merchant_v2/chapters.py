"""Imports every chapter, so that whoever imports this has the whole surface: the table of contents."""

from tradepost.surfaces.merchant_v2 import (
    auth,
    currency,
    fulfillment,
    images,
    inbox,
    infractions,
    jobs,
    oauth,
    orders,
    products,
    returns,
    shipping,
    tickets,
    variants,
    warehouses,
    webhooks,
)
from tradepost.surfaces.merchant_v2.surface import api

CHAPTERS = {
    auth: "Authentication",
    oauth: "OAuth2",
    products: "Product",
    variants: "Product Variation",
    shipping: "Shipping",
    jobs: "Batch Jobs",
    orders: "Orders",
    fulfillment: "Fulfillment",
    warehouses: "Warehouse",
    images: "Image",
    returns: "Returns Program",
    tickets: "Ticket",
    inbox: "Announcements and Notifications",
    infractions: "Infractions",
    currency: "Currency",
    webhooks: "Webhook",
}

__all__ = ["CHAPTERS", "api"]
