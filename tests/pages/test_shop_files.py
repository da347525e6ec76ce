"""Warehouses, shipping settings, downloads and bulk updates of a shop, as a merchant uses them."""

from __future__ import annotations

import pytest

from tests.pages.shop import ShopBrowser
from tests.pages.test_consent import _password
from tests.support.calls import BULK_JOBS
from tests.support.market import Market
from tradepost.surfaces.pages.shop.files import FileUnusable, read_updates

__all__ = ["_password"]


@pytest.fixture
def shop(market: Market) -> ShopBrowser:
    return ShopBrowser(market)


def settings(market: Market) -> dict[str, str]:
    found = market.sql(
        "select string_agg(s.country || ' ' || coalesce(s.price::text, ''), ',') from shipping_setting s "
        "join warehouse w on w.merchant_id = s.merchant_id and w.id = s.warehouse_id "
        "where s.merchant_id = $1 and w.name = 'STANDARD'",
        market.world.merchants["usd"].account_id,
    )
    return dict(line.split(" ") for line in found.split(","))


def test_shipping_settings_are_saved_as_a_whole(market: Market, shop: ShopBrowser) -> None:
    shop.open("/warehouses")
    shop.open(shop.page.xpath("//tbody//th/a[text()='STANDARD']/@href")[0])
    ticked = shop.page.xpath("//input[@checked]/@name")
    assert {name.removeprefix("to.") for name in ticked} == set(settings(market))
    boxes = dict.fromkeys(shop.page.xpath("//input[@type='checkbox']/@name"), "")
    shop.send("/warehouses/STANDARD", **{**boxes, "to.US": "on", "to.FR": "on", "price.FR": "4.25"})
    assert shop.said() == "The shipping settings are saved."
    assert settings(market) == {"US": "", "FR": "4.25"}
    shop.send("/warehouses/STANDARD", 400, **{**boxes, "to.FR": "on", "price.FR": "4,25"})
    assert shop.wrong()[0] == "price.FR"
    assert settings(market) == {"US": "", "FR": "4.25"}


def test_a_shop_ships_worldwide_or_by_its_settings(market: Market, shop: ShopBrowser) -> None:
    shop.open("/warehouses")
    shop.send("/warehouses/worldwide")
    assert "You ship to every country" in shop.text
    shop.send("/warehouses/worldwide")
    assert "You ship to every country" not in shop.text
    shop.open("/warehouses/NOWHERE", 404)


def test_files_are_asked_for_made_and_linked(market: Market, shop: ShopBrowser) -> None:
    shop.open("/files")
    shop.send("/files/products")
    assert shop.said() == "The job is started."
    assert shop.page.xpath("//tbody/tr[1]//progress")
    market.work()
    shop.open("/files")
    link = shop.page.xpath("//tbody/tr[1]//a[@class='button']/@href")[0]
    assert shop.browser.get(link).status == 200
    shop.open("/files")
    shop.send("/files/orders", 400, start="2021-05-19", end="2021-05-01")
    assert shop.wrong()[0] == "end"


def follows(shop: ShopBrowser) -> str | None:
    """Where a page that follows what is under way looks for it; None for one that does not."""
    scripts = shop.page.xpath("//script/@src")
    from_where = shop.page.xpath("//*[@id='following']/@data-from")
    rules = shop.browser.answer.headers["content-security-policy"]
    assert len(scripts) == len(from_where) == rules.count("script-src 'self'") == rules.count("connect-src 'self'")
    return str(from_where[0]) if from_where else None


def test_a_page_follows_what_is_under_way_and_nothing_else(market: Market, shop: ShopBrowser) -> None:
    shop.open("/files")
    assert follows(shop) is None
    shop.send("/files/orders")
    assert follows(shop) == "/files"
    kind = shop.browser.get(shop.page.xpath("//script/@src")[0]).headers["content-type"]
    assert kind == "text/javascript; charset=utf-8"
    shop.open("/files")
    shop.send("/files/orders", 400, start="2021-05-19", end="2021-05-01")
    assert follows(shop) == "/files", "not where the form led"
    shop.upload("/files/updates", "updates", "sku,inventory\nring-blue,7\n", warehouse_name="STANDARD")
    one = shop.page.xpath("//tbody/tr[.//form]//th/a/@href")[0]
    shop.open(one)
    assert follows(shop) == one
    assert shop.page.xpath("//progress/@aria-label") == ["Progress: Bulk update"]
    market.work()
    for where in (one, "/files"):
        shop.open(where)
        assert follows(shop) is None
        assert not shop.page.xpath("//a[contains(@href, 'follow=')]")


def test_following_is_stopped_and_begun_again(market: Market, shop: ShopBrowser) -> None:
    shop.open("/files")
    shop.send("/files/orders")
    for link, expected in (
        ("Stop updating", None),
        ("Update by itself", "/files?after=x"),
        ("Stop updating", None),
    ):
        shop.open("/files?after=x")
        where = shop.page.xpath(f"//a[text()='{link}']/@href")[0]
        shop.open(where)
        assert follows(shop) == expected
        assert shop.page.xpath("//a[text()='Refresh']/@href") == ["/files?after=x"]
    shop.open("/files")
    shop.send("/files/orders")
    assert follows(shop) is None, "whoever stopped it is not asked again"


def test_a_job_that_waits_is_cancelled(market: Market, shop: ShopBrowser) -> None:
    shop.open("/files")
    shop.send("/files/orders")
    action = shop.page.xpath("//tbody/tr[1]//form/@action")[0]
    shop.send(action)
    assert shop.said() == "The job is cancelled."
    job_id = action.split("/")[2]
    assert market.sql("select state from job where id = $1", job_id) == "cancelled"
    theirs = market.sql("select id from job where account_id = $1 and kind = 'order_download' limit 1",
                        market.world.merchants["eur"].account_id)  # fmt: skip
    shop.send("/files/orders")
    shop.browser.send_to(f"/files/{theirs}/cancel", f"seal={shop.seal()}&kind=order_download".encode())
    assert shop.browser.answer.status == 404


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_file_changes_stock_and_sale(market: Market, shop: ShopBrowser, separator: str) -> None:
    lines = ["\ufeffSKU,Inventory,enabled", "ring-blue,77,", "ring-red,,false", "no-such,1,", "scarf,-1,"]
    text = "\r\n".join(line.replace(",", separator) for line in lines)
    shop.open("/files")
    shop.upload("/files/updates", "updates", text, warehouse_name="STANDARD")
    assert shop.said() == "The job is started."
    market.work()
    shop.open("/files")
    assert "2 applied, 2 not" in shop.text
    shop.open(shop.page.xpath("//tbody/tr[1]//th/a/@href")[0])
    assert shop.page.xpath("//tbody//th/text()") == ["no-such", "scarf"]
    ada = market.world.merchants["usd"].account_id
    stock = (
        "select inventory from stock s join variation v on v.id = s.variation_id "
        "where v.sku = $1 and v.merchant_id = $2"
    )
    assert market.sql(stock, "ring-blue", ada) == 77
    assert market.sql("select enabled from variation where sku = 'ring-red' and merchant_id = $1", ada) is False


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must name the column"),
        ("inventory\n5", "must name the column"),
        ("sku\nring-blue", "must name the column"),
        ("sku,inventory\n", "no lines"),
        ('sku,inventory\n"' + "x" * 200_000 + '",1', "not CSV"),
    ],
)
def test_a_file_that_is_none_is_told(market: Market, shop: ShopBrowser, text: str, says: str) -> None:
    before = market.sql("select count(*) from job")
    shop.open("/files")
    shop.upload("/files/updates", "updates", text, status=400)
    assert shop.wrong()[0] == "updates"
    assert says in shop.wrong()[1]
    assert market.sql("select count(*) from job") == before


def test_a_file_has_at_most_so_many_lines() -> None:
    assert read_updates("sku,inventory\n" + "a,1\n" * 100_000).count == 100_000
    with pytest.raises(FileUnusable) as raised:
        read_updates("sku,inventory\n" + "a,1\n" * 100_001)
    assert raised.value.key == "bulk_too_many"


def test_a_bulk_update_that_is_done_tells_its_lines(market: Market, shop: ShopBrowser) -> None:
    shop.open(f"/files/updates/{BULK_JOBS['usd']}")
    assert "ring-violet" in shop.text
    shop.open(f"/files/updates/{BULK_JOBS['eur']}", 404)
