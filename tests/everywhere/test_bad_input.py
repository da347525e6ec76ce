"""The bad-input corpus: what a caller must never be allowed to send, and the answer that each gets.

The corpus is data, `bad_input/*.tsv`, so that a report of a fault becomes a line. Its columns, with tabs between:

    family     what the line is about
    call       `[who] METHOD path`; a path without a slash in front is below /api/v2. `*` is every endpoint
    parameter  the name of the parameter that is bad, or one of the forms below
    value      the value: UTF-8, `%ff` a byte, `{a*1001}` a thousand and one times `a`, `{token:cny}` a token
    status     the HTTP status
    code       the code in the envelope
    says       a part of the message; of an accepted call `field=value`, a field of the answer and what it holds

The parameter goes where the call's own parameters go, the query of a GET or the form of a POST, unless its name
says otherwise: `query:name` and `form:name` put it there beside what the call has, `json:name` and `part:name`
make the body JSON (the value is then raw JSON) or multipart, `twice:` and `both:` give it twice in one place or
differently in two, and `-name` leaves it out. Whole parts of a call are
`@query` and `@form` (raw text, a percent sign is one), `@body:TYPE` (also `@chunked:TYPE`, without a length,
`@body:` without a type and `@body:empty` with an empty one) and `@header:NAME` (a line feed makes it two headers).
`@` is a call as it stands.

`<Whole>` stands for every parameter that is read by a Whole, `<text>` for all free texts, `<any>` for every
parameter that is one text and `<required>` for every required one; `{most+1}` and `{a*most}` then come from the
reader. Besides, a call has what its endpoint requires, out of `tests/support/calls.py`, and what stands in the
query of its path; who asks is `usd` unless the call says so.

Every line is sent as JSON or XML in turn and rolled back. A new kind of bad input needs a line, not a test.
"""

from __future__ import annotations

import asyncio
import json
import re
import string
import time
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote_from_bytes

import pytest
from lxml import etree

from tests.support.answer import Answer
from tests.support.calls import SURFACES, good_call
from tests.support.consent import SHOWN
from tests.support.database import Server
from tests.support.market import Market, World, open_market
from tradepost.surfaces.merchant_v2.chapters import api as merchant
from tradepost.wire.endpoint import Endpoint, Param, Surface
from tradepost.wire.failures import MOST_ECHO
from tradepost.wire.params import Choice

FOLDER: Final = Path(__file__).parent / "bad_input"
COLUMNS: Final = 7
# Seconds of this process: far above what a call takes, far below what a loop within a loop does with a whole body.
SLOWEST: Final = 5.0
LEAST_CHECKS: Final = 1_500
HOSTS: Final = {"wishpost": "wishpost.cn", **dict.fromkeys(("merchant", "operator"), "merchant.example")}
FORM: Final = "application/x-www-form-urlencoded"
BOUNDARY: Final = "a-boundary-that-no-value-holds"
CATALOGUE: Final = ("product", "variation", "stock", "job", "bulk_pack")
COUNTED: Final = (*CATALOGUE, "order_refund", "parcel_tracking", "parcel", "transfer")
# Rules that no declaration tells: a variation has a colour or a size, a return warehouse what its region asks for,
# a parcel of these days a number, a reason of one's own words.
ALSO_NEEDED: Final = {
    "/api/v2/variant/add": ("color",),
    "/api/v2/returns/create-return-warehouse": ("phone_number", "email"),
    "/api/v2/order/fulfill-one": ("tracking_number",),
    "/api/v2/order/refund": ("reason_note",),
}
# What successes say: nothing, or the words of their endpoint.
SAID: Final = {endpoint.says for endpoint in merchant.endpoints} | {""}
FREE_TEXTS: Final = ("Text", "Key", "LookedUp", "Listed")
# Texts that real traffic was seen to use; they name a thing or a value and not the parameter.
RECORDED: Final = re.compile(
    r"Cannot get image from URL|Ooops! |Required column |Tracking provider is|This tracking number has|"
    r".* is an invalid id$|No '\w+' Found with ",
    re.DOTALL,
)


@dataclass(frozen=True)
class Line:
    """One line of the corpus as it is written."""

    place: str
    family: str
    call: str
    parameter: str
    value: str
    status: int
    code: int
    says: str


@dataclass
class Request:
    """One call, byte by byte."""

    service: str
    method: str
    path: str
    query: list[tuple[str, bytes]] = field(default_factory=list)
    raw_query: bytes | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    chunked: bool = False


@dataclass(frozen=True)
class Frame:
    """What stands in the envelope of an answer, in whichever format it came."""

    message: str
    code: int
    data: Any
    """The value tree in JSON; in XML the text of the element where it has no children, else the element."""


@dataclass(frozen=True)
class Check:
    """One line aimed at one endpoint and one parameter."""

    line: Line
    number: int
    who: str
    method: str
    path: str
    endpoint: Endpoint | None
    param: Param | None

    @property
    def service(self) -> str:
        return "wishpost" if self.who.startswith("wishpost:") else "merchant"

    @property
    def parameter(self) -> str:
        """The parameter's name on the wire, without where it goes; "" where the line is about none."""
        if self.param is not None:
            return self.param.names[0]
        name = self.line.parameter.rpartition(":")[2].removeprefix("-")
        return "" if self.line.parameter.startswith("@") else name

    @property
    def format(self) -> str:
        """The format this check asks for: in turn, where the line leaves it open."""
        fixed = self.line.parameter.startswith("@query") or "format" in (*self.line.parameter.split(":"), self.path)
        return "json" if fixed or self.service == "wishpost" or self.number % 2 else "xml"

    def __str__(self) -> str:
        shown = self.line.value if len(self.line.value) <= 24 else self.line.value[:24] + "…"
        name = f"{self.line.place} {self.method} {self.path} {self.parameter or self.line.parameter}={shown}"
        return name.encode("ascii", "backslashreplace").decode()


def read_lines(files: Iterable[Path]) -> list[Line]:
    """The lines of some files of the corpus."""
    lines = []
    for file in files:
        for number, text in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
            if not text or text.startswith("#"):
                continue
            cells = text.split("\t")
            assert len(cells) == COLUMNS, f"{file.name}, line {number}: {len(cells)} columns instead of {COLUMNS}"
            family, call, parameter, value, status, code, says = cells
            place = f"{file.stem}:{number}"
            lines.append(Line(place, family, call, parameter, value, int(status), int(code), says))
    return lines


def least_call(service: str, endpoint: Endpoint, who: str) -> dict[str, str]:
    """The parameters of a call that succeeds, without those that it can do without."""
    good = good_call(service, endpoint, who)
    needed = {param.name for param in endpoint.params if param.required}
    needed |= {next(name for name in pair if name in good) for pair in endpoint.one_of if set(pair) & good.keys()}
    needed |= set(ALSO_NEEDED.get(endpoint.path, SHOWN)) & good.keys()
    if who in ("cny", "eur"):
        needed |= {name for name in good if name.startswith("localized_")}
    return {name: value for name, value in good.items() if name in needed}


def surface_of(service: str) -> Surface:
    return SURFACES[service]


def reader_name(param: Param) -> str:
    return type(param.reader).__name__


def _meant(parameter: str, param: Param) -> bool:
    match parameter:
        case "any":
            return reader_name(param) not in ("JsonRows", "Base64")
        case "required":
            # One that has an answer of its own for this has a line of its own.
            return param.required and param.when_missing is None
        case "text":
            return reader_name(param) in FREE_TEXTS
        case _:
            return reader_name(param) == parameter


def _aim(line: Line) -> Iterator[tuple[str, str, str, Endpoint | None, Param | None]]:
    """Where a line goes: who asks, method, path, and the endpoint and parameter where they are declared."""
    wanted = re.search(r"<(\w+)>", line.parameter)
    if line.call == "*":
        assert wanted or line.parameter.startswith("@"), f"{line.place}: a call of * needs <reader> or @"
        for endpoint in merchant.endpoints:
            for param in [p for p in endpoint.params if wanted and _meant(wanted[1], p)]:
                yield "usd", endpoint.documented_method, endpoint.path, endpoint, param
            if not wanted:
                yield "usd", endpoint.documented_method, endpoint.path, endpoint, None
        return
    *before, method, path = line.call.split(" ")
    who = before[0] if before else "usd"
    path = path if path.startswith("/") else f"/api/v2/{path}"
    surface = surface_of("wishpost" if who.startswith("wishpost:") else "merchant")
    bare = path.partition("?")[0].rstrip("/")
    reached = [e for e in surface.endpoints if bare in e.paths]
    declared = min(reached, key=lambda e: method not in e.methods, default=None)
    if not wanted:
        yield who, method, path, declared, None
        return
    assert declared is not None, f"{line.place}: no endpoint {path}"
    for param in [p for p in declared.params if _meant(wanted[1], p)]:
        yield who, method, path, declared, param


@cache
def checks() -> tuple[Check, ...]:
    """The whole corpus, with the lines that stand for many laid out."""
    lines = read_lines(sorted(FOLDER.glob("*.tsv")))
    aimed = [(line, aim) for line in lines for aim in _aim(line)]
    return tuple(Check(line, number, *aim) for number, (line, aim) in enumerate(aimed))


_REPEAT = re.compile(r"\{(?:([^{}]*)\*)?(\d+|most|least|item_most)([+-]\d+)?\}")
_BYTE = re.compile(rb"%([0-9A-Fa-f]{2})")


def expand(cell: str, market: Market, param: Param | None, *, bytes_too: bool = True) -> bytes:
    """The bytes that the value of a line stands for."""

    def number(word: str, more: str | None) -> Decimal:
        start = Decimal(word) if word.isdigit() else Decimal(str(getattr(param.reader if param else None, word)))
        return start + Decimal(more or 0)

    def repeated(found: re.Match[str]) -> str:
        text, word, more = found.groups()
        if text is None:
            # {7} alone is no repetition, and JSON has braces, too.
            return found.group() if word.isdigit() else f"{number(word, more):f}"
        return text * int(number(word, more))

    cell = re.sub(r"\{token:([\w:]+)\}", lambda found: market.token(found[1]), cell)
    raw = _REPEAT.sub(repeated, cell).encode("utf-8")
    return _BYTE.sub(lambda found: bytes([int(found[1], 16)]), raw) if bytes_too else raw


def form_bytes(fields: Iterable[tuple[str, bytes]]) -> bytes:
    """Fields as a query string or an urlencoded body."""
    return b"&".join(
        f"{quote_from_bytes(name.encode())}={quote_from_bytes(value)}".encode() for name, value in fields
    )


def multipart_bytes(fields: Iterable[tuple[str, bytes]], boundary: str = BOUNDARY) -> bytes:
    """Fields as a multipart body."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in fields
    ]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def json_bytes(fields: Iterable[tuple[str, bytes]]) -> bytes:
    """Fields, whose values are JSON already, as a JSON object."""
    return b"{" + b", ".join(json.dumps(name).encode() + b": " + value for name, value in fields) + b"}"


def build(check: Check, market: Market) -> Request:
    """The request of a check, byte by byte."""
    line, place = check.line, check.line.parameter
    path, _, query = check.path.partition("?")
    path = expand(path, market, None).decode("utf-8")
    request = Request(check.service, expand(check.method, market, None).decode(), path)
    own = least_call(check.service, check.endpoint, check.who) if check.endpoint else {}
    fields = [(name, value.encode()) for name, value in own.items()]
    request.query += [(name, value.encode()) for name, value in parse_qsl(query, keep_blank_values=True)]
    if check.format == "xml":
        request.query.append(("format", b"xml"))
    if check.parameter != "locale":
        request.query.append(("locale", b"en"))
    if not check.who.endswith("nobody"):
        request.headers.append(("authorization", f"Bearer {market.token(check.who)}"))
    if place.startswith("@"):
        _put_part(request, fields, place, line, market)
        return request
    where, _, name = place.rpartition(":")
    name = name if check.param is None else check.param.names[0]
    value = expand(line.value, market, check.param)
    others = [(other, given) for other, given in fields if other != name.removeprefix("-")]
    if check.param is not None and check.endpoint is not None and where != "both":
        # Either of a pair names the thing; both would name two.
        rivals = {other for pair in check.endpoint.one_of if name in pair for other in pair}
        others = [(other, given) for other, given in others if other not in rivals]
    if name.startswith("-") or (where == "-"):
        _put_fields(request, others)
        return request
    match where:
        case "":
            _put_fields(request, [*others, (name, value)])
        case "twice":
            _put_fields(request, [*others, (name, value), (name, value)])
        case "both":
            request.query.append((name, value))
            _put_body(request, form_bytes([*others, (name, value + b"0")]), FORM)
        case "query":
            request.query.append((name, value))
            _put_fields(request, fields)
        case "form":
            request.query += fields
            _put_body(request, form_bytes([(name, value)]), FORM)
        case "json":
            quoted = [(other, json.dumps(given.decode()).encode()) for other, given in others]
            _put_body(request, json_bytes([*quoted, (name, value)]), "application/json")
        case "part":
            body = multipart_bytes([*others, (name, value)])
            _put_body(request, body, f"multipart/form-data; boundary={BOUNDARY}")
        case _:
            raise AssertionError(f"{line.place}: nobody knows where {where}: is")
    return request


def _put_part(request: Request, fields: list[tuple[str, bytes]], place: str, line: Line, market: Market) -> None:
    kind, _, detail = place.partition(":")
    value = expand(line.value, market, None, bytes_too=kind not in ("@query", "@form"))
    match kind:
        case "@":
            _put_fields(request, fields)
        case "@query":
            request.raw_query = value
        case "@form":
            _put_body(request, value, FORM)
        case "@body" | "@chunked":
            _put_body(request, value, detail)
            request.chunked = kind == "@chunked"
        case "@header":
            _put_fields(request, fields)
            name = detail.lower()
            request.headers = [(other, text) for other, text in request.headers if other != name]
            request.headers += [(name, text) for text in value.decode("latin-1").split("\n")]
        case _:
            raise AssertionError(f"{line.place}: nobody knows {place}")


def _put_fields(request: Request, fields: list[tuple[str, bytes]]) -> None:
    if request.method == "POST" and fields:
        _put_body(request, form_bytes(fields), FORM)
    else:
        request.query += fields


def _put_body(request: Request, body: bytes, content_type: str) -> None:
    request.body = body
    if content_type == "empty":
        request.headers.append(("content-type", ""))
    elif content_type:
        request.headers.append(("content-type", content_type))


async def send(market: Market, request: Request) -> Answer:
    """Send a request through the application, byte by byte as it is."""
    headers = list(request.headers)
    names = {name for name, _ in headers}
    if "host" not in names:
        headers.append(("host", HOSTS[request.service]))
    if request.chunked:
        headers.append(("transfer-encoding", "chunked"))
    elif request.body and "content-length" not in names:
        headers.append(("content-length", str(len(request.body))))
    raw_query = request.raw_query if request.raw_query is not None else form_bytes(request.query)
    step = 1 << 16
    chunks = [request.body[at : at + step] for at in range(0, len(request.body), step)] or [b""]
    messages = [
        {"type": "http.request", "body": chunk, "more_body": at < len(chunks)}
        for at, chunk in enumerate(chunks, start=1)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def take(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "query_string": raw_query,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "scheme": "https",
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 443),
    }
    await market.app(scope, receive, take)
    told = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], told, sent[1]["body"]).filled()


COUNT: Final = "select " + ", ".join(f"(select count(*) from {table})" for table in COUNTED)


async def send_and_forget(market: Market, request: Request) -> tuple[Answer, tuple[int, ...]]:
    """The answer to a request, and how many rows there were after it, before it was undone."""
    transaction = market.connection.transaction()
    await transaction.start()
    try:
        answer = await send(market, request)
        rows = await market.connection.fetchrow(COUNT)
    finally:
        await transaction.rollback()
    return answer, tuple(rows or ())


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), "a name stands twice in the answer"
    return found


def read_frame(answer: Answer, format_: str, surface: Surface) -> Frame:
    """The envelope of an answer; asserts that it is one, and of the format that was asked for."""
    headers = answer.headers
    uuid.UUID(headers["wish-request-id"])
    assert headers["wish-rate-limit-remaining"].isdigit()
    assert headers["content-type"] == f"application/{format_}; charset=utf-8"
    assert answer.status < 500, f"{answer.status}: {answer.body[:200]!r}"
    if format_ == "xml":
        frame = _read_xml(answer.body)
    else:
        tree = json.loads(answer.body.decode("utf-8"), object_pairs_hook=_unrepeated)
        if tree["message"] == "Success" and tree["code"] == 0:  # the calls of an older generation
            return Frame("", 0, tree)
        expected = {"message", "code", "data"}
        expected |= {"type"} if surface.tells_type and tree["code"] else set()
        assert tree.keys() - {"paging"} == expected
        frame = Frame(tree["message"], tree["code"], tree["data"])
        assert type(frame.code) is int
        assert isinstance(frame.message, str)
    assert (answer.status == 200) == (frame.code == 0) == (frame.message in SAID)
    return frame


def _read_xml(body: bytes) -> Frame:
    root = etree.fromstring(body)
    assert root.tag == "Response"
    names = [child.tag for child in root]
    assert names[:3] == ["Message", "Code", "Data"]
    assert set(names[3:]) <= {"Paging", "Type"}
    data = root[2]
    return Frame(root[0].text or "", int(root[1].text or ""), data if len(data) else data.text or "")


@cache
def _sentences(surface: Surface) -> tuple[re.Pattern[str], ...]:
    """Every English sentence of a surface with its blanks open, the most telling first."""

    def literal(sentence: str) -> int:
        return sum(len(text) for text, *_ in string.Formatter().parse(sentence))

    found = sorted((surface.table.sentence(name, "en") for name in surface.table.names()), key=literal)
    return tuple(
        re.compile(
            "".join(
                re.escape(text) + ("" if blank is None else "(.*)")
                for text, blank, *_ in string.Formatter().parse(sentence)
            ),
            re.DOTALL,
        )
        for sentence in reversed(found)
    )


@cache
def _choices(surface: Surface) -> frozenset[str]:
    """What the readers of a surface offer to choose from, as a sentence tells it."""
    readers = [param.reader for endpoint in surface.endpoints for param in endpoint.params]
    return frozenset(", ".join(reader.words) for reader in readers if isinstance(reader, Choice))


def assert_short_echo(message: str, surface: Surface) -> None:
    """No blank of a sentence may hold more than 64 characters, or one that moves a cursor."""
    blanks = next((found.groups() for p in _sentences(surface) if (found := p.fullmatch(message))), None)
    assert blanks is not None, f"no sentence of {surface.name} reads like {message!r}"
    for blank in blanks:
        if any(found.fullmatch(blank) for found in _sentences(surface) if found.groups):
            assert_short_echo(blank, surface)  # a refusal that tells another one
            continue
        if blank in _choices(surface):
            continue  # a list of our own words is told in full
        assert len(blank) <= MOST_ECHO, f"{len(blank)} characters are repeated in {message[:300]!r}"
    bad = [char for char in message if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert not bad, f"{bad[:3]!r} in the message"


def assert_named(check: Check, frame: Frame) -> None:
    """The parameter that is wrong is named in the detail, on a wire that has none in the message."""
    if not check.parameter or frame.code not in (1000, 1001) or RECORDED.match(frame.message):
        return
    told_names = {check.parameter, *re.findall(r"'(\w+)'", check.line.says)}
    if check.service != "wishpost":
        assert frame.data in told_names or str(frame.data).isdigit(), f"data is {frame.data!r}"
    assert any(re.search(rf"\b{name}\b", frame.message) for name in told_names), frame.message


def values_of(tree: Any, name: str) -> Iterator[Any]:
    """Every value that a tree has under a name, JSON or XML."""
    if isinstance(tree, etree._Element):
        for element in tree.iter(name):
            yield element.text or ""
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key == name:
                yield value
            yield from values_of(value, name)
    elif isinstance(tree, list):
        for item in tree:
            yield from values_of(item, name)


def assert_accepted(check: Check, frame: Frame, value: bytes) -> None:
    """An accepted line that says `field=value` finds that value there; `field=@` is the value as it was sent."""
    if not check.line.says:
        return
    name, _, wanted = check.line.says.partition("=")
    expected = value if wanted == "@" else _BYTE.sub(lambda found: bytes([int(found[1], 16)]), wanted.encode())
    found = list(values_of(frame.data, name))
    assert unicodedata.normalize("NFC", expected.decode()) in found, f"{name} is {found!r}"


@pytest.fixture(scope="module")
def shop(server: Server, world: World, loop: asyncio.Runner) -> Iterator[Market]:
    """A market for the whole corpus: each line undoes what it did."""
    with open_market(server, world, loop) as opened:
        yield opened


@pytest.fixture(scope="module")
def rows_before(shop: Market) -> Sequence[int]:
    return tuple(shop.run(shop.connection.fetchrow(COUNT)))


@pytest.mark.parametrize("check", checks(), ids=str)
def test_line_gets_its_answer(check: Check, shop: Market, rows_before: Sequence[int]) -> None:
    request = build(check, shop)
    began = time.process_time()
    answer, rows_after = shop.run(send_and_forget(shop, request))
    assert time.process_time() - began < SLOWEST
    surface = surface_of(check.service)
    frame = read_frame(answer, check.format, surface)
    told = f"{answer.status}/{frame.code} {frame.message[:300]!r}"
    assert (answer.status, frame.code) == (check.line.status, check.line.code), told
    if frame.code == 0:
        assert_accepted(check, frame, expand(check.line.value, shop, check.param))
        return
    assert check.line.says in frame.message
    assert_short_echo(frame.message, surface)
    assert_named(check, frame)
    assert rows_after == rows_before, f"{told}, and yet {COUNTED} went from {rows_before} to {rows_after}"


@pytest.mark.parametrize("endpoint", merchant.endpoints, ids=lambda endpoint: endpoint.path)
def test_least_call_is_accepted(endpoint: Endpoint, shop: Market) -> None:
    """What the lines change one thing of must itself be good, or a refusal shows nothing."""
    line = Line("least", "least", "", "@", "", 200, 0, "")
    check = Check(line, 1, "usd", endpoint.documented_method, endpoint.path, endpoint, None)
    answer, _ = shop.run(send_and_forget(shop, build(check, shop)))
    assert answer.status == 200, answer.body


def test_corpus_is_large_enough_and_says_nothing_twice() -> None:
    lines = [(c.who, c.method, c.path, c.parameter, c.line.parameter, c.line.value) for c in checks()]
    assert len(lines) >= LEAST_CHECKS
    repeated = {str(line) for line in lines if lines.count(line) > 1} if len(set(lines)) < len(lines) else set()
    assert not repeated


def test_corpus_aims_at_what_exists() -> None:
    aimed = {check.line.place for check in checks()}
    lines = read_lines(sorted(FOLDER.glob("*.tsv")))
    assert {line.place for line in lines} == aimed
