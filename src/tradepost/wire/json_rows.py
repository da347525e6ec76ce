"""A parameter that holds a JSON array of many rows, read while it arrives."""

from __future__ import annotations

import codecs
import enum
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from json.decoder import JSONDecodeError
from typing import Any, ClassVar, Final, Protocol

from tradepost.values import Fact
from tradepost.wire import refusals
from tradepost.wire.jsontext import MOST_DEPTH, refuse_constant, unrepeated, where_too_deep

MOST_ROW: Final = 64 * 1024
"""Characters of one row: far more than any needs, and few enough to be read in one go."""
_DEPTH_OF_ARRAY: Final = 1
# How far before the end of what is there a fault may be none, because the rest is still to come: the longest word
# or escape that can be cut is shorter.
_MAYBE_CUT: Final = 16
_BLANK = re.compile(r"[ \t\r\n]*")
_STARTS_OF_JSON: Final = frozenset('{"-0123456789tfn')


class JsonNumber(str):
    """A number of a row as the text it was written with, told from a text by its type."""

    __slots__ = ()


class RowTaker(Protocol):
    """Makes the value of a parameter out of its rows."""

    def add(self, row: Any) -> None:
        """The next element of the array: dict, list, str, JsonNumber, bool or None."""

    def done(self) -> Any:
        """The value, when all rows were added."""


@dataclass(frozen=True, slots=True)
class JsonRows:
    """A JSON array of 1 to `most` rows, each given to what `take` makes for the call.

    A row is not judged here beyond being JSON: names are not repeated, and it is not deeper or longer than any row
    needs. A text in it may hold any character that JSON can write, lone surrogates included.
    """

    most: int
    take: Callable[[], RowTaker]
    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    rests: ClassVar[bool] = False

    def collector(self, name: str) -> _RowReader:
        """Reads the rows of one call."""
        return _RowReader(name, self.most, self.take())

    def read(self, name: str, text: str) -> Any:
        reader = self.collector(name)
        reader.feed(text.encode("utf-8"))
        return reader.finish()

    def schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "contentMediaType": "application/json",
            "description": f"an array of 1 to {self.most:,} objects",
        }


_decoder = json.JSONDecoder(
    parse_float=JsonNumber, parse_int=JsonNumber, parse_constant=refuse_constant, object_pairs_hook=unrepeated
)


class _Where(enum.Enum):
    """How far an array was read."""

    BEFORE = enum.auto()
    OPENED = enum.auto()
    BEFORE_ROW = enum.auto()
    BEHIND = enum.auto()


class _RowReader:
    """Reads one array; what cannot be read yet is kept from the beginning of its row."""

    def __init__(self, name: str, most: int, taker: RowTaker) -> None:
        self._name = name
        self._most = most
        self._taker = taker
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._where = _Where.BEFORE
        self._rows = 0
        self._text = ""
        self._line, self._column = 1, 1
        """Where the text that is kept begins."""
        self._worth_reading = 0
        """How long the text has to be: a row that was cut is tried again when there is twice as much of it."""

    def feed(self, data: bytes) -> None:
        """The next bytes; raises the first fact that is wrong with them."""
        self._text += self._decode(data)
        if len(self._text) >= self._worth_reading:
            self._read()

    def finish(self) -> Any:
        """What the taker made of the rows; raises the first fact that is wrong."""
        self._text += self._decode(b"", last=True)
        self._read(last=True)
        if self._where is not _Where.BEHIND:
            raise self._not_json(0)
        return self._taker.done()

    def _decode(self, data: bytes, last: bool = False) -> str:
        try:
            return self._decoder.decode(data, last)
        except UnicodeDecodeError:
            raise refusals.NotUtf8(name=self._name) from None

    def _read(self, last: bool = False) -> None:
        text = self._text
        at = _after_blanks(text, 0)
        while at < len(text):
            if self._where is _Where.BEFORE:
                self._open(at)
            elif self._where is _Where.BEHIND:
                raise self._not_json(at)
            elif self._where is _Where.OPENED and text[at] == "]":
                raise refusals.NotRows(name=self._name)
            else:
                at = self._read_rows(at, last)
                break
            at = _after_blanks(text, at + 1)
        self._let_go(at)

    def _open(self, at: int) -> None:
        if self._text[at] == "[":
            self._where = _Where.OPENED
        elif self._text[at] in _STARTS_OF_JSON:
            raise refusals.NotRows(name=self._name)
        else:
            raise self._not_json(at)

    def _read_rows(self, at: int, last: bool) -> int:
        """Hand on all rows that are complete; gives the place behind them."""
        text = self._text
        self._where = _Where.BEFORE_ROW
        while at < len(text):
            try:
                row, end = _decoder.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                if not last and self._may_be_cut(error):
                    break
                raise self._not_json(error.pos if isinstance(error, JSONDecodeError) else at) from None
            after = _after_blanks(text, end)
            mark = text[after : after + 1]
            if mark != "," and mark != "]":
                if not last and after > len(text) - _MAYBE_CUT:
                    break
                raise self._not_json(after)
            self._judge(at, end)
            self._taker.add(row)
            at = _after_blanks(text, after + 1)
            if mark == "]":
                self._where = _Where.BEHIND
                if at < len(text):
                    raise self._not_json(at)
        return at

    def _may_be_cut(self, error: Exception) -> bool:
        """Whether what is wrong may be mended by what is still to come."""
        if not isinstance(error, JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _MAYBE_CUT

    def _judge(self, at: int, end: int) -> None:
        self._rows += 1
        if self._rows > self._most:
            raise refusals.TooManyRows(name=self._name, limit=self._most)
        if end - at > MOST_ROW:
            raise self._too_large(self._rows)
        # Nothing can be deeper than it has brackets.
        if self._text.count("{", at, end) + self._text.count("[", at, end) > MOST_DEPTH - _DEPTH_OF_ARRAY:
            deep = where_too_deep(self._text[at:end], _DEPTH_OF_ARRAY)
            if deep is not None:
                raise self._not_json(at + deep)

    def _let_go(self, at: int) -> None:
        """Drop what was read."""
        text = self._text
        self._line, self._column = self._place(at)
        self._text = text[at:]
        if len(self._text) > MOST_ROW:
            raise self._too_large(self._rows + 1)
        self._worth_reading = min(2 * len(self._text), MOST_ROW + 1)

    def _place(self, at: int) -> tuple[int, int]:
        newlines = self._text.count("\n", 0, at)
        if newlines:
            return self._line + newlines, at - self._text.rfind("\n", 0, at)
        return self._line, self._column + at

    def _not_json(self, at: int) -> Fact:
        line, column = self._place(at)
        return refusals.NotJson(name=self._name, line=line, column=column)

    def _too_large(self, row: int) -> Fact:
        return refusals.RowTooLarge(name=self._name, row=row, limit=MOST_ROW)


def _after_blanks(text: str, at: int) -> int:
    return _BLANK.match(text, at).end()  # type: ignore[union-attr]
