"""The desk at which a sandbox is moved: by the command line and over HTTP alike."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tradepost.domain.context import Ctx
from tradepost.sandbox import seed as seeding
from tradepost.sandbox.generate import Generated, generate
from tradepost.settings import Settings
from tradepost.wiring import open_files, operator, order_rules

Result = TypeVar("Result")


class Desk:
    """What can be done to the world of some settings while it is being used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def generate(self, merchant_id: str | None, orders: int, seed: str | None) -> Generated:
        """Give a shop a past of so many orders; raises what `generate` raises.

        On a loop and in a thread of its own: making things up keeps a processor busy.
        """
        settings = self.settings
        chosen = seed or secrets.token_hex(4)
        cast = seeding.load_cast(settings)
        shop = merchant_id or ("" if cast is None else cast.merchants[0].id)
        work = generate(self.act, open_files(settings), order_rules(settings), shop, orders, chosen)
        return await asyncio.to_thread(asyncio.run, work)

    async def act(self, verb: Callable[[Ctx], Awaitable[Result]]) -> Result:
        """Do something in one transaction, at the time of the world and for every account."""
        async with operator(self.settings) as ctx:
            return await verb(ctx)
