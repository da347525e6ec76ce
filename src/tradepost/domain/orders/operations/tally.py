"""Keeping the tally of days short, by which pages far down a list are found."""

from __future__ import annotations

from typing import Final

from tradepost.domain.context import Ctx
from tradepost.domain.orders.rows import tally as rows

AT_ONCE: Final = 100_000


async def add_up_days(ctx: Ctx) -> int:
    """Add up what changed in the numbers of orders of days, for all merchants; gives how many changes."""
    return await rows.add_up(ctx.db, AT_ONCE)
