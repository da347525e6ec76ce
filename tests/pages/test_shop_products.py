"""The products of a shop, as a merchant uses them."""

from __future__ import annotations

import pytest

from tests.pages.shop import ShopBrowser
from tests.pages.test_consent import _password
from tests.support.calls import RINGS, SCARVES
from tests.support.market import Market

__all__ = ["_password"]

RING, SCARF = RINGS["usd"][0], SCARVES["usd"][0]
NEW = {
    "name": "Tea <b>Pot</b>",
    "description": "Holds tea.\nAnd water.",
    "sku": "pot",
    "inventory": "5",
    "price": "12.50",
    "shipping": "3",
    "main_image": "https://pictures.example/pot.jpg",
}


@pytest.fixture
def shop(market: Market) -> ShopBrowser:
    return ShopBrowser(market)


def listed(shop: ShopBrowser) -> list[str]:
    return [link.rpartition("/")[2] for link in shop.page.xpath("//tbody//th//a/@href")]


def test_products_are_listed_searched_and_filtered(market: Market, shop: ShopBrowser) -> None:
    ada = market.world.merchants["usd"].account_id
    shop.open("/products")
    assert listed(shop) == market.sql(
        "select array_agg(id order by updated_at desc, id desc) from product where merchant_id = $1 "
        "and removed_at is null", ada
    )  # fmt: skip
    for text in ("RING", "cute", "ring-bl"):
        shop.open(f"/products?text={text}")
        assert RING in listed(shop), text
    for text in ("%25", "_", "ing-blue"):
        shop.open(f"/products?text={text}")
        assert RING not in listed(shop), text
    shop.open("/products?review=pending")
    assert SCARF in listed(shop)
    assert RING not in listed(shop)
    market.sql("update variation set enabled = false where product_id = $1", SCARF)
    shop.open("/products?sale=no")
    assert listed(shop) == [SCARF]


def test_stock_and_price_are_edited_where_they_stand(market: Market, shop: ShopBrowser) -> None:
    shop.open("/products?text=scarf")
    shop.send("/products/edit", inventory="42", price="21.90")
    assert shop.said() == "scarf is saved."
    row = "select inventory || ' ' || price from stock join variation v on v.id = variation_id where v.id = $1"
    assert market.sql(row, SCARVES["usd"][1]) == "42 21.90"


def test_a_wrong_price_in_a_line_is_told_and_kept(market: Market, shop: ShopBrowser) -> None:
    shop.open(f"/products/{RING}")
    forms = shop.page.xpath("//main//form[@action='/products/edit']//input[@name='sku']/@value")
    assert forms == ["ring-green", "ring-blue", "ring-red"]
    shop.send("/products/edit", 400, inventory="7", price="1e3")
    assert shop.page.xpath("//input[@aria-invalid='true']/@value") == ["7", "1e3"]
    assert "Price" in shop.wrong()[1]
    assert market.sql("select price from variation where sku = 'ring-green' and merchant_id = $1",
                      market.world.merchants["usd"].account_id) != 1000  # fmt: skip


def test_a_product_is_added_and_is_shown_as_text(market: Market, shop: ShopBrowser) -> None:
    shop.open("/products/new")
    shop.send("/products/new", **NEW)
    assert "is added" in shop.said()
    assert shop.page.xpath("//h1/text()") == ["Tea <b>Pot</b>"]
    assert shop.page.xpath("//textarea[@name='description']/text()")[0].strip() == "Holds tea.\nAnd water."
    assert "pot.jpg" in shop.text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"sku": "ring-blue"}, "sku"),
        ({"price": "x"}, "price"),
        ({"inventory": "-1"}, "inventory"),
        ({"main_image": "javascript:alert(1)"}, "main_image"),
        ({"upc": "12"}, "upc"),
    ],
)
def test_what_is_wrong_with_a_new_product_stands_at_its_field(
    market: Market, shop: ShopBrowser, wrong: dict[str, str], field: str
) -> None:
    shop.open("/products/new")
    shop.send("/products/new", 400, **{**NEW, **wrong})
    assert shop.wrong()[0] == field
    assert shop.page.xpath("//textarea[@name='description']/text()")[0].strip() == "Holds tea.\nAnd water."
    assert market.sql("select count(*) from product where parent_sku = 'pot'") == 0


def test_a_product_is_changed_taken_off_sale_and_removed(market: Market, shop: ShopBrowser) -> None:
    shop.open(f"/products/{RING}")
    shop.send(f"/products/{RING}", name="Cuter Ring")
    assert shop.page.xpath("//h1/text()") == ["Cuter Ring"]
    shop.send(f"/products/{RING}/sale")
    assert market.sql("select bool_or(enabled) from variation where product_id = $1", RING) is False
    shop.send(f"/products/{RING}/variation-sale")
    assert market.sql("select count(*) from variation where product_id = $1 and enabled", RING) == 1
    shop.send(f"/products/{RING}/variations", sku="ring-gold", color="gold", inventory="1", price="99")
    assert shop.said() == "ring-gold is added."
    shop.send(f"/products/{RING}/variations", 400, sku="ring-gold", color="g", inventory="1", price="99")
    assert shop.wrong()[0] == "sku"
    shop.open(f"/products/{SCARF}")
    shop.send(f"/products/{SCARF}/remove")
    assert shop.said() == "The product is removed."
    assert SCARF not in listed(shop)


def test_the_shipping_of_a_product_is_a_matrix(market: Market, shop: ShopBrowser) -> None:
    where = f"/products/{RING}/shipping"
    shop.open(where)
    names = shop.page.xpath("//tbody//input[@type='checkbox']/@name")
    assert names == ["to.AU", "to.CA", "to.DE", "to.GB", "to.US"]
    now = {"to.AU": "on", "to.CA": "on", "to.DE": "", "to.GB": "on", "to.US": "on"}
    shop.send(where, **{**now, "price.CA": "7.50"})
    assert shop.said() == "The shipping is saved."
    assert shop.page.xpath("//input[@name='price.CA']/@value") == ["7.5"]
    assert not shop.page.xpath("//input[@name='to.DE'][@checked]")
    assert shop.page.xpath("//input[@name='to.US'][@checked]")
    shop.send(where, 400, **{**now, "price.CA": "lots"})
    assert shop.wrong()[0] == "price.CA"
    assert shop.page.xpath("//input[@name='price.CA']/@value") == ["lots"]


def offered(market: Market, country: str) -> dict[str, tuple[str, str]]:
    """What the API says of shipping a ring to a country: by warehouse, the price and whether it is shipped."""
    answer = market.get("/api/v2/product/get-shipping", id=RING, country=country)
    [item] = answer.json["data"].values()
    told = [one["WarehouseShipping"] for one in item["DataV2"]["ProductCountryWarehouseShipping"]["warehouses"]]
    return {one["warehouse_name"]: (one["price"], one["enabled"]) for one in told}


def test_an_express_warehouse_has_a_matrix_of_its_own(market: Market, shop: ShopBrowser) -> None:
    where = f"/products/{RING}/shipping"
    shop.open(where)
    assert shop.page.xpath("//select[@name='warehouse']/option/@value") == ["STANDARD", "EXPRESS-US"]
    standard = offered(market, "US")["STANDARD"]
    shop.open(f"{where}?warehouse=EXPRESS-US")
    assert shop.page.xpath("//select/option[@selected]/@value") == ["EXPRESS-US"]
    assert shop.page.xpath("//tbody//input[@type='checkbox']/@name") == ["to.US"]
    assert "takes part in Wish Express (United States)" in shop.text
    shop.send(where, **{"to.US": "on", "price.US": "9.25"})
    assert shop.said() == "The shipping is saved."
    assert shop.page.xpath("//select/option[@selected]/@value") == ["EXPRESS-US"], "the page of the same warehouse"
    assert offered(market, "US") == {"STANDARD": standard, "EXPRESS-US": ("9.25", "True")}
    shop.send(where, 400, **{"to.US": "on", "price.US": "dear"})
    assert shop.wrong()[0] == "price.US"
    assert shop.page.xpath("//select/option[@selected]/@value") == ["EXPRESS-US"]
    shop.open(where)
    now = dict.fromkeys(shop.page.xpath("//tbody//input[@checked]/@name"), "on")
    shop.send(where, **{**now, "to.US": ""})
    assert offered(market, "US") == {"STANDARD": (standard[0], "False"), "EXPRESS-US": ("9.25", "True")}
    shop.open(f"{where}?warehouse=EXPRESS-FR", 404)
    shop.open(where)
    shop.browser.send_to(where, f"seal={shop.seal()}&warehouse=EXPRESS-FR".encode())
    assert shop.browser.answer.status == 404


@pytest.mark.parametrize("price", ["3.33", ""])
def test_a_price_for_where_nothing_is_shipped_ships_nothing(market: Market, shop: ShopBrowser, price: str) -> None:
    where = f"/products/{RING}/shipping"
    shop.open(where)
    now = dict.fromkeys(shop.page.xpath("//tbody//input[@checked]/@name"), "on")
    shop.send(where, **{**now, "to.CA": "", "price.CA": "5.55"})
    assert offered(market, "CA")["STANDARD"] == ("5.55", "False")
    shop.send(where, **{**now, "to.CA": "", "price.CA": price})
    assert offered(market, "CA")["STANDARD"] == (price or "None", "False")


def test_products_of_others_are_not_there(market: Market, shop: ShopBrowser) -> None:
    theirs = RINGS["eur"][0]
    for where in (f"/products/{theirs}", f"/products/{theirs}/shipping"):
        told = shop.open(where, status=404)
        assert told.replace(theirs, "0" * 24) == shop.open(where.replace(theirs, "0" * 24), status=404)
