"""What happens at beats of the autopilot, called one by one: who does what, and what stays the merchants' work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.test_generate import made
from tests.support.market import NOW, Market
from tradepost.domain import autopilot, merchants, orders, products, tickets, world
from tradepost.domain.autopilot import AutopilotUnusable
from tradepost.domain.context import Ctx
from tradepost.domain.orders import Awaited, OrderRules, Scan, Shipment
from tradepost.domain.products import NewProduct
from tradepost.sandbox.autopilot import MOST_PARCELS, play_beat, way_of
from tradepost.values import LAST

HOUR = timedelta(hours=1)
RULES = OrderRules()


def at(market: Market, moment: datetime, verb: Callable[[Ctx], Any]) -> Any:
    """Something in the platform's name, at a time of the world, with the ids of the world's seed."""

    async def act() -> Any:
        await market.connection.execute("reset role")
        ctx = replace(await world.enter(market.connection), now=moment)
        world.begin(ctx, f"word at {moment}")
        return await verb(ctx)

    return market.run(act())


def switched_on(market: Market, pace: int = 60, seed: str = "s", since: datetime = NOW) -> None:
    """On, in a world with a seed; from the time of the tests unless another one is told."""
    if since == NOW:
        at(market, NOW, lambda ctx: world.set_seed(ctx, "w"))
    at(market, since, lambda ctx: autopilot.switch_on(ctx, pace, seed))


def go_on(market: Market, until: datetime) -> int:
    """All beats until then; gives how many there were."""
    count = 0
    while at(market, until, lambda ctx: play_beat(ctx, market.files, RULES)):
        count += 1
    return count


def state(market: Market) -> dict[str, Any]:
    """Everything that a beat could change, counted and summed up."""
    tables = ("orders", "ticket", "ticket_reply", "tracking_scan", "order_refund", "event", "notification", "stock")
    return {
        name: market.sql(f"select row(count(*), sum(hashtextextended(t::text, 0)))::text from {name} t")
        for name in (*tables, "product", "parcel_tracking")
    }


def placed(market: Market) -> list[tuple[str, datetime]]:
    """The id and the time of each order since the autopilot is on."""
    return [
        (row[0], row[1])
        for row in market.run(
            market.connection.fetch("select id, placed_at from orders where placed_at >= $1 order by 2, 1", NOW)
        )
    ]


def ship_everything(market: Market, moment: datetime) -> int:
    """Every merchant sends off what waits for him; gives how many orders that is."""

    async def ship(ctx: Ctx) -> int:
        done = 0
        for grant in market.world.merchants.values():
            shop = await merchants.act_for(ctx, grant.account_id)
            latest, _ = await orders.page_orders(shop, LAST, 1000)
            for order in latest:
                if order.state == orders.APPROVED and order.placed_at >= NOW:
                    await orders.fulfil_order(shop, order.id, Shipment("UPS", f"AP{order.id[:12]}"))
                    done += 1
        return done

    found: int = at(market, moment, ship)
    return found


def test_off_nothing_happens(market: Market) -> None:
    before = state(market)
    assert go_on(market, NOW + 9 * HOUR) == 0
    switched_on(market)
    at(market, NOW, autopilot.switch_off)
    assert go_on(market, NOW + 9 * HOUR) == 0
    assert state(market) == before


def test_buyers_buy_at_the_pace_and_nobody_ships(market: Market) -> None:
    switched_on(market, pace=30)
    assert go_on(market, NOW + 2 * HOUR) == 61
    found = placed(market)
    assert {(moment - NOW) % timedelta(minutes=2) for _, moment in found} == {timedelta()}
    assert len({moment for _, moment in found}) > 50, "hardly a beat without a purchase"
    states = market.sql("select array_agg(distinct state) from orders where placed_at >= $1", NOW)
    assert set(states) <= {"approved", "refunded"}, "what merchants do is done by nobody"
    assert market.sql("select count(distinct merchant_id) from orders where placed_at >= $1", NOW) == 3
    assert market.sql("select count(distinct country) from orders where placed_at >= $1", NOW) > 1


def test_the_same_beats_make_the_same_happen(market: Market) -> None:
    """Ids included where the world has a seed; with another seed, or a beat more, something else."""

    def lived(seed: str, minutes: int) -> dict[str, Any]:
        market.sql("savepoint before")
        switched_on(market, seed=seed)
        go_on(market, NOW + timedelta(minutes=minutes))
        ship_everything(market, NOW + timedelta(minutes=minutes))
        go_on(market, NOW + timedelta(minutes=minutes + 5))
        found = state(market)
        market.sql("rollback to savepoint before")
        return found

    assert lived("s", 25) == lived("s", 25)
    assert lived("s", 25) != lived("t", 25)
    assert lived("s", 25) != lived("s", 26)


def test_beats_one_by_one_or_after_a_move_come_to_the_same(market: Market) -> None:
    def lived(*minutes: int) -> dict[str, Any]:
        market.sql("savepoint before")
        switched_on(market)
        for one in minutes:
            go_on(market, NOW + timedelta(minutes=one))
        found = state(market)
        market.sql("rollback to savepoint before")
        return found

    assert lived(*range(30)) == lived(29)


def test_carriers_scan_what_was_shipped_and_buyers_react(market: Market) -> None:
    """Every parcel is seen on its way at times of its own, most arrive; some buyers complain or get money back."""
    switched_on(market, pace=120)
    go_on(market, NOW + HOUR)
    shipped = ship_everything(market, NOW + HOUR)
    assert shipped > 80
    switched_on(market, pace=3, since=NOW + HOUR)
    for days in range(1, 16):
        go_on(market, NOW + timedelta(days=days))
    ours = "number like 'AP%'"
    assert market.sql(f"select count(*) from parcel_tracking where {ours} and confirmed_at is null") == 0
    delivered = market.sql(f"select count(*) from parcel_tracking where {ours} and delivered_at is not null")
    returned = market.sql(f"select count(*) from tracking_scan where {ours} and kind = 'returned'")
    assert delivered + returned == market.sql(f"select count(*) from parcel_tracking where {ours}")
    assert delivered > 9 * returned
    assert market.sql(f"select count(*) from parcel_tracking where {ours} and awaited_at is not null") == 0
    early = "select count(*) from tracking_scan s join orders o on upper(o.tracking_number) = s.number"
    assert market.sql(f"{early} where s.{ours} and s.scanned_at <= o.shipped_at") == 0
    asked = "from ticket where opened_at > $1"
    assert market.sql(f"select count(*) {asked} and label = 'Return or Exchange'", NOW) > 0
    assert market.sql(f"select count(*) {asked} and label <> 'Return or Exchange'", NOW) > 0
    assert market.sql(f"select count(distinct buyer_locale) {asked}", NOW) > 2
    by = market.sql("select array_agg(distinct refunded_by) from orders where placed_at >= $1", NOW)
    assert {"customer", "wish"} <= set(by)


def test_a_scan_of_the_operator_and_an_order_that_did_not_leave_after_all(market: Market) -> None:
    """Whoever is delivered is waited for no more, and nothing is made up for a number that nobody travels under."""
    switched_on(market, pace=60)
    go_on(market, NOW + timedelta(minutes=20))
    ship_everything(market, NOW + timedelta(minutes=20))
    one, other = market.run(market.connection.fetch(
        "select merchant_id, id, tracking_number from orders where tracking_number like 'AP%' order by id limit 2"
    ))  # fmt: skip

    async def act(ctx: Ctx) -> None:
        shop = await merchants.act_for(ctx, one[0])
        await orders.record_scan(shop, one[2], Scan("delivered", ctx.now))
        await orders.cancel_tracking(await merchants.act_for(ctx, other[0]), other[1])

    at(market, NOW + HOUR, act)
    switched_on(market, pace=1, since=NOW + HOUR)
    for days in range(1, 16):
        go_on(market, NOW + timedelta(days=days))
    scans = "select count(*) from tracking_scan where number = $1"
    assert market.sql(scans, one[2].upper()) == 1
    assert market.sql(scans, other[2].upper()) == 0
    assert market.sql("select awaited_at from parcel_tracking where number = $1", other[2].upper()) is None


def test_orders_of_the_past_and_wishposts_parcels_are_left_to_their_own_carriers(market: Market) -> None:
    count = "select count(*) from parcel_tracking where awaited_at is not null"
    before = market.sql(count)
    assert made(market, 200).scans > 0
    assert market.sql(count) == before


def test_more_parcels_than_carriers_tell_of_at_once_wait_for_the_next_beat(market: Market) -> None:
    shop = market.world.merchants["usd"].account_id
    market.sql(
        "insert into parcel_tracking (merchant_id, number, recipient, released_from, released_to, awaited_at) "
        "select $1, 'Q' || n, 'r', $2, $2, $2 from generate_series(1, $3) n",
        shop,
        NOW - timedelta(days=20),
        2 * MOST_PARCELS,
    )
    left = "select count(*) from parcel_tracking where number like 'Q%' and awaited_at is not null"
    switched_on(market, pace=60)
    go_on(market, NOW)
    assert market.sql(left) == MOST_PARCELS
    go_on(market, NOW + timedelta(minutes=1))
    assert market.sql(left) == 0


def test_the_way_of_a_parcel_is_always_the_same(market: Market) -> None:
    ways: Counter[str] = Counter()
    for number in range(300):
        parcel = Awaited("m" * 24, f"N{number}", "o", NOW, "US", "Fresno")
        whole, after, fate = way_of(parcel, NOW + timedelta(days=30))
        assert after is None
        assert way_of(parcel, NOW + timedelta(days=30)) == (whole, None, fate)
        half, next_at, _ = way_of(parcel, whole[1].scanned_at)
        assert half == whole[:2]
        assert next_at == whole[2].scanned_at
        ways[whole[-1].kind] += 1
    assert ways.keys() == {"delivered", "returned"}
    assert 2 < ways["returned"] < 40


def test_reviewers_let_products_through(market: Market) -> None:
    new = NewProduct(
        name="Kite", description="It flies.", sku="kite-1", parent_sku="kite", inventory=9, price=Decimal(5),
        shipping=Decimal(1), main_image="https://pictures.example/kite.jpg", tags=("kite",),
    )  # fmt: skip

    async def add(ctx: Ctx) -> str:
        shop = await merchants.act_for(ctx, market.world.merchants["usd"].account_id)
        return (await products.add_product(shop, new)).id

    product_id = at(market, NOW, add)
    status = "select review_status from product where id = $1"
    switched_on(market, pace=60)
    go_on(market, NOW + timedelta(minutes=9))
    assert market.sql(status, product_id) == "pending"
    go_on(market, NOW + timedelta(minutes=12))
    assert market.sql(status, product_id) == "approved"


def test_a_buyer_who_was_answered_writes_back(market: Market) -> None:
    """Half an hour later at the earliest, and sometimes to close the ticket."""
    shop_id = market.world.merchants["usd"].account_id
    ids = market.run(market.connection.fetch(
        "select id from ticket where merchant_id = $1 and state = 'awaiting_merchant'", shop_id
    ))  # fmt: skip

    async def answer(ctx: Ctx) -> None:
        for (ticket_id,) in ids:
            await tickets.reply_to_ticket(await merchants.act_for(ctx, shop_id), ticket_id, "Soon.")

    at(market, NOW, answer)
    waiting = "select count(*) from ticket where merchant_id = $1 and state = 'awaiting_buyer'"
    before = market.sql(waiting, shop_id)
    assert before > 0
    switched_on(market, pace=60)
    go_on(market, NOW + timedelta(minutes=20))
    assert market.sql(waiting, shop_id) == before
    go_on(market, NOW + 3 * HOUR)
    assert market.sql(waiting, shop_id) < before


def test_a_world_without_goods_or_open_shops_goes_on_without_purchases(market: Market) -> None:
    market.sql("update stock set inventory = 1")
    switched_on(market, pace=60)
    go_on(market, NOW + timedelta(minutes=20))
    assert placed(market) == []
    market.sql("update stock set inventory = 50")
    market.sql("update merchant set suspended_at = $1", NOW)
    go_on(market, NOW + timedelta(minutes=40))
    assert placed(market) == []


@pytest.mark.parametrize(
    ("pace", "seed", "name"), [(0, "s", "pace"), (3601, "s", "pace"), (1, "", "seed"), (1, "a b", "seed")]
)
def test_what_no_autopilot_can_be(market: Market, pace: int, seed: str, name: str) -> None:
    with pytest.raises(AutopilotUnusable) as refused:
        at(market, NOW, lambda ctx: autopilot.switch_on(ctx, pace, seed))
    assert refused.value.name == name
