"""Several people at one ticket at the same time, on connections of their own: one of them is first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.calls import NOTIFICATIONS, TICKETS
from tests.support.database import Server
from tests.support.market import NOW, World
from tradepost.domain import inbox, merchants, tickets
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.tickets import BUYER, SUPPORT, NewReply, TicketClosed, TicketNotClosed, TicketWithSupport
from tradepost.storage.database import APP_ROLE, Database

CLONE = "together"
ROUNDS = 25
ONE = TICKETS["usd"][0]
Verb = Callable[[MerchantCtx], Awaitable[Any]]
REFUSED = (TicketClosed, TicketNotClosed, TicketWithSupport)


@pytest.fixture
def copy(server: Server) -> Iterator[Server]:
    """A copy of the world, whose changes are kept for as long as it is there."""

    async def remove() -> None:
        connection = await server.connect(database="postgres")
        await connection.execute(f"drop database {CLONE} with (force)")
        await connection.close()

    server.clone(CLONE)
    yield server
    asyncio.run(remove())


@asynccontextmanager
async def people(copy: Server, world: World) -> AsyncIterator[Callable[[Verb], Awaitable[Any]]]:
    """Somebody who does one verb in a transaction of his own; what a rule refuses is what he gets."""
    merchant_id = world.merchants["usd"].account_id
    database = Database(copy.embedded.connection(APP_ROLE, CLONE), most=6)
    await database.open()

    async def act(verb: Verb) -> Any:
        try:
            async with database.acting_for(merchant_id) as connection:
                return await verb(await merchants.act_for(Ctx(db=connection, now=NOW, actor=None), merchant_id))
        except REFUSED as refused:
            return type(refused)

    try:
        yield act
    finally:
        await database.close()


@pytest.mark.committing
def test_one_closes_and_one_opens(copy: Server, world: World) -> None:
    async def scene() -> None:
        async with people(copy, world) as act:
            for _ in range(ROUNDS):
                closing = [act(lambda ctx: tickets.close_ticket(ctx, ONE)) for _ in range(3)]
                assert sorted(await asyncio.gather(*closing), key=str) == [TicketClosed, TicketClosed, None]
                opening = [act(lambda ctx: tickets.reopen_ticket(ctx, ONE, "x")) for _ in range(3)]
                assert sorted(await asyncio.gather(*opening), key=str) == [TicketNotClosed, TicketNotClosed, None]
            ticket = await act(lambda ctx: tickets.find_ticket(ctx, ONE))
            assert [reply.message for reply in ticket.replies].count("x") == ROUNDS

    asyncio.run(scene())


@pytest.mark.committing
def test_whatever_is_said_at_once_is_kept_in_one_order(copy: Server, world: World) -> None:
    async def scene() -> None:
        async with people(copy, world) as act:
            before = len((await act(lambda ctx: tickets.find_ticket(ctx, ONE))).replies)
            verbs: list[Verb] = [
                lambda ctx: tickets.reply_to_ticket(ctx, ONE, "merchant"),
                lambda ctx: tickets.answer_ticket(ctx, ONE, BUYER, NewReply(message="buyer")),
                lambda ctx: tickets.answer_ticket(ctx, ONE, SUPPORT, NewReply(message="support")),
                lambda ctx: tickets.appeal_ticket(ctx, ONE),
            ]
            for _ in range(ROUNDS):
                came = await asyncio.gather(*(act(verb) for verb in verbs))
                assert set(came) <= {None, TicketWithSupport, "awaiting_merchant", "awaiting_support"}
            said = [
                reply.message for reply in (await act(lambda ctx: tickets.find_ticket(ctx, ONE))).replies[before:]
            ]
            assert sorted(said) == sorted(["merchant", "buyer", "support"] * ROUNDS)

    asyncio.run(scene())


@pytest.mark.committing
def test_a_notification_is_viewed_once(copy: Server, world: World) -> None:
    async def scene() -> None:
        async with people(copy, world) as act:
            count = await act(inbox.count_unviewed)
            marking = [act(lambda ctx: inbox.mark_viewed(ctx, NOTIFICATIONS["usd"])) for _ in range(5)]
            assert await asyncio.gather(*marking) == [None] * 5
            assert await act(inbox.count_unviewed) == count - 1

    asyncio.run(scene())
