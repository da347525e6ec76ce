"""What can be wrong with a fault that somebody asks for."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class FaultUnusable(Failure):
    """A fault cannot be like that."""

    name: str
    value: str


class FaultNotFound(Failure):
    """There is no fault of this id."""

    id: str
