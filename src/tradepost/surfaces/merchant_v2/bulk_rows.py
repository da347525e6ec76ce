"""From the rows of `updates` to those of a bulk update: what each says, or what is wrong with it by itself.

A row that is wrong does not keep the others from being applied, so nothing here refuses the call.
"""

from __future__ import annotations

from typing import Any

from tradepost.domain.bulk_updates import MOST_INVENTORY, PACK_ROWS, Pack, Row, Updates, pack_rows
from tradepost.surfaces.merchant_v2.vocabulary import SKU_LENGTH
from tradepost.values import Fact
from tradepost.wire.json_rows import JsonNumber
from tradepost.wire.params import Boolean, LookedUp, Whole

_SKU = LookedUp(SKU_LENGTH)
_INVENTORY = Whole(0, MOST_INVENTORY)
_ENABLED = Boolean()
_SHOWN = 200


class RowTaker:
    """Takes rows as they are parsed, and packs them."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._packs: list[Pack] = []
        self._count = 0

    def add(self, row: Any) -> None:
        """Take the next row."""
        self._rows.append(read_row(row))
        self._count += 1
        if len(self._rows) == PACK_ROWS:
            self._pack()

    def done(self) -> Updates:
        """All rows that were taken."""
        if self._rows:
            self._pack()
        return Updates(self._count, tuple(self._packs))

    def _pack(self) -> None:
        self._packs.append(Pack(self._count - len(self._rows) + 1, pack_rows(self._rows)))
        self._rows = []


def read_row(row: Any) -> Row:
    """What a row says. Null and left out are the same; numbers and truth values may also come as text."""
    if not isinstance(row, dict):
        return Row("", None, None, "RowNotObject")
    sku = row.get("sku")
    if type(sku) is not str or not sku:
        return Row("", None, None, "SkuMissing")
    try:
        sku = _SKU.read("sku", sku)
    except Fact:
        return Row(_shown(sku), None, None, "SkuMissing")
    inventory, enabled = row.get("inventory"), row.get("enabled")
    if inventory is None and enabled is None:
        return Row(sku, None, None, "NothingToChange")
    pieces = None
    if inventory is not None:
        try:
            pieces = _INVENTORY.read("inventory", inventory if isinstance(inventory, str) else "")
        except Fact:
            return Row(sku, None, None, "InventoryUnusable")
    if enabled is not None and not isinstance(enabled, bool):
        try:
            # A number is no truth value, though the text "1" of a form is.
            told = enabled if isinstance(enabled, str) and not isinstance(enabled, JsonNumber) else ""
            enabled = _ENABLED.read("enabled", told)
        except Fact:
            return Row(sku, None, None, "EnabledUnusable")
    return Row(sku, pieces, enabled, None)


def _shown(sku: str) -> str:
    """A SKU that cannot be one, as far as the list of failures shows it."""
    return "".join(char if char.isprintable() else "?" for char in sku[:_SHOWN])
