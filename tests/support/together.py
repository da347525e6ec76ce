"""Verbs at the same time, on connections of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.support.database import Server, once
from tests.support.market import NOW
from tradepost.domain import merchants
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.storage.database import PLATFORM_ROLE, Database
from tradepost.values import Fact

Verb = Callable[[MerchantCtx], Awaitable[Any]]


@dataclass
class Shop:
    """A merchant in a database of its own that several writers change."""

    server: Server
    database: str
    merchant_id: str
    act_for: Callable[[Ctx, str], Awaitable[Any]] = merchants.act_for
    """Whose context a verb gets; that of a user of the logistics service is asked for in his own area."""

    def at_once(self, *verbs: Verb) -> list[Any]:
        """Run each verb in a transaction of its own, all at the same time; results, or the facts they raised."""

        async def one(database: Database, barrier: asyncio.Barrier, verb: Verb) -> Any:
            try:
                async with database.acting_for(self.merchant_id) as connection:
                    ctx = await self.act_for(Ctx(db=connection, now=NOW, actor=None), self.merchant_id)
                    await barrier.wait()
                    return await verb(ctx)
            except Fact as fact:
                return fact

        async def all_of_them() -> list[Any]:
            connect = self.server.embedded.connection(PLATFORM_ROLE, self.database)
            database = Database(connect, PLATFORM_ROLE, most=len(verbs))
            await database.open()
            barrier = asyncio.Barrier(len(verbs))
            try:
                return list(await asyncio.gather(*(one(database, barrier, verb) for verb in verbs)))
            finally:
                await database.close()

        return once(all_of_them)

    def ask(self, verb: Verb) -> Any:
        """One verb by itself."""
        return self.at_once(verb)[0]
