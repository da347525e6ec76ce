"""The SQL of the autopilot, which has one row at most."""

from __future__ import annotations

from datetime import datetime

from tradepost.domain.autopilot.autopilot import Autopilot
from tradepost.domain.context import Rows

_READ = "select is_on, pace, seed, beats, next_at from autopilot"


async def read(db: Rows) -> Autopilot | None:
    """It as it stands."""
    row = await db.fetchrow(_READ)
    return None if row is None else Autopilot(*row)


async def lock(db: Rows) -> Autopilot | None:
    """It as it stands, for this transaction."""
    row = await db.fetchrow(f"{_READ} for update")
    return None if row is None else Autopilot(*row)


async def switch_on(db: Rows, pace: int, seed: str, now: datetime) -> Autopilot:
    """Let the next beat be due now; beats are counted on."""
    row = await db.fetchrow(
        """
        insert into autopilot (is_on, pace, seed, next_at) values (true, $1, $2, $3)
            on conflict (only_one) do update
           set is_on = true, pace = excluded.pace, seed = excluded.seed, next_at = excluded.next_at
        returning is_on, pace, seed, beats, next_at
        """,
        pace,
        seed,
        now,
    )
    return Autopilot(*row)


async def switch_off(db: Rows) -> Autopilot | None:
    """Let no beat be due any more."""
    row = await db.fetchrow("update autopilot set is_on = false returning is_on, pace, seed, beats, next_at")
    return None if row is None else Autopilot(*row)


async def store(db: Rows, after: Autopilot) -> None:
    """How far it has come."""
    await db.execute("update autopilot set beats = $1, next_at = $2", after.beats, after.next_at)


async def begin_attempt(db: Rows) -> None:
    """What is done from here on can be undone by itself."""
    await db.execute("savepoint attempt")


async def undo_attempt(db: Rows) -> None:
    """Take back what was done since."""
    await db.execute("rollback to savepoint attempt")
    await end_attempt(db)


async def end_attempt(db: Rows) -> None:
    """Let what was done since stand."""
    await db.execute("release savepoint attempt")
