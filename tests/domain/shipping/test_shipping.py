"""Shipping where one example says more than many random calls: stock, products as they read, writers at once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tests.support.calls import RINGS, SCARVES
from tests.support.database import Server, once
from tests.support.market import NOW, Market, World
from tradepost.domain import merchants, reference, shipping
from tradepost.domain.context import Ctx
from tradepost.domain.products import ProductRef
from tradepost.domain.shipping import PlaceChanges
from tradepost.storage.database import PLATFORM_ROLE, Database

ONE, MANY = "/api/v2/product/update-shipping", "/api/v2/product/update-multi-shipping"
STOCK = """
    select string_agg(w.name || ' ' || v.sku || ' ' || s.inventory, ', ' order by w.name, v.sku)
      from stock s join warehouse w on w.merchant_id = s.merchant_id and w.id = s.warehouse_id
      join variation v on v.merchant_id = s.merchant_id and v.id = s.variation_id
     where s.merchant_id = $1 and s.product_id = $2
"""


def stock(market: Market, who: str = "usd") -> Any:
    return market.sql(STOCK, market.world.merchants[who].account_id, RINGS[who][0])


def settle(market: Market, verb: Any, who: str = "usd") -> None:
    """Do something to a shop's settings."""

    async def act(ctx: Ctx) -> None:
        await verb(await merchants.act_for(ctx, market.world.merchants[who].account_id))

    market.operate(act)


def test_the_reference_has_60_countries_and_158_regions_with_two_defaults() -> None:
    assert (len(reference.COUNTRIES), len(reference.REGIONS)) == (60, 158)
    assert all(region.standard_enabled for region in reference.REGIONS.values())
    assert sum(region.express_enabled for region in reference.REGIONS.values()) == 18
    assert {
        code for code, region in reference.REGIONS.items() if not code.startswith(region.country + "_")
    } == set()


class TestSplit:
    """Joining Wish Express shares stock once."""

    def test_halves_and_the_rest_stays(self, market: Market) -> None:
        assert market.post(ONE, parent_sku="ring", country="US", wish_express="true").code == 0
        assert stock(market) == (
            "EXPRESS-US ring-blue 50, EXPRESS-US ring-green 5, EXPRESS-US ring-red 50, "
            "STANDARD ring-blue 50, STANDARD ring-green 6, STANDARD ring-red 50"
        )

    def test_several_countries_at_once_share_alike(self, market: Market) -> None:
        account_id = market.world.merchants["usd"].account_id
        settle(market, lambda ctx: shipping.open_warehouse(ctx, account_id, "DE"))
        assert market.post(MANY, id=RINGS["usd"][0], wish_express_add_countries="US,DE").code == 0
        assert "EXPRESS-DE ring-blue 33" in stock(market)
        assert "EXPRESS-US ring-blue 33" in stock(market)
        assert "STANDARD ring-blue 34" in stock(market)

    def test_what_is_set_stays(self, market: Market) -> None:
        """Also 0 pieces; leaving and joining again splits nothing a second time."""
        form = {"sku": "ring-red", "inventory": "0", "warehouse_name": "EXPRESS-US"}
        assert market.post("/api/v2/variant/update-inventory", **form).code == 0
        assert market.post(ONE, parent_sku="ring", country="US", wish_express="true").code == 0
        before = stock(market)
        assert "EXPRESS-US ring-red 0" in before
        assert "STANDARD ring-red 100" in before
        for joined in ("false", "true"):
            assert market.post(ONE, parent_sku="ring", country="US", wish_express=joined).code == 0
        assert stock(market) == before

    def test_a_bulk_update_from_before_does_not_undo_it(self, market: Market) -> None:
        updates = '[{"sku": "ring-red", "inventory": 70}]'
        job_id = market.post("/api/v2/variant/bulk-sku-update", updates=updates).data["job_id"]
        assert market.post(ONE, parent_sku="ring", country="US", wish_express="true").code == 0
        market.work()
        failures = market.get("/api/v2/variant/get-bulk-update-job-failures", job_id=job_id)
        assert [error["error_code"] for error in failures.data["errors"]] == [1002]
        assert "STANDARD ring-red 50" in stock(market)


class TestProducts:
    """What a product itself tells of its shipping."""

    def test_countries_of_wish_express_and_enabled_ones(self, market: Market) -> None:
        def product() -> dict[str, Any]:
            told: dict[str, Any] = market.get("/api/v2/product", parent_sku="ring").data["Product"]
            return told

        assert "wish_express_country_codes" not in product()
        form = {"DE": "4", "disabled_countries": "CA", "wish_express_add_countries": "US"}
        assert market.post(MANY, id=RINGS["usd"][0], **form).code == 0
        told = product()
        assert told["wish_express_country_codes"] == ["US"]
        prices = {
            item["CountryShipping"]["country_code"]: item["CountryShipping"] for item in told["country_shippings"]
        }
        assert {code: of["price"] for code, of in prices.items()} == {"DE": "4.0", "US": "3.99"}

    def test_a_list_of_products_tells_each_as_it_is_told_alone(self, market: Market) -> None:
        """Both forms and all regions, of a product of which nothing was said, too; the name of a price differs."""
        scarf, ring = SCARVES["usd"][0], RINGS["usd"][0]
        assert market.post(MANY, id=ring, US_HI="5", wish_express_add_countries="US").code == 0
        answer = market.get("/api/v2/product/get-products-shipping", ids=f"{scarf},{ring}")
        for product_id, item in zip((scarf, ring), answer.data, strict=True):
            alone = market.get("/api/v2/product/get-all-shipping", id=product_id).data
            newer = alone["ProductCountryAllShipping"]["DataV2"]["ProductCountryWarehouseAllShipping"]
            for country in newer["countries"]:
                for warehouse in country["ProductCountryWarehouseShipping"]["warehouses"]:
                    del warehouse["WarehouseShipping"]["localized_shipping_price"]
            assert item == alone
        told = answer.data[0]["ProductCountryAllShipping"]
        older = [item["ProductCountryShipping"]["country_code"] for item in told["shipping_prices"]]
        assert older == ["AU", "CA", "DE", "GB", "US"]
        newer = told["DataV2"]["ProductCountryWarehouseAllShipping"]["countries"]
        regions = {
            of["country_code"]: len(of["warehouses"][-1]["WarehouseShipping"].get("regional_shippings", ()))
            for of in (item["ProductCountryWarehouseShipping"] for item in newer)
        }
        assert regions == {"AU": 9, "CA": 13, "DE": 0, "GB": 0, "US": 57}

    def test_the_default_is_the_products(self, market: Market) -> None:
        assert market.post(ONE, parent_sku="ring", country="DE", default_shipping_price="7").code == 0
        told = market.get("/api/v2/product", parent_sku="ring").data["Product"]
        assert told["default_shipping_price"] == "7.0"

    def test_a_change_counts_as_one_and_nothing_as_none(self, market: Market) -> None:
        def changed() -> Any:
            return market.get("/api/v2/product", parent_sku="ring").data["Product"]["last_updated"]

        before = changed()
        assert market.post(ONE, parent_sku="ring", country="CA").code == 0
        assert market.post(ONE, parent_sku="ring", country="CA", price="4.99").code == 0
        assert changed() == before
        assert market.post(ONE, parent_sku="ring", country="CA", price="4.98").code == 0
        assert changed() > before

    def test_stock_that_is_split_counts_as_a_change(self, market: Market) -> None:
        """Also where the product takes part already, and only a newer variation's stock is shared."""

        def changed() -> Any:
            return market.get("/api/v2/product", parent_sku="ring").data["Product"]["last_updated"]

        assert market.post(ONE, parent_sku="ring", country="US", wish_express="true").code == 0
        form = {"parent_sku": "ring", "sku": "late", "color": "late", "inventory": "9", "price": "3"}
        assert market.post("/api/v2/variant/add", **form).code == 0
        before = changed()
        market.sql("update world_clock set fixed_at = fixed_at + interval '1 hour'")
        assert market.post(ONE, parent_sku="ring", country="US", wish_express="true").code == 0
        assert "STANDARD late 5" in stock(market)
        after = changed()
        assert after > before
        market.sql("update world_clock set fixed_at = fixed_at + interval '1 hour'")
        assert market.post(ONE, parent_sku="ring", country="US", wish_express="true").code == 0
        assert changed() == after

    def test_a_removed_product_is_read_and_not_changed(self, market: Market) -> None:
        assert market.post("/api/v2/product/remove", parent_sku="ring").code == 0
        assert market.get("/api/v2/product/get-shipping", id=RINGS["usd"][0], country="US").code == 0
        assert market.post(ONE, id=RINGS["usd"][0], country="US", price="1").code == 1002
        assert market.post(ONE, parent_sku="ring", country="US", price="1").code == 1004


class TestTwice:
    """A region costs at most twice its country, whoever moves."""

    @pytest.mark.parametrize(
        "form",
        [
            {"US": "2.49"},
            {"use_product_shipping_countries": "US", "US_AK": "1000"},
            {"default_shipping_price": "0"},
        ],
        ids=str,
    )
    def test_the_country_moves(self, market: Market, form: dict[str, str]) -> None:
        assert market.post(MANY, id=RINGS["usd"][0], US="2.50", US_HI="5").code == 0
        assert market.post(MANY, id=RINGS["usd"][0], **form).code == (1000 if "US" in form else 0)

    def test_the_default_moves(self, market: Market) -> None:
        assert market.post(MANY, id=RINGS["usd"][0], AU_NSW="20").code == 0
        answer = market.post(MANY, id=RINGS["usd"][0], default_shipping_price="9.99")
        assert (answer.code, answer.data) == (1000, "default_shipping_price")

    def test_both_may_move_together(self, market: Market) -> None:
        assert market.post(MANY, id=RINGS["usd"][0], US="2.50", US_HI="5").code == 0
        assert market.post(MANY, id=RINGS["usd"][0], US="1", US_HI="2").code == 0
        assert market.post(MANY, id=RINGS["usd"][0], US="0.5", regions_use_country_shipping="US_HI").code == 0

    @pytest.mark.parametrize(
        ("path", "form", "name"),
        [
            (ONE, {"country": "US_HI", "price": "8"}, "price"),
            (ONE, {"country": "US", "price": "2"}, "price"),
            (ONE, {"country": "US", "price": "5", "default_shipping_price": "9"}, "default_shipping_price"),
            (
                ONE,
                {"country": "DE", "wish_express": "true", "default_shipping_price": "9"},
                "default_shipping_price",
            ),
            (ONE, {"country": "US", "wish_express": "true"}, "wish_express"),
            (ONE, {"country": "US", "wish_express": "true", "price": "4"}, "price"),
            (MANY, {"US_HI": "8", "US": "3.99"}, "US_HI"),
            (MANY, {"US": "2"}, "US"),
            (MANY, {"US": "3.99", "default_shipping_price": "9"}, "default_shipping_price"),
            (MANY, {"wish_express_add_countries": "US"}, "wish_express_add_countries"),
            (MANY, {"wish_express_add_countries": "US", "US": "4"}, "US"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("who", ["usd", "cny"])
    def test_the_parameter_that_moved_is_named(
        self, market: Market, who: str, path: str, form: dict[str, str], name: str
    ) -> None:
        """The one that counts, in the currency that counts."""
        account_id = market.world.merchants[who].account_id
        if who == "usd":
            settle(market, lambda ctx: shipping.open_warehouse(ctx, account_id, "DE"))
        elif "DE" in form.values():
            return
        ring = {"id": RINGS[who][0]}
        ready = {"AU_NSW": "20", "US_AK": "5"}, {"US_HI": "10", "warehouse_name": "EXPRESS-US"}
        for said in ready:
            assert market.post(MANY, who, **ring, **_paid(who, said)).code == 0
        answer = market.post(path, who, **ring, **_paid(who, form))
        own = name if who == "usd" or name.startswith("wish_express") else f"localized_{name}"
        assert (answer.code, answer.data) == (1000, own)
        assert own in answer.json["message"]


def _paid(who: str, form: dict[str, str]) -> dict[str, str]:
    """A form with the same prices in the merchant's own currency beside."""
    if who == "usd":
        return form
    own = {
        f"localized_{name}": str(Decimal(text) * 7)
        for name, text in form.items()
        if text.replace(".", "").isdigit()
    }
    return {**form, **own, "localized_currency_code": "CNY"} if own else form


class TestNotServed:
    """A country that the settings no longer have."""

    def test_joining_an_express_warehouse_that_ships_nowhere_is_refused(self, market: Market) -> None:
        settle(market, lambda ctx: shipping.drop_country(ctx, "EXPRESS-US", "US"))
        before = stock(market)
        for path, form in (
            (ONE, {"country": "US", "wish_express": "true"}),
            (MANY, {"wish_express_add_countries": "US"}),
        ):
            answer = market.post(path, id=RINGS["usd"][0], **form)
            assert (answer.code, answer.data) == (1002, "US")
            assert "EXPRESS-US" in answer.json["message"]
        assert stock(market) == before

    def test_such_a_warehouse_does_not_hinder_the_others(self, market: Market) -> None:
        """What is said everywhere is said of it, too, and counts when it ships again."""
        assert market.post(ONE, parent_sku="ring", country="US", wish_express="true").code == 0
        settle(market, lambda ctx: shipping.drop_country(ctx, "EXPRESS-US", "US"))
        told = market.get("/api/v2/product", parent_sku="ring").data["Product"]
        assert "wish_express_country_codes" not in told
        assert market.post(ONE, parent_sku="ring", country="US", enabled="true").code == 0
        assert market.post(ONE, parent_sku="ring", country="US", wish_express="false").code == 0
        assert market.post(MANY, id=RINGS["usd"][0], disabled_countries="US").code == 0
        settle(market, lambda ctx: shipping.set_country(ctx, "EXPRESS-US", ["US"], None))
        data = market.get("/api/v2/product/get-shipping", parent_sku="ring", country="US").data
        assert data["ProductCountryShipping"]["enabled"] == "False"

    def test_a_product_does_not_tell_it(self, market: Market) -> None:
        settle(market, lambda ctx: shipping.drop_country(ctx, "STANDARD", "CA"))
        told = market.get("/api/v2/product", parent_sku="ring").data["Product"]
        assert [item["CountryShipping"]["country_code"] for item in told["country_shippings"]] == ["US"]

    def test_a_new_product_passes_it_over(self, market: Market) -> None:
        """As the reference says: any country you don't ship to is ignored."""
        form = {"name": "Cap", "description": "A cap.", "sku": "cap", "inventory": "1", "price": "5",
                "shipping": "2", "main_image": "https://pictures.example/cap.jpg"}  # fmt: skip
        answer = market.post("/api/v2/product/add", **form, country_shipping_prices='{"CA": 3, "FR": 9}')
        told = answer.data["Product"]["country_shippings"]
        assert [item["CountryShipping"]["country_code"] for item in told] == ["CA"]
        settle(market, lambda ctx: shipping.set_country(ctx, "STANDARD", ["FR"], None))
        data = market.get("/api/v2/product/get-shipping", parent_sku="cap", country="FR").data
        assert data["ProductCountryShipping"]["shipping_price"] == "2.0"


def test_a_price_of_a_setting_counts_where_nothing_else_does(market: Market) -> None:
    """In the Express warehouse, which has no default of the product."""
    settle(market, lambda ctx: shipping.set_country(ctx, "EXPRESS-US", ["US"], Decimal("6.5")))
    form = {"parent_sku": "ring", "country": "US", "enabled": "true", "warehouse_name": "EXPRESS-US"}
    assert market.post(ONE, **form).code == 0
    data = market.get("/api/v2/product/get-shipping", parent_sku="ring", country="US").data
    told = data["ProductCountryShipping"]["DataV2"]["ProductCountryWarehouseShipping"]["warehouses"]
    assert [item["WarehouseShipping"]["price"] for item in told] == ["6.5", "3.99"]
    product = market.get("/api/v2/product", parent_sku="ring", warehouse_name="EXPRESS-US").data["Product"]
    [listed] = product["country_shippings"]
    assert listed["CountryShipping"]["price"] == "6.5"


@pytest.mark.committing
def test_writers_at_once_lose_nothing(server: Server, world: World) -> None:
    """Each says something of another country and joins Express; all of it is there, and stock is split once."""
    server.clone("shipping_together")
    account_id = world.merchants["usd"].account_id

    async def one(database: Database, country: str) -> None:
        async with database.acting_for(account_id) as connection:
            ctx = await merchants.act_for(Ctx(db=connection, now=NOW, actor=None), account_id)
            await shipping.update_place(
                ctx, ProductRef(id=RINGS["usd"][0]), PlaceChanges(country=country, price=Decimal(9))
            )
            await shipping.update_place(
                ctx, ProductRef(id=RINGS["usd"][0]), PlaceChanges(country="US", wish_express=True)
            )

    async def all_of_them() -> tuple[Any, Any]:
        database = Database(server.embedded.connection(PLATFORM_ROLE, "shipping_together"), PLATFORM_ROLE, most=8)
        await database.open()
        try:
            await asyncio.gather(*(one(database, country) for country in ("AU", "CA", "DE", "GB") * 2))
            async with database.acting_for(account_id) as connection:
                nines = await connection.fetchval("select count(*) from country_shipping where price = 9")
                return nines, await connection.fetchval(STOCK, account_id, RINGS["usd"][0])
        finally:
            await database.close()

    nines, shared = once(all_of_them)
    assert nines == 4
    assert "EXPRESS-US ring-blue 50" in shared
    assert "STANDARD ring-blue 50" in shared
