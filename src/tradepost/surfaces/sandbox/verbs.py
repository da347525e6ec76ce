"""What can be done below `/sandbox`, and what each call takes. The command line does the same by the same desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from tradepost.domain import world
from tradepost.domain.context import Ctx
from tradepost.domain.world import Clock
from tradepost.sandbox.generate import MOST, Generated
from tradepost.surfaces.sandbox.controls import Verb


class ClockChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What becomes of the clock, in this order; nothing where nothing is said."""

    real: bool = False
    """True: what the machine says."""
    set: datetime | None = None
    """The time that it is now, RFC 3339; UTC where it names no zone."""
    move: str | None = None
    """So much later (`+5d`, `+1h30m`) or earlier (`-90s`)."""
    frozen: bool | None = None
    """Whether it stands still from then on."""
    seed: str | None = None
    """What ids follow from, from the beginning of that seed; "" for random ones."""


def tell_clock(clock: Clock) -> dict[str, Any]:
    """A clock as answers have it."""
    return {
        "now": clock.time.isoformat(),
        "frozen": clock.frozen,
        "ahead_seconds": clock.ahead / timedelta(seconds=1),
        "seed": clock.seed,
    }


async def change_clock(ctx: Ctx, change: ClockChange) -> dict[str, Any]:
    """Do to the clock what is told; raises ClockUnusable, SeedUnusable."""
    if change.real:
        await world.reset_clock(ctx)
    if change.set is not None:
        await world.set_clock(ctx, change.set, frozen=change.frozen)
    if change.move is not None:
        await world.move_clock(ctx, change.move)
    if change.frozen is not None:
        await world.freeze_clock(ctx, change.frozen)
    if change.seed is not None:
        await world.set_seed(ctx, change.seed or None)
    return tell_clock(await world.read_clock(ctx))


async def _get_clock(desk: Any) -> dict[str, Any]:
    """Tell what time it is in this world."""
    return tell_clock(await desk.act(world.read_clock))


async def _set_clock(desk: Any, change: ClockChange) -> dict[str, Any]:
    """Set, move, freeze or release the clock: {"set": "2021-05-19T16:37:00Z", "move": "+5d", "frozen": true}."""
    told: dict[str, Any] = await desk.act(lambda ctx: change_clock(ctx, change))
    return told


class Generation(msgspec.Struct, forbid_unknown_fields=True):
    """What is generated."""

    orders: Annotated[int, msgspec.Meta(ge=1, le=MOST)]
    """How many orders."""
    merchant_id: str | None = None
    """Whose; the first shop's without it."""
    seed: str | None = None
    """What it follows from; another one each time without it."""


def tell_generated(made: Generated) -> dict[str, Any]:
    """What was generated as answers have it."""
    return {
        "merchant_id": made.merchant_id,
        "seed": made.seed,
        "orders": made.orders,
        "scans": made.scans,
        "refunds": made.refunds,
        "tickets": made.tickets,
        "infractions": made.infractions,
    }


async def _generate(desk: Any, wanted: Generation) -> dict[str, Any]:
    """Give a shop orders of the last 90 days, with scans, refunds, tickets and infractions: {"orders": 500}."""
    return tell_generated(await desk.generate(wanted.merchant_id, wanted.orders, wanted.seed))


VERBS = (
    Verb("GET", "/sandbox/clock", None, _get_clock),
    Verb("POST", "/sandbox/clock", ClockChange, _set_clock),
    Verb("POST", "/sandbox/generate", Generation, _generate),
)
