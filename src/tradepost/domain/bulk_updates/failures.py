"""What can be wrong with one row of a bulk update. The row is left out, the others are not touched by it."""

from __future__ import annotations

from typing import Final

from tradepost.domain.failure import Failure

MOST_INVENTORY: Final = 500_000


class RowFailure(Failure):
    """A row that cannot be applied; `row` counts from 1 in the order of the update."""

    row: int
    sku: str


class SkuUnknown(RowFailure):
    """The merchant has no live variation with this SKU."""


class SkuMissing(RowFailure):
    """The row has no SKU, or one that cannot be a SKU."""


class RowNotObject(RowFailure):
    """The row is no JSON object."""


class NothingToChange(RowFailure):
    """The row has neither an inventory nor whether the variation is enabled."""


class InventoryUnusable(RowFailure):
    """The inventory is no whole number, or out of range."""

    most: int = MOST_INVENTORY


class EnabledUnusable(RowFailure):
    """Whether it is enabled is neither true nor false."""


class EnablingRemoved(RowFailure):
    """The marketplace removed the variation, so it cannot be put on sale."""


class ChangedSince(RowFailure):
    """The variation was changed by itself after the bulk update was sent; the newer change stays."""
