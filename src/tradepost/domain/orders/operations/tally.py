"""The tally of days, by which pages far down a list are found: kept short, and read for what it counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.orders.rows import tally as rows

AT_ONCE: Final = 100_000


async def add_up_days(ctx: Ctx) -> int:
    """Add up what changed in the numbers of orders of days, for all merchants; gives how many changes."""
    return await rows.add_up(ctx.db, AT_ONCE)


async def count_waiting(ctx: MerchantCtx) -> int:
    """How many orders wait for the acting merchant to ship them."""
    return await rows.waiting(ctx.db, ctx.actor.id)


async def count_by_day(ctx: MerchantCtx, days: int) -> Mapping[date, int]:
    """How many orders were placed on each of the last days (UTC), the first of them first, today the last."""
    today = ctx.now.date()
    first = today - timedelta(days=days - 1)
    found = await rows.placed_since(ctx.db, ctx.actor.id, first)
    return {day: found.get(day, 0) for day in (first + timedelta(days=at) for at in range(days))}
