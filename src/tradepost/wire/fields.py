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
from typing import Any

import msgspec

from tradepost.wire.refusals import BadFields

MOST_LENGTH = 2000
MOST_DEPTH = 16

Selection = dict[str, Any]
"""Field name (or "*") to the selection below it; an empty one selects everything."""

_TOKEN = re.compile(r"[A-Za-z0-9_]+|[*,/()]", re.ASCII)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def parse(self) -> Selection:
        selection = self._list(0)
        if self._at < len(self._text):
            raise self.bad(self._at)
        return selection

    def bad(self, at: int) -> BadFields:
        return BadFields(name="fields", position=at + 1)

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""

    def _list(self, depth: int) -> Selection:
        if depth > MOST_DEPTH:
            raise self.bad(self._at)
        found: Selection = {}
        self._item(found, depth)
        while self._peek() == ",":
            self._at += 1
            self._item(found, depth)
        return found

    def _item(self, into: Selection, depth: int) -> None:
        token = _TOKEN.match(self._text, self._at)
        if token is None or token.group() in ",/()":
            raise self.bad(self._at)
        name, place = token.group(), self._at
        self._at = token.end()
        below: Selection = {}
        if self._peek() == "/":
            self._at += 1
            if depth + 1 > MOST_DEPTH:
                raise self.bad(self._at)
            self._item(below, depth + 1)
        elif self._peek() == "(":
            self._at += 1
            below = self._list(depth + 1)
            if self._peek() != ")":
                raise self.bad(self._at)
            self._at += 1
        _merge(into, name, place, below)


def _merge(into: Selection, name: str, place: int, below: Selection) -> None:
    known = into.get(name)
    if known is None:
        into[name] = {"": place, **below}
    elif len(known) > 1 and below:
        for inner, deeper in below.items():
            if inner:
                _merge(known, inner, deeper.get("", place), {k: v for k, v in deeper.items() if k})
    else:
        into[name] = {"": known[""]}  # one of the two asks for everything, which includes the other


def parse_fields(text: str, answer: Any) -> Selection:
    """The selection that an expression asks for, checked against the type of the answer.

    Raises BadFields with the position (from 1) of what cannot be followed.
    """
    parser = _Parser(text)
    if not text or len(text) > MOST_LENGTH:
        raise parser.bad(min(len(text), MOST_LENGTH))
    selection = parser.parse()
    frame = selection.get("data")
    if frame is not None and "data" not in (fields_of(answer) or ()):
        # The reference says that the leading `data` can be left out, so it may stand there.
        if len(frame) == 1:
            return {}
        del selection["data"]
        for name, below in frame.items():
            if name:
                _merge(selection, name, below[""], {key: value for key, value in below.items() if key})
    return _checked(selection, [answer], parser)


def _checked(selection: Selection, answers: list[Any], parser: _Parser) -> Selection:
    """The selection without its places; each name must be a field of one of the answers at that level."""
    known = [fields for answer in answers if (fields := fields_of(answer)) is not None]
    found: Selection = {}
    for name, below in selection.items():
        if name == "":
            continue
        if name == "*":
            under = [answer for fields in known for answer in fields.values()]
        else:
            under = [fields[name] for fields in known if name in fields]
        if not under:
            raise parser.bad(below[""])
        found[name] = {}
        if len(below) > 1:
            fitting = [answer for answer in under if fields_of(answer) is not None]
            if not fitting:
                raise parser.bad(below[""])
            found[name] = _checked(below, fitting, parser)
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
