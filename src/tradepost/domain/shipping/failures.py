"""What can be wrong with where something is shipped to, and for what price."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class CountryNotServed(Failure):
    """The merchant's shipping settings have no such country for the warehouse."""

    country: str
    warehouse: str


class ShipsWorldwide(Failure):
    """The merchant ships everywhere at the prices of his variations, and has no prices by country."""


class ExpressWarehouseMissing(Failure):
    """The merchant has no Express warehouse for the country."""

    country: str


class RegionTooDear(Failure):
    """Shipping to a region would cost more than twice what shipping to its country costs."""

    name: str
    region: str
    country: str
    limit: str


class CountryUnknown(Failure):
    """There is no such country that can be shipped to."""

    country: str


class PriceUnusable(Failure):
    """A setting's price is none, or more than shipping may cost."""

    price: str
