"""Partial answers: the `fields` expression of the logistics API, chapter *Partial Resources*.

    list  = item *("," item)
    item  = name *("/" name) ["(" list ")"]
    name  = a field of the answer, or "*" for every field of that level

A name is checked against the declared answer, so a misspelt field is an error with its position and never an
answer that silently lacks it. Selecting a field selects everything below it.
"""

from __future__ import annotations

import re
import types
import typing
from dataclasses import dataclass
from typing import Any

import msgspec

from tradepost.wire.refusals import BadFields

MOST_LENGTH = 2000
MOST_DEPTH = 16

Selection = dict[str, Any]
"""Field name (or "*") to the selection below it; an empty one selects everything."""

_TOKEN = re.compile(r"[A-Za-z0-9_]+|[*,/()]", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Item:
    """A name as it stands in an expression: where, and what is asked for below it."""

    name: str
    place: int
    below: list[_Item]


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def parse(self) -> list[_Item]:
        items = self._list(0)
        if self._at < len(self._text):
            raise _bad(self._at)
        return items

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""

    def _list(self, depth: int) -> list[_Item]:
        if depth > MOST_DEPTH:
            raise _bad(self._at)
        items = [self._item(depth)]
        while self._peek() == ",":
            self._at += 1
            items.append(self._item(depth))
        return items

    def _item(self, depth: int) -> _Item:
        token = _TOKEN.match(self._text, self._at)
        if token is None or token.group() in ",/()":
            raise _bad(self._at)
        place, below = self._at, []
        self._at = token.end()
        if self._peek() == "/":
            self._at += 1
            if depth + 1 > MOST_DEPTH:
                raise _bad(self._at)
            below = [self._item(depth + 1)]
        elif self._peek() == "(":
            self._at += 1
            below = self._list(depth + 1)
            if self._peek() != ")":
                raise _bad(self._at)
            self._at += 1
        return _Item(token.group(), place, below)


def _bad(at: int) -> BadFields:
    return BadFields(name="fields", position=at + 1)


def parse_fields(text: str, answer: Any) -> Selection:
    """The selection that an expression asks for, checked against the type of the answer.

    Raises BadFields with the position (from 1) of what cannot be followed: where the grammar is left or, in an
    expression that keeps to it, the first name that is not there.
    """
    if not text or len(text) > MOST_LENGTH:
        raise _bad(min(len(text), MOST_LENGTH))
    items = _Parser(text).parse()
    if "data" in (fields_of(answer) or ()):
        _check(items, [answer])
        return _merged(items)
    # The reference says that the leading `data` can be left out, so it may stand there.
    lifted = [inner for item in items for inner in (item.below if item.name == "data" else [item])]
    _check(lifted, [answer])
    if any(item.name == "data" and not item.below for item in items):
        return {}
    return _merged(lifted)


def _check(items: list[_Item], answers: list[Any]) -> None:
    """Each name must be a field of one of the answers at its level; the first that is not is told."""
    known = [fields for answer in answers if (fields := fields_of(answer)) is not None]
    for item in items:
        if item.name == "*":
            under = [answer for fields in known for answer in fields.values()]
        else:
            under = [fields[item.name] for fields in known if item.name in fields]
        fitting = [answer for answer in under if fields_of(answer) is not None] if item.below else under
        if not fitting:
            raise _bad(item.place)
        _check(item.below, fitting)


def _merged(items: list[_Item]) -> Selection:
    """What the items ask for together; of two of one name, the one that asks for everything includes the other."""
    found: Selection = {}
    for item in items:
        below = _merged(item.below)
        if item.name in found:
            below = _united(found[item.name], below) if found[item.name] and below else {}
        found[item.name] = below
    return found


def fields_of(answer: Any) -> dict[str, Any] | None:
    """The fields of an answer's type by name, looking through lists and options; None for a leaf."""
    origin = typing.get_origin(answer)
    if origin is typing.Annotated:
        return fields_of(typing.get_args(answer)[0])
    if origin in (typing.Union, types.UnionType):
        for arm in typing.get_args(answer):
            if (found := fields_of(arm)) is not None:
                return found
        return None
    if origin in (list, tuple):
        return fields_of(typing.get_args(answer)[0])
    if isinstance(answer, type) and issubclass(answer, msgspec.Struct):
        hints = typing.get_type_hints(answer, include_extras=True)
        return {field.encode_name: hints[field.name] for field in msgspec.structs.fields(answer)}
    return None


def select(tree: Any, selection: Selection) -> Any:
    """The part of a tree of built-in values that a selection keeps.

    A value without anything below it is left out where something below it was asked for.
    """
    if not selection or tree is None:
        return tree
    if isinstance(tree, list):
        return [select(item, selection) for item in tree]
    kept = {}
    for name, value in tree.items():
        asked = [selection[key] for key in (name, "*") if key in selection]
        if not asked:
            continue
        if not all(asked):
            kept[name] = value  # one of the two asks for everything, which includes the other
        elif value is None or _has_fields(value):
            kept[name] = select(value, _united(*asked))
    return kept


def _has_fields(value: Any) -> bool:
    """Whether anything can be below a value: an object, or a list that may hold some."""
    if isinstance(value, list):
        return not value or any(_has_fields(item) for item in value)
    return isinstance(value, dict)


def _united(first: Selection, second: Selection | None = None) -> Selection:
    """What either of two selections keeps; an empty one keeps everything."""
    if second is None:
        return first
    both = dict(first)
    for name, below in second.items():
        if name not in both:
            both[name] = below
        else:
            both[name] = _united(both[name], below) if both[name] and below else {}
    return both
