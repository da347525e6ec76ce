"""A JSON body of parameters, read while it arrives.

The value of a collected parameter (a list, an object, or a text that holds one) is taken out on its way and handed
to its collector; `null` stands in its place in what is kept, and that is parsed at the end like any other body.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, Final

from tradepost.wire import refusals
from tradepost.wire.collecting import BodyFields, Collected
from tradepost.wire.jsontext import MOST_DEPTH, JsonError, parse_json_body

Place = tuple[int, int]
"""Line and column, both from 1, in characters."""

# Each text can be matched in one way only, so that none is searched again and again. Possessive quantifiers would
# say the same, but early releases of Python 3.11 match some of them wrongly. A string without an end is left to be
# read with what follows.
_STRING: Final = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRINGS = re.compile(_STRING, re.DOTALL)
_TO_MARK = re.compile(rb'[^"\[\]{}:]*(?:' + _STRING + rb'[^"\[\]{}:]*)*', re.DOTALL)
_FLAT: Final = rb'[^"\[\]{}]*(?:' + _STRING + rb'[^"\[\]{}]*)*'
# Inside of a value, what opens and closes without another bracket between changes no depth; most rows are so.
_TO_BRACKET = re.compile(_FLAT + rb"(?:[\[{]" + _FLAT + rb"[\]}]" + _FLAT + rb")*", re.DOTALL)
_IN_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_BLANK = re.compile(rb"[ \t\r\n]*")
# Whole escapes only, and the first half of a surrogate pair only where it shows what follows it.
_WHOLE_ESCAPES = re.compile(
    r"[^\\]*(?:(?:\\[^u]|\\u(?![Dd][89ABab])[0-9A-Fa-f]{4}"
    r"|\\u[Dd][89ABab][0-9A-Fa-f]{2}(?=[^\\]|\\[^u]|\\u[0-9A-Fa-f]{4}))[^\\]*)*",
    re.DOTALL,
)
_MOST_CUT: Final = 11  # such as \ud83d\ude0 with a digit to come
_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_STAND_IN: Final = b"null"


class JsonBodyParser:
    """Takes a body in pieces; collected values go to their collectors."""

    def __init__(self, fields: BodyFields) -> None:
        self.collected: dict[str, Collected] = {}
        self._fields = fields
        self._rest = bytearray()
        self._pending = bytearray()
        self._worth_reading = 0
        """How much has to be pending: what ends inside a string is read again when there is twice as much of it."""
        self._depth = 0
        self._place: Place = (1, 1)
        self._cuts: list[tuple[Place, Place]] = []
        self._value: _Value | None = None
        """The collected value that is being read; None outside of those."""

    def feed(self, data: bytes) -> None:
        """The next bytes of the body; raises FieldsTooLarge, or JsonMalformed for a text that is none."""
        try:
            while data:
                data = self._read_value(self._value, data) if self._value else self._wait_outside(data)
        except JsonError as error:
            raise refusals.JsonMalformed(line=error.line, column=error.column) from None

    def finish(self) -> Any:
        """What the body is, null in place of each collected value; raises JsonMalformed with its place."""
        self._worth_reading = 0
        self.feed(self._take_pending())
        try:
            return parse_json_body(bytes(self._rest + self._pending))
        except JsonError as error:
            line, column = self._in_body((error.line, error.column))
            raise refusals.JsonMalformed(line=line, column=column) from None

    def _wait_outside(self, data: bytes) -> bytes:
        self._pending += data
        return self._read_outside(self._take_pending()) if len(self._pending) >= self._worth_reading else b""

    def _take_pending(self) -> bytes:
        data = bytes(self._pending)
        self._pending.clear()
        return data

    def _read_outside(self, data: bytes) -> bytes:
        """Read on to a collected value; what follows its beginning is given back."""
        at = 0
        while (end := _TO_MARK.match(data, at).end()) < len(data) and data[end] != 0x22:  # type: ignore[union-attr]
            mark = data[end : end + 1]
            start = _BLANK.match(data, end + 1).end()  # type: ignore[union-attr]
            name = self._collected_name(data[at:end]) if mark == b":" and self._depth == 1 else None
            if name is not None and start == len(data):
                break
            if name is not None and data[start] in b'[{"':
                self._keep(data[at:start])
                is_text = data[start] == 0x22
                self._begin_value(name, is_text)
                return data[start + is_text :]
            self._depth += (mark in b"[{") - (mark in b"]}")
            self._keep(data[at : end + 1])
            at = end + 1
        self._pending += data[at:]
        self._fields.keep(0, waiting=len(self._pending))
        self._worth_reading = min(2 * len(self._pending), self._fields.room)
        return b""

    def _collected_name(self, before_colon: bytes) -> str | None:
        if not (strings := _STRINGS.findall(before_colon)):
            return None
        try:
            name = json.loads(strings[-1])
        except ValueError:
            return None
        return name if self._fields.collects(name) else None

    def _keep(self, data: bytes) -> None:
        self._fields.keep(len(data))
        self._rest += data
        self._place = _moved(self._place, data)

    def _begin_value(self, name: str, is_text: bool) -> None:
        # Of a name that is there twice the first value is collected; the parser refuses the body at its end.
        collected = self._fields.collect(name)
        if collected is not None:
            self.collected[name] = collected
        self._cuts.append((self._place, self._place))
        self._rest += _STAND_IN
        if is_text:
            self._place = _moved(self._place, b'"')
        self._value = _Value(collected, _EscapedText(self._place) if is_text else None)

    def _read_value(self, value: _Value, data: bytes) -> bytes:
        size = value.feed(data)
        self._place = _moved(self._place, data[:size])
        self._cuts[-1] = (self._cuts[-1][0], self._place)
        if value.is_too_deep:
            raise JsonError(self._place[0], self._place[1] - 1)
        if value.is_complete:
            self._value = None
        return data[size:]

    def _in_body(self, place: Place) -> Place:
        """A place of what was kept as a place of the body."""
        line, column = place
        for start, end in self._cuts:
            if (line, column) > start:
                if line == start[0]:
                    column += end[1] - start[1] - len(_STAND_IN)
                line += end[0] - start[0]
        return line, column


class _Value:
    """One collected value: knows where it ends, and hands it on."""

    def __init__(self, collected: Collected | None, text: _EscapedText | None) -> None:
        self.is_complete = False
        self.is_too_deep = False
        self._collected = collected
        self._text = text
        self._depth = 0
        self._in_string = text is not None
        self._after_backslash = False

    def feed(self, data: bytes) -> int:
        """Hand on what belongs to the value; gives how many bytes those are."""
        end = self._end(data)
        if self._text is None:
            self._hand_on(data[:end])
        else:
            self._hand_on(self._text.feed(data[:end], self.is_complete))
        if self.is_complete and self._collected is not None:
            self._collected.finish()
        return end

    def _hand_on(self, data: bytes) -> None:
        if self._collected is not None:
            self._collected.feed(data)

    def _end(self, data: bytes) -> int:
        at = int(self._after_backslash)
        self._after_backslash = False
        while at < len(data):
            if self._in_string:
                at = _IN_STRING.match(data, at).end()  # type: ignore[union-attr]
                if at == len(data):
                    break
                self._after_backslash = data[at] == 0x5C
                self._in_string = self._after_backslash
                self.is_complete = not self._in_string and self._depth == 0
            else:
                at = _TO_BRACKET.match(data, at).end() if self._depth else at  # type: ignore[union-attr]
                if at == len(data):
                    break
                mark = data[at : at + 1]
                self._in_string = mark == b'"'
                self._depth += (mark in b"[{") - (mark in b"]}")
                self.is_complete = not self._in_string and self._depth == 0
            at += 1
            self.is_too_deep = self._depth > MOST_DEPTH
            if self.is_complete or self.is_too_deep:
                break
        return at


class _EscapedText:
    """The text of a JSON string that arrives in pieces, from its first character to the quote that ends it."""

    def __init__(self, place: Place) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._held = ""
        self._line, self._column = place

    def feed(self, data: bytes, last: bool) -> bytes:
        """The next bytes as they mean; raises JsonError where they mean nothing."""
        try:
            text = self._held + self._decoder.decode(data[:-1] if last else data, last)
        except UnicodeDecodeError as error:
            before = data[: error.start].decode("utf-8", "ignore")
            raise JsonError(self._line, self._column + len(self._held) + len(before)) from None
        end = len(text) if last else _WHOLE_ESCAPES.match(text).end()  # type: ignore[union-attr]
        if len(text) - end > _MOST_CUT:
            end = len(text)
        self._held = text[end:]
        try:
            meant = json.loads(f'"{text[:end]}"')
        except json.JSONDecodeError as error:
            raise JsonError(self._line, self._column + error.pos - 1) from None
        self._column += end
        assert isinstance(meant, str)
        return meant.encode("utf-8", "surrogatepass")


def _moved(place: Place, data: bytes) -> Place:
    """The place behind some bytes that begin at a place."""
    line, column = place
    if newlines := data.count(b"\n"):
        line, column, data = line + newlines, 1, data[data.rfind(b"\n") + 1 :]
    return line, column + len(data.translate(None, _CONTINUATION))
