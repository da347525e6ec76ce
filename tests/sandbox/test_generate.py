"""A shop's made-up past: plausible, through the rules, and the same for the same seed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.market import NOW, Market
from tradepost.domain import merchants, orders
from tradepost.domain.context import Ctx
from tradepost.domain.orders import Item, OrderRules, PastPurchase, Purchase, Scan, Shipment
from tradepost.domain.orders.failures import CarrierUnknown, ScanUnusable, TrackingReused
from tradepost.domain.orders.order import TIME_TO_FULFIL
from tradepost.sandbox.generate import CountUnusable, Generated, NothingForSale, generate
from tradepost.sandbox.traffic import COMPLAINTS, PEOPLE, Traffic

RULES = OrderRules()
MADE = "orders where merchant_id = $1 and product_name <> 'Lamp'"


def made(market: Market, count: int = 150, seed: str = "s", who: str = "usd") -> Generated:
    """Generate on the market's own connection."""

    async def act(verb: Callable[[Ctx], Awaitable[Any]]) -> Any:
        await market.connection.execute("reset role")
        return await verb(Ctx(db=market.connection, now=NOW, actor=None))

    shop = market.world.merchants[who].account_id
    found: Generated = market.run(generate(act, market.files, RULES, shop, count, seed))
    return found


def told(market: Market, path: str) -> list[Any]:
    """Everything that a list tells, page after page."""
    found: list[Any] = []
    while page := market.get(path, limit=100, start=len(found)).data:
        found += page
    return found


def listed(market: Market) -> list[dict[str, Any]]:
    """The orders that were made, as the merchant sees them."""
    found = [one["Order"] for one in told(market, "/api/v2/order/multi-get")]
    return [order for order in found if order["product_name"] != "Lamp"]


@pytest.mark.parametrize("who", ["usd", "cny", "eur"])
def test_as_many_orders_as_asked_for_in_every_state(market: Market, who: str) -> None:
    found = made(market, 300, who=who)
    shop = market.world.merchants[who].account_id
    assert found.orders == 300 == market.sql(f"select count(*) from {MADE}", shop)
    assert market.sql(f"select count(distinct state) from {MADE}", shop) == 4
    assert found.scans == market.sql("select count(*) from tracking_scan where recorded_at = $1", NOW)
    assert found.refunds == market.sql(f"select count(*) from {MADE} and state = 'refunded'", shop) > 0
    assert min(found.tickets, found.infractions) > 0


def test_it_holds_together(market: Market) -> None:
    """What waits is young, what was delivered was sent, money adds up, and nothing is yet to come."""
    made(market)
    moment = datetime.fromisoformat
    for order in listed(market):
        times = [moment(order[name] + "+00:00") for name in ("order_time", "last_updated")]
        assert times == sorted(times)
        assert times[1] <= NOW
        if order["state"] == "APPROVED":
            assert NOW - times[0] < TIME_TO_FULFIL
        if order["state"] == "SHIPPED":
            assert order["tracking_number"]
            assert order["shipping_provider"] != "WishPost"
        cost = (float(order["cost"]) + float(order["shipping_cost"])) * int(order["quantity"])
        assert abs(cost - float(order["order_total"])) < 0.01


def test_nothing_is_taken_from_stock_and_nobody_is_told_of_orders(market: Market) -> None:
    stock, before = market.sql("select sum(inventory) from stock"), market.sql("select count(*) from event")
    found = made(market)
    assert market.sql("select sum(inventory) from stock") == stock
    events = market.sql("select count(*) from event where topic like 'order%'")
    assert events == market.sql("select count(*) from event where topic like 'order%' and happened_at < $1", NOW)
    assert market.sql("select count(*) from event") - before >= found.tickets


def test_tickets_in_several_languages_with_pictures_that_can_be_seen(market: Market) -> None:
    made(market, 1000)
    open_ones = [one["Ticket"] for one in told(market, "/api/v2/ticket/get-action-required")]
    spoken = Counter(one["UserInfo"]["locale"] for one in open_ones)
    assert len(spoken) >= 3
    translated = [reply["Reply"] for one in open_ones for reply in one["replies"]]
    assert any(reply.get("translated_message_zh") for reply in translated)
    links = re.findall(r"/ticket-pictures/[^\\\"']*", json.dumps(open_ones))
    assert links
    assert market.get(links[0], None).body.startswith(b"\x89PNG")


def test_the_same_seed_gives_the_same_answers_and_another_one_others(market: Market) -> None:
    def answers(seed: str) -> list[bytes]:
        market.sql("savepoint before")
        made(market, 60, seed)
        paths = ("order/multi-get", "ticket/get-action-required", "get/infractions")
        found = [market.get(f"/api/v2/{path}?limit=100&stage=1").body for path in paths]
        market.sql("rollback to savepoint before")
        return found

    assert answers("a") == answers("a")
    assert answers("a") != answers("b")


def test_generating_again_makes_other_orders(market: Market) -> None:
    made(market, 10)
    made(market, 10)
    assert market.sql(f"select count(*) from {MADE}", market.world.merchants["usd"].account_id) == 20


def test_what_cannot_be_generated(market: Market) -> None:
    for count in (0, 1_000_001):
        with pytest.raises(CountUnusable):
            made(market, count)
    market.sql("update product set removed_at = $1 where removed_at is null", NOW)
    with pytest.raises(NothingForSale):
        made(market, 1)


def test_every_language_of_the_buyers_has_its_complaints() -> None:
    assert {person.locale for person in PEOPLE} <= {one.locale for one in COMPLAINTS}


def test_purchases_are_as_many_and_in_order() -> None:
    past = [one.past for one in Traffic("seed", NOW, ["a", "b", "c"]).purchases(500)]
    assert sum(len(one.purchase.items) for one in past) == 500
    placed = [one.placed_at for one in past]
    assert max(placed) <= NOW
    assert NOW - min(placed) <= timedelta(days=91)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 40])
def test_the_last_purchase_has_just_been_made_and_waits(count: int) -> None:
    for seed in range(200):
        last = list(Traffic(str(seed), NOW, ["a", "b", "c"]).purchases(count))[-1].past
        assert NOW - last.placed_at <= timedelta(minutes=1)
        assert (last.shipment, last.refund, last.purchase.under_review) == (None, None, False)


PAST = PastPurchase(
    purchase=Purchase(address=PEOPLE[0].address, items=(Item("ring-red"),)),
    placed_at=NOW - timedelta(days=9),
    shipment=Shipment("UPS", "1ZPAST"),
    shipped_at=NOW - timedelta(days=8),
    scans=(Scan("delivered", NOW - timedelta(days=1), "Fresno"),),
)


def recorded(market: Market, *history: PastPurchase) -> list[list[str]]:
    """Write purchases of the past down for the first shop."""

    async def record(ctx: Ctx) -> list[list[str]]:
        shop = await merchants.act_for(ctx, market.world.merchants["usd"].account_id)
        return await orders.record_history(shop, history, RULES)

    found: list[list[str]] = market.operate(record)
    return found


def test_a_purchase_of_the_past_reads_like_any_other(market: Market) -> None:
    ((order_id,),) = recorded(market, PAST)
    order = market.get(f"/api/v2/order?id={order_id}").data["Order"]
    assert (order["state"], order["tracking_number"], order["sku"]) == ("SHIPPED", "1ZPAST", "ring-red")
    other = {"tracking_provider": "UPS", "tracking_number": "1Z2"}
    refused = market.post("/api/v2/order/modify-tracking", id=order_id, **other)
    assert refused.status == 400, "a carrier has seen it"


@pytest.mark.parametrize(
    ("wrong", "failure"),
    [
        ({"placed_at": NOW + timedelta(seconds=1)}, ScanUnusable),
        ({"shipped_at": NOW - timedelta(days=10)}, ScanUnusable),
        ({"scans": (Scan("lost", NOW),)}, ScanUnusable),
        ({"shipment": Shipment("Owl", "1")}, CarrierUnknown),
    ],
)
def test_a_past_that_cannot_be_is_refused(market: Market, wrong: dict[str, Any], failure: type[Exception]) -> None:
    with pytest.raises(failure):
        recorded(market, replace(PAST, **wrong))


def test_a_number_of_another_parcel_is_refused(market: Market) -> None:
    with pytest.raises(TrackingReused):
        recorded(market, PAST, PAST)
