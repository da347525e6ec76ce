"""Random calls about shipping, and the shop they leave behind compared with a model of the reference's rules.

Shops of every way of being paid get calls of all six endpoints in between changes of stock and of settings; after
each call everything that can be read is compared.

    python -m tests.domain.shipping.test_model --steps 20000 --seed 1

prints one line and ends with 1 where something differs; `--mutant NAME` spoils a rule of the program first, and has
to find that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import pytest

from tests.domain.shipping.model import STANDARD, Amounts, Model
from tests.support.answer import Answer
from tests.support.calls import RINGS
from tests.support.database import Server, once, running_server
from tests.support.market import Market, World, build_world, open_market
from tradepost.domain import merchants, products, reference, shipping
from tradepost.domain.shipping import changes
from tradepost.domain.shipping import shipping as program
from tradepost.domain.shipping.shipping import CountryTerms, Price

ONE, MANY = "/api/v2/product/update-shipping", "/api/v2/product/update-multi-shipping"
COUNTRIES: Final = ("AU", "DE", "DK", "GB", "PT")
EXPRESS: Final = ("DE", "DK", "PT")
ASKED: Final = (*COUNTRIES, "FR")
REGIONS: Final = tuple(code for code in reference.REGIONS if code[:2] in COUNTRIES)
WAREHOUSES: Final = (STANDARD, *(f"EXPRESS-{country}" for country in EXPRESS))
SKUS: Final = ("ring-green", "ring-blue", "ring-red")
USD: Final = ("0", "0.5", "1", "2", "3.99", "8", "1000")
OWN: Final = ("0", "4", "7", "14", "28.5", "56")
ROUND: Final = 60
"""Steps that one shop lives."""


class Difference(AssertionError):
    """The program and the model say different things."""


@dataclass
class Shop:
    """One shop in the program and in the model."""

    market: Market
    who: str
    source: random.Random
    model: Model
    seen: Counter[str] = field(default_factory=Counter)
    added: int = 0

    def step(self) -> None:
        """One random thing, and then a look at everything."""
        deeds: list[tuple[int, Callable[[], None]]] = [
            (8, self._say_one),
            (8, self._say_many),
            (1, self._stock),
            (1, self._add_variation),
            (20 if self.model.worldwide else 1, self._setting),
        ]
        deed = self.source.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])[0]
        deed()
        self._look()

    # -- calls

    def _say_one(self) -> None:
        draw, params = self.source, {"parent_sku": "ring"}
        regional = draw.random() < 0.35
        params["country"] = draw.choice(REGIONS if regional else ASKED)
        self._amount(params, "price", 0.5)
        self._amount(params, "default_shipping_price", 0.12)
        for name, share in (("enabled", 0.3), ("wish_express", 0.45), ("use_country_shipping", 0.15)):
            if draw.random() < share:
                params[name] = draw.choice(("true", "false", "True", "0"))
        if draw.random() < 0.06:
            params["use_product_shipping"] = "true"
        self._where(params)
        self._call(ONE, params)

    def _say_many(self) -> None:
        draw, params = self.source, {"id": RINGS[self.who][0]}
        countries = COUNTRIES if draw.random() < 0.85 else ASKED
        for place in (*draw.sample(countries, draw.randint(0, 2)), *draw.sample(REGIONS, draw.randint(0, 2))):
            self._amount(params, place, 0.7)
        self._amount(params, "default_shipping_price", 0.1)
        for name, codes in (
            ("disabled_countries", (*COUNTRIES, *REGIONS)),
            ("enabled_countries", (*COUNTRIES, *REGIONS)),
            ("wish_express_add_countries", EXPRESS if draw.random() < 0.85 else ASKED),
            ("wish_express_remove_countries", COUNTRIES),
            ("regions_use_country_shipping", REGIONS),
            ("use_product_shipping_countries", COUNTRIES),
        ):
            if draw.random() < (0.3 if name[0] in "dew" else 0.1):
                params[name] = draw.choice((",", ", ")).join(draw.choices(codes, k=draw.randint(1, 3)))
        self._where(params)
        self._call(MANY, params)

    def _amount(self, params: dict[str, str], name: str, share: float) -> None:
        draw, model = self.source, self.model
        if draw.random() > share:
            return
        if model.currency == "USD":
            params[name] = draw.choice(USD)
            return
        if draw.random() < 0.93:
            params[name] = draw.choice(USD if model.paid_in_usd else (*USD, "999999"))
        if draw.random() < (0.5 if model.paid_in_usd else 0.95):
            params[f"localized_{name}"] = draw.choice(OWN)
        if draw.random() < 0.97:
            params["localized_currency_code"] = model.currency

    def _where(self, params: dict[str, str]) -> None:
        if self.source.random() < 0.3:
            params["warehouse_name"] = self.source.choice((*WAREHOUSES, STANDARD, "EXPRESS-GB"))

    def _call(self, path: str, params: dict[str, str]) -> None:
        codes = self.model.call(path, params)
        answer = self.market.post(path, self.who, **params)
        self.seen[f"{path.rpartition('/')[2]} {answer.code}"] += 1
        if not (answer.code in codes if codes else answer.code == 0):
            expected = f"one of {sorted(codes)}" if codes else "success"
            raise Difference(f"{path} {params}: {expected} is right, and {answer.body.decode()} came")

    # -- what else happens

    def _stock(self) -> None:
        sku, warehouse = self.source.choice(SKUS), self.source.choice(WAREHOUSES)
        pieces = self.source.choice((0, 1, 2, 99, 100))
        form = {"sku": sku, "inventory": pieces, "warehouse_name": warehouse}
        assert self.market.post("/api/v2/variant/update-inventory", self.who, **form).code == 0
        self.model.now.stock[warehouse, sku] = pieces

    def _add_variation(self) -> None:
        self.added += 1
        form = {"parent_sku": "ring", "sku": f"more-{self.added}", "color": f"c{self.added}", "inventory": 17,
                "price": 5, "localized_price": 5, "localized_currency_code": self.model.currency}  # fmt: skip
        answer = self.market.post("/api/v2/variant/add", self.who, **form)
        assert answer.code == 0, answer.body
        self.model.now.stock[STANDARD, str(form["sku"])] = 17

    def _setting(self) -> None:
        model, draw = self.model, self.source
        warehouse, country = draw.choice(
            [(STANDARD, country) for country in COUNTRIES]
            + [(f"EXPRESS-{country}", country) for country in EXPRESS]
        )
        kind = draw.choice(("price", "price", "price", "drop", "worldwide"))
        if kind == "worldwide" or model.worldwide:
            model.worldwide = not model.worldwide
            self._operate(lambda ctx: shipping.set_worldwide(ctx, model.worldwide))
        elif kind == "price" or (warehouse, country) not in model.settings:
            amount = draw.choice((None, Decimal(2), Decimal("7.5")))
            told: Amounts | None = None
            if amount is not None:
                told = (amount, None) if model.paid_in_usd else (None, amount)
            model.settings[warehouse, country] = told
            self._operate(lambda ctx: shipping.set_country(ctx, warehouse, [country], amount))
        else:
            del model.settings[warehouse, country]
            self._operate(lambda ctx: shipping.drop_country(ctx, warehouse, country))

    def _operate(self, verb: Callable[[Any], Any]) -> None:
        account_id = self.market.world.merchants[self.who].account_id

        async def act(ctx: Any) -> None:
            await verb(await merchants.act_for(ctx, account_id))

        self.market.operate(act)

    # -- what is seen

    def _look(self) -> None:
        model = self.model
        everything = reference.COUNTRIES if model.worldwide else model.countries()
        found = self._get("get-all-shipping", parent_sku="ring")
        told = told_all(found.data["ProductCountryAllShipping"])
        self._same("countries", sorted(told), sorted(everything))
        for country in model.countries():
            self._same(country, told[country], model.told(country))
        self._look_closer(told)
        stock = self.market.sql(
            "select coalesce(json_object_agg(w.name || ' ' || v.sku, s.inventory), '{}') from stock s "
            "join warehouse w on w.merchant_id = s.merchant_id and w.id = s.warehouse_id "
            "join variation v on v.merchant_id = s.merchant_id and v.id = s.variation_id "
            "where s.merchant_id = $1 and s.product_id = $2",
            self.market.world.merchants[self.who].account_id,
            RINGS[self.who][0],
        )
        expected = {f"{warehouse} {sku}": pieces for (warehouse, sku), pieces in model.now.stock.items()}
        self._same("stock", json.loads(stock), expected)

    def _look_closer(self, told: dict[str, Any]) -> None:
        """One of the other three reads."""
        model, country = self.model, self.source.choice(ASKED)
        match self.source.randrange(3):
            case 0:
                answer = self._get("get-shipping", parent_sku="ring", country=country)
                if model.worldwide or country not in model.countries():
                    self._same("get-shipping", answer.code, 1002)
                    return
                data = answer.data["ProductCountryShipping"]
                newer = told_one(data["DataV2"]["ProductCountryWarehouseShipping"])
                self._same("get-shipping", newer, model.told(country))
                for name in ("enabled", "wish_express"):
                    self._same(f"older {name}", data[name], newer[name])
            case 1:
                answer = self._get("get-products-shipping", ids=RINGS[self.who][0])
                if model.worldwide:
                    self._same("get-products-shipping", answer.code, 1002)
                    return
                many = told_all(answer.data[0]["ProductCountryAllShipping"])
                enabled = {code: said for code, said in told.items() if said["enabled"] == "True"}
                self._same("get-products-shipping", many, enabled)
            case _:
                listed = self._get("get-shipping-setting").data["ShippingSetting"]["country_settings"]
                codes = [line["CountryShippingSetting"]["country_code"] for line in listed]
                self._same("settings", codes, sorted(reference.COUNTRIES) if model.worldwide else model.countries())

    def _get(self, name: str, **query: str) -> Answer:
        return self.market.get(f"/api/v2/product/{name}", self.who, **query)

    def _same(self, what: str, came: Any, right: Any) -> None:
        if came != right:
            raise Difference(f"{what}: {right!r} is right, and {came!r} came")


def told_all(data: dict[str, Any]) -> dict[str, Any]:
    """Every country of an answer, by code."""
    listed = data["DataV2"]["ProductCountryWarehouseAllShipping"]["countries"]
    told = [item["ProductCountryWarehouseShipping"] for item in listed]
    older = [item["ProductCountryShipping"] for item in data["shipping_prices"]]
    for name in ("country_code", "enabled", "wish_express"):
        assert [item[name] for item in older] == [country[name] for country in told]
    return {country["country_code"]: told_one(country) for country in told}


def told_one(country: dict[str, Any]) -> dict[str, Any]:
    """A country of an answer in the model's form."""
    rows = {}
    for item in country["warehouses"]:
        row = item["WarehouseShipping"]
        regions = {}
        for listed in row.get("regional_shippings", ()):
            region = listed["RegionalShipping"]
            names = ("enabled", "use_country_shipping", "price", "localized_price")
            regions[region["state_code"]] = tuple(region[name] for name in names)
        names = ("enabled", "use_product_shipping", "price", "localized_price")
        rows[row["warehouse_name"]] = (*(row[name] for name in names), regions)
    return {"enabled": country["enabled"], "wish_express": country["wish_express"], "warehouses": rows}


def open_shop(market: Market, source: random.Random) -> Shop:
    """A shop of the world with settings of its own, and its model; one way of being paid is made for it."""
    who, currency, paid_in_usd = source.choice((("usd", "USD", True), ("cny", "CNY", False), ("eur", "EUR", True)))
    account_id = market.world.merchants[who].account_id
    if who == "eur":
        market.sql("update merchant set payment_currency = 'USD' where id = $1", account_id)
    have = market.sql("select country from warehouse where merchant_id = $1 and kind = 2", account_id)

    async def settle(ctx: Any) -> None:
        acting = await merchants.act_for(ctx, account_id)
        for country in EXPRESS:
            if country != have:
                await shipping.open_warehouse(ctx, account_id, country)
        await shipping.set_country(acting, STANDARD, COUNTRIES, None)
        for country in ("CA", "US"):
            await shipping.drop_country(acting, STANDARD, country)
        if have == "US":
            await shipping.drop_country(acting, "EXPRESS-US", "US")

    market.operate(settle)
    rate = 1 if currency != "CNY" else 7
    default = Decimal("10.50"), Decimal("10.50") * rate if currency != "USD" else None
    settings: dict[tuple[str, str], Amounts | None] = dict.fromkeys((STANDARD, country) for country in COUNTRIES)
    settings |= dict.fromkeys((f"EXPRESS-{country}", country) for country in EXPRESS)
    regions = {code: reference.REGIONS[code] for code in REGIONS}
    model = Model(
        currency,
        paid_in_usd,
        {code: (region.standard_enabled, region.express_enabled) for code, region in regions.items()},
        settings,
        {country: f"EXPRESS-{country}" for country in EXPRESS},
        frozenset(reference.COUNTRIES),
    )
    model.now.defaults[STANDARD] = default
    model.now.stock = {(STANDARD, sku): 11 if sku == "ring-green" else 100 for sku in SKUS}
    return Shop(market, who, source, model)


def run(server: Server, world: World, loop: asyncio.Runner, seed: int, steps: int) -> Counter[str]:
    """So many steps, a new shop every now and then; gives what happened. Raises Difference."""
    seen: Counter[str] = Counter()
    source = random.Random(seed)
    done = 0
    while done < steps:
        with open_market(server, world, loop) as market:
            shop = open_shop(market, source)
            for _ in range(min(ROUND, steps - done)):
                try:
                    shop.step()
                except Difference as difference:
                    raise Difference(f"seed {seed}, step {done}, paid {shop.who}: {difference}") from None
                done += 1
            seen += shop.seen
    return seen


# -- a program with a rule spoiled


def _last_wins(*lists: Any) -> list[list[str]]:
    return original_first_only(*reversed(lists))[::-1]


original_first_only = changes.first_only
original_price_of = program.price_of


def _by_default(said: CountryTerms | None, default: Price | None, setting: Price | None) -> Price | None:
    return original_price_of(said, setting or default, default)


async def _no_split(*_: object) -> None:
    return None


MUTANTS: Final[dict[str, tuple[Any, str, Any]]] = {
    "thrice": (changes, "MOST_TIMES", 3),
    "last list wins": (changes, "first_only", _last_wins),
    "settings over defaults": (program, "price_of", _by_default),
    "stock is not split": (products, "split_stock", _no_split),
}


@contextmanager
def spoiled(name: str | None) -> Iterator[None]:
    """The program with one rule changed."""
    if name is None:
        yield
        return
    where, what, other = MUTANTS[name]
    before = getattr(where, what)
    setattr(where, what, other)
    try:
        yield
    finally:
        setattr(where, what, before)


def test_program_and_model_agree(server: Server, world: World, loop: asyncio.Runner) -> None:
    seed = random.randrange(1 << 20)
    seen = run(server, world, loop, seed, 300)
    for what in ("update-shipping 0", "update-multi-shipping 0"):
        assert seen[what] > 30, f"seed {seed} shows little: {seen}"


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_spoiled_rule_is_noticed(server: Server, world: World, loop: asyncio.Runner, mutant: str) -> None:
    with spoiled(mutant), pytest.raises(Difference):
        run(server, world, loop, 7, 600)


def main() -> int:
    """Run many steps, print one line; 0 where nothing differed, 1 where something did."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", choices=[*MUTANTS], default=None)
    asked = parser.parse_args()
    began = time.monotonic()
    with running_server() as server, asyncio.Runner() as loop, spoiled(asked.mutant):
        world = once(lambda: build_world(server))
        try:
            seen = run(server, world, loop, asked.seed, asked.steps)
        except Difference as difference:
            print(f"DIFFERENT {difference}")
            return 1
    told = ", ".join(f"{what}: {count}" for what, count in sorted(seen.items()))
    print(f"the same after {asked.steps} steps, seed {asked.seed}, {time.monotonic() - began:.0f} s ({told})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
