"""A parcel, and everything that can happen to one: a state machine without a database or a clock.

    booked ──number──▶ numbered ──hand over──▶ handed_over ──scan──▶ in_transit ──scan──▶ delivered, returned
       │                  │ └───────────────────────────scan───────────▲ ▲
       │ refuse           └──cancel──▶ cancelled ◀──cancel── handed_over │
       ▼                                 ▲   └──────scan (shipped anyway)┘
    refused       booked ────cancel──────┘

Each transition takes a parcel as it is and gives a Step: the parcel as it will be, and what its money does. The
money is frozen when a parcel is booked and charged when it is handed over or, if nobody said that it was, by the
first scan. Until that scan a parcel can be cancelled, which gives the money back. Whatever comes in any order, a
parcel is paid for once or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tradepost.domain import ledger
from tradepost.domain.failure import Failure
from tradepost.domain.parcels.failures import (
    AlreadyCancelled,
    AlreadyRefused,
    AlreadyScanned,
    NoLabel,
    NoLabelYet,
    NotInCarriersHands,
)

BOOKED: Final = "booked"
REFUSED: Final = "refused"
NUMBERED: Final = "numbered"
HANDED_OVER: Final = "handed_over"
IN_TRANSIT: Final = "in_transit"
DELIVERED: Final = "delivered"
RETURNED: Final = "returned"
CANCELLED: Final = "cancelled"
STATES: Final = (BOOKED, NUMBERED, HANDED_OVER, IN_TRANSIT, DELIVERED, RETURNED, CANCELLED, REFUSED)

GENERATED: Final = 1
"""The status that is ours: the parcel was booked. Carriers' own begin above it."""
TRACKING_ENDED: Final = 27
MOST_STATUS: Final = 30
_ENDS: Final = {6: RETURNED, 10: RETURNED, 23: DELIVERED, 24: DELIVERED, 25: RETURNED}


class Parcel(msgspec.Struct, frozen=True, gc=False):
    """A parcel of a user of the logistics service.

    `wish_id` is its number here, from the moment of its booking; `tracking_number` is the carrier's. `order_ids`
    are the marketplace orders in it, none for goods that were sold elsewhere. Money is in CNY, weight in kg.
    """

    id: str
    wish_id: str
    otype: str
    order_ids: tuple[str, ...]
    country: str
    weight: Decimal
    fee: Decimal
    created_at: datetime
    updated_at: datetime
    guid: str | None = None
    mark: str | None = None
    state: str = BOOKED
    tracking_number: str | None = None
    cancel_reason: str | None = None
    cancel_words: str | None = None
    refusal: str | None = None
    numbered_at: datetime | None = None
    handed_over_at: datetime | None = None
    scanned_at: datetime | None = None
    ended_at: datetime | None = None
    details: Any = None
    """What was booked, a booking.Details, where it was asked for."""

    @property
    def number(self) -> str:
        """What it is called by: the carrier's number, ours until there is one."""
        return self.tracking_number or self.wish_id

    @property
    def has_label(self) -> bool:
        """Whether a label can be made: only with a carrier's number, and not for what is not to be sent."""
        return why_no_label(self) is None


@dataclass(frozen=True, slots=True)
class Step:
    """A parcel after something happened to it, and the kind of movement that its money makes."""

    parcel: Parcel
    money: str | None = None

    @property
    def movement(self) -> ledger.Movement | None:
        """The movement for the ledger."""
        return ledger.Movement(self.money, self.parcel.fee, self.parcel.id) if self.money else None


@dataclass(frozen=True, slots=True)
class Scan:
    """What a carrier saw, and when and where; status numbers are those of `statuses`."""

    at: datetime
    status: int
    country: str | None = None
    province: str | None = None
    city: str | None = None
    remark: str | None = None


def assign_number(parcel: Parcel, number: str, now: datetime) -> Step | None:
    """The parcel with the carrier's number; None where it needs none any more."""
    if parcel.state != BOOKED:
        return None
    return Step(replace(parcel, state=NUMBERED, tracking_number=number, numbered_at=now, updated_at=now))


def refuse(parcel: Parcel, why: str, now: datetime) -> Step | None:
    """The parcel that its carrier does not take on; None where that is decided already."""
    if parcel.state != BOOKED:
        return None
    refused = replace(parcel, state=REFUSED, refusal=why, ended_at=now, updated_at=now)
    return Step(refused, ledger.RELEASE)


def hand_over(parcel: Parcel, now: datetime) -> Step | None:
    """The parcel in the carrier's hands; None where it was there before. Raises NotInCarriersHands."""
    if parcel.state in (HANDED_OVER, IN_TRANSIT, DELIVERED, RETURNED):
        return None
    if parcel.state != NUMBERED:
        raise NotInCarriersHands(id=parcel.number, state=parcel.state)
    return Step(replace(parcel, state=HANDED_OVER, handed_over_at=now, updated_at=now), ledger.CHARGE)


def scan(parcel: Parcel, seen: Scan, now: datetime) -> Step:
    """The parcel after a carrier's scan; what is delivered or returned stays so. Raises NotInCarriersHands."""
    if parcel.state in (BOOKED, REFUSED) or parcel.tracking_number is None:
        raise NotInCarriersHands(id=parcel.number, state=parcel.state)
    money = {NUMBERED: ledger.CHARGE, CANCELLED: ledger.LATE_CHARGE}.get(parcel.state)
    state, ended_at = parcel.state, parcel.ended_at
    if state not in (DELIVERED, RETURNED):
        state = _ENDS.get(seen.status, IN_TRANSIT)
        ended_at = None if state == IN_TRANSIT else seen.at
    scanned = replace(
        parcel,
        state=state,
        ended_at=ended_at,
        handed_over_at=parcel.handed_over_at or now,
        scanned_at=parcel.scanned_at or now,
        updated_at=now,
    )
    return Step(scanned, money)


def cancel(parcel: Parcel, reason: str, words: str, now: datetime) -> Step:
    """The parcel cancelled; raises why it cannot be."""
    failure = why_not_cancel(parcel)
    if failure is not None:
        raise failure
    cancelled = replace(
        parcel, state=CANCELLED, cancel_reason=reason, cancel_words=words, ended_at=now, updated_at=now
    )
    return Step(cancelled, ledger.REFUND if parcel.state == HANDED_OVER else ledger.RELEASE)


def with_own_events(parcel: Parcel, scans: Sequence[Scan]) -> list[Scan]:
    """All that happened to a parcel, in order: its booking, what carriers saw, and that it was cancelled."""
    booked = Scan(parcel.created_at, GENERATED)
    if parcel.state != CANCELLED or parcel.ended_at is None:
        return [booked, *scans]
    told = f"Cancelled at {parcel.ended_at:%Y-%m-%d %H:%M:%S}"
    return [booked, *scans, Scan(parcel.ended_at, TRACKING_ENDED, remark=told)]


def why_not_cancel(parcel: Parcel) -> Failure | None:
    """What stands against cancelling a parcel; None where it can be."""
    if parcel.state in (BOOKED, NUMBERED, HANDED_OVER):
        return None
    kind = {CANCELLED: AlreadyCancelled, REFUSED: AlreadyRefused}.get(parcel.state, AlreadyScanned)
    return kind(id=parcel.number)


def why_no_label(parcel: Parcel) -> Failure | None:
    """What stands against printing a label for a parcel; None where it can be."""
    if parcel.state in (CANCELLED, REFUSED):
        return NoLabel(id=parcel.number)
    return NoLabelYet(id=parcel.number) if parcel.tracking_number is None else None
