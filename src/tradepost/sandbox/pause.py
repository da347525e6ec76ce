"""Keeping workers and callers away while the world is put back or begun anew.

A worker that wakes in another world than the one it began a job in would drop what it has in hand late: files of
the world that is there by then went along.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import asyncpg
import structlog

from tradepost.domain.context import Rows
from tradepost.storage.database import PLATFORM_ROLE
from tradepost.values import TryLater

TRIES: Final = 250
PAUSE: Final = 0.02
"""Seconds between two of them."""
_ROUNDS: Final = 10
_TRIES_OF_ROUND: Final = 25
_PAUSE_LOCK: Final = 7404  # as in worker.runner
_END_WORKERS = """
    select pid, pg_terminate_backend(pid) from pg_locks
     where locktype = 'advisory' and classid = 7403 and objsubid = 2 and granted
       and database = (select oid from pg_database where datname = current_database())
"""
_WORKERS = """
    select count(*) from pg_locks
     where locktype = 'advisory' and classid = 7403 and objsubid = 2 and granted
       and database = (select oid from pg_database where datname = current_database())
"""
_WAITING = """
    select count(*) from pg_locks
     where locktype = 'advisory' and classid = $1::bigint::oid and objsubid = 2 and not granted
       and database = (select oid from pg_database where datname = current_database())
"""

log = structlog.get_logger("tradepost.sandbox")


class WorldBusy(TryLater):
    """Calls and jobs that are on their way did not come to an end in time."""


async def count_workers(db: Rows) -> int:
    """How many workers there are."""
    found: int = await db.fetchval(_WORKERS)
    return found


async def pause_workers(connection: asyncpg.Connection[Any]) -> None:
    """End the sessions of all workers and keep them from new ones for as long as this connection lasts.

    Returns when they have dropped all that they had in hand: only then do they ask for a new session. A chore in
    hand gets to its end, and no other begins. Raises WorldBusy where they do not within a few seconds.
    """
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        ended |= await _end_workers(connection)
        if await _gets_lock(connection):
            break
    else:
        raise WorldBusy
    for _ in range(TRIES):
        if await connection.fetchval(_WAITING, _PAUSE_LOCK) >= len(ended):
            return
        await asyncio.sleep(PAUSE)
    log.warning("workers are still busy", workers=len(ended))


async def hold_tables(connection: asyncpg.Connection[Any], tables: str) -> None:
    """Let every call wait until this transaction ends; `tables` are the quoted names of all, with commas between.

    Every call begins with its token, so holding that table keeps new ones waiting; those that are on their way
    need other tables and get to their end first. Taking all tables at once would wait for them while they wait
    for us. Who comes to the tokens last, as a page that shows them does, is let through between two rounds.
    Raises WorldBusy where they do not end within a few seconds.
    """
    await connection.execute("set local lock_timeout = '500ms'")
    for _ in range(_ROUNDS):
        try:
            async with connection.transaction():  # what is held ends with it where it fails
                await connection.execute("lock table access_token in access exclusive mode")
                await _take_all(connection, tables)
                return
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(PAUSE)
    raise WorldBusy


async def _take_all(connection: asyncpg.Connection[Any], tables: str) -> None:
    """Lock all tables as soon as nobody needs them; raises LockNotAvailableError after half a second."""
    for last in (*[False] * _TRIES_OF_ROUND, True):
        try:
            async with connection.transaction():
                await connection.execute(f"lock table {tables} in access exclusive mode nowait")
            return
        except asyncpg.LockNotAvailableError:
            if last:
                raise
            await asyncio.sleep(PAUSE)


async def _gets_lock(connection: asyncpg.Connection[Any]) -> bool:
    """Whether all workers and chores let go of the lock in half a second. No chore begins meanwhile."""
    try:
        async with connection.transaction():
            await connection.execute("set local lock_timeout = '500ms'")
            await connection.execute("select pg_advisory_lock($1, 0)", _PAUSE_LOCK)
    except asyncpg.LockNotAvailableError:
        return False
    return True


async def _end_workers(connection: asyncpg.Connection[Any]) -> set[int]:
    """Ask the sessions of workers to end; gives their processes."""
    try:
        return {row[0] for row in await connection.fetch(_END_WORKERS)}
    except asyncpg.InsufficientPrivilegeError:
        await connection.execute(f"set role {PLATFORM_ROLE}")
        found = {row[0] for row in await connection.fetch(_END_WORKERS)}
        await connection.execute("reset role")
        return found
