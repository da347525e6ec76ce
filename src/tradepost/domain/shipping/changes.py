"""What a caller may say of a product's shipping, and what follows from it: rules without a database.

`Draft` holds a product's terms while they change. The two ways of changing them, place by place
(`say_of_place`) and many at a time (`say_of_many`), are made of the same few steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from tradepost.domain.context import Merchant
from tradepost.domain.shipping import failures
from tradepost.domain.shipping.shipping import (
    CountryTerms,
    Depot,
    Price,
    RegionTerms,
    Shop,
    Terms,
    country_of,
    is_region,
)
from tradepost.domain.warehouses import STANDARD, WarehouseNotFound
from tradepost.values import NOT_GIVEN, NotGiven

MOST_TIMES = 2
"""How many times its country's price a region may cost."""

DEFAULT: Final = "default_shipping_price"
PRICE: Final = "price"
JOIN_ONE: Final = "wish_express"
JOIN_MANY: Final = "wish_express_add_countries"


@dataclass(frozen=True, kw_only=True)
class PlaceChanges:
    """What is to be said of one country or region; whatever was not given stays."""

    country: str
    price: Decimal | NotGiven = NOT_GIVEN
    localized_price: Decimal | NotGiven = NOT_GIVEN
    localized_currency_code: str | NotGiven = NOT_GIVEN
    enabled: bool | NotGiven = NOT_GIVEN
    wish_express: bool | NotGiven = NOT_GIVEN
    default_shipping_price: Decimal | NotGiven = NOT_GIVEN
    localized_default_shipping_price: Decimal | NotGiven = NOT_GIVEN
    use_country_shipping: bool = False
    use_product_shipping: bool = False
    warehouse_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class ShippingChanges:
    """What is to be said of many countries and regions at once; whatever was not given stays."""

    country_prices: Mapping[str, Decimal] = field(default_factory=dict)
    localized_country_prices: Mapping[str, Decimal] = field(default_factory=dict)
    localized_currency_code: str | NotGiven = NOT_GIVEN
    region_prices: Mapping[str, Decimal] = field(default_factory=dict)
    localized_region_prices: Mapping[str, Decimal] = field(default_factory=dict)
    disabled_countries: tuple[str, ...] = ()
    enabled_countries: tuple[str, ...] = ()
    wish_express_add_countries: tuple[str, ...] = ()
    wish_express_remove_countries: tuple[str, ...] = ()
    regions_use_country_shipping: tuple[str, ...] = ()
    use_product_shipping_countries: tuple[str, ...] = ()
    default_shipping_price: Decimal | NotGiven = NOT_GIVEN
    localized_default_shipping_price: Decimal | NotGiven = NOT_GIVEN
    warehouse_name: str | None = None


class Draft:
    """The terms of one product while something is said of them."""

    def __init__(self, shop: Shop, before: Terms, warehouse_name: str | None) -> None:
        """`warehouse_name` is where it is said of; None says it of STANDARD and, where the rules do so, of all.

        Raises ShipsWorldwide, WarehouseNotFound.
        """
        if shop.worldwide:
            raise failures.ShipsWorldwide
        depot = shop.depots.get(warehouse_name or STANDARD)
        if depot is None:
            raise WarehouseNotFound(name="warehouse_name", value=warehouse_name or STANDARD)
        self.shop = shop
        self.before = before
        self.terms = before.copy()
        self.here = depot
        self.everywhere = warehouse_name is None
        self.joined: list[Depot] = []
        """The Express warehouses that stock is to be split with."""
        self._said_by: dict[tuple[str, str], str] = {}
        """The parameter that moved a price, by the warehouse and the place; the default's place is empty."""

    def set_default(self, price: Price) -> None:
        """Let every country without a price of its own cost this."""
        self.terms.defaults[self.here.id] = price
        self._said_by[self.here.id, ""] = DEFAULT

    def set_price(self, place: str, price: Price, said_by: str) -> None:
        """Give a place a price, which enables it; `said_by` is the parameter."""
        self._need(self.here, place)
        self._said_by[self.here.id, place] = said_by
        if is_region(place):
            self.terms.say_of_region(self.here, place, RegionTerms(price, True))
        else:
            self.terms.say_of_country(self.here, place, CountryTerms(price, False, True))

    def use_variations(self, country: str) -> None:
        """Let the variations say what shipping to a country costs, which enables it."""
        self._need(self.here, country)
        self.terms.say_of_country(self.here, country, CountryTerms(None, True, True))

    def use_country(self, region: str) -> None:
        """Let a region cost what its country costs."""
        self._need(self.here, region)
        enabled = self.terms.enabled_in(self.here, region)
        self.terms.say_of_region(self.here, region, RegionTerms(None, enabled))

    def enable(self, place: str, enabled: bool) -> None:
        """Ship to a place from the warehouse that is spoken of, or stop it."""
        self._need(self.here, place)
        self._switch(self.here, place, enabled)

    def _switch(self, depot: Depot, place: str, enabled: bool) -> None:
        if is_region(place):
            region = self.terms.of_region(depot, place)
            self.terms.say_of_region(depot, place, RegionTerms(region.price if region else None, enabled))
        else:
            said = self.terms.of_country(depot, place)
            price, by_variation = (said.price, said.by_variation) if said else (None, False)
            self.terms.say_of_country(depot, place, CountryTerms(price, by_variation, enabled))

    def enable_all(self, place: str, enabled: bool) -> None:
        """The same for the warehouse that is spoken of or, if none is, for all that have the country's terms.

        An Express warehouse that ships nowhere now keeps it for later, and does not hinder the others.
        """
        self.enable(place, enabled)
        express = self.shop.express_to(place)
        if self.everywhere and express and self.terms.of_country(express, place):
            self._switch(express, place, enabled)

    def join_express(self, country: str, price: Price | None, by_variation: bool, said_by: str) -> None:
        """Let a product take part in Wish Express to a country.

        Without a named warehouse STANDARD's terms are copied where Express has none of its own, or those just
        given in any case, and stock is to be split. A named warehouse that is not the country's Express one is
        not meant. `said_by` is the parameter of the price or, without one, that which lets it be copied.
        """
        express = self.shop.express_to(country)
        if express is None:
            raise failures.ExpressWarehouseMissing(country=country)
        if not self.everywhere:
            if self.here is express:
                self.enable(country, True)
            return
        self._need(self.here, country)
        self._need(express, country)
        said = self.terms.of_country(express, country)
        has_own = said is not None and (said.by_variation or said.price is not None)
        if price is None and not by_variation:
            if has_own or express.id in self.terms.defaults:
                self._switch(express, country, True)
                self.joined.append(express)
                return
            price = self.terms.price_to(self.here, country)
        self.terms.say_of_country(express, country, CountryTerms(price, price is None, True))
        self._said_by[express.id, country] = said_by
        self.joined.append(express)

    def leave_express(self, country: str) -> None:
        """Let a product no longer take part in Wish Express to a country; without an Express warehouse it does not.

        A named warehouse that is not the country's Express one is not meant.
        """
        express = self.shop.express_to(country)
        if express is None or not (self.everywhere or self.here is express):
            return
        if self.terms.of_country(express, country):
            self._switch(express, country, False)

    def check_regions(self, merchant: Merchant) -> None:
        """Refuse a region that has come to cost more than twice its country; raises RegionTooDear.

        Only the currency counts that the merchant is paid in.
        """
        for depot in self.shop.depots.values():
            for region, said in self.terms.regions.get(depot.id, {}).items():
                if said.price is None:
                    continue
                country = country_of(region)
                now = said.price, self.terms.price_to(depot, country)
                earlier = self.before.of_region(depot, region)
                if earlier and (earlier.price, self.before.price_to(depot, country)) == now:
                    continue
                own, most = (_counting(merchant, price) for price in now)
                if own is not None and most is not None and own > most * MOST_TIMES:
                    raise failures.RegionTooDear(
                        name=self._moved_by(merchant, depot, region),
                        region=region,
                        country=country,
                        limit=f"{most * MOST_TIMES:f}",
                    )

    def _moved_by(self, merchant: Merchant, depot: Depot, region: str) -> str:
        """The parameter that made a region too dear: its own price, its country's, or the default."""
        places = (region, country_of(region), "")
        name = next(name for place in places if (name := self._said_by.get((depot.id, place))))
        return name if merchant.paid_in_usd or name in (JOIN_ONE, JOIN_MANY) else f"localized_{name}"

    def need(self, place: str) -> None:
        """Raises CountryNotServed where the country of a place is not shipped to from the warehouse spoken of."""
        self._need(self.here, place)

    def _need(self, depot: Depot, place: str) -> None:
        if country_of(place) not in depot.settings:
            raise failures.CountryNotServed(country=country_of(place), warehouse=depot.name)


def _counting(merchant: Merchant, price: Price | None) -> Decimal | None:
    text = None if price is None else price.usd if merchant.paid_in_usd else price.localized
    return None if text is None else Decimal(text)


def say_of_place(draft: Draft, changes: PlaceChanges, price: Price | None) -> None:
    """One country or region. `wish_express` decides about Express, unless the country is disabled."""
    place, enabled = changes.country, changes.enabled
    of_country = not is_region(place)
    by_variation = of_country and changes.use_product_shipping
    if by_variation:
        draft.use_variations(place)
    elif not of_country and changes.use_country_shipping:
        draft.use_country(place)
    elif price is not None:
        draft.set_price(place, price, PRICE)
    else:
        draft.need(place)
    if enabled is not NOT_GIVEN:
        draft.enable_all(place, enabled)
    if of_country and changes.wish_express is False:
        draft.leave_express(place)
    elif of_country and changes.wish_express is True and enabled is not False:
        own = None if by_variation else price
        draft.join_express(place, own, by_variation, JOIN_ONE if own is None else PRICE)


def say_of_many(draft: Draft, changes: ShippingChanges, prices: Mapping[str, Price]) -> None:
    """Many places. One that stands in several lists counts in the first of these, and in no other:

    disabled, enabled, taken out of Express, taken into Express. Prices are set beside, and enable what is not
    disabled; a place that uses its country's or its variations' price has none of its own.
    """
    by_variation = set(changes.use_product_shipping_countries)
    by_country = set(changes.regions_use_country_shipping)
    for place, price in prices.items():
        if place not in by_country | by_variation:
            draft.set_price(place, price, place)
    for place in sorted(by_variation):
        draft.use_variations(place)
    for place in sorted(by_country):
        draft.use_country(place)
    disabled, enabled, left, joined = first_only(
        changes.disabled_countries,
        changes.enabled_countries,
        changes.wish_express_remove_countries,
        changes.wish_express_add_countries,
    )
    for place in disabled:
        draft.enable_all(place, False)
    for place in enabled:
        draft.enable(place, True)
    for place in left:
        draft.need(place)
        draft.leave_express(place)
    for place in joined:
        draft.need(place)
        own = None if place in by_variation else prices.get(place)
        draft.join_express(place, own, place in by_variation, JOIN_MANY if own is None else place)


def first_only(*lists: Iterable[str]) -> list[list[str]]:
    """The lists with each place in the first one only that has it, in order of their codes."""
    seen: set[str] = set()
    found = []
    for places in lists:
        found.append(sorted(set(places) - seen))
        seen |= set(places)
    return found
