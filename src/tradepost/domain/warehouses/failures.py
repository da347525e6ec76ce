"""What can be wrong with a warehouse."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class WarehouseNotFound(Failure):
    """The merchant has no warehouse of this name."""

    name: str
    value: str


class WarehouseTaken(Failure):
    """The merchant has a warehouse of this name already."""

    value: str
