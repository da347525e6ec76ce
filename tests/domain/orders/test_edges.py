"""What is easily got wrong about orders: cents that are none, days, fines, addresses, parcels seen before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.everywhere.operator_provoked import good
from tests.support.calls import ORDERS
from tests.support.market import NOW, Market
from tests.support.orders import CANADIAN, RULES
from tradepost.domain import inbox, infractions, merchants, orders
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.inbox import TextUnusable
from tradepost.domain.infractions import FineUnusable, NewInfraction, Proof
from tradepost.domain.orders import Item, Purchase, RefundWish, Scan, Shipment, failures
from tradepost.surfaces.merchant_v2.wording import notice
from tradepost.values import Page

OPEN, COMBINED, SHIPPED = (ORDERS["usd"][name] for name in ("open", "combined", "shipped"))
Scene = Callable[[MerchantCtx], Awaitable[Any]]


def run(market: Market, scene: Scene, who: str = "usd") -> Any:
    """A scene in a shop."""

    async def within(ctx: Ctx) -> Any:
        return await scene(await merchants.act_for(ctx, market.world.merchants[who].account_id))

    return market.operate(within)


def kept(market: Market, order_id: str = SHIPPED, **other: Any) -> orders.Order:
    """An order that says some things otherwise."""
    order: orders.Order = run(market, lambda ctx: orders.find_order(ctx, order_id))
    return msgspec.structs.replace(order, **other)


# -- money


@pytest.mark.parametrize(
    ("currency", "total", "percent", "borne"),
    [
        ("USD", "26.4", 30, "7.92"),
        ("USD", "0.15", 50, "0.08"),  # half to even, like all amounts of an order
        ("JPY", "85", 33, "28"),
        ("JPY", "2975", 100, "2975"),
        ("KWD", "1.235", 50, "0.618"),
    ],
)
def test_what_a_merchant_bears_has_the_decimals_of_the_currency(
    market: Market, currency: str, total: str, percent: int, borne: str
) -> None:
    assert kept(market, currency=currency, total=total).borne(percent) == Decimal(borne)


@pytest.mark.parametrize("who", ["usd", "cny", "eur"])
def test_a_refund_in_another_currency_is_not_told_as_dollars(market: Market, who: str) -> None:
    told = market.get("/api/v2/order", who, id=ORDERS[who]["refunded"]).data["Order"]
    assert told["refunds"]
    for refund in told["refunds"]:
        for name in ("refund_amount", "merchant_responsible_amount"):
            assert (refund[name] == "999999") == (f"localized_{name}" in refund) == (who != "usd")
        assert 0 < float(refund["refund_amount" if who == "usd" else "localized_refund_amount"]) < 999_999


def test_a_refund_in_yen_is_kept_in_whole_yen(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        await ctx.db.execute(
            "update orders set currency = 'JPY', quantity = 1, price = 100, cost = 85, shipping = 0, "
            "shipping_cost = 0 where merchant_id = $1 and id = $2",
            ctx.actor.id,
            OPEN,
        )
        await orders.refund_for(ctx, OPEN, RefundWish(orders.BY_WISH, "Lost", responsibility=33))
        (refund,) = (await orders.find_order(ctx, OPEN)).refunds
        assert (refund.amount, refund.responsible_amount) == ("100", "28")

    run(market, scene)


# -- days


@pytest.mark.parametrize(
    ("delivered", "refunded", "now", "late"),
    [
        (None, None, timedelta(), False),
        (timedelta(hours=5), None, timedelta(days=9), False),  # on the day, in the evening
        (timedelta(hours=8), None, timedelta(days=9), True),
        (None, None, timedelta(hours=5), False),
        (None, None, timedelta(hours=8), True),
        (None, timedelta(days=-1), timedelta(days=9), False),  # nobody waits for what was refunded
        (None, timedelta(days=1), timedelta(days=9), True),
    ],
)
def test_an_express_order_is_late_from_the_next_day_on(
    market: Market, delivered: timedelta | None, refunded: timedelta | None, now: timedelta, late: bool
) -> None:
    day = datetime(2021, 5, 26, 16, 37, tzinfo=NOW.tzinfo)
    order = kept(
        market,
        deliver_by=day,
        delivered_at=None if delivered is None else day + delivered,
        refunded_at=None if refunded is None else day + refunded,
    )
    assert order.is_late_arrival(day + now) is late
    assert not kept(market, deliver_by=None).is_late_arrival(day + now)


# -- fines


def test_orders_name_the_fines_about_them(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        later = replace(ctx, now=NOW + timedelta(hours=1))
        proofs = [
            Proof("order", COMBINED),
            Proof("order", OPEN),
            Proof("order", "a" * 24),
            Proof("product", SHIPPED),
        ]
        new = NewInfraction(reason="Fake tracking", fine=Decimal(10), proofs=proofs)
        fine = await infractions.issue_infraction(later, new)
        await infractions.issue_infraction(later, replace(new, fine=Decimal(0)))
        for order_id, named in ((OPEN, [fine]), (COMBINED, [fine]), (SHIPPED, [])):
            order = await orders.find_order(ctx, order_id)
            assert list(order.fine_ids) == named
            assert (order.updated_at == later.now) == bool(named), "whoever asks since then gets it"
        other = await infractions.issue_infraction(later, new)
        await infractions.close_infraction(later, other)
        await infractions.close_infraction(later, fine, waive=True)
        assert list((await orders.find_order(ctx, OPEN)).fine_ids) == [other], "one was taken back, one was not"

    run(market, scene)


def test_another_shops_order_names_nothing(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        new = NewInfraction(reason="Fake", fine=Decimal(1), proofs=[Proof("order", ORDERS["cny"]["open"])])
        await infractions.issue_infraction(ctx, new)

    run(market, scene)
    assert list(run(market, lambda ctx: orders.find_order(ctx, ORDERS["cny"]["open"]), "cny").fine_ids) == []


@pytest.mark.parametrize("fine", ["1e30", "-1e30", "1e-30", "nan", "inf"])
def test_a_fine_of_any_size_is_refused_as_such(market: Market, fine: str) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        with pytest.raises(FineUnusable):
            await infractions.issue_infraction(ctx, NewInfraction(reason="x", fine=Decimal(fine)))

    run(market, scene)


def test_a_merchant_reads_in_his_language_why_the_platform_refunded(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        late = replace(ctx, now=NOW + timedelta(days=6))
        await infractions.refund_late_orders(late)
        told, _ = await inbox.list_notifications(ctx, Page(0, 500))
        (about,) = [n.about for n in told if n.topic == "order_refunded" and n.about["order_id"] == OPEN]
        assert about["reason"] == "Unable to fulfill order"
        for language, word in (("en", "in time"), ("fr", "à temps"), ("de", "rechtzeitig"), ("zh", "订单")):
            text = notice("order_refunded", about, language).text
            assert word in text
            assert "Unable" not in text

    run(market, scene)


# -- parcels


@pytest.mark.parametrize("kind", ["accepted", "delivered"])
def test_who_joins_a_parcel_that_was_seen_hears_of_it(market: Market, kind: str) -> None:
    async def topics(ctx: MerchantCtx, order_id: str) -> list[str]:
        found = await ctx.db.fetch("select topic from event where about ->> 'order_id' = $1", order_id)
        return sorted(row["topic"] for row in found if row["topic"] != "order_released")

    async def scene(ctx: MerchantCtx) -> None:
        seen = ["order_tracking_confirmed"] + ["order_delivered"] * (kind == "delivered")
        await orders.fulfil_order(ctx, OPEN, Shipment("UPS", "X1"))
        await orders.record_scan(ctx, "X1", Scan(kind, NOW))
        await orders.fulfil_order(ctx, COMBINED, Shipment("UPS", "X1"))
        assert await topics(ctx, COMBINED) == sorted(["order_shipped", *seen])
        (other,) = (
            await orders.place_order(ctx, Purchase(items=[Item("scarf")], address=CANADIAN), RULES)
        ).order_ids
        await orders.fulfil_order(ctx, other, Shipment("UPS", "X2"))
        await orders.modify_tracking(ctx, other, Shipment("UPS", "X1"))
        assert await topics(ctx, other) == sorted(["order_shipped", "order_tracking_changed", *seen])

    run(market, scene)


# -- what an operator says


LINES = ["東京都\u3000港区", "1\u00a0Street", "خیابان نمی\u200cدانم", "क्\u200dष Road"]
NO_LINES = ["1\nStreet", "1\u2028Street", "\u200b1 Street", "\u202e1 Street", "\ue000", "\u200c", "\u3000 ", "\x07"]


@pytest.mark.parametrize("line", LINES)
def test_addresses_as_buyers_write_them(market: Market, line: str) -> None:
    address = msgspec.structs.replace(CANADIAN, street_address1=line)

    async def scene(ctx: MerchantCtx) -> None:
        placed = await orders.place_order(ctx, Purchase(items=[Item("scarf")], address=address), RULES)
        assert (await orders.find_order(ctx, placed.order_ids[0])).address.street_address1 == line

    run(market, scene)


@pytest.mark.parametrize("line", NO_LINES)
def test_what_is_no_line_of_an_address(market: Market, line: str) -> None:
    address = msgspec.structs.replace(CANADIAN, street_address1=line)

    async def scene(ctx: MerchantCtx) -> None:
        with pytest.raises(failures.AddressUnusable):
            await orders.place_order(ctx, Purchase(items=[Item("scarf")], address=address), RULES)

    run(market, scene)


@pytest.mark.parametrize("line", [*LINES, *NO_LINES])
def test_a_changed_address_is_read_by_the_same_rule(market: Market, line: str) -> None:
    where = {"id": OPEN, "street_address1": line, "city": "City", "zipcode": "1", "country": "JP"}
    answer = market.post("/api/v2/order/change-shipping", "usd", **where)
    if line in NO_LINES:
        assert (answer.status, answer.code, answer.data) == (400, 1000, "street_address1")
    else:
        assert answer.code == 0
        told = market.get("/api/v2/order", "usd", id=OPEN).data["Order"]["ShippingDetail"]["street_address1"]
        assert told == line.replace("\u3000", " ").replace("\u00a0", " ")


@pytest.mark.parametrize("buyer_id", ["", "x", "A" * 24, "0" * 23])
def test_a_buyer_has_an_id_or_gets_one(market: Market, buyer_id: str) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        purchase = Purchase(items=[Item("scarf")], address=CANADIAN, buyer_id=buyer_id)
        with pytest.raises(failures.AddressUnusable, match="buyer_id"):
            await orders.place_order(ctx, purchase, RULES)

    run(market, scene)


def test_words_that_nobody_could_read(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        for reason in ("", " ", "\u200b", "\u200d \ufeff", "x" * 2_001, "a\x00b"):
            with pytest.raises(TextUnusable):
                await orders.refund_for(ctx, OPEN, RefundWish(orders.BY_WISH, reason))
        for place in ("", "x" * 201, "a\x00b"):
            with pytest.raises(TextUnusable):
                await orders.record_scan(ctx, "TR1234USD", Scan("accepted", NOW, place))

    run(market, scene)


def test_an_operator_hears_that_nobody_could_read_his_reason(market: Market) -> None:
    answer = good("orders/refund", reason="\u2003")(market, "en")
    assert (answer.status, answer.code, answer.data) == (400, 1000, "reason")


def test_a_storefront_tells_where_the_buyer_is_behind_a_centre(market: Market) -> None:
    (first, *_) = good("orders/place")(market, "en").data["orders"]
    assert first["original_address"]["city"] == "Iqaluit"
    told = market.get("/api/v2/order", "usd", id=first["id"]).data["Order"]
    assert told["OriginalShippingDetail"]["street_address1"] == "9 Far Road"
    assert told["ShippingDetail"]["city"] == "Ottawa"


def test_a_ticket_is_opened_again_as_the_references_example_does_it(market: Market) -> None:
    """Its request has `message` where the table has `reply`."""
    closed = market.post("/api/v2/ticket/get-action-required", "usd").data[0]["Ticket"]["id"]
    assert market.post("/api/v2/ticket/close", "usd", id=closed).code == 0
    assert market.post("/api/v2/ticket/re-open", "usd", id=closed, message="Delivery failed").code == 0
    told = market.get("/api/v2/ticket", "usd", id=closed).data["Ticket"]["replies"][-1]["Reply"]
    assert (told["message"], told["sender"]) == ("Delivery failed", "merchant")
