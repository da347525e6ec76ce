"""Imports every chapter, so that whoever imports this has the whole surface: the table of contents."""

from tradepost.surfaces.merchant_v2 import (
    auth,
    currency,
    fulfillment,
    images,
    jobs,
    orders,
    products,
    returns,
    shipping,
    variants,
    warehouses,
)
from tradepost.surfaces.merchant_v2.surface import api

CHAPTERS = {
    auth: "Authentication",
    products: "Product",
    variants: "Product Variation",
    shipping: "Shipping",
    jobs: "Batch Jobs",
    orders: "Orders",
    fulfillment: "Fulfillment",
    warehouses: "Warehouse",
    images: "Image",
    returns: "Returns Program",
    currency: "Currency",
}

__all__ = ["CHAPTERS", "api"]
