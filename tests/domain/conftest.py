"""What tests of the domain share: a scene in a shop whose merchant has seen everything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.market import NOW, Market
from tradepost.domain import merchants
from tradepost.domain.context import Ctx, MerchantCtx

Play = Callable[[Callable[[MerchantCtx], Awaitable[Any]]], Any]
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def play_later(market: Market) -> Play:
    """Runs a scene in the first shop, whose merchant has seen all notifications, an hour later."""

    def run(scene: Callable[[MerchantCtx], Awaitable[Any]]) -> Any:
        async def within(ctx: Ctx) -> Any:
            await ctx.db.execute("update notification set viewed_at = now()")
            return await scene(await merchants.act_for(ctx, market.world.merchants["usd"].account_id))

        return market.operate(within, LATER)

    return run
