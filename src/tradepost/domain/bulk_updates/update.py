"""A bulk update: its rows, and what becomes of them; chapter *Bulk Update Product Variations* of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

import msgspec

from tradepost.domain.bulk_updates import failures
from tradepost.domain.bulk_updates.failures import RowFailure
from tradepost.domain.products import KnownVariation

MOST_ROWS: Final = 100_000
PACK_ROWS: Final = 5_000
"""Rows that are applied in one transaction: long enough to cost little each, short enough to cancel between."""


class Row(msgspec.Struct, array_like=True, gc=False):
    """One row as it was sent: what is None stays as it is; `fault` names what is wrong with it by itself."""

    sku: str
    inventory: int | None
    enabled: bool | None
    fault: str | None


class Failed(msgspec.Struct, array_like=True, gc=False):
    """A row that was not applied, and why."""

    row: int
    sku: str
    fault: str


@dataclass(frozen=True, slots=True)
class Pack:
    """Some rows that stand together, the first of them at `first_row` of the update."""

    first_row: int
    rows: bytes


@dataclass(frozen=True, slots=True)
class Updates:
    """All rows of an update, packed."""

    count: int
    packs: tuple[Pack, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a pack: how many rows went well before it and in it, and which did not."""

    succeeded_before: int
    succeeded: int
    failed_before: int
    failed: list[Failed]
    changed_products: list[str]


_FAULTS: Final[Mapping[str, type[RowFailure]]] = {
    fault.__name__: fault
    for fault in (
        failures.SkuUnknown,
        failures.SkuMissing,
        failures.RowNotObject,
        failures.NothingToChange,
        failures.InventoryUnusable,
        failures.EnabledUnusable,
        failures.EnablingRemoved,
        failures.ChangedSince,
    )
}

_rows = msgspec.msgpack.Decoder(list[Row])
_failed = msgspec.msgpack.Decoder(list[Failed])
_encode = msgspec.msgpack.Encoder().encode


def pack_rows(rows: Sequence[Row]) -> bytes:
    """Rows as they are kept."""
    return _encode(rows)


def unpack_rows(packed: bytes) -> list[Row]:
    """Rows out of what is kept."""
    return _rows.decode(packed)


def pack_failed(failed: Sequence[Failed]) -> bytes:
    """What failed, as it is kept."""
    return _encode(failed)


def unpack_failed(packed: bytes) -> list[Failed]:
    """What failed, out of what is kept."""
    return _failed.decode(packed)


def why(failed: Failed) -> RowFailure:
    """The failure of a row, as a fact."""
    return _FAULTS[failed.fault](row=failed.row, sku=failed.sku)


class Judgement:
    """What becomes of the rows of one pack, in their order: each is applied as a whole or not at all.

    First the rows are held against the variations there are; then `stock` and `enabled` are what is to be written,
    each variation once, the last row that asks for it deciding; then it is told what of that was refused.
    """

    def __init__(self, rows: Sequence[Row], first_row: int, known: Mapping[str, KnownVariation]) -> None:
        """`first_row` is the number of the first of them; `known` are the live variations by SKU."""
        self._rows = rows
        self._first_row = first_row
        self._known = known
        self._faults = {at: fault for at, row in enumerate(rows) if (fault := row.fault or self._fault(row))}

    def _fault(self, row: Row) -> str | None:
        variation = self._known.get(row.sku)
        if variation is None:
            return failures.SkuUnknown.__name__
        if row.enabled and variation.removed_by_wish:
            return failures.EnablingRemoved.__name__
        return None

    def _applied(self) -> Iterator[tuple[int, Row, KnownVariation]]:
        for at, row in enumerate(self._rows):
            if at not in self._faults:
                yield at, row, self._known[row.sku]

    @property
    def double(self) -> list[KnownVariation]:
        """The variations of rows that change both stock and sale: one refusal there must keep the other back."""
        return [known for _, row, known in self._applied() if row.inventory is not None and row.enabled is not None]

    @property
    def stock(self) -> list[tuple[KnownVariation, int]]:
        """The stock to set."""
        last = {known.id: (known, row.inventory) for _, row, known in self._applied() if row.inventory is not None}
        return list(last.values())

    @property
    def enabled(self) -> list[tuple[KnownVariation, bool]]:
        """What to put on sale or take off."""
        last = {known.id: (known, row.enabled) for _, row, known in self._applied() if row.enabled is not None}
        return list(last.values())

    def refuse(self, newer: Set[str], *, stock: bool, sale: bool) -> None:
        """Fail the rows about these variations, by id: those that change their stock, their sale, or both."""
        if not newer:
            return
        for at, row, known in list(self._applied()):
            concerned = (not stock or row.inventory is not None) and (not sale or row.enabled is not None)
            if known.id in newer and concerned:
                self._faults[at] = failures.ChangedSince.__name__

    @property
    def failed(self) -> list[Failed]:
        """The rows that are not applied."""
        return [Failed(self._first_row + at, self._rows[at].sku, self._faults[at]) for at in sorted(self._faults)]

    @property
    def changed_products(self) -> list[str]:
        """The ids of the products whose variations are changed."""
        return sorted({known.product_id for _, _, known in self._applied()})
