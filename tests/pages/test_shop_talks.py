"""Tickets, notifications, infractions and returns of a shop, as a merchant uses them."""

from __future__ import annotations

import re

import pytest

from tests.pages.shop import ShopBrowser
from tests.pages.test_consent import _password
from tests.support.calls import RETURN_WAREHOUSES, RINGS
from tests.support.market import Market
from tradepost.surfaces.pages.shop.links import LEADS_TO

__all__ = ["_password"]

PLACE = {
    "region": "EU",
    "ship_to": "Desk",
    "warehouse_name": "Köln",
    "phone_number": "+49 221 555 0100",
    "email": "returns@shop.example",
    "city": "Köln",
    "state": "NW",
    "country": "DE",
    "zipcode": "50667",
    "street_address1": "Domkloster 4",
}


@pytest.fixture
def shop(market: Market) -> ShopBrowser:
    return ShopBrowser(market)


def a_ticket(market: Market, state: str, of: str = "usd") -> str:
    found: str = market.sql(
        "select id from ticket where merchant_id = $1 and state = $2 order by id limit 1",
        market.world.merchants[of].account_id,
        state,
    )
    assert found
    return found


def test_tickets_that_await_the_merchant_and_all(market: Market, shop: ShopBrowser) -> None:
    ada = market.world.merchants["usd"].account_id
    shop.open("/tickets")
    count = "select count(*) from ticket where merchant_id = $1"
    assert len(shop.page.xpath("//tbody//th/a")) == market.sql(f"{count} and state = 'awaiting_merchant'", ada)
    shop.open("/tickets?view=all")
    assert len(shop.page.xpath("//tbody//th/a")) == market.sql(count, ada)


def test_a_ticket_is_a_conversation(market: Market, shop: ShopBrowser) -> None:
    ticket_id = a_ticket(market, "awaiting_merchant")
    where = f"/tickets/{ticket_id}"
    shop.open(where)
    said = len(shop.page.xpath("//ol[@class='talk']/li"))
    assert said == market.sql("select count(*) from ticket_reply where ticket_id = $1", ticket_id)
    shop.send(f"{where}/reply", reply="It is on its way.\r\n<b>Soon</b>.")
    assert shop.said() == "Your message is sent."
    assert shop.page.xpath("//ol[@class='talk']/li[last()]/p[@class='lines']/text()") == [
        "It is on its way.\n<b>Soon</b>."
    ]
    assert market.sql("select state from ticket where id = $1", ticket_id) == "awaiting_buyer"
    shop.send(f"{where}/appeal")
    assert market.sql("select state from ticket where id = $1", ticket_id) == "awaiting_support"
    shop.send(f"{where}/close")
    assert market.sql("select state from ticket where id = $1", ticket_id) == "closed"
    shop.send(f"{where}/reopen", reply="There is news.")
    assert market.sql("select state from ticket where id = $1", ticket_id) == "awaiting_buyer"


@pytest.mark.parametrize("reply", ["", "x" * 2_001])
def test_a_reply_that_is_none_is_told_at_its_field(market: Market, shop: ShopBrowser, reply: str) -> None:
    where = f"/tickets/{a_ticket(market, 'awaiting_merchant')}"
    shop.open(where)
    shop.send(f"{where}/reply", 400, reply=reply)
    assert shop.wrong()[0] == "reply"
    assert shop.page.xpath("//textarea[@name='reply']")[0].text.removeprefix("\n") == reply


def test_notifications_are_read_and_marked(market: Market, shop: ShopBrowser) -> None:
    shop.open("/notifications")
    items = shop.page.xpath("//ul[@class='cards-list']/li")
    action = items[0].xpath(".//form/@action")[0]
    shop.send(action)
    assert shop.said() == "Marked as viewed."
    assert len(shop.page.xpath("//ul[@class='cards-list']/li")) == len(items) - 1
    assert "{" not in shop.text


def test_links_of_the_api_lead_to_pages(market: Market, shop: ShopBrowser) -> None:
    calls = ("noti/fetch-unviewed", "fetch-bd-announcement", "get/infractions")
    told = "".join(market.get(f"/api/v2/{call}").body.decode() for call in calls)
    links = re.findall(r'"(?:perma_)?link":"([^"]+)"', told)
    ours = [link for link in links if link.startswith("https://merchant.example/")]
    assert len({link.split("/")[3] for link in ours}) >= 3
    for link in ours:
        shop.open(link)


@pytest.mark.parametrize("path", LEADS_TO)
def test_a_link_leads_to_pages_of_ours_whatever_it_says(shop: ShopBrowser, path: str) -> None:
    for odd in ("..", "%2F%2Fevil.example", "a\\b", "%0d%0aX:y"):
        shop.browser.get(path.replace("{id}", odd))
        assert shop.browser.url.startswith("https://merchant.example/")
        assert shop.browser.answer.status in (200, 404)


def test_infractions_are_read_and_answered(market: Market, shop: ShopBrowser) -> None:
    shop.open("/infractions")
    link = shop.page.xpath("//tbody//th/a/@href")[0]
    shop.open(link)
    shop.send(f"{link}/answer", 400, message=" ")
    assert shop.wrong()[0] == "message"
    shop.send(f"{link}/answer", message="We have mended it.")
    assert shop.said() == "Your message is sent."
    assert "We have mended it." in shop.text
    shop.open("/infractions?stage=2")
    assert link in shop.page.xpath("//tbody//th/a/@href")


def test_what_is_of_others_is_not_there(market: Market, shop: ShopBrowser) -> None:
    eur = market.world.merchants["eur"].account_id
    infraction = market.sql("select id from infraction where merchant_id = $1 limit 1", eur)
    for where in (f"/tickets/{a_ticket(market, 'awaiting_merchant', 'eur')}", f"/infractions/{infraction}"):
        theirs = where.rpartition("/")[2]
        told = shop.open(where, status=404)
        assert told.replace(theirs, "0" * 24) == shop.open(where.replace(theirs, "0" * 24), status=404)


def test_return_warehouses_are_added_and_changed_and_products_enrolled(market: Market, shop: ShopBrowser) -> None:
    shop.open("/returns")
    assert "Bentonville" in shop.text
    shop.send("/returns", **PLACE)
    assert "is added" in shop.said()
    assert "Köln" in shop.text
    mine = RETURN_WAREHOUSES["usd"]
    shop.send(f"/returns/{mine}", ship_to="Another Desk")
    assert "Another Desk" in shop.text
    shop.send("/returns/enroll", id=RINGS["usd"][0], region="US", warehouse_id=mine)
    assert shop.said() == "The product can be returned there."


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"phone_number": "x"}, "phone_number"),
        ({"phone_number": ""}, "phone_number"),
        ({"country": "US"}, "country"),
        ({"city": ""}, "city"),
    ],
)
def test_what_is_wrong_with_a_return_warehouse_stands_at_its_field(
    market: Market, shop: ShopBrowser, wrong: dict[str, str], field: str
) -> None:
    shop.open("/returns")
    shop.send("/returns", 400, **{**PLACE, **wrong})
    assert shop.wrong()[0] == field
    assert shop.page.xpath("//input[@id='new-street_address1']/@value") == ["Domkloster 4"]
