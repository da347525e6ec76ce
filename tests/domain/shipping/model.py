"""What the reference says of shipping, once more and differently: small, slow, and without a look at the program.

A shop is a few dictionaries. A call is the dictionary of its parameters; `call` gives the codes that it may be
refused with, none where it must be accepted and has happened. What the reference leaves open is as docs/shipping.md
has it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Params = Mapping[str, str]
Amounts = tuple[Decimal | None, Decimal | None]  # US dollars, own currency

STANDARD = "STANDARD"
VARIATION = "variation"
FALSE = ("false", "False", "0")
TRUE = ("true", "True", "1")


@dataclass
class Cell:
    """What is said of a country from a warehouse: nothing of the price (None), VARIATION, or amounts."""

    on: bool
    price: Amounts | str | None = None


@dataclass
class Spot:
    """What is said of a region from a warehouse."""

    on: bool
    price: Amounts | None = None


@dataclass
class State:
    """One product of a shop."""

    defaults: dict[str, Amounts] = field(default_factory=dict)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    spots: dict[tuple[str, str], Spot] = field(default_factory=dict)
    stock: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass
class Model:
    """A shop with one product."""

    currency: str
    paid_in_usd: bool
    regions: Mapping[str, tuple[bool, bool]]  # by code: enabled by default from STANDARD, from Express
    settings: dict[tuple[str, str], Amounts | None]
    express: Mapping[str, str]  # country to warehouse
    known: frozenset[str]  # countries that there are, in the settings or not
    worldwide: bool = False
    now: State = field(default_factory=State)
    codes: set[int] = field(default_factory=set)

    # -- what is true

    def price(self, state: State, warehouse: str, country: str) -> Amounts | None:
        """What a country costs; None: what the variations say."""
        cell = state.cells.get((warehouse, country))
        if cell and cell.price == VARIATION:
            return None
        if cell and isinstance(cell.price, tuple):
            return cell.price
        return state.defaults.get(warehouse) or self.settings.get((warehouse, country))

    def is_on(self, state: State, warehouse: str, country: str) -> bool:
        """Whether a country can be shipped to; unsaid it can from STANDARD."""
        cell = state.cells.get((warehouse, country))
        return cell.on if cell else warehouse == STANDARD

    def region(self, state: State, warehouse: str, region: str) -> Spot:
        """What is true of a region."""
        default = self.regions[region][0 if warehouse == STANDARD else 1]
        return state.spots.get((warehouse, region), Spot(default))

    # -- what callers say

    def call(self, path: str, params: Params) -> set[int]:
        """The codes that a write may be refused with; it has happened where there are none."""
        codes = self.codes = set()
        prices = self._prices(params, codes)
        after = copy.deepcopy(self.now)
        warehouse = params.get("warehouse_name", STANDARD)
        if self.worldwide:
            codes.add(1002)
        if warehouse != STANDARD and warehouse not in self.express.values():
            codes.add(1004)
        if codes & {1002, 1004}:
            return codes
        if "default_shipping_price" in prices:
            after.defaults[warehouse] = prices.pop("default_shipping_price")
        say = self._one if path.endswith("/update-shipping") else self._many
        joined = say(after, params, prices, warehouse, "warehouse_name" not in params)
        self._split(after, joined)
        if not codes and self._too_dear(after):
            codes.add(1000)
        if not codes:
            self.now = after
        return codes

    def _prices(self, params: Params, codes: set[int]) -> dict[str, Amounts]:
        """The amounts that were given, by what they are for; what is missing of them goes into `codes`."""
        found: dict[str, Amounts] = {}
        own_given = False
        names = {name.removeprefix("localized_") for name in params}
        for name in names & {"price", "default_shipping_price", *self._places()}:
            usd, own = params.get(name), params.get(f"localized_{name}")
            own_given = own_given or own is not None
            if usd == "999999" and not self.paid_in_usd:
                usd = None
            if usd is None and own is None:
                continue
            if usd is None and self.paid_in_usd:
                codes.add(1001)
            if own is None and not self.paid_in_usd:
                codes.add(1001)
            found[name] = (Decimal(usd) if usd else None, Decimal(own) if own else None)
        priced = bool(names & {"price", "default_shipping_price", *self._places()})
        if "localized_currency_code" not in params and (own_given or (priced and not self.paid_in_usd)):
            codes.add(1001)
        return found

    def _places(self) -> set[str]:
        return {*self.regions, *self.known}

    def _one(
        self, after: State, params: Params, prices: dict[str, Amounts], warehouse: str, everywhere: bool
    ) -> list[str]:
        place, country = params["country"], params["country"][:2]
        self._served(warehouse, country)
        price, enabled, express = prices.get("price"), params.get("enabled"), params.get("wish_express")
        variation = params.get("use_product_shipping") in TRUE and place == country
        if place != country:
            spot = copy.copy(self.region(after, warehouse, place))
            if params.get("use_country_shipping") in TRUE:
                after.spots[warehouse, place] = Spot(spot.on, None)
            elif price is not None:
                after.spots[warehouse, place] = Spot(True, price)
            if enabled is not None:
                said = after.spots.get((warehouse, place))
                after.spots[warehouse, place] = Spot(enabled in TRUE, said.price if said else None)
            return []
        if variation or price is not None:
            after.cells[warehouse, country] = Cell(True, VARIATION if variation else price)
        touched = [warehouse]
        if everywhere and country in self.express and (self.express[country], country) in after.cells:
            touched.append(self.express[country])
        if enabled is not None:
            for one in touched:
                after.cells.setdefault((one, country), Cell(True)).on = enabled in TRUE
        if express in TRUE and enabled not in FALSE:
            return self._join(after, country, warehouse, everywhere, VARIATION if variation else price)
        if express in FALSE:
            self._leave(after, country, warehouse, everywhere)
        return []

    def _many(
        self, after: State, params: Params, prices: dict[str, Amounts], warehouse: str, everywhere: bool
    ) -> list[str]:
        def listed(name: str) -> set[str]:
            return {code.strip() for code in params.get(name, "").split(",") if code.strip()}

        variation, by_country = listed("use_product_shipping_countries"), listed("regions_use_country_shipping")
        off, on = listed("disabled_countries"), listed("enabled_countries")
        leaving, joining = listed("wish_express_remove_countries"), listed("wish_express_add_countries")
        counted = set(prices) | variation | by_country | off | on | leaving | joining
        counted = {code for code in counted if code in self._places()}
        for code in counted:
            self._served(warehouse, code[:2])
        for code, price in prices.items():
            if code in self.regions and code not in by_country:
                after.spots[warehouse, code] = Spot(True, price)
            elif code not in self.regions and code not in variation:
                after.cells[warehouse, code] = Cell(True, price)
        for code in variation:
            after.cells[warehouse, code] = Cell(True, VARIATION)
        for code in by_country:
            after.spots[warehouse, code] = Spot(self.region(after, warehouse, code).on, None)
        joined: list[str] = []
        for code in counted:
            if code in off:
                self._switch(after, warehouse, code, False)
                express = self.express.get(code)
                if everywhere and express and (express, code) in after.cells:
                    after.cells[express, code].on = False
            elif code in on:
                self._switch(after, warehouse, code, True)
            elif code in leaving:
                self._leave(after, code, warehouse, everywhere)
            elif code in joining:
                given = VARIATION if code in variation else prices.get(code)
                joined += self._join(after, code, warehouse, everywhere, given)
        return joined

    def _switch(self, after: State, warehouse: str, code: str, on: bool) -> None:
        if code in self.regions:
            said = after.spots.get((warehouse, code))
            after.spots[warehouse, code] = Spot(on, said.price if said else None)
        else:
            after.cells.setdefault((warehouse, code), Cell(True)).on = on

    def _served(self, warehouse: str, country: str) -> None:
        if (warehouse, country) not in self.settings:
            self.codes.add(1002)

    def _join(
        self, after: State, country: str, warehouse: str, everywhere: bool, given: Amounts | str | None
    ) -> list[str]:
        express = self.express.get(country)
        if express is None:
            self.codes.add(1004)
            return []
        if not everywhere:
            if warehouse == express:
                after.cells.setdefault((express, country), Cell(True)).on = True
            return []
        self._served(express, country)
        cell = after.cells.setdefault((express, country), Cell(True))
        cell.on = True
        if given is not None:
            cell.price = given
        elif cell.price is None and express not in after.defaults:
            cell.price = self.price(after, STANDARD, country) or VARIATION
        return [express]

    def _leave(self, after: State, country: str, warehouse: str, everywhere: bool) -> None:
        express = self.express.get(country)
        if express and (everywhere or warehouse == express) and (express, country) in after.cells:
            after.cells[express, country].on = False

    @staticmethod
    def _split(after: State, joined: list[str]) -> None:
        for (warehouse, sku), pieces in list(after.stock.items()):
            if warehouse == STANDARD:
                takers = [express for express in joined if (express, sku) not in after.stock]
                for taker in takers:
                    after.stock[taker, sku] = pieces // (len(takers) + 1)
                    after.stock[STANDARD, sku] -= after.stock[taker, sku]

    def _too_dear(self, after: State) -> bool:
        for (warehouse, region), spot in after.spots.items():
            whole = self.price(after, warehouse, region[:2])
            before = self.now.spots.get((warehouse, region), Spot(False))
            if (before.price, self.price(self.now, warehouse, region[:2])) == (spot.price, whole):
                continue
            part, most = self._counting(spot.price), self._counting(whole)
            if part is not None and most is not None and part > 2 * most:
                return True
        return False

    def _counting(self, amounts: Amounts | None) -> Decimal | None:
        return None if amounts is None else amounts[0 if self.paid_in_usd else 1]

    # -- what callers read

    def told(self, country: str) -> dict[str, Any]:
        """A country as DataV2 tells it, without what never changes."""
        rows = {}
        served = [warehouse for warehouse, to in self.settings if to == country]
        for warehouse in sorted(served) if not self.worldwide else [STANDARD]:
            state = State() if self.worldwide else self.now
            price = None if self.worldwide else self.price(state, warehouse, country)
            regions = {}
            for code in sorted(self.regions):
                if code.startswith(country + "_"):
                    spot = self.region(state, warehouse, code)
                    regions[code[3:]] = (_word(spot.on), *self.read(spot.price, "None", "None"))
            on = self.is_on(state, warehouse, country)
            rows[warehouse] = (_word(on), *self.read(price, "None", ""), regions)
        return {
            "enabled": _word(any(row[0] == "True" for row in rows.values())),
            "wish_express": _word(any(row[0] == "True" for name, row in rows.items() if name != STANDARD)),
            "warehouses": rows,
        }

    def countries(self) -> list[str]:
        """Every country that is shipped to."""
        return sorted({country for _, country in self.settings})

    def read(self, price: Amounts | None, no_usd: str, no_own: str) -> tuple[str, str, str]:
        """Whether another price counts, the amount in US dollars, the own one."""
        if price is None:
            return "True", no_usd, no_own
        usd, own = price if self.currency != "USD" else (price[0], price[0])
        return (
            "False",
            _float(usd) if self.paid_in_usd and usd is not None else "999999",
            (no_own if own is None else _float(own)),
        )


def _word(value: bool) -> str:
    return "True" if value else "False"


def _float(amount: Decimal) -> str:
    return str(float(amount))
