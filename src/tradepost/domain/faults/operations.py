"""Asking for faults, and meeting them."""

from __future__ import annotations

import re
from typing import Final

from tradepost.domain import world
from tradepost.domain.context import Ctx
from tradepost.domain.faults import failures, rows
from tradepost.domain.faults.fault import KINDS, MOST_CALLS, MOST_SECONDS, SERVICES, Fault, NewFault

_PATH: Final = re.compile(r"/[^\x00-\x20?#\x7f]{0,199}")
"""As calls are known by; one with a question mark in it would never be met."""
_ID: Final = re.compile("[0-9a-f]{24}", re.ASCII)


async def set_fault(ctx: Ctx, new: NewFault) -> str:
    """Let calls meet a fault from now on; gives its id. Raises FaultUnusable."""
    fits = {
        "kind": new.kind in KINDS,
        "service": new.service in SERVICES,
        "path": new.path is None or _PATH.fullmatch(new.path) is not None,
        "account": new.account is None or _ID.fullmatch(new.account) is not None,
        # Operators call without an app.
        "app": new.app is None or (_ID.fullmatch(new.app) is not None and new.service != "operator"),
        "share": 1 <= new.share <= 100,
        "calls": new.calls is None or 1 <= new.calls <= MOST_CALLS,
        "seconds": 0 <= new.seconds <= MOST_SECONDS,
    }
    if wrong := next((name for name, good in fits.items() if not good), None):
        raise failures.FaultUnusable(name=wrong, value=str(getattr(new, wrong))[:64])
    fault_id = ctx.new_id()
    await rows.insert(ctx.db, fault_id, new, ctx.now)
    await world.announce(ctx)
    return fault_id


async def list_faults(ctx: Ctx) -> list[Fault]:
    """All faults, the first set first; those that have met all their calls, too."""
    return await rows.list_all(ctx.db)


async def drop_faults(ctx: Ctx, fault_id: str | None = None) -> int:
    """Forget a fault, or all of them; gives how many there were. Raises FaultNotFound."""
    gone = await rows.delete(ctx.db, fault_id)
    if fault_id is not None and not gone:
        raise failures.FaultNotFound(id=fault_id[:64])
    await world.announce(ctx)
    return gone


async def meet(ctx: Ctx, fault: Fault, account: str, token_id: str | None) -> bool:
    """Whether this call meets a fault that it may meet; counts it."""
    found = await rows.meet(ctx.db, fault.id, account, token_id)
    if found is not None and found[1] == 0:
        await world.announce(ctx)  # nobody need ask for it any more
    return found is not None and found[0]
