"""What can be wrong with an infraction."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class InfractionNotFound(Failure):
    """The merchant has no such infraction."""

    id: str


class InfractionClosed(Failure):
    """The infraction is closed, and nothing about it changes any more."""

    id: str


class FineUnusable(Failure):
    """A fine that cannot be: below 0, too much, or more precise than its currency."""

    amount: str
    currency: str


class ProofNotFound(Failure):
    """The merchant has no such thing that a proof could be about."""

    kind: str
    object_id: str


class ProofUnusable(Failure):
    """A proof that is about nothing there could be, or one too many."""

    kind: str
    object_id: str
