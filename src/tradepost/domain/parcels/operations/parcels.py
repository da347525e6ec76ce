"""What users do with parcels, what carriers tell about them, and what a worker does to get their numbers.

Whoever changes parcels holds their rows first, several in the order of their ids, and the user's money after them;
so bookings, cancels and scans of one user may come all at once, and none waits for one that waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from tradepost.domain import jobs, ledger
from tradepost.domain.context import Ctx, ShipperCtx
from tradepost.domain.failure import Failure
from tradepost.domain.jobs import Advance, Job
from tradepost.domain.jobs.failures import TooManyJobs
from tradepost.domain.parcels import parcel as machine
from tradepost.domain.parcels.booking import NewParcel, book
from tradepost.domain.parcels.failures import ParcelNotFound, ScanBeforeBooking, ScanTooEarly
from tradepost.domain.parcels.operations.channels import channel_to_book
from tradepost.domain.parcels.operations.shops import tell_shops
from tradepost.domain.parcels.parcel import Parcel, Scan, Step
from tradepost.domain.parcels.rows import parcels as rows
from tradepost.domain.parcels.rows.parcels import ParcelFilter
from tradepost.values import Bookmark

NUMBER_KIND: Final = "parcel_number"
CARRY_KIND: Final = "carry_parcels"
CARRIED_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A parcel to be cancelled, by the carrier's number or ours, and why; `words` is the user's own text."""

    number: str
    reason: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one wish to cancel: the parcel as it is now, if there is one, and what stood against it."""

    parcel: Parcel | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a carrier says when he is asked for a number: the number, or why there will be none.

    `next_at` is from when on he has to be asked what he has seen of the parcel; None for who tells it by himself.
    """

    number: str | None = None
    refusal: str | None = None
    next_at: datetime | None = None


class Carrier(Protocol):
    """Somebody who carries parcels."""

    async def announce(self, parcel: Parcel, attempt: int) -> Assigned | None:
        """Tell him about a parcel; the same parcel may be told again. None where he never answers.

        Raises what time mends.
        """

    def seen(self, parcel: Parcel, now: datetime) -> tuple[Sequence[Scan], datetime | None]:
        """What he has seen of a parcel with a number until now, and from when on there is more to ask."""


# -- what users do


async def book_parcel(ctx: ShipperCtx, new: NewParcel) -> Parcel:
    """Book a parcel: it has our number at once, the carrier's comes by a job, and its money is frozen.

    Raises RealNameUnverified, ChannelNotFound, GuidTaken, BalanceTooLow, and what `booking` refuses.
    """
    parcel = book(new, await channel_to_book(ctx, new.otype), ctx.new_id(), _wire_time(ctx.now))
    await rows.insert(ctx.db, ctx.actor.id, parcel)
    await ledger.post(ctx, ctx.actor.id, [ledger.Movement(ledger.FREEZE, parcel.fee, parcel.id)])
    await jobs.enqueue(ctx, ctx.actor.id, NUMBER_KIND, NUMBER_KIND, {"parcel_id": parcel.id})
    return parcel


async def cancel_parcels(ctx: ShipperCtx, asked: Sequence[Cancellation]) -> list[Judged]:
    """Cancel parcels; gives for each, in the same order, what became of it.

    Each is judged after those before it, so one that is named twice is cancelled already the second time.
    """
    found = await rows.lock_numbers(ctx.db, ctx.actor.id, [wish.number for wish in asked])
    now_are = {parcel.id: parcel for parcel in found}
    by_number = {number: p.id for p in found for number in (p.tracking_number, p.wish_id) if number}
    told: list[Judged] = []
    steps = []
    for wish in asked:
        parcel = now_are.get(by_number.get(wish.number, ""))
        if parcel is None:
            told.append(Judged(failure=ParcelNotFound(id=wish.number)))
            continue
        try:
            step = machine.cancel(parcel, wish.reason, wish.words, _wire_time(ctx.now))
        except Failure as failure:
            told.append(Judged(parcel, failure))
            continue
        now_are[parcel.id] = step.parcel
        steps.append(step)
        told.append(Judged(step.parcel))
    await _take(ctx, ctx.actor.id, steps)
    return told


async def find_parcel(ctx: ShipperCtx, parcel_id: str) -> Parcel:
    """A parcel of the acting user by its id; raises ParcelNotFound."""
    found = await rows.find(ctx.db, ctx.actor.id, parcel_id)
    if found is None:
        raise ParcelNotFound(id=parcel_id)
    return found


async def list_parcels(ctx: ShipperCtx, wanted: ParcelFilter) -> list[Parcel]:
    """The parcels of the acting user that fit."""
    return await rows.list_parcels(ctx.db, ctx.actor.id, wanted)


async def page_parcels(ctx: ShipperCtx, after: Bookmark, limit: int) -> tuple[list[Parcel], bool]:
    """Some parcels of a user behind a place in the list, the last booked first, and whether there are more."""
    return await rows.page_back(ctx.db, ctx.actor.id, after, limit)


async def numbered_parcels(ctx: ShipperCtx, numbers: Sequence[str]) -> list[Parcel | None]:
    """Parcels of some numbers with what was booked, in the order they were asked for; None where there is none."""
    found = await rows.list_detailed(ctx.db, ctx.actor.id, numbers)
    by_number = {number: parcel for parcel in found for number in (parcel.tracking_number, parcel.wish_id)}
    return [by_number.get(number) for number in numbers]


async def track_parcels(ctx: ShipperCtx, numbers: Sequence[str]) -> list[tuple[Parcel, list[Scan]] | None]:
    """The parcels of some numbers with their scans, in the order they were asked for; None where there is none."""
    found = await rows.list_numbers(ctx.db, ctx.actor.id, numbers)
    by_number = {number: line for line in found for number in (line[0].tracking_number, line[0].wish_id)}
    return [by_number.get(number) for number in numbers]


# -- what carriers tell


async def hand_over(ctx: ShipperCtx, number: str) -> Parcel:
    """Note that the carrier has a parcel, which is charged for now. Raises ParcelNotFound, NotInCarriersHands."""
    parcel = await _hold(ctx, number)
    step = machine.hand_over(parcel, _wire_time(ctx.now))
    if step is None:
        return parcel
    await _take(ctx, ctx.actor.id, [step])
    return step.parcel


async def note_scan(ctx: ShipperCtx, number: str, seen: Scan) -> Parcel:
    """Note what a carrier saw; the same scan told twice is one.

    Raises ParcelNotFound, NotInCarriersHands, ScanTooEarly, ScanBeforeBooking.
    """
    parcel = await _hold(ctx, number)
    if seen.at > ctx.now:
        raise ScanTooEarly(id=parcel.number, at=seen.at)
    if seen.at < parcel.created_at:
        raise ScanBeforeBooking(id=parcel.number, at=seen.at, booked_at=parcel.created_at)
    step = machine.scan(parcel, seen, _wire_time(ctx.now))
    if not await rows.insert_scan(ctx.db, ctx.actor.id, parcel.id, seen):
        return parcel
    await _take(ctx, ctx.actor.id, [step])
    await tell_shops(ctx, step.parcel)
    return step.parcel


# -- what workers do


async def parcel_to_number(ctx: Ctx, job: Job) -> Parcel | None:
    """The parcel that a job wants a number for; None where it needs none any more."""
    found = await rows.find(ctx.db, job.account_id, job.arguments["parcel_id"])
    return found if found is not None and found.state == machine.BOOKED else None


async def settle_number(ctx: Ctx, job: Job, said: Assigned | None) -> Advance:
    """Write down what the carrier said."""
    await note_answer(ctx, job.account_id, job.arguments["parcel_id"], said)
    return Advance(position=1, done=True)


async def note_answer(ctx: Ctx, account_id: str, parcel_id: str, said: Assigned | None) -> None:
    """Let a parcel have what its carrier said, unless it was cancelled meanwhile or has a number already."""
    parcel = await rows.lock(ctx.db, account_id, parcel_id)
    if parcel is not None and said is not None:
        now = _wire_time(ctx.now)
        if said.number is not None:
            step = machine.assign_number(parcel, said.number, now)
        else:
            step = machine.refuse(parcel, said.refusal or "", now)
        await _take(ctx, account_id, [step] if step else [])
        if step is not None and said.next_at is not None:
            await rows.await_scans(ctx.db, account_id, [(parcel.id, said.next_at)])


async def ask_carriers(ctx: Ctx) -> int:
    """Have carriers asked about the parcels of every user that are due; gives how many users have some."""
    users = await rows.users_awaiting(ctx.db, ctx.now)
    for account_id in users:
        with suppress(TooManyJobs):  # they are being asked
            await jobs.enqueue(ctx, account_id, CARRY_KIND, CARRY_KIND, {}, most_open=1)
    return len(users)


async def carry_some(ctx: ShipperCtx, job: Job, carrier: Carrier) -> Advance:
    """Note what a carrier has seen of some parcels, each scan as of when he saw it."""
    due = await rows.lock_awaited(ctx.db, ctx.actor.id, ctx.now, CARRIED_AT_ONCE)
    nexts = []
    for parcel in due:
        scans, next_at = carrier.seen(parcel, _wire_time(ctx.now))
        for seen in scans:
            if await rows.insert_scan(ctx.db, ctx.actor.id, parcel.id, seen):
                at = max(seen.at, parcel.updated_at)
                step = machine.scan(parcel, seen, at)
                await _take(replace(ctx, now=at), ctx.actor.id, [step])
                parcel = step.parcel
        if scans:
            await tell_shops(ctx, parcel)
        ended = parcel.state in (machine.DELIVERED, machine.RETURNED)
        nexts.append((parcel.id, None if ended else next_at))
    await rows.await_scans(ctx.db, ctx.actor.id, nexts)
    return Advance(position=job.position + 1, done=len(due) < CARRIED_AT_ONCE, processed=len(due))


async def _hold(ctx: ShipperCtx, number: str) -> Parcel:
    found = await rows.lock_numbers(ctx.db, ctx.actor.id, [number])
    if not found:
        raise ParcelNotFound(id=number)
    return found[0]


async def _take(ctx: Ctx, account_id: str, steps: Sequence[Step]) -> None:
    """Write down some steps, and move the money that goes with them."""
    if not steps:
        return
    await rows.store(ctx.db, account_id, [step.parcel for step in steps])
    movements = [movement for step in steps if (movement := step.movement)]
    if movements:
        await ledger.post(ctx, account_id, movements)


def _wire_time(now: datetime) -> datetime:
    """A moment without what the wire does not tell of it: who pages by a moment must meet the same one again."""
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
