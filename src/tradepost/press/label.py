"""What stands on labels, and how a file of them is asked for."""

from __future__ import annotations

from typing import Final

import msgspec

SIZES: Final = ("10", "A4")
"""A page of 10 x 10 cm for each label, or pages of A4 with four of them."""
MOST_LABELS: Final = 50


class Party(msgspec.Struct, frozen=True):
    """Somebody on a label: the lines of his address in one script, and in the other where there is another."""

    lines: tuple[str, ...]
    others: tuple[str, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """One line of goods; weight in kg and value in USD are those of the whole line, as they are shown."""

    name: str
    name_chinese: str
    pieces: int
    weight: str
    value: str


class Label(msgspec.Struct, frozen=True):
    """One label.

    `barcode` is what carriers scan, in ASCII. `channel` is what the carrier calls this way of sending. `country` is
    where it goes. `numbers` are other numbers that belong to it, each with its name. `kind` is what kind of parcel
    it is, `note` what the sender wants to find on it, `booked` when it was booked.
    """

    barcode: str
    channel: tuple[str, ...]
    country: str
    sender: Party
    recipient: Party
    goods: tuple[Line, ...]
    weight: str
    value: str
    numbers: tuple[str, ...]
    kind: str
    note: str
    booked: str


class Sheets(msgspec.Struct, frozen=True):
    """A file to be printed: labels in their order, on pages of one of SIZES."""

    size: str
    labels: tuple[Label, ...]


class Order(msgspec.Struct, frozen=True):
    """How many bytes follow: of the sheets on the way to the press, of the file on the way back."""

    size: int
