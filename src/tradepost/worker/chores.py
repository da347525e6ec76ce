"""The chores and their clock. Each runs in a transaction of its own, and one that fails is tried again later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from tradepost.domain import access
from tradepost.domain.context import Ctx
from tradepost.settings import Settings
from tradepost.storage.database import StorageUnavailable
from tradepost.supervisor import wait_for_parent_end
from tradepost.wiring import configure_logging, operator

log = structlog.get_logger("tradepost.worker")


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so many seconds; it tells how many things it did."""

    name: str
    seconds: float
    run: Callable[[Ctx], Awaitable[int]]


CHORES = (Chore("forget old rate limit windows", 600, access.forget_old_windows),)


async def do_chore(settings: Settings, chore: Chore) -> int | None:
    """Run a chore once; None where the database was not there."""
    try:
        async with operator(settings) as ctx:
            done = await chore.run(ctx)
    except (StorageUnavailable, OSError) as error:
        log.warning("chore put off", chore=chore.name, error=repr(error))
        return None
    log.info("chore done", chore=chore.name, count=done)
    return done


async def _repeat(settings: Settings, chore: Chore) -> None:
    while True:
        await do_chore(settings, chore)
        await asyncio.sleep(chore.seconds)


def work(settings: Settings) -> None:
    """Do the chores until told to stop, or until the supervisor is gone."""
    configure_logging(settings)

    async def run() -> None:
        tasks = [asyncio.create_task(_repeat(settings, chore)) for chore in CHORES]
        await wait_for_parent_end()
        for task in tasks:
            task.cancel()

    asyncio.run(run())
