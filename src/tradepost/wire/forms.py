"""Collects the parameters of one call: query, urlencoded, multipart and JSON body, merged into one set.

Decoding is strict (UTF-8 only) and faults are kept by name until somebody asks for that parameter, because
a parameter that no endpoint knows is ignored, whatever is in it.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from python_multipart.multipart import parse_options_header

from tradepost.values import Fact
from tradepost.wire import refusals
from tradepost.wire.collecting import BodyFields, Collected, Collecting, Pair, decoded
from tradepost.wire.http_types import Request
from tradepost.wire.json_body import JsonBodyParser
from tradepost.wire.jsontext import JsonError, parse_json_body
from tradepost.wire.multipart import MultipartParser
from tradepost.wire.urlencoded import MOST_FIELDS as MOST_FIELDS
from tradepost.wire.urlencoded import UrlencodedParser
from tradepost.wire.xmltext import XmlError, as_elements, parse_xml

MOST_KEPT: Final = 1 << 20
"""Bytes of all fields of a body that are not collected, where others are: what a whole body may have elsewhere."""
LEAST_PIECE: Final = 512
MOST_PIECE: Final = 2 * 1024
"""Bytes of a streamed body that are read before other work has its turn, at least and at most."""
PIECE_SECONDS: Final = 0.00015
"""How long reading a piece should take; what takes longer is read in smaller ones."""
WORK_SECONDS: Final = 0.0005
REST_SECONDS: Final = 0.001
"""How long a reader that rests reads at a time, and how long it rests then. A process that does nothing but read
keeps those it wakes waiting for its core until the scheduler looks again, which may be 4 ms."""

ACCEPTED_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")

_WORDS = {True: "true", False: "false", None: ""}


class _Object(str):
    """The text of an object inside a JSON body."""

    __slots__ = ()


class Parameters:
    """What was given, by name. `take` hands out a text or raises what is wrong with it."""

    __slots__ = ("_faults", "_objects", "_texts", "body", "collected", "query_names")

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._objects: dict[str, str] = {}
        self._faults: dict[str, Fact] = {}
        self.collected: dict[str, Any] = {}
        """The values that collectors made out of parts of the body, by name."""
        self.query_names: tuple[str, ...] = ()
        self.body: Any = None
        """The value of a body that is no set of parameters."""

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

    def so_far(self, names: Iterable[str]) -> dict[str, bytes]:
        """The texts that some parameters have by now, in UTF-8, empty where there is none."""
        return {name: self._texts.get(name, "").encode() for name in names}

    def add_place(self, pairs: Sequence[Pair]) -> None:
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
            elif isinstance(value, Collected):
                self._add_collected(name, value)
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

    def _add_collected(self, name: str, value: Collected) -> None:
        self._texts.setdefault(name, "")
        if value.fault is not None:
            self._faults[name] = value.fault
        elif value.disagrees:
            self._faults[name] = refusals.PlacesDisagree(name=name)
        elif not value.is_empty:
            self.collected[name] = value.value


def parse_query(query: bytes) -> Parameters:
    """The parameters of the query string alone."""
    given = Parameters()
    if query:
        pairs = _parse_urlencoded(query)
        given.query_names = tuple(name for name, _ in pairs)
        given.add_place(pairs)
    return given


async def add_body(
    given: Parameters, request: Request, limit: int, collecting: Mapping[str, Collecting] | None = None
) -> None:
    """Read the body (at most `limit` bytes) and merge its fields into `given`.

    Where parameters are `collecting`, it is read piece by piece with other work in between, never as a whole.
    """
    if not has_body(request):
        return
    if collecting:
        await _add_stream(given, request, limit, collecting)
    elif body := await request.read_body(limit):
        kind, boundary = _content_type(request)
        match kind:
            case "application/x-www-form-urlencoded":
                given.add_place(_parse_urlencoded(body))
            case "multipart/form-data":
                fields = BodyFields(limit)
                parser = MultipartParser(boundary, fields)
                parser.feed(body)
                parser.finish()
                given.add_place(fields.pairs())
            case _:
                given.add_place(_parse_json_object(body))


async def add_readable_body(given: Parameters, request: Request, limit: int) -> None:
    """Merge the fields of a body of a call that is refused for something else: one of a known and small length.

    What is wrong with it is nobody's concern then.
    """
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and len(told) < 10 and int(told) <= limit:
        with suppress(Fact):
            await add_body(given, request, limit)


def has_body(request: Request) -> bool:
    """Whether a body was announced, even if an empty one."""
    return "content-length" in request.headers or "transfer-encoding" in request.headers


def _content_type(request: Request) -> tuple[str, bytes]:
    """Which of ACCEPTED_TYPES a body is, and the boundary of its parts; raises ContentTypeUnknown for any other."""
    content_type = request.headers.get("content-type", ACCEPTED_TYPES[0])
    raw_kind, options = parse_options_header(content_type)
    kind = raw_kind.decode("latin-1")
    charset = options.get(b"charset", b"utf-8").lower()
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity" or charset not in (b"utf-8", b"utf8") or kind not in ACCEPTED_TYPES:
        raise refusals.ContentTypeUnknown(content_type=content_type)
    return kind, options.get(b"boundary", b"")


async def take_value(given: Parameters, request: Request, limit: int) -> None:
    """Read a body (at most `limit` bytes) that is a JSON value by itself, whatever form its label gives it."""
    if has_body(request) and (body := await request.read_body(limit)):
        _content_type(request)
        try:
            given.body = parse_json_body(body)
        except JsonError as error:
            raise refusals.JsonMalformed(line=error.line, column=error.column) from None


class XmlMalformed(Fact):
    """A body that is no XML, or has what is not read of it: a document type, another encoding, too much."""

    line: int
    column: int


async def take_markup(given: Parameters, request: Request, limit: int) -> None:
    """Read a body (at most `limit` bytes) of XML or JSON, told by how it begins: clients label both as forms."""
    if not has_body(request) or not (body := await request.read_body(limit)):
        return
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise refusals.ContentTypeUnknown(content_type=request.headers["content-encoding"])
    start = body.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")
    try:
        if start[:1] in (b"{", b"["):
            given.body = as_elements(parse_json_body(body))
        elif start:
            given.body = parse_xml(start)
    except XmlError as error:
        raise XmlMalformed(line=error.line, column=error.column) from None
    except JsonError as error:
        raise refusals.JsonMalformed(line=error.line, column=error.column) from None


async def _add_stream(
    given: Parameters, request: Request, limit: int, collecting: Mapping[str, Collecting]
) -> None:
    fields = BodyFields(MOST_KEPT, collecting, given.so_far(collecting))
    parser: UrlencodedParser | MultipartParser | JsonBodyParser | None = None
    wrong: Fact | None = None
    rests = any(reader.rests for reader in collecting.values())
    async for data in _small_pieces(request.stream_body(limit), rests):
        # What is wrong is told when all has come, as with bodies that are read whole.
        if wrong is None:
            try:
                parser = parser or _parser(request, fields)
                parser.feed(data)
            except Fact as fact:
                wrong = fact
    if wrong is not None:
        raise wrong
    if isinstance(parser, JsonBodyParser):
        pairs = _json_pairs(parser.finish())
        given.add_place([(name, parser.collected.get(name, value)) for name, value in pairs])
    elif parser is not None:
        parser.finish()
        given.add_place(fields.pairs())


async def _small_pieces(pieces: AsyncIterator[bytes], rests: bool) -> AsyncIterator[bytes]:
    """The same bytes in pieces that are quickly read, with other work in between."""
    now = time.perf_counter  # the loop's own clock has milliseconds only
    size = LEAST_PIECE
    rested = now()
    async for data in pieces:
        at = 0
        while at < len(data):
            began = now()
            yield data[at : at + size]
            at += size
            size = max(LEAST_PIECE, size // 2) if now() - began > PIECE_SECONDS else min(MOST_PIECE, size * 2)
            if rests and now() - rested > WORK_SECONDS:
                await asyncio.sleep(REST_SECONDS)
                rested = now()
            else:
                await asyncio.sleep(0)


def _parser(request: Request, fields: BodyFields) -> UrlencodedParser | MultipartParser | JsonBodyParser:
    kind, boundary = _content_type(request)
    match kind:
        case "application/x-www-form-urlencoded":
            return UrlencodedParser(fields)
        case "multipart/form-data":
            return MultipartParser(boundary, fields)
    return JsonBodyParser(fields)


def _parse_urlencoded(text: bytes) -> list[Pair]:
    fields = text.split(b"&")
    if len(fields) > MOST_FIELDS:
        raise refusals.TooManyFields(limit=MOST_FIELDS)
    pairs: list[Pair] = []
    for field in fields:
        if not field:
            continue
        raw_name, _, raw_value = field.partition(b"=")
        if b"%" in field or b"+" in field:
            raw_name = unquote_to_bytes(raw_name.replace(b"+", b" "))
            raw_value = unquote_to_bytes(raw_value.replace(b"+", b" "))
        name = raw_name.decode("utf-8", "replace")
        pairs.append((name, decoded(name, raw_value)))
    return pairs


def _parse_json_object(body: bytes) -> list[Pair]:
    try:
        value = parse_json_body(body)
    except JsonError as error:
        raise refusals.JsonMalformed(line=error.line, column=error.column) from None
    return _json_pairs(value)


def _json_pairs(value: Any) -> list[Pair]:
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
