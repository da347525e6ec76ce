"""JSON as this wire takes it: UTF-8, no NaN, no repeated names, bounded depth, numbers as their own text.

A number is kept as the text it was written with, so that readers judge it exactly like a form field.
"""

from __future__ import annotations

import json
import re
from typing import Any

MOST_DEPTH = 32

# A string without an end runs to the end of the text, so that no text is searched twice.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class JsonError(ValueError):
    """Text that is not JSON, with the line and the column (both from 1) where that shows."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}")
        self.line = line
        self.column = column


class _NotThis(ValueError):
    """Raised inside the parser for a value that JSON or this wire does not know."""


def refuse_constant(word: str) -> Any:
    """Refuse NaN and the infinities, by a ValueError."""
    raise _NotThis(word)


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of some names and values; refuses a name that is there twice, by a ValueError."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotThis("repeated name")
    return found


def where_too_deep(text: str, depth: int = 0) -> int | None:
    """The index of the first bracket that opens a level beyond MOST_DEPTH, in a text `depth` levels deep itself."""
    for found in _STRING_OR_BRACKET.finditer(text):
        mark = found.group()
        if mark in "[{":
            depth += 1
            if depth > MOST_DEPTH:
                return found.start()
        elif mark in "]}":
            depth -= 1
    return None


def _place(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


_decoder = json.JSONDecoder(
    parse_float=str, parse_int=str, parse_constant=refuse_constant, object_pairs_hook=unrepeated
)


def parse_json(text: str) -> Any:
    """The value of a JSON text: dict, list, str (texts and numbers alike), bool or None.

    Raises JsonError, whose place is the start of the text where the parser gives none.
    """
    if (deep := where_too_deep(text)) is not None:
        raise JsonError(*_place(text, deep))
    try:
        value, end = _decoder.raw_decode(text, len(text) - len(text.lstrip(" \t\r\n")))
    except json.JSONDecodeError as error:
        raise JsonError(error.lineno, error.colno) from None
    except _NotThis:
        raise JsonError(1, 1) from None
    if rest := text[end:].lstrip(" \t\r\n"):
        raise JsonError(*_place(text, len(text) - len(rest)))
    return value


def parse_json_body(body: bytes) -> Any:
    """The value of a JSON body; refuses what is not UTF-8 with the place of the first bad byte."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode("utf-8")
        raise JsonError(*_place(before, len(before))) from None
    return parse_json(text.removeprefix("\ufeff"))
