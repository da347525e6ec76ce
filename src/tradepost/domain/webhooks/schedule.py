"""When a delivery is tried again, and what an attempt means for it and for its subscription: no database, no clock.

    pending ──2xx──▶ delivered
       │ └─anything else─▶ pending, later, up to ten attempts ─▶ failed
       └──410──▶ failed, and the subscription stops            delivered, failed ──sent again──▶ pending

The pauses are those that Standard Webhooks recommends; each is up to a fifth shorter or longer, so that what failed
together does not come back together.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

PENDING: Final = "pending"
DELIVERED: Final = "delivered"
FAILED: Final = "failed"

PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each attempt the next one comes: ten attempts in about 75.5 hours."""
MOST_ATTEMPTS: Final = len(PAUSES) + 1
JITTER: Final = 0.2
STOPS_AFTER: Final = timedelta(days=5)
"""How long nothing must have arrived before a delivery that is given up stops its subscription."""
LONGEST_WISH: Final = timedelta(hours=24)
"""How long a receiver can ask to be left alone."""
GONE: Final = 410
_ASKS_FOR_TIME: Final = (429, 503)
_SECONDS = re.compile("[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of sending: the status of the answer, or (None) a word of ours why there was none."""

    started_at: datetime
    milliseconds: int
    status: int | None
    error: str | None = None
    retry_after: str = ""
    """The header of that name, where the answer had one."""

    @property
    def arrived(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def wished_pause(self) -> timedelta:
        """How long the receiver asks to be left alone; zero where it does not."""
        if self.status not in _ASKS_FOR_TIME:
            return timedelta()
        return min(_pause(self.retry_after.strip(), self.started_at), LONGEST_WISH)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something to be told to one subscription."""

    merchant_id: str
    id: str
    subscription_id: str
    body: str
    state: str
    attempts: int
    round_attempts: int
    """Attempts since somebody asked for it to be sent again; the schedule counts these."""
    due_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Health:
    """How a subscription fares."""

    failures: int = 0
    failing_since: datetime | None = None
    not_before: datetime | None = None
    stopped_because: Literal["gone", "failing"] | None = None


HEALTHY: Final = Health()


def pause_after(delivery_id: str, attempts: int) -> timedelta | None:
    """How long to wait after so many attempts of a round, 1 for the first; None where it is given up.

    The jitter follows from the delivery and the attempt, so the same delivery always waits as long.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    drawn = int.from_bytes(hashlib.sha256(f"{delivery_id} {attempts}".encode()).digest()[:4]) / 2**32
    return PAUSES[attempts - 1] * (1 - JITTER + 2 * JITTER * drawn)


def after(delivery: Delivery, attempt: Attempt, now: datetime) -> Delivery:
    """The delivery after an attempt that ended now."""
    tried = replace(delivery, attempts=delivery.attempts + 1, round_attempts=delivery.round_attempts + 1)
    if attempt.arrived:
        return replace(tried, state=DELIVERED, due_at=None, ended_at=now)
    pause = None if attempt.status == GONE else pause_after(delivery.id, tried.round_attempts)
    if pause is None:
        return replace(tried, state=FAILED, due_at=None, ended_at=now)
    return replace(tried, due_at=now + max(pause, attempt.wished_pause))


def health_after(health: Health, attempt: Attempt, delivery: Delivery, now: datetime) -> Health:
    """How the subscription fares after an attempt; `delivery` is what that made of it."""
    if attempt.arrived:
        return HEALTHY
    since = health.failing_since or now
    pause = attempt.wished_pause
    why: Literal["gone", "failing"] | None = None
    if attempt.status == GONE:
        why = "gone"
    elif delivery.state == FAILED and now - since >= STOPS_AFTER:
        why = "failing"
    return Health(health.failures + 1, since, now + pause if pause else health.not_before, why)


def sent_again(delivery: Delivery, now: datetime) -> Delivery:
    """The delivery on its way once more, from the beginning of the schedule."""
    return replace(delivery, state=PENDING, round_attempts=0, due_at=now, ended_at=None)


def _pause(told: str, at: datetime) -> timedelta:
    """What Retry-After says: seconds, or a date; zero for anything else."""
    if _SECONDS.fullmatch(told):
        return timedelta(seconds=int(told))
    try:
        until = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return timedelta()
    return max(until.replace(tzinfo=until.tzinfo or UTC) - at, timedelta())
