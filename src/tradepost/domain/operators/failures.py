"""What can be wrong with an operator, or with the key of one of his calls."""

from __future__ import annotations

from tradepost.domain.failure import Failure
from tradepost.values import TryLater


class OperatorUnknown(Failure):
    """There is no operator of this id or name."""

    who: str


class NameTaken(Failure):
    """Another operator has this name."""

    name: str


class NameUnusable(Failure):
    """An operator's name is up to 100 characters that can be read, and no 24 hex digits."""

    name: str


class KeyReused(Failure):
    """The key belongs to a call that asked for something else."""

    key: str


class KeyInUse(Failure, TryLater):
    """A call with this key has begun and not come to its end."""

    key: str
