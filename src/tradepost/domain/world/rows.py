"""The SQL of the clock. Everybody else asks the function world_now, or is told by the gate."""

from __future__ import annotations

from datetime import datetime, timedelta

from tradepost.domain.context import Rows
from tradepost.domain.world.clock import Clock

CHANNEL = "tradepost_world"
"""What listens here hears when the clock was set, or what is to happen to calls was changed."""


async def moment(db: Rows) -> tuple[datetime, str | None]:
    """What time it is, and the seed."""
    row = await db.fetchrow("select world_now(), seed from world_clock")
    return row[0], row[1]


async def era(db: Rows) -> int:
    """What a table is kept in that no world is without: something else as soon as it was emptied."""
    # Whoever asks holds the table from then on, so that it stays until his transaction ends.
    kept_in: int = await db.fetchval(
        "select pg_relation_filenode('merchant') from (select exists (select from merchant)) held"
    )
    return kept_in


async def draw(db: Rows) -> int:
    """A number that nobody had before in this world."""
    number: int = await db.fetchval("select nextval('world_draw')")
    return number


async def clock(db: Rows) -> Clock:
    """The clock as it stands."""
    row = await db.fetchrow(
        "select world_now(), fixed_at is not null, case when fixed_at is null then shift end, seed from world_clock"
    )
    return Clock(*row)


async def stop(db: Rows, moment: datetime) -> None:
    """Let it be this moment until somebody says otherwise."""
    await db.execute("update world_clock set fixed_at = $1", moment)


async def start(db: Rows, moment: datetime) -> None:
    """Let it be this moment now, and time go on from there."""
    await db.execute("update world_clock set fixed_at = null, shift = $1::timestamptz - clock_timestamp()", moment)


async def move(db: Rows, by: timedelta) -> None:
    """Let it be so much later; a frozen clock stays frozen."""
    await db.execute("update world_clock set fixed_at = fixed_at + $1, shift = shift + $1", by)


async def reset(db: Rows) -> None:
    """Let it be what the machine says."""
    await db.execute("update world_clock set fixed_at = null, shift = '0'")


async def set_seed(db: Rows, seed: str | None) -> None:
    """Let new ids follow from a seed from now on, from its beginning; None for random ones."""
    await db.execute("update world_clock set seed = $1", seed)
    await db.execute("select setval('world_draw', 1, false)")


async def tell(db: Rows) -> None:
    """Let whoever listens hear of it once this is committed."""
    await db.execute("select pg_notify($1, '')", CHANNEL)
