"""Accounts and what moves between them: the rules of double entry, without a database.

    outside ──deposit──▶ free ──freeze──▶ frozen ──charge──▶ spent
                          ▲ ▲               │                 │
                          │ └───release─────┘                 │
                          └──────────────refund───────────────┘

Every movement is a set of entries that sum to zero, and so do all balances of a user. `outside` is where money
comes from and `arrears` what a user owes beyond his limit: both are never above zero. A parcel that was cancelled
and is shipped all the same is charged late, out of what is free or, where that is not enough, as arrears, which
the next deposit pays first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from tradepost.domain.ledger.failures import BalanceTooLow

CURRENCY: Final = "CNY"

DEPOSIT: Final = "deposit"
FREEZE: Final = "freeze"
RELEASE: Final = "release"
CHARGE: Final = "charge"
REFUND: Final = "refund"
LATE_CHARGE: Final = "late_charge"

ZERO: Final = Decimal("0.00")

ACCOUNTS: Final = ("arrears", "free", "frozen", "outside", "spent")
LEAST: Final = {"free": ZERO, "frozen": ZERO, "spent": ZERO}
MOST: Final = {"arrears": ZERO, "outside": ZERO}

_FROM_TO: Final = {
    FREEZE: ("free", "frozen"),
    RELEASE: ("frozen", "free"),
    CHARGE: ("frozen", "spent"),
    REFUND: ("spent", "free"),
}


@dataclass(frozen=True, slots=True)
class Balances:
    """What stands in the accounts of a user, and how far below zero what is free may go."""

    arrears: Decimal
    free: Decimal
    frozen: Decimal
    outside: Decimal
    spent: Decimal
    debt_limit: Decimal

    @property
    def room(self) -> Decimal:
        """What can still be frozen, credit included."""
        return self.free + self.debt_limit

    @property
    def remaining(self) -> Decimal:
        """The user's own money that is free."""
        return max(ZERO, self.free)

    @property
    def debt_frozen(self) -> Decimal:
        """The part of what is frozen that is credit."""
        return min(self.frozen, max(ZERO, -self.free))

    @property
    def unavailable(self) -> Decimal:
        """The part of what is frozen that is the user's own money."""
        return self.frozen - self.debt_frozen

    @property
    def total(self) -> Decimal:
        """The user's own money, frozen or not."""
        return self.remaining + self.unavailable

    @property
    def debt(self) -> Decimal:
        """What the user owes: charged already, and not paid."""
        return max(ZERO, -(self.free + self.frozen)) - self.arrears

    @property
    def debt_remaining(self) -> Decimal:
        """The credit that is left."""
        return self.debt_limit - max(ZERO, -self.free)


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that is to move, by what it moves for; all but deposits are about a parcel."""

    kind: str
    amount: Decimal
    parcel_id: str | None = None


Entries = tuple[tuple[str, Decimal], ...]
"""Accounts and what is added to each."""


def entries_of(movement: Movement, balances: Balances) -> Entries:
    """The entries of a movement, which sum to zero; raises BalanceTooLow where more is to be frozen than can be."""
    amount = movement.amount
    if movement.kind == DEPOSIT:
        owed = min(amount, -balances.arrears)
        return _without_zeros(("arrears", owed), ("free", amount - owed), ("outside", -amount))
    if movement.kind == LATE_CHARGE:
        source = "free" if amount <= balances.room else "arrears"
        return _without_zeros((source, -amount), ("spent", amount))
    if movement.kind == FREEZE and amount > balances.room:
        raise BalanceTooLow(needed=amount, remaining=balances.room)
    source, target = _FROM_TO[movement.kind]
    return _without_zeros((source, -amount), (target, amount))


def after(balances: Balances, entries: Entries) -> Balances:
    """The balances with some entries added."""
    sums = {name: getattr(balances, name) for name in ACCOUNTS}
    for name, amount in entries:
        sums[name] += amount
    return Balances(**sums, debt_limit=balances.debt_limit)


def _without_zeros(*entries: tuple[str, Decimal]) -> Entries:
    return tuple((name, amount) for name, amount in entries if amount)


@dataclass(frozen=True, slots=True)
class CashFlow:
    """A transfer as its owner sees it.

    `amount` is what it changed of what can be spent, `frozen` what it changed of what is frozen.
    """

    id: int
    kind: str
    amount: Decimal
    frozen: Decimal
    parcel_id: str | None
    wish_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class FlowFilter:
    """Which transfers, in which order (`id` or `created_at`), and how many."""

    limit: int
    sort: str
    descending: bool
    id_min: int | None = None
    id_max: int | None = None
    at_min: datetime | None = None
    at_max: datetime | None = None
