"""Shipping: to which countries and regions, from which warehouses, for what price."""

from tradepost.domain.shipping.changes import PlaceChanges, ShippingChanges
from tradepost.domain.shipping.failures import (
    CountryNotServed,
    ExpressWarehouseMissing,
    RegionTooDear,
    ShipsWorldwide,
)
from tradepost.domain.shipping.operations import (
    MOST_PRODUCTS,
    drop_country,
    find_offers,
    find_ways,
    list_all_settings,
    list_offers,
    list_offers_of_many,
    list_settings,
    open_warehouse,
    set_country,
    set_worldwide,
    update_many,
    update_place,
)
from tradepost.domain.shipping.shipping import (
    CountryOffers,
    CountrySetting,
    Offer,
    Price,
    ProductOffers,
    RegionOffer,
    Way,
)

__all__ = [
    "MOST_PRODUCTS",
    "CountryNotServed",
    "CountryOffers",
    "CountrySetting",
    "ExpressWarehouseMissing",
    "Offer",
    "PlaceChanges",
    "Price",
    "ProductOffers",
    "RegionOffer",
    "RegionTooDear",
    "ShippingChanges",
    "ShipsWorldwide",
    "Way",
    "drop_country",
    "find_offers",
    "find_ways",
    "list_all_settings",
    "list_offers",
    "list_offers_of_many",
    "list_settings",
    "open_warehouse",
    "set_country",
    "set_worldwide",
    "update_many",
    "update_place",
]
