"""What is done every so often, by one worker at a time. Each chore runs in a transaction of its own.

A chore that fails is tried again when it is due the next time, by whichever worker is first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog

from tradepost.domain import (
    access,
    audit,
    consents,
    downloads,
    infractions,
    jobs,
    operators,
    orders,
    outbox,
    parcels,
    people,
    pictures,
    request_log,
    webhooks,
    world,
)
from tradepost.domain.context import Ctx
from tradepost.storage.database import Database
from tradepost.storage.files import FileStore
from tradepost.values import TryLater
from tradepost.worker.runner import PAUSE_LOCK

LOOK_SECONDS = 15.0

log = structlog.get_logger("tradepost.worker")


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so often; it tells how many things it did.

    One that does a piece of its work each time is done again at once, until it finds nothing to do.
    """

    name: str
    every: timedelta
    run: Callable[[Ctx, FileStore], Awaitable[int]]
    in_pieces: bool = False


async def _forget_windows(ctx: Ctx, files: FileStore) -> int:
    return await access.forget_old_windows(ctx)


async def _forget_places(ctx: Ctx, files: FileStore) -> int:
    return await access.forget_old_places(ctx)


async def _forget_seeds(ctx: Ctx, files: FileStore) -> int:
    return await consents.forget_seeds(ctx)


async def _forget_sessions(ctx: Ctx, files: FileStore) -> int:
    return await people.forget_sessions(ctx) + await operators.forget_sessions(ctx)


async def _forget_jobs(ctx: Ctx, files: FileStore) -> int:
    return await jobs.forget_old_jobs(ctx, list(downloads.SOURCES))


async def _forget_events(ctx: Ctx, files: FileStore) -> int:
    return await outbox.forget_old_events(ctx)


async def _add_up_days(ctx: Ctx, files: FileStore) -> int:
    return await orders.add_up_days(ctx)


async def _tell_anchor(ctx: Ctx, files: FileStore) -> int:
    """Say in the log of this process how far the audit log goes: nobody changes that along with the rows."""
    head = await audit.find_head(ctx)
    if head is not None:
        log.info("audit anchor", anchor=str(head))
    return 0 if head is None else head.number


async def _forget_keys(ctx: Ctx, files: FileStore) -> int:
    return await operators.forget_old_keys(ctx)


async def _forget_deliveries(ctx: Ctx, files: FileStore) -> int:
    return await webhooks.forget_old_deliveries(ctx)


async def _refund_late_orders(ctx: Ctx, files: FileStore) -> int:
    return await infractions.refund_late_orders(ctx)


async def _ask_carriers(ctx: Ctx, files: FileStore) -> int:
    return await parcels.ask_carriers(ctx)


async def delete_expired_files(ctx: Ctx, files: FileStore) -> int:
    """Delete the files that no link leads to any more."""
    expired = await downloads.list_expired(ctx)
    for account_id, job_id in expired:
        await files.delete_all(downloads.folder_of(account_id, job_id))
        await downloads.forget_file(ctx, account_id, job_id)
    return len(expired)


async def delete_expired_uploads(ctx: Ctx, files: FileStore) -> int:
    """Delete the pictures that were uploaded too long ago."""
    expired = await pictures.expired_uploads(ctx)
    for merchant_id, picture_id, stem in expired:
        await files.delete_all(pictures.folder_of(stem))
        await pictures.forget_upload(ctx, merchant_id, picture_id)
    return len(expired)


def forget_calls(most_bytes: int) -> Chore:
    """The chore that keeps the request log within its days and within so many bytes."""

    async def run(ctx: Ctx, files: FileStore) -> int:
        return await request_log.forget_old_calls(ctx, most_bytes)

    return Chore("forget old calls", timedelta(minutes=30), run)


CHORES = (
    Chore("refund orders that nobody shipped in time", timedelta(seconds=15), _refund_late_orders),
    Chore("ask carriers what they have seen", timedelta(seconds=15), _ask_carriers),
    Chore("add up the orders of days", timedelta(minutes=1), _add_up_days),
    Chore("forget old rate limit windows", timedelta(minutes=10), _forget_windows),
    Chore("forget what refresh answers were made of", timedelta(minutes=1), _forget_seeds),
    Chore("forget where tokens were used from", timedelta(hours=6), _forget_places),
    Chore("forget old sessions", timedelta(hours=1), _forget_sessions),
    Chore("delete expired downloads", timedelta(minutes=5), delete_expired_files),
    Chore("delete expired uploads", timedelta(minutes=10), delete_expired_uploads),
    Chore("tell how far the audit log goes", timedelta(days=1), _tell_anchor),
    Chore("forget old jobs", timedelta(hours=1), _forget_jobs),
    Chore("forget what operators' calls were answered", timedelta(hours=1), _forget_keys),
    Chore("forget old events and mail", timedelta(hours=1), _forget_events),
    Chore("forget old webhook deliveries", timedelta(hours=1), _forget_deliveries),
)


async def do_chore(platform: Database, files: FileStore, chore: Chore) -> int | None:
    """Do a chore if it is due; None where it is not, or could not be done."""
    try:
        async with platform.acting_for("") as connection:
            # Whoever exchanges the world waits for a chore in hand, and lets none begin.
            if not await connection.fetchval("select pg_try_advisory_xact_lock_shared($1, 0)", PAUSE_LOCK):
                return None
            turn = await jobs.take_chore(await world.enter(connection), chore.name, chore.every)
            if turn is None:
                return None
            # Taking it waits for whoever sets the clock, so the time that counts is the one after.
            ctx = await world.enter(connection)
            world.begin(ctx, f"chore {chore.name} {turn}")
            done = await chore.run(ctx, files)
            if done:
                await jobs.count_chore(ctx, chore.name)
    except TryLater as error:
        log.warning("chore put off", chore=chore.name, error=repr(error))
        return None
    except Exception:
        log.exception("chore failed", chore=chore.name)  # and the others go on
        return None
    (log.info if done else log.debug)("chore done", chore=chore.name, count=done)  # most looks find nothing to do
    return done


async def _tell_names(platform: Database, known: Sequence[Chore]) -> None:
    """Write down which chores there are, so that whoever waits for all of them knows of those never done yet."""
    try:
        async with platform.acting_for("") as connection:
            await jobs.add_chores(await world.enter(connection), [chore.name for chore in known])
    except Exception as error:  # tried again with the next look
        log.warning("chores not written down", error=repr(error))


async def do_chores(
    platform: Database, files: FileStore, moved: asyncio.Event, before: Sequence[Chore] = ()
) -> None:
    """Look again and again whether something is due, and at once when `moved` says that the clock was set.

    Chores of an installation's own come `before` the program's.
    """
    known = (*before, *CHORES)
    while True:
        moved.clear()
        await _tell_names(platform, known)
        for chore in known:
            while await do_chore(platform, files, chore) and chore.in_pieces:
                pass
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await moved.wait()
