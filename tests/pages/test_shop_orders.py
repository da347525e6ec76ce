"""The first page of a shop and its orders, as a merchant uses them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.pages.browser import Browser
from tests.pages.shop import ShopBrowser
from tests.pages.test_consent import _password, signed_in
from tests.support.market import Market
from tradepost.domain.reference import REFUND_REASONS
from tradepost.surfaces.pages.words import LOCALES, words

__all__ = ["_password"]


def an_order(market: Market, state: str, of: str = "usd") -> str:
    merchant_id = market.world.merchants[of].account_id
    found: str = market.sql(
        "select id from orders where merchant_id = $1 and state = $2 order by placed_at, id limit 1",
        merchant_id,
        state,
    )
    assert found
    return found


@pytest.fixture
def shop(market: Market) -> ShopBrowser:
    return ShopBrowser(market)


def test_the_first_page_tells_what_needs_to_be_done(market: Market, shop: ShopBrowser) -> None:
    ada = market.world.merchants["usd"].account_id
    told = [int(text) for text in shop.page.xpath("//ul[@class='tiles']//b/text()")]
    asked = [
        "select count(*) from orders where merchant_id = $1 and state = 'approved'",
        "select count(*) from ticket where merchant_id = $1 and state = 'awaiting_merchant'",
        "select count(*) from notification where merchant_id = $1 and viewed_at is null",
        "select count(*) from infraction where merchant_id = $1 and stage = 1",
        "select count(*) from job where account_id = $1 and state in ('pending', 'running') "
        "and kind like any (array['%download%', '%bulk%'])",
    ]
    assert told == [market.sql(text, ada) for text in asked]
    assert shop.page.xpath("//main//a[starts-with(@href, '/orders/')]")
    bars = shop.page.xpath("//svg[@class='chart']//title/text()")
    assert len(bars) == 30
    assert sum(int(text.rpartition(": ")[2]) for text in bars) == market.sql(
        "select count(*) from orders where merchant_id = $1 and placed_at > world_now()::date - 30", ada
    )


def test_orders_to_ship_and_all_orders_are_listed(market: Market, shop: ShopBrowser) -> None:
    ada = market.world.merchants["usd"].account_id
    shop.open("/orders")
    listed = shop.page.xpath("//tbody//th/a/text()")
    count = "select count(*) from orders where merchant_id = $1"
    assert len(listed) == market.sql(f"{count} and state = 'approved'", ada) > 0
    shop.open("/orders?view=all")
    assert len(shop.page.xpath("//tbody//th/a/text()")) == market.sql(count, ada)


@pytest.mark.parametrize("state", ["approved", "shipped", "refunded", "review"])
def test_orders_are_filtered_by_state(market: Market, shop: ShopBrowser, state: str) -> None:
    shop.open(f"/orders?view=all&state={state}")
    ada = market.world.merchants["usd"].account_id
    count = market.sql("select count(*) from orders where merchant_id = $1 and state = $2", ada, state)
    assert len(shop.page.xpath("//tbody//th/a/text()")) == count


def test_orders_are_filtered_by_day_and_found_by_their_numbers(market: Market, shop: ShopBrowser) -> None:
    order_id = an_order(market, "shipped")
    row = market.sql("select tracking_number || ' ' || transaction_id from orders where id = $1", order_id)
    for text in (order_id, order_id.upper(), *row.split()):
        shop.open(f"/orders?view=all&q={text}")
        assert order_id in shop.page.xpath("//tbody//th/a/text()"), text
    assert "Nothing is found" in shop.open("/orders?q=%25")
    day = market.sql("select placed_at::date from orders where id = $1", order_id)
    shop.open(f"/orders?view=all&from={day}&to={day}")
    days = shop.page.xpath("//td[@data-label='Placed (UTC)']/text()")
    assert days
    assert all(text.startswith(f"{day.day} {day:%b %Y}") for text in days)
    assert "Nothing is found" in shop.open("/orders?view=all&from=2030-01-01")
    for field, value in (("from", "never"), ("to", "2021-02-31")):
        shop.open(f"/orders?view=all&{field}={value}", status=400)
        assert shop.wrong()[0] == field
        assert value in shop.wrong()[1]
        assert "2026-03-09" in shop.wrong()[1]
        assert not shop.page.xpath("//tbody//th/a")
    shop.open("/orders?view=all&state=odd&after=x&start=%D9%A1")
    assert shop.page.xpath("//tbody//th/a/text()")


def test_lists_go_on_where_a_page_ends(market: Market, shop: ShopBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradepost.surfaces.pages.lists.PAGE", 2)
    seen: list[str] = []
    shop.open("/orders?view=all")
    while True:
        seen += shop.page.xpath("//tbody//th/a/text()")
        behind = shop.page.xpath("//nav[@class='pager']/a[@rel='next']/@href")
        if not behind:
            break
        shop.open(behind[0])
    ada = market.world.merchants["usd"].account_id
    rows = market.sql(
        "select array_agg(id order by placed_at desc, id desc) from orders where merchant_id = $1", ada
    )
    assert seen == rows
    assert shop.page.xpath("//nav[@class='pager']/a[@rel='prev']/@href") == ["/orders?view=all"]


def test_an_order_is_fulfilled_and_its_tracking_changed(market: Market, shop: ShopBrowser) -> None:
    order_id = an_order(market, "approved")
    shop.open(f"/orders/{order_id}")
    shop.send(f"/orders/{order_id}/fulfil", tracking_provider="USPS", tracking_number="9400111899223100001")
    assert shop.said() == "The order is marked as shipped."
    assert market.sql("select state from orders where id = $1", order_id) == "shipped"
    assert shop.open(f"/orders/{order_id}").count("marked as shipped") == 0
    shop.send(f"/orders/{order_id}/tracking", tracking_provider="USPS", tracking_number="9400111899223100002")
    assert shop.said() == "The tracking is changed."
    assert market.sql("select tracking_number from orders where id = $1", order_id) == "9400111899223100002"


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"tracking_number": "9400111899223100001"}, "tracking_provider", "Missing parameter 'Carrier'."),
        ({"tracking_provider": "Pigeon", "tracking_number": "1"}, "tracking_provider", "accepted providers"),
        ({"tracking_provider": "USPS"}, "tracking_number", "racking"),
        ({"tracking_provider": "USPS", "tracking_number": "a b"}, "tracking_number", "racking"),
        (
            {"tracking_provider": "USPS", "tracking_number": "1", "origin_country_code": "ZZ"},
            "origin_country_code",
            "ZZ",
        ),
    ],
)  # fmt: skip
def test_a_refused_form_keeps_its_input_and_names_the_field(
    market: Market, shop: ShopBrowser, values: dict[str, str], field: str, says: str
) -> None:
    order_id = an_order(market, "approved")
    shop.open(f"/orders/{order_id}")
    shop.send(f"/orders/{order_id}/fulfil", 400, **{"ship_note": "a <b> note", **values})
    name, text = shop.wrong()
    assert name == field
    assert says in text
    assert shop.page.xpath("//input[@name='ship_note']/@value") == ["a <b> note"]
    assert market.sql("select state from orders where id = $1", order_id) == "approved"


def test_an_order_is_refunded_with_a_reason(market: Market, shop: ShopBrowser) -> None:
    order_id = an_order(market, "approved")
    shop.open(f"/orders/{order_id}")
    shop.send(f"/orders/{order_id}/refund", 400, reason_code="-1")
    assert shop.wrong()[0] == "reason_note"
    shop.send(f"/orders/{order_id}/refund", reason_code="-1", reason_note="The warehouse flooded.")
    assert shop.said() == "The order is refunded."
    assert "to the buyer" in shop.text
    note = "select note from order_refund where order_id = $1"
    assert market.sql(note, order_id) == "The warehouse flooded."
    assert market.sql("select state from orders where id = $1", order_id) == "refunded"


def test_every_reason_is_told_in_every_language() -> None:
    for locale in LOCALES:
        assert all(f"reason.{code}" in words(locale) for code in REFUND_REASONS)


def test_orders_of_others_are_not_there(market: Market, shop: ShopBrowser) -> None:
    theirs, mine = an_order(market, "approved", "eur"), an_order(market, "approved")
    told = shop.open(f"/orders/{theirs}", status=404)
    assert told.replace(theirs, "0" * 24) == shop.open(f"/orders/{'0' * 24}", status=404)
    shop.open(f"/orders/{mine}")
    form = shop.page.xpath(f"//form[@action='/orders/{mine}/fulfil']")[0]
    form.set("action", f"/orders/{theirs}/fulfil")
    fields = {field.get("name"): field.get("value") or "" for field in form.xpath(".//input")}
    sent = fields | {"tracking_provider": "USPS", "tracking_number": "9400111899223100001"}
    answer = shop.browser.send_to(f"/orders/{theirs}/fulfil", urlencode(sent).encode())
    assert answer.status == 404
    assert market.sql("select state from orders where id = $1", theirs) == "approved"


def test_a_form_without_the_seal_of_this_session_changes_nothing(market: Market, shop: ShopBrowser) -> None:
    order_id = an_order(market, "approved")
    shop.open(f"/orders/{order_id}")
    sent = {"tracking_provider": "USPS", "tracking_number": "9400111899223100001"}
    other: Browser = signed_in(market, where=f"/orders/{order_id}")
    stolen = other.page.xpath(f"//form[@action='/orders/{order_id}/fulfil']//input[@name='seal']/@value")[0]
    for seal in ("", "0" * 64, stolen):
        shop.open(f"/orders/{order_id}")
        shop.send(f"/orders/{order_id}/fulfil", 403, seal=seal, **sent)
    assert market.sql("select state from orders where id = $1", order_id) == "approved"


class Desk:
    """The desk of a sandbox that only notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def generate(self, *asked: Any) -> Any:
        self.asked.append(asked)
        return type("Made", (), {"orders": asked[1]})


def test_transactions_are_generated_in_a_sandbox_only(market: Market, shop: ShopBrowser) -> None:
    assert "Generate" not in shop.open("/orders")
    desk = Desk()
    market.let_pages_use(desk)
    shop.open("/orders")
    for odd in ("", "0", "10001", "-1", "１", "1e3"):
        shop.send("/orders/generate", 400, orders=odd)
        assert shop.wrong()[0] == "orders"
    shop.send("/orders/generate", orders="25")
    assert shop.said() == "25 orders were generated."
    assert desk.asked == [(market.world.merchants["usd"].account_id, 25, None)]
