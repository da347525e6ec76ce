"""Reading and setting the clock of the world, and the context of what nobody called for.

Time may go back, too: rows keep the later of two times where one of them has to be the later. What protects the
machine (rate limit windows, leases of jobs, when a job or a chore is due) stays on the machine's clock.
"""

from __future__ import annotations

import re
from datetime import datetime

from tradepost.domain import jobs
from tradepost.domain.context import Ctx, Rows
from tradepost.domain.world import rows
from tradepost.domain.world.chance import ForetoldIds
from tradepost.domain.world.clock import Clock, check_moment, read_move
from tradepost.domain.world.failures import ClockUnusable, SeedUnusable

_SEED = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


async def enter(db: Rows) -> Ctx:
    """The context of something that nobody called for, at the time of this world; `begin` says what it is."""
    now, seed = await rows.moment(db)
    return Ctx(db=db, now=now, actor=None) if seed is None else Ctx(db, now, None, ForetoldIds(seed))


async def read_era(ctx: Ctx) -> int:
    """A number that is another one once the world was begun anew or put back."""
    return await rows.era(ctx.db)


def begin(ctx: Ctx, doing: str) -> None:
    """Say what is done in a context, differently each time: where the world has a seed, new ids follow from it."""
    if isinstance(ctx.new_id, ForetoldIds):
        ctx.new_id.begin(doing)


async def begin_anew(ctx: Ctx) -> None:
    """The same for what is done at somebody's word: ids follow from how many things were, in this world, before."""
    if isinstance(ctx.new_id, ForetoldIds):
        ctx.new_id.begin(f"word {await rows.draw(ctx.db)}")


async def read_clock(ctx: Ctx) -> Clock:
    """The clock as it stands."""
    return await rows.clock(ctx.db)


async def set_clock(ctx: Ctx, moment: datetime, *, frozen: bool | None = None) -> Clock:
    """Let it be a moment (UTC where it has no zone); it stands still or goes on as before unless `frozen` says it.

    Raises ClockUnusable.
    """
    checked = check_moment(moment)
    stays = (await rows.clock(ctx.db)).frozen if frozen is None else frozen
    await (rows.stop if stays else rows.start)(ctx.db, checked)
    return await _told(ctx)


async def move_clock(ctx: Ctx, move: str) -> Clock:
    """Move the clock by `+5d`, `-1h30m` and the like; raises ClockUnusable."""
    by = read_move(move)
    before = await rows.clock(ctx.db)
    try:
        check_moment(before.time + by)
    except OverflowError:
        raise ClockUnusable(value=move) from None
    await rows.move(ctx.db, by)
    return await _told(ctx)


async def freeze_clock(ctx: Ctx, frozen: bool) -> Clock:
    """Let the clock stand still at what it says, or go on from there."""
    before = await rows.clock(ctx.db)
    if before.frozen != frozen:
        await (rows.stop if frozen else rows.start)(ctx.db, before.time)
    return await _told(ctx)


async def reset_clock(ctx: Ctx) -> Clock:
    """Let it be what the machine says, and go on."""
    await rows.reset(ctx.db)
    return await _told(ctx)


async def set_seed(ctx: Ctx, seed: str | None) -> None:
    """Let new ids follow from a seed, from its beginning, or be random again; raises SeedUnusable."""
    if seed is not None and not _SEED.fullmatch(seed):
        raise SeedUnusable(seed=seed[:64])
    await rows.set_seed(ctx.db, seed)
    await announce(ctx)


async def announce(ctx: Ctx) -> datetime:
    """Let whoever listens hear of it once this is committed, and chores be due at once: they wait for times.

    Gives since when they are due, by the machine's clock.
    """
    due = await jobs.hurry_chores(ctx)
    await rows.tell(ctx.db)
    return due


async def _told(ctx: Ctx) -> Clock:
    await announce(ctx)
    return await rows.clock(ctx.db)
