"""Switching the autopilot on and off, and taking its beats, in the transaction of whoever fills them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from tradepost.domain import world
from tradepost.domain.autopilot import failures, rows
from tradepost.domain.autopilot.autopilot import MOST_PACE, Autopilot, Beat
from tradepost.domain.context import Ctx
from tradepost.domain.failure import Failure

_SEED: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


async def read_autopilot(ctx: Ctx) -> Autopilot | None:
    """The autopilot as it stands; None in a world that never had one on."""
    return await rows.read(ctx.db)


async def switch_on(ctx: Ctx, pace: int, seed: str) -> Autopilot:
    """Let the world go on by itself from now on, with `pace` beats per hour; or from now on at another pace.

    The same seed makes the same happen in the same world. Raises AutopilotUnusable.
    """
    if not 1 <= pace <= MOST_PACE:
        raise failures.AutopilotUnusable(name="pace", value=str(pace)[:64])
    if not _SEED.fullmatch(seed):
        raise failures.AutopilotUnusable(name="seed", value=seed[:64])
    on = await rows.switch_on(ctx.db, pace, seed, ctx.now)
    await world.announce(ctx)
    return on


async def switch_off(ctx: Ctx) -> Autopilot | None:
    """Let nothing happen any more by itself; None in a world that never had one on."""
    return await rows.switch_off(ctx.db)


async def take_beat(ctx: Ctx) -> Beat | None:
    """The next beat that is due; it is over once the caller's work is committed. None where none is due."""
    found = await rows.lock(ctx.db)
    stepped = found and found.step(ctx.now)
    if not stepped:
        return None
    beat, after = stepped
    await rows.store(ctx.db, after)
    return beat


async def count_due(ctx: Ctx, at: datetime) -> int:
    """How many beats are still to come about until a time."""
    found = await rows.read(ctx.db)
    return 0 if found is None else found.due(at)


async def attempt(ctx: Ctx, act: Callable[[], Awaitable[object]]) -> bool:
    """Do something within this transaction, or nothing of it where the marketplace refuses; whether it was done."""
    await rows.begin_attempt(ctx.db)
    try:
        await act()
    except Failure:
        await rows.undo_attempt(ctx.db)
        return False
    await rows.end_attempt(ctx.db)
    return True
