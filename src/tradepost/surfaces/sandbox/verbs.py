"""What can be done below `/sandbox`, and what each call takes. The command line does the same by the same desk."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from tradepost.domain import autopilot, faults, world
from tradepost.domain.autopilot import MOST_PACE, Autopilot
from tradepost.domain.context import Ctx
from tradepost.domain.faults import Fault, FaultKind, NewFault
from tradepost.domain.world import Clock
from tradepost.sandbox.autopilot import USUAL_PACE
from tradepost.sandbox.generate import MOST, Generated
from tradepost.sandbox.situations import SCENES
from tradepost.sandbox.snapshots import Snapshot
from tradepost.surfaces.sandbox.controls import Verb

Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{24}\\Z")]
"""An id; whatever else somebody sends cannot be anybody's, and some of it no database takes."""


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
        "ahead_seconds": None if clock.ahead is None else clock.ahead / timedelta(seconds=1),
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
    return tell_clock(await desk.look(world.read_clock))


async def _set_clock(desk: Any, change: ClockChange) -> dict[str, Any]:
    """Set, move, freeze or release the clock: {"set": "2021-05-19T16:37:00Z", "move": "+5d", "frozen": true}."""
    told: dict[str, Any] = await desk.change(lambda ctx: change_clock(ctx, change))
    return told


class Generation(msgspec.Struct, forbid_unknown_fields=True):
    """What is generated."""

    orders: Annotated[int, msgspec.Meta(ge=1, le=MOST)]
    """How many orders."""
    merchant_id: Id | None = None
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


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    """How the world begins anew."""

    seed: str | None = None
    """What new ids follow from; random ones without it."""
    at: datetime | None = None
    """When it begins, and stands still; without it the machine's time, which goes on."""


class Named(msgspec.Struct, forbid_unknown_fields=True):
    """A snapshot by its name."""

    name: str


class Patience(msgspec.Struct, forbid_unknown_fields=True):
    """How long to wait."""

    seconds: Annotated[float, msgspec.Meta(ge=0, le=300)] = 60.0


def tell_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as answers have it."""
    return {"name": snapshot.name, "time": snapshot.time.isoformat(), "bytes": snapshot.size}


async def _reset(desk: Any, told: Reset) -> dict[str, Any]:
    """Start over: {"seed": "demo", "at": "2021-05-19T16:37:00Z"}; the credentials stay good."""
    cast = await desk.reset(told.seed, told.at)
    return {"merchants": len(cast.merchants), "senders": len(cast.wishpost)}


async def _settle(desk: Any, told: Patience) -> dict[str, Any]:
    """Have the chores done, and wait until no job is left to do: {"seconds": 60}."""
    found = await desk.settle(told.seconds)
    return {"settled": found.settled, "left": found.left}


async def _snapshot(desk: Any, told: Named) -> dict[str, Any]:
    """Keep the whole state: {"name": "before"}."""
    return tell_snapshot(await desk.take_snapshot(told.name))


async def _restore(desk: Any, told: Named) -> dict[str, Any]:
    """Put everything back to a snapshot: {"name": "before"}."""
    return tell_snapshot(await desk.restore_snapshot(told.name))


async def _snapshots(desk: Any) -> dict[str, Any]:
    """List the snapshots."""
    return {"snapshots": [tell_snapshot(one) for one in desk.list_snapshots()]}


class FaultWish(msgspec.Struct, forbid_unknown_fields=True):
    """A fault to be set; what is left out means all."""

    kind: FaultKind
    service: Literal["merchant", "wishpost", "operator"] = "merchant"
    path: str | None = None
    account: Id | None = None
    app: Id | None = None
    share: int = 100
    calls: int | None = None
    seconds: float = 2.0

    def new(self) -> NewFault:
        """The fault."""
        return NewFault(**msgspec.structs.asdict(self))


class FaultDrop(msgspec.Struct, forbid_unknown_fields=True):
    """Which fault is forgotten; all of them without an id."""

    id: Id | None = None


def tell_fault(fault: Fault) -> dict[str, Any]:
    """A fault as answers have it."""
    return dataclasses.asdict(fault)


async def _faults(desk: Any) -> dict[str, Any]:
    """List the faults that are set, with how many calls they have met."""
    return {"faults": [tell_fault(one) for one in await desk.look(faults.list_faults)]}


async def _set_fault(desk: Any, wish: FaultWish) -> dict[str, Any]:
    """Let calls meet a fault: {"kind": "unavailable", "path": "/api/v2/order", "calls": 3, "share": 50}."""
    return {"id": await desk.change(lambda ctx: faults.set_fault(ctx, wish.new()))}


async def _drop_faults(desk: Any, told: FaultDrop) -> dict[str, Any]:
    """Forget a fault by its id, or all of them: {}."""
    return {"dropped": await desk.change(lambda ctx: faults.drop_faults(ctx, told.id))}


class AutopilotWish(msgspec.Struct, forbid_unknown_fields=True):
    """Whether the world goes on by itself, and how fast."""

    on: bool
    pace: Annotated[int, msgspec.Meta(ge=1, le=MOST_PACE)] = USUAL_PACE
    """Orders per hour of the world's time."""
    seed: str | None = None
    """What chance follows from; the world's seed without it."""


def tell_autopilot(found: Autopilot | None) -> dict[str, Any]:
    """The autopilot as answers have it; off in a world that never had one on."""
    if found is None:
        return {"on": False, "pace": None, "seed": None, "beats": 0, "next": None}
    next_at = found.next_at.isoformat() if found.is_on else None
    return {"on": found.is_on, "pace": found.pace, "seed": found.seed, "beats": found.beats, "next": next_at}


async def _autopilot(desk: Any) -> dict[str, Any]:
    """Tell whether the world goes on by itself, how fast, and when it does so next."""
    return tell_autopilot(await desk.look(autopilot.read_autopilot))


async def _switch_autopilot(desk: Any, wish: AutopilotWish) -> dict[str, Any]:
    """Let the world go on by itself, or no more: {"on": true, "pace": 12}; {"on": false}."""
    return tell_autopilot(await desk.switch_autopilot(wish.pace if wish.on else None, wish.seed))


class SceneWish(msgspec.Struct, forbid_unknown_fields=True):
    """Which situation, and in whose shop; the first one's without an id."""

    name: str
    merchant_id: Id | None = None


async def _scenes(desk: Any) -> dict[str, Any]:
    """List the scenes, with what can be seen in each."""
    return {"scenes": [{"name": scene.name, "shows": scene.shows} for scene in SCENES.values()]}


async def _scene(desk: Any, wish: SceneWish) -> dict[str, Any]:
    """Let a situation come about: {"name": "late-order"}; gives the ids of what it is about."""
    return dict(await desk.play_scene(wish.name, wish.merchant_id))


VERBS = (
    Verb("GET", "/sandbox/clock", None, _get_clock),
    Verb("POST", "/sandbox/clock", ClockChange, _set_clock),
    Verb("POST", "/sandbox/generate", Generation, _generate),
    Verb("GET", "/sandbox/scenes", None, _scenes),
    Verb("POST", "/sandbox/scene", SceneWish, _scene),
    Verb("GET", "/sandbox/autopilot", None, _autopilot),
    Verb("POST", "/sandbox/autopilot", AutopilotWish, _switch_autopilot),
    Verb("POST", "/sandbox/settle", Patience, _settle),
    Verb("POST", "/sandbox/reset", Reset, _reset),
    Verb("GET", "/sandbox/faults", None, _faults),
    Verb("POST", "/sandbox/fault", FaultWish, _set_fault),
    Verb("POST", "/sandbox/drop-faults", FaultDrop, _drop_faults),
    Verb("GET", "/sandbox/snapshots", None, _snapshots),
    Verb("POST", "/sandbox/snapshot", Named, _snapshot),
    Verb("POST", "/sandbox/restore", Named, _restore),
)
