"""Collects the parameters of one call: query, urlencoded, multipart and JSON body, merged into one set.

Decoding is strict (UTF-8 only) and faults are kept by name until somebody asks for that parameter, because
a parameter that no endpoint knows is ignored, whatever is in it.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tradepost.values import Fact
from tradepost.wire import refusals
from tradepost.wire.http_types import Request
from tradepost.wire.jsontext import JsonError, parse_json_body

MOST_FIELDS = 1000
ACCEPTED_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")

_WORDS = {True: "true", False: "false", None: ""}


class _Object(str):
    """The text of an object inside a JSON body."""

    __slots__ = ()


class Parameters:
    """What was given, by name. `take` hands out a text or raises what is wrong with it."""

    __slots__ = ("_faults", "_objects", "_texts", "query_names")

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._objects: dict[str, str] = {}
        self._faults: dict[str, Fact] = {}
        self.query_names: tuple[str, ...] = ()

    def take(self, name: str, as_json: bool = False) -> str:
        """The text of a parameter, "" where it was not given; raises the fault found while collecting it.

        `as_json` takes an object of a JSON body as the text of that object.
        """
        if as_json and name in self._objects and not self._texts.get(name):
            return self._objects[name]
        if self._faults and (fault := self._faults.get(name)):
            raise fault
        return self._texts.get(name, "")

    def given(self, name: str) -> bool:
        """Whether the parameter is there at all, even if empty."""
        return name in self._texts or name in self._faults

    def names(self) -> set[str]:
        """The names of everything that was sent."""
        return self._texts.keys() | self._faults.keys()

    def add_place(self, pairs: list[tuple[str, str | Fact]]) -> None:
        """Merge the fields of one place (the query, or the body) into the set."""
        texts: dict[str, str] = {}
        times: dict[str, int] = {}
        for name, value in pairs:
            times[name] = times.get(name, 0) + 1
            if isinstance(value, _Object):
                self._objects[name] = value
                self._faults[name] = refusals.NotOneValue(name=name)
            elif isinstance(value, Fact):
                self._faults[name] = value
            else:
                texts[name] = value
        for name, count in times.items():
            if count > 1:
                self._faults[name] = refusals.GivenTwice(name=name, times=count)
        for name, value in texts.items():
            before = self._texts.get(name)
            # An empty text says nothing, so it contradicts nothing.
            if before and value and before != value:
                self._faults[name] = refusals.PlacesDisagree(name=name)
            self._texts[name] = value or before or ""


def parse_query(query: bytes) -> Parameters:
    """The parameters of the query string alone."""
    given = Parameters()
    if query:
        pairs = _parse_urlencoded(query)
        given.query_names = tuple(name for name, _ in pairs)
        given.add_place(pairs)
    return given


async def add_body(given: Parameters, request: Request, limit: int) -> None:
    """Read the body (at most `limit` bytes) and merge its fields into `given`."""
    headers = request.headers
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return
    body = await request.read_body(limit)
    if not body:
        return
    content_type = headers.get("content-type", ACCEPTED_TYPES[0])
    kind, options = parse_options_header(content_type)
    charset = options.get(b"charset", b"utf-8").lower()
    if headers.get("content-encoding", "identity").lower() != "identity" or charset not in (b"utf-8", b"utf8"):
        raise refusals.ContentTypeUnknown(content_type=content_type)
    match kind:
        case b"application/x-www-form-urlencoded":
            given.add_place(_parse_urlencoded(body))
        case b"multipart/form-data":
            given.add_place(_parse_multipart(body, options.get(b"boundary", b"")))
        case b"application/json":
            given.add_place(_parse_json_object(body))
        case _:
            raise refusals.ContentTypeUnknown(content_type=content_type)


def _decode(name: str, value: bytes) -> str | Fact:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return refusals.NotUtf8(name=name)


def _parse_urlencoded(text: bytes) -> list[tuple[str, str | Fact]]:
    fields = text.split(b"&")
    if len(fields) > MOST_FIELDS:
        raise refusals.TooManyFields(limit=MOST_FIELDS)
    pairs: list[tuple[str, str | Fact]] = []
    for field in fields:
        if not field:
            continue
        raw_name, _, raw_value = field.partition(b"=")
        if b"%" in field or b"+" in field:
            raw_name = unquote_to_bytes(raw_name.replace(b"+", b" "))
            raw_value = unquote_to_bytes(raw_value.replace(b"+", b" "))
        name = raw_name.decode("utf-8", "replace")
        pairs.append((name, _decode(name, raw_value)))
    return pairs


def _parse_multipart(body: bytes, boundary: bytes) -> list[tuple[str, str | Fact]]:
    if not boundary:
        raise refusals.BodyMalformed
    parts = _PartCollector()
    try:
        parser = MultipartParser(boundary, parts.callbacks())  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise refusals.BodyMalformed from None
    if not parts.complete:
        raise refusals.BodyMalformed
    return [(name, _decode(name, bytes(value))) for name, value in parts.fields]


class _PartCollector:
    """Gathers the parts of a multipart body as the parser reports them."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, bytearray]] = []
        self.complete = False
        self._header = b""
        self._header_value = b""
        self._name = ""
        self._value = bytearray()

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin_part,
            "on_part_data": lambda data, start, end: self._value.extend(data[start:end]),
            "on_part_end": self._end_part,
            "on_header_field": self._add_header_name,
            "on_header_value": self._add_header_value,
            "on_header_end": self._end_header,
            "on_end": self._finish,
        }

    def _begin_part(self) -> None:
        self._name = ""
        self._value = bytearray()

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._header_value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._header = self._header_value = b""

    def _end_part(self) -> None:
        if len(self.fields) >= MOST_FIELDS:
            raise refusals.TooManyFields(limit=MOST_FIELDS)
        self.fields.append((self._name, self._value))

    def _finish(self) -> None:
        self.complete = True


def _parse_json_object(body: bytes) -> list[tuple[str, str | Fact]]:
    try:
        value = parse_json_body(body)
    except JsonError as error:
        raise refusals.JsonMalformed(line=error.line, column=error.column) from None
    if not isinstance(value, dict):
        raise refusals.BodyNotObject
    if len(value) > MOST_FIELDS:
        raise refusals.TooManyFields(limit=MOST_FIELDS)
    return [(name, _json_field(name, item)) for name, item in value.items()]


def _json_field(name: str, value: Any) -> str | Fact:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, dict):
        return _Object(json.dumps(value, ensure_ascii=False))
    return refusals.NotOneValue(name=name)
