"""application/x-www-form-urlencoded, read while it arrives."""

from __future__ import annotations

import re
from binascii import unhexlify
from typing import Final
from urllib.parse import unquote_to_bytes

from tradepost.wire import refusals
from tradepost.wire.collecting import BodyFields

MOST_FIELDS: Final = 1000

# The punctuation of JSON and of plain values. None of it is a per cent sign or a hex digit, so that undoing one
# escape can neither make nor break another one.
_COMMON: Final = tuple((b"%%%02X" % ord(char), char.encode()) for char in '",:{}[] +/')
# Bytes of other scripts come in runs; they too can be part of no escape.
_OTHER_SCRIPT = re.compile(rb"%[89A-Fa-f][0-9A-Fa-f]")
_RUN = re.compile(rb"(?:%[89A-Fa-f][0-9A-Fa-f]){2,}")


class Unescaper:
    """Undoes the escapes of one value that arrives in pieces."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """The next bytes without their escapes; one that is cut at the end waits for the rest."""
        data = self._held + data.replace(b"+", b" ")
        cut = data.rfind(b"%", max(0, len(data) - 2))
        self._held = b"" if cut < 0 else data[cut:]
        return _unescape(data if cut < 0 else data[:cut])

    def finish(self) -> bytes:
        """What waited for a rest that did not come; it stands for itself."""
        held, self._held = self._held, b""
        return held


def _unescape(data: bytes) -> bytes:
    if b"%" not in data:
        return data
    if _OTHER_SCRIPT.search(data):
        data = _RUN.sub(_unescape_run, data)
    for escape, char in _COMMON:
        data = data.replace(escape, char)
    return unquote_to_bytes(data) if b"%" in data else data


def _unescape_run(run: re.Match[bytes]) -> bytes:
    return unhexlify(run.group().replace(b"%", b""))


class UrlencodedParser:
    """Takes a body in pieces and hands its fields on."""

    def __init__(self, fields: BodyFields) -> None:
        self._fields = fields
        self._count = 1
        self._name = bytearray()
        self._value: Unescaper | None = None
        """How the value is read; None while the field is still in its name."""

    def feed(self, data: bytes) -> None:
        """The next bytes of the body; raises TooManyFields or FieldsTooLarge."""
        first, *others = data.split(b"&", MOST_FIELDS)
        self._add(first)
        for part in others:
            self._end_field()
            self._count += 1
            if self._count > MOST_FIELDS:
                raise refusals.TooManyFields(limit=MOST_FIELDS)
            self._add(part)

    def finish(self) -> None:
        """The body is complete."""
        self._end_field()

    def _add(self, part: bytes) -> None:
        if self._value is None:
            name, equals, part = part.partition(b"=")
            self._fields.keep(len(name))
            self._name += name
            if not equals:
                return
            self._begin_value()
        assert self._value is not None
        if not self._fields.passes_over:
            self._fields.add(self._value.feed(part))

    def _begin_value(self) -> None:
        raw = bytes(self._name).replace(b"+", b" ")
        self._fields.begin(unquote_to_bytes(raw).decode("utf-8", "replace"))
        self._value = Unescaper()

    def _end_field(self) -> None:
        if self._value is None:
            if not self._name:
                return
            self._begin_value()
        assert self._value is not None
        self._fields.add(self._value.finish())
        self._fields.end()
        self._name = bytearray()
        self._value = None
