"""Where a product is shipped to, from which warehouses, and for what price; *Get Shipping Prices* in the reference.

A merchant's settings say which countries he ships to from each warehouse. A product says what is different about
it: a default price per warehouse, terms per country, terms per region. What nobody said follows from the next one
up, in the order that `price_to` has; docs/shipping.md tells it as a table. Prices are texts of numbers, as read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from tradepost.domain import reference
from tradepost.domain.shipping.failures import CountryNotServed
from tradepost.domain.warehouses import STANDARD


class Price(msgspec.Struct, frozen=True, gc=False):
    """One price in US dollars and in the merchant's own currency; None where it was not said."""

    usd: str | None
    localized: str | None


class CountryTerms(msgspec.Struct, frozen=True, gc=False):
    """What was said of a country: a price of its own, or that the variations say it, or neither."""

    price: Price | None
    by_variation: bool
    enabled: bool


class RegionTerms(msgspec.Struct, frozen=True, gc=False):
    """What was said of a region; without a price it costs what its country costs."""

    price: Price | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class Depot:
    """A warehouse with the countries that are shipped to from it, each at a price or (None) at the variations'."""

    id: str
    name: str
    express_country: str | None
    settings: Mapping[str, Price | None]

    is_express: bool = False
    """Whether it ships by Express, to one country."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant's settings: his warehouses by name, and whether he ships everywhere at variations' prices."""

    worldwide: bool
    depots: Mapping[str, Depot]

    @property
    def countries(self) -> list[str]:
        """Every country that is shipped to, by code."""
        if self.worldwide:
            return sorted(reference.COUNTRIES)
        return sorted({country for depot in self.depots.values() for country in depot.settings})

    def express_to(self, country: str) -> Depot | None:
        """The Express warehouse for a country, if there is one."""
        return next((depot for depot in self.depots.values() if depot.express_country == country), None)


@dataclass(slots=True)
class Terms:
    """All that was said of one product, by the id of the warehouse and then by place."""

    defaults: dict[str, Price] = field(default_factory=dict)
    countries: dict[str, dict[str, CountryTerms]] = field(default_factory=dict)
    regions: dict[str, dict[str, RegionTerms]] = field(default_factory=dict)

    def copy(self) -> Terms:
        """The same terms, to be changed."""
        return Terms(
            dict(self.defaults),
            {depot_id: dict(said) for depot_id, said in self.countries.items()},
            {depot_id: dict(said) for depot_id, said in self.regions.items()},
        )

    def of_country(self, depot: Depot, country: str) -> CountryTerms | None:
        """What was said of a country from a warehouse."""
        return self.countries.get(depot.id, _NOTHING).get(country)

    def of_region(self, depot: Depot, region: str) -> RegionTerms | None:
        """What was said of a region from a warehouse."""
        return self.regions.get(depot.id, _NOTHING).get(region)

    def say_of_country(self, depot: Depot, country: str, said: CountryTerms) -> None:
        """Keep what is said of a country from a warehouse."""
        self.countries.setdefault(depot.id, {})[country] = said

    def say_of_region(self, depot: Depot, region: str, said: RegionTerms) -> None:
        """Keep what is said of a region from a warehouse."""
        self.regions.setdefault(depot.id, {})[region] = said

    def price_to(self, depot: Depot, country: str) -> Price | None:
        """What shipping to a country costs; None is: what the variations say."""
        return price_of(self.of_country(depot, country), self.defaults.get(depot.id), depot.settings.get(country))

    def enabled_in(self, depot: Depot, region: str) -> bool:
        """Whether a region is shipped to: as was said, else as the reference's list has it."""
        said = self.of_region(depot, region)
        return default_enabled(region, depot.is_express) if said is None else said.enabled


_NOTHING: Final[dict[str, Any]] = {}


def price_of(said: CountryTerms | None, default: Price | None, setting: Price | None) -> Price | None:
    """What shipping to a country costs: the country's own price, else the default's, else the setting's.

    None is: what the variations say.
    """
    if said is not None:
        if said.by_variation:
            return None
        if said.price is not None:
            return said.price
    return default if default is not None else setting


class RegionOffer(msgspec.Struct, frozen=True, gc=False):
    """Shipping to a region from one warehouse; without a price it costs what the country costs."""

    region: str
    price: Price | None
    enabled: bool


class Offer(msgspec.Struct, frozen=True, gc=False):
    """Shipping to a country from one warehouse; without a price it costs what the variations say."""

    warehouse: str
    is_express: bool
    enabled: bool
    price: Price | None
    regions: tuple[RegionOffer, ...]


class CountryOffers(msgspec.Struct, frozen=True, gc=False):
    """Shipping to a country from every warehouse that serves it, by the warehouses' names."""

    country: str
    offers: list[Offer]
    enabled: bool
    """Whether the product can be had there at all."""
    wish_express: bool
    """Whether the product takes part in Wish Express there: an Express warehouse ships it."""
    main: Offer
    """The offer that stands for all where one must: STANDARD's, unless only another ships there."""


class ProductOffers(msgspec.Struct, frozen=True, gc=False):
    """Shipping of a product to countries, by their codes."""

    product_id: str
    countries: list[CountryOffers]


class Way(msgspec.Struct, frozen=True, gc=False):
    """One way to a buyer: a warehouse that ships there; without a price it costs what the variation says."""

    warehouse: str
    is_express: bool
    price: Price | None


class CountrySetting(msgspec.Struct, frozen=True, gc=False):
    """One line of a merchant's settings; without a price his variations say it."""

    warehouse: str
    country: str
    price: Price | None


def _by_country() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for region in sorted(reference.REGIONS):
        country = reference.REGIONS[region].country
        found[country] = (*found.get(country, ()), region)
    return found


REGIONS_OF: Final = _by_country()
"""The regions of each country that has some, by code."""


def default_enabled(region: str, express: bool) -> bool:
    """Whether a region is enabled where nobody said so; chapter *Customizable Regions*."""
    known = reference.REGIONS[region]
    return known.express_enabled if express else known.standard_enabled


def country_of(place: str) -> str:
    """The country of a region, or of itself."""
    return place[:2]


def is_region(place: str) -> bool:
    """Whether a place is a region and not a country."""
    return place in reference.REGIONS


_UNSAID: Final = {
    express: {
        country: tuple(RegionOffer(region, None, default_enabled(region, express)) for region in regions)
        for country, regions in REGIONS_OF.items()
    }
    for express in (False, True)
}


def offers_to(shop: Shop, terms: Terms, countries: Iterable[str]) -> list[CountryOffers]:
    """How a product is shipped to countries that its merchant ships to; raises CountryNotServed."""
    if shop.worldwide:
        return [_worldwide(country) for country in countries]
    offers: dict[str, list[Offer]] = {country: [] for country in countries}
    # Plain loops in which little is called: a list of fifty products comes here three thousand times.
    for name, depot in shop.depots.items():
        express, settings, default = depot.is_express, depot.settings, terms.defaults.get(depot.id)
        all_said, of_regions = terms.countries.get(depot.id, _NOTHING), terms.regions.get(depot.id, _NOTHING)
        unsaid = _UNSAID[express]
        for country, found in offers.items():
            if country not in settings:
                continue
            said = all_said.get(country)
            # Unsaid, a country is shipped to from STANDARD only, because Express is joined.
            enabled = not express if said is None else said.enabled
            price = said.price if said is not None else None
            if price is None:
                price = price_of(said, default, settings[country])
            regions = unsaid.get(country, ())
            if of_regions and regions:
                regions = _regions(of_regions, regions)
            found.append(Offer(name, express, enabled, price, regions))
    return [_together(country, found) for country, found in offers.items()]


def _together(country: str, offers: list[Offer]) -> CountryOffers:
    if not offers:
        raise CountryNotServed(country=country, warehouse=STANDARD)
    main = offers[0]
    if len(offers) == 1:
        return CountryOffers(country, offers, main.enabled, main.is_express and main.enabled, main)
    main = min(offers, key=lambda offer: (not offer.enabled, offer.is_express))
    wish_express = any(offer.enabled and offer.is_express for offer in offers)
    return CountryOffers(country, offers, main.enabled, wish_express, main)


def _worldwide(country: str) -> CountryOffers:
    offer = Offer(STANDARD, False, True, None, _UNSAID[False].get(country, ()))
    return CountryOffers(country, [offer], True, False, offer)


def _regions(said: Mapping[str, RegionTerms], unsaid: tuple[RegionOffer, ...]) -> tuple[RegionOffer, ...]:
    """The regions of a country; where nothing is said of any, those that stand for that."""
    if not any(offer.region in said for offer in unsaid):
        return unsaid
    return tuple(
        RegionOffer(offer.region, of.price, of.enabled) if (of := said.get(offer.region)) else offer
        for offer in unsaid
    )


def region_of(country: str, state: str | None) -> str | None:
    """The region that an address is in, by the code or the name of its state; None where it is in none we know."""
    told = (state or "").strip().casefold()
    for region in REGIONS_OF.get(country, ()):
        if told and told in (region[3:].casefold(), reference.REGIONS[region].name.casefold()):
            return region
    return None


def ways_to(shop: Shop, terms: Terms, country: str, region: str | None) -> list[Way]:
    """Every way that a product can be shipped to a place, Express before STANDARD."""
    if country not in shop.countries:
        return []
    ways = []
    for offer in offers_to(shop, terms, [country])[0].offers:
        of_region = next((there for there in offer.regions if there.region == region), None)
        if offer.enabled and (of_region is None or of_region.enabled):
            price = of_region.price if of_region is not None and of_region.price is not None else offer.price
            ways.append(Way(offer.warehouse, offer.is_express, price))
    return sorted(ways, key=lambda way: not way.is_express)
