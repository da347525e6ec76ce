"""A subscription: an app that wants to be told about a topic in a shop, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tradepost.domain.sealing import SealingKeys
from tradepost.domain.webhooks.schedule import HEALTHY, Delivery, Health

MOST_FORMER: Final = 4
"""Secrets that sign beside the present one; of more, the oldest are gone."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What subscribing needs beside the database."""

    seals: SealingKeys
    leads_outside: Callable[[str], bool]
    """Whether a URL is one that this installation may send to, as far as can be told without asking anybody."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """An app that wants to be told about a topic in a shop."""

    merchant_id: str
    id: str
    app_id: str
    topic: str
    endpoint: str
    is_active: bool
    created_at: datetime
    health: Health = HEALTHY
    former_until: Sequence[datetime] = ()
    """Until when each secret that was replaced signs beside the present one; what is over may still be there."""

    def overlap_end(self, now: datetime) -> datetime | None:
        """Until when messages are signed with a former secret, too; None where they are not."""
        end = max(self.former_until, default=now)
        return end if end > now else None


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the messages of a subscription are signed with, sealed: the present secret, and those before it."""

    present: bytes
    former: Sequence[tuple[bytes, datetime]] = ()
    """Each with until when it signs, the latest first."""

    def at(self, now: datetime) -> list[bytes]:
        """Those that sign at a moment, the present one first."""
        return [self.present, *(sealed for sealed, until in self.former if until > now)]

    def replaced(self, new: bytes, now: datetime, until: datetime) -> Secrets:
        """The same with another secret; what was there signs until then, and none of it longer."""
        before = [(self.present, until), *((sealed, min(until, end)) for sealed, end in self.former)]
        return Secrets(new, [(sealed, end) for sealed, end in before if end > now][:MOST_FORMER])


@dataclass(frozen=True, slots=True)
class Turn:
    """The queue of a subscription in the hands of a worker; `fence` is older for whoever had it before."""

    merchant_id: str
    id: str
    worker: int
    fence: int
    topic: str
    endpoint: str
    failures: int


@dataclass(frozen=True, slots=True)
class TriedOnce:
    """An attempt as it is looked up later."""

    number: int
    started_at: datetime
    milliseconds: int
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class DeliveryTold:
    """A delivery with its attempts, the first one first."""

    delivery: Delivery
    topic: str
    attempts: Sequence[TriedOnce]
