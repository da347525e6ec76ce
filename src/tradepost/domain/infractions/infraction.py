"""An infraction and what can become of it; chapter *Infractions*. No database here.

new ──────────────┐
 │ marketplace     │ merchant
 ▼                 ▼
awaiting merchant ⇄ awaiting the marketplace ──▶ closed   (from anywhere)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, get_args

InfractionState = Literal["new", "awaiting_merchant", "awaiting_admin", "closed"]
"""How it stands: nobody said anything yet, or who has to say something next, or nobody has to."""
ProofKind = Literal["ticket", "order", "product", "merchant", "rating", "variation"]
Author = Literal["merchant", "marketplace"]

NEW: Final = "new"
AWAITING_MERCHANT: Final = "awaiting_merchant"
AWAITING_ADMIN: Final = "awaiting_admin"
CLOSED: Final = "closed"
STAGES: Final = {1: (NEW, AWAITING_MERCHANT), 2: (AWAITING_ADMIN,), 3: (CLOSED,)}
"""Which states are together in a list: those that wait for the merchant, for the marketplace, for nobody."""
PROOF_KINDS: Final[tuple[ProofKind, ...]] = get_args(ProofKind)
MOST_PROOFS: Final = 100
MOST_FINE: Final = Decimal(9_999_999_999)

ISSUED_TOPIC: Final = "infraction_issued"
FINED_TOPIC: Final = "infraction_fined"
ANSWERED_TOPIC: Final = "infraction_answered"
CLOSED_TOPIC: Final = "infraction_closed"


@dataclass(frozen=True, slots=True)
class Proof:
    """Something that shows it: a thing by its kind and id; without a message it says what the infraction says."""

    kind: ProofKind
    object_id: str
    message: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewInfraction:
    """What a merchant is told that he did.

    What the platform finds by itself has a `cause`, such as LATE_FULFILLMENT, and no words; an operator says the
    `reason` himself. A fine is in the currency that the merchant is paid in.
    """

    cause: str | None = None
    reason: str | None = None
    extra_reason: str | None = None
    fine: Decimal = Decimal(0)
    proofs: Sequence[Proof] = ()


@dataclass(frozen=True, slots=True)
class Infraction:
    """An infraction as it stands; amounts are texts of decimals."""

    id: str
    state: InfractionState
    cause: str | None
    reason: str | None
    extra_reason: str | None
    fine_amount: str
    fine_currency: str
    created_at: datetime
    updated_at: datetime
    proofs: Sequence[Proof]


@dataclass(frozen=True, slots=True)
class Message:
    """What one side wrote about an infraction."""

    author: Author
    message: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class InfractionFilter:
    """Which infractions a list has: those of a stage that changed from `since` on and before `upto`."""

    stage: int
    since: datetime | None = None
    upto: datetime | None = None


def answered(state: InfractionState, author: Author) -> InfractionState | None:
    """What an infraction becomes when somebody answers: the other's turn. None where it is closed."""
    if state == CLOSED:
        return None
    return AWAITING_ADMIN if author == "merchant" else AWAITING_MERCHANT


def closed(state: InfractionState) -> InfractionState | None:
    """What an infraction becomes when the marketplace closes it. None where it is closed."""
    return None if state == CLOSED else CLOSED
