"""A subscription: an app that wants to be told about a topic in a shop, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tradepost.domain.sealing import SealingKeys
from tradepost.domain.webhooks.schedule import HEALTHY, Delivery, Health


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


@dataclass(frozen=True, slots=True)
class Turn:
    """The queue of a subscription in the hands of a worker; `fence` is older for whoever had it before."""

    merchant_id: str
    id: str
    worker: int
    fence: int
    topic: str
    endpoint: str
    secret: bytes
    """Sealed."""
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
