"""Pages far down a list: the tally of days leads to the same orders as passing over all that come before."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from importlib import resources

import msgspec
import pytest

from tests.support.market import NOW, Market
from tests.support.orders import CANADIAN, RULES
from tradepost.domain import merchants, orders
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.orders import Item, OrderFilter, Purchase, Shipment
from tradepost.domain.orders.rows import reading
from tradepost.values import Page

Scene = Callable[[MerchantCtx], Awaitable[None]]
DAYS = 12
TOLD = """
    select merchant_id, day, sum(placed)::integer, sum(waiting)::integer from order_tally
     group by 1, 2 having sum(placed) <> 0
"""
TRUE = """
    select merchant_id, (placed_at at time zone 'UTC')::date, count(*)::integer,
           (count(*) filter (where state = 'approved'))::integer
      from orders group by 1, 2
"""


def run(market: Market, scene: Scene) -> None:
    """A scene in a shop."""

    async def within(ctx: Ctx) -> None:
        await scene(await merchants.act_for(ctx, market.world.merchants["usd"].account_id))

    market.operate(within)


async def check(ctx: MerchantCtx) -> None:
    """Whether the tally is true, for every shop, whose rows the platform sees."""
    told, true = [await ctx.db.fetch(statement) for statement in (TOLD, TRUE)]
    assert {tuple(row) for row in told} == {tuple(row) for row in true}


async def live(ctx: MerchantCtx, source: random.Random) -> None:
    """Some days of a shop: carts of one or two orders each, in any order of time, and their fates."""
    await ctx.db.execute("update stock set inventory = 1000 where merchant_id = $1", ctx.actor.id)
    for number in range(40):
        day = source.choice((1, 2, 2, 2, 5, 7, DAYS))
        at = replace(ctx, now=NOW - timedelta(days=day, minutes=source.randrange(500)))
        items = [Item("scarf"), *[Item("ring-red")] * (number % 3 == 0)]
        address = msgspec.structs.replace(CANADIAN, recipient=f"Buyer {number}")
        purchase = Purchase(items=items, address=address, under_review=number % 9 == 0)
        for order_id in (await orders.place_order(at, purchase, RULES)).order_ids:
            fate = source.randrange(5)
            if number % 9 == 0:
                await (orders.release_order(ctx, order_id) if fate else check(ctx))
            elif fate == 1:
                await orders.fulfil_order(ctx, order_id, Shipment("UPS", f"T{number}"))
            elif fate == 2:
                await orders.refund_order(ctx, order_id, 1, None, RULES)
            elif fate == 3:
                await orders.fulfil_order(ctx, order_id, Shipment("UPS", f"T{number}"))
                await orders.cancel_tracking(ctx, order_id)
        if number % 15 == 0:
            await orders.add_up_days(ctx)


@pytest.mark.parametrize("seed", range(3))
def test_the_tally_leads_to_the_same_pages(market: Market, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        await live(ctx, random.Random(seed))
        await check(ctx)
        for list_page in (orders.list_orders, orders.list_to_fulfil):
            every, more = await list_page(ctx, OrderFilter(), Page(0, 500))
            assert len(every) > 10
            assert not more
            monkeypatch.setattr(reading, "_FAR", 0)
            for start in range(len(every) + 2):
                found, more = await list_page(ctx, OrderFilter(), Page(start, 3))
                assert ([order.id for order in found], more) == (
                    [order.id for order in every[start : start + 3]],
                    start + 3 < len(every),
                )
            monkeypatch.undo()

    run(market, scene)


def test_changes_are_added_up_and_nothing_else_changes(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        await live(ctx, random.Random(7))
        loose = await ctx.db.fetchval("select count(*) from order_tally where not is_sum")
        assert await orders.add_up_days(ctx) == loose > 0
        assert await orders.add_up_days(ctx) == 0
        await check(ctx)
        rows = await ctx.db.fetchval("select count(*) from order_tally where merchant_id = $1", ctx.actor.id)
        days = await ctx.db.fetchval(
            "select count(distinct placed_at::date) from orders where merchant_id = $1", ctx.actor.id
        )
        assert rows == days

    run(market, scene)


def test_orders_that_move_or_go_are_told_of(market: Market) -> None:
    """Nobody in the program does that; whoever mends a database by hand might."""

    async def scene(ctx: MerchantCtx) -> None:
        await live(ctx, random.Random(3))
        await ctx.db.execute("update orders set placed_at = placed_at - interval '3 days' where sku = 'scarf'")
        await check(ctx)
        await ctx.db.execute("delete from order_refund")
        await ctx.db.execute("delete from orders where sku = 'ring-red'")
        await check(ctx)

    run(market, scene)


def test_the_migration_counts_the_orders_that_are_there(market: Market) -> None:
    migration = resources.files("tradepost.storage") / "migrations" / "0017_order_tally.sql"
    counting = (
        migration.read_text(encoding="utf-8").partition("-- The orders that are there.")[2].partition("\n")[2]
    )

    async def scene(ctx: MerchantCtx) -> None:
        await ctx.db.execute("delete from order_tally")
        with pytest.raises(AssertionError):
            await check(ctx)
        await ctx.db.execute(counting)
        await check(ctx)
        assert await orders.add_up_days(ctx) == 0

    run(market, scene)
