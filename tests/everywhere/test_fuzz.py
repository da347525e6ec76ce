"""Random calls of every endpoint, derived from the declarations: whatever is sent, an envelope comes back.

Each call is drawn from a generator of its own, seeded by the seed of the run and the number of the call, so that
one that fails can be sent again by itself:

    python -m tests.everywhere.test_fuzz --requests 20000 --seed 71
    python -m tests.everywhere.test_fuzz --seed 71 --only 1234
    python -m tests.everywhere.test_fuzz --service wishpost

The merchant service is asked twice, for JSON and for XML, and must say the same; WishPost v2 is sent XML, now and
then the same in JSON or spoiled byte by byte. Nothing of a call stays.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import pytest
import structlog

from tests.everywhere import test_bad_input as corpus
from tests.support import older
from tests.support.calls import ENDPOINTS, GOOD_BODIES, caller, good_call
from tests.support.database import Server, once, running_server
from tests.support.market import Market, World, build_world
from tradepost.surfaces.wishpost_v2.chapters import api as wishpost_v2
from tradepost.wire.endpoint import Endpoint, Param
from tradepost.wire.params import Choice, Country, Digits, Key, Listed, Moment, Number, Text, Whole

EVERY: Final = (*ENDPOINTS, *((older.SERVICE, endpoint) for endpoint in wishpost_v2.endpoints))
SERVICES: Final = tuple(dict.fromkeys(service for service, _ in EVERY))
SEED: Final = 20210519
REQUESTS: Final = 3_000
LEAST_SHARE: Final = 0.20
LEAST_ACCEPTED: Final = 3
# So many rounds over all endpoints begin with the good call as it is; then everything is drawn.
GOOD_ROUNDS: Final = 4
MOST_TOLD: Final = 5
SHOPS: Final = ("usd", "cny", "eur")
# Drawn alone, these contradict each other; a call that is to succeed has them as the good call has them.
TIED: Final = (
    "localized_",
    "clean_image",
    "extra_images",
    "since",
    "upto",
    "country_shipping_prices",
    "size",
    "color",
)

WORDS: Final = (
    *("red", "Größe 7", "戒指", "👨‍👩‍👧‍👦", "e\u0301", "a\r\nb", "שלום", "<b>&amp;</b>", "]]>", "' or 1=1--"),
    *("=1+1", "{}", "%25", "null", "a\tb", "\u202eabc", "ﬁ", "\U00020000", "\ufffd", "0"),
)
NASTY: Final = (
    *(
        b"",
        b" ",
        b"\x00",
        b"a\x00b",
        b"\xff\xfe",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"-1",
        b"1e400",
        b"NaN",
        b"9" * 400,
    ),
    *("１２".encode(), b"[]", b"{}", b'{"a": 1}', b"[" * 500, b"null", b"a" * 3000, "\u0301".encode() * 300),
    *(
        b"' or 1=1--",
        b"../../etc/passwd",
        b"%00",
        b"\r\nX: y",
        "\ufeff".encode(),
        "\u2028".encode(),
        b"http://[::1",
    ),
)


@dataclass
class Run:
    """What came of a run."""

    seed: int
    requests: int = 0
    accepted: int = 0
    seconds: float = 0.0
    good: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.accepted / self.requests if self.requests else 0.0

    def summary(self) -> str:
        verdict = "fail" if self.failures else "pass"
        return (
            f"fuzz {len(self.failures)} failures target=0 {verdict} seed={self.seed} n={self.requests} "
            f"accepted={100 * self.share:.1f}% secs={self.seconds:.1f}"
        )


class Generator:
    """Draws calls. `ids` are products that are there, by the shop that has them."""

    def __init__(self, market: Market, seed: int, services: Sequence[str] = SERVICES) -> None:
        self._market = market
        self._seed = seed
        self.endpoints = [(service, endpoint) for service, endpoint in EVERY if service in services]
        self._ids: dict[str, str] = {
            who: market.get("/api/v2/product", who, parent_sku="ring").data["Product"]["id"] for who in SHOPS
        }
        self._nasty: dict[str, list[str]] = {}
        for line in corpus.read_lines([corpus.FOLDER / "by_reader.tsv"]):
            if line.parameter.startswith("<") and line.code == 1000:
                self._nasty.setdefault(line.parameter.strip("<>"), []).append(line.value)

    def draw(self, number: int) -> corpus.Request:
        """The call of a number, the same for the same seed."""
        rng = random.Random(f"{self._seed}:{number}")
        service, endpoint = self.endpoints[number % len(self.endpoints)]
        as_told = number < GOOD_ROUNDS * len(self.endpoints)
        if service == older.SERVICE:
            return self._older(rng, endpoint, as_told)
        who = rng.choice(SHOPS) if service == "merchant" else caller(service)
        fields = self._fields(rng, service, endpoint, who, as_told)
        method = rng.choice(endpoint.methods) if rng.random() < 0.97 else rng.choice(("PUT", "HEAD", "DELETE"))
        request = corpus.Request(service, endpoint.documented_method if as_told else method, endpoint.path)
        if rng.random() < 0.3:
            request.query.append(("locale", rng.choice((b"en", b"zh", b"fr", b"de", b"", b"en", b"zh", b"xx"))))
        token = self._token(rng, who, as_told)
        if token is not None:
            place = rng.random()
            if place < 0.7 or service != "merchant" or not token.isascii():
                request.headers.append(("authorization", f"Bearer {token}"))
            else:
                request.query.append(("access_token", token.encode()))
        if service == "wishpost" and rng.random() < 0.7 and not as_told:
            fields.append(("fields", self._selection(rng)))
        if endpoint.body is not None:
            good = GOOD_BODIES[endpoint.path]
            request.query += fields
            request.body = json.dumps(good if as_told else spoiled(rng, good)).encode("utf-8", "replace")
            request.headers.append(("content-type", "application/json"))
            return request
        self._place(rng, request, fields)
        return request

    def _older(self, rng: random.Random, endpoint: Endpoint, as_told: bool) -> corpus.Request:
        """A call of the generation before: its good body, spoiled here and there, as XML or JSON."""
        method = endpoint.documented_method
        if not as_told and rng.random() < 0.03:
            method = rng.choice(("GET", "PUT", "POST"))
        request = corpus.Request("wishpost", method, endpoint.path)
        good_share = 1.0 if as_told else 0.9
        for name, value in older.QUERY.get(endpoint.path, {}).items():
            request.query.append((name, value.encode() if rng.random() < good_share else rng.choice(NASTY)))
        if rng.random() < 0.3:
            request.query.append(("locale", b"zh"))
        token = self._token(rng, "wishpost:lan", as_told)
        good = older.GOOD.get(endpoint.path, {})
        body: Any = good if as_told else spoiled(rng, good)
        if token is not None and (rng.random() < 0.5 or not token.isascii()):
            request.headers.append(("authorization", f"Bearer {token}"))
        elif token is not None and endpoint.body is not None and isinstance(body, dict):
            body = {"access_token": token, **body}
        elif token is not None:
            request.query.append(("access_token", token.encode()))
        if endpoint.body is not None or rng.random() < 0.1:
            as_json = rng.random() < 0.2
            request.body = json.dumps(body).encode("utf-8", "replace") if as_json else older.to_xml(body)
            if not as_told and rng.random() < 0.3:
                request.body = older.spoiled_bytes(rng, request.body)
            request.chunked = rng.random() < 0.2
            request.headers.append(("content-type", rng.choice((corpus.FORM, "text/xml", "application/json", "x"))))
        return request

    def _token(self, rng: random.Random, who: str, as_told: bool) -> str | None:
        good = self._market.token(who)
        if as_told or rng.random() < 0.9:
            return good
        others = (good + "x", good.swapcase(), "aaa", "ÿ", "", "a" * 600, self._market.token("wishpost:ada"))
        return rng.choice((None, *others))

    def _fields(
        self, rng: random.Random, service: str, endpoint: Endpoint, who: str, as_told: bool
    ) -> list[tuple[str, bytes]]:
        good = good_call(service, endpoint, who)
        if as_told:
            return [(name, value.encode()) for name, value in good.items()]
        needed = {param.name for param in endpoint.params if param.required}
        needed |= {name for pair in endpoint.one_of for name in pair if name in good}
        bad_share = rng.choice((0.0, 0.0, 0.05, 0.15, 0.5))
        left_out = rng.choice((0.0, 0.3, 0.9))
        drawn: list[tuple[str, bytes]] = []
        for param in endpoint.params:
            name = rng.choice(param.names)
            tied = name.startswith(TIED)
            if rng.random() < bad_share:
                drawn.append((name, self._bad(rng, param)))
            elif name not in needed and not tied and rng.random() < left_out:
                continue
            elif name in good and (tied or rng.random() < 0.5):
                drawn.append((name, good[name].encode()))
            elif not tied and (value := self._value(rng, param, who, good.get(name))) is not None:
                drawn.append((name, value.encode()))
        if rng.random() < 0.1:
            drawn.append((rng.choice(("randomfield", "sku[]", "", "é", "a" * 200)), rng.choice(NASTY)))
        if bad_share and drawn and rng.random() < 0.1:
            drawn.append(rng.choice(drawn))
        rng.shuffle(drawn)
        return drawn

    def _bad(self, rng: random.Random, param: Param) -> bytes:
        kind = corpus.reader_name(param)
        own = [*self._nasty.get(kind, []), *(self._nasty["text"] if kind in corpus.FREE_TEXTS else [])]
        if own and rng.random() < 0.7:
            return corpus.expand(rng.choice(own), self._market, param)
        return rng.choice(NASTY)

    def _value(self, rng: random.Random, param: Param, who: str, good: str | None) -> str | None:
        """A value that the parameter takes, as far as its reader tells; None where it does not."""
        match param.reader:
            case Whole(least=least, most=most):
                return str(rng.choice((least, most, rng.randint(least, most), min(most, least + 1))))
            case Number() as reader:
                return _amount(rng, reader)
            case Text(most=most) | Key(most=most):
                word = "".join(
                    rng.choice(WORDS if isinstance(param.reader, Text) else ("r", "7", "戒", "-", "/", "😀"))
                    for _ in range(5)
                )
                return rng.choice((word, "字" * most, "a" * most, "b"))[:most]
            case Choice(words=words):
                return str(rng.choice(words))
            case Country(codes=codes):
                return rng.choice(sorted(codes))
            case Digits(least=least, most=most):
                return "".join(rng.choices("0123456789", k=rng.randint(least, most)))
            case Moment():
                return rng.choice(("1970-01-01", "2021-05-19", "2999-12-31T23:59:59", "2020-02-29T00:00:00"))
            case Listed(separator=separator, item_most=item_most):
                return separator.join(
                    rng.choice(("red", "戒指", "a" * item_most)) for _ in range(rng.randint(1, 12))
                )
        return self._value_by_name(rng, param, who, good)

    def _value_by_name(self, rng: random.Random, param: Param, who: str, good: str | None) -> str | None:
        match corpus.reader_name(param):
            case "Boolean":
                return rng.choice(("true", "True", "1", "false", "False", "0"))
            case "Span":
                return rng.choice(("2-2", "5-10", "7-999"))
            case "Image" | "WebUrl" | "Video":
                return f"https://pictures.example/{rng.randint(0, 10**9)}.jpg?x={'a' * rng.choice((0, 0, 1900))}"
            case "AnyId" | "StrictId":
                return good if param.name == "job_id" else self._ids[who]
            case "JsonRows":
                return json.dumps(
                    [_row(rng) for _ in range(rng.choice((1, 2, 50)))], ensure_ascii=rng.random() < 0.5
                )
        return good

    def _selection(self, rng: random.Random) -> bytes:
        pieces = (
            "otype",
            "*",
            "pickup_services",
            "pickup_service_code",
            "warehouses",
            ",",
            "/",
            "(",
            ")",
            ",",
            "x",
            " ",
        )
        known = ("otype,channel_name", "pickup_services(pickup_service_code)", "*", "pickup_services/*,otype")
        drawn = "".join(rng.choice(pieces) for _ in range(rng.randint(1, 12)))
        return rng.choice((*known, drawn, drawn)).encode()

    def _place(self, rng: random.Random, request: corpus.Request, fields: list[tuple[str, bytes]]) -> None:
        """Put the fields into the query, a form, a multipart or a JSON body, or some here and some there."""
        place = rng.choice(("query", "form", "part", "json", "split"))
        if place == "split":
            here = [given for given in fields if rng.random() < 0.5]
            request.query += here
            fields = [given for given in fields if given not in here]
            place = rng.choice(("form", "part", "json"))
        if place == "query" or not fields:
            request.query += fields
            return
        if place == "json" and (texts := _as_json(rng, fields)) is not None:
            body, kind = corpus.json_bytes(texts), "application/json"
        elif place == "part":
            body, kind = corpus.multipart_bytes(fields), f"multipart/form-data; boundary={corpus.BOUNDARY}"
        else:
            body, kind = corpus.form_bytes(fields), corpus.FORM
        if rng.random() < 0.02:
            body = body[: rng.randint(0, len(body))]
        request.body = body
        request.chunked = rng.random() < 0.2
        request.headers.append(("content-type", kind))


def _amount(rng: random.Random, reader: Number) -> str:
    least, most = Decimal(reader.least), Decimal(reader.most)
    step = Decimal(1).scaleb(-reader.places)
    drawn = (least + (most - least) * Decimal(rng.randint(0, 10**9)) / 10**9).quantize(step)
    return f"{rng.choice((least, most, drawn, least + step)):f}"


def _row(rng: random.Random) -> object:
    """One row of a bulk update: what is wrong with it must not matter to the call."""
    drawn = {
        "sku": rng.choice(("ring-green", "ring-blue", *WORDS, "", 7, None)),
        "inventory": rng.choice((0, 500_000, 500_001, "12", -1, 1.5, 10**30, True, [1], None)),
        "enabled": rng.choice((True, False, "true", "no", 1, {"a": 1}, None)),
    }
    row = {name: value for name, value in drawn.items() if rng.random() < 0.7}
    return row if rng.random() < 0.9 else rng.choice((1, "ring-green", [row], None))


def spoiled(rng: random.Random, value: Any, share: float = 0.06) -> Any:
    """A JSON value of which some parts, mostly few, are something else than they should be."""
    if rng.random() < share:
        others: tuple[Any, ...] = (
            None,
            True,
            7,
            -1.5,
            "",
            "x",
            [],
            [value],
            {},
            {"a": value},
            "9" * 400,
            "\x00",
            "字" * 300,
            "\ud800",
        )
        return rng.choice(others)
    if isinstance(value, dict):
        return {name: spoiled(rng, inner, share) for name, inner in value.items() if rng.random() > share / 2}
    if isinstance(value, list):
        return [spoiled(rng, inner, share) for inner in value * rng.choice((1, 1, 1, 2, 120))]
    return value


def _as_json(rng: random.Random, fields: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]] | None:
    """The fields as JSON values, numbers as numbers now and then; None where one is no text."""
    found = []
    for name, value in fields:
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            return None
        plain = text.isascii() and text.isdigit() and not (text.startswith("0") and len(text) > 1)
        raw = text if plain and rng.random() < 0.5 else json.dumps(text, ensure_ascii=rng.random() < 0.5)
        found.append((name, raw.encode("utf-8", "replace")))
    return found


def _frames(market: Market, request: corpus.Request, run: Run) -> Iterator[corpus.Frame]:
    """The envelopes of one call, in every format that the service has."""
    surface = corpus.surface_of(request.service)
    query = list(request.query)
    for format_ in surface.formats:
        request.query = [*query, ("format", format_.encode())] if len(surface.formats) > 1 else query
        answer, _ = market.run(corpus.send_and_forget(market, request))
        run.requests += 1
        # A success without an answer (204) comes here filled in; its form is judged where that is done.
        empty = answer.status == 200 and "content-type" not in answer.headers
        frame = corpus.Frame("", 0, {}) if empty else corpus.read_frame(answer, format_, surface)
        if frame.code == 0:
            run.accepted += 1
        yield frame


def _older_code(market: Market, request: corpus.Request, run: Run) -> int:
    """The status that a call of the generation before is answered with, in its frame."""
    answer, _ = market.run(corpus.send_and_forget(market, request))
    run.requests += 1
    assert answer.status < 500, f"{answer.status}: {answer.body[:200]!r}"
    code, message, _ = older.read(answer)
    assert (code == 0) == (message == "")
    assert answer.status == 200 or code
    run.accepted += code == 0
    return code


def _call(market: Market, request: corpus.Request, run: Run) -> None:
    if request.service == "wishpost" and request.path.startswith("/api/v2/"):
        run.good[f"{older.SERVICE}:{request.path}"] += _older_code(market, request, run) == 0
        return
    frames = list(_frames(market, request, run))
    assert len({(frame.code, frame.message) for frame in frames}) == 1, [f"{f.code} {f.message}" for f in frames]
    if frames[0].code == 0:
        run.good[f"{request.service}:{request.path}"] += 1


def fuzz(
    market: Market, seed: int, requests: int, only: int | None = None, services: Sequence[str] = SERVICES
) -> Run:
    """Send so many random requests to some services, or the one call of a number."""
    market.sql(older.BOOK)
    run, generator = Run(seed), Generator(market, seed, services)
    began = time.perf_counter()
    number = only or 0
    while run.requests < requests:
        request = generator.draw(number)
        try:
            _call(market, request, run)
        except Exception as error:
            run.failures.append(
                f"call {number} of seed {seed}: {type(error).__name__}: {error}\n  {_told(request)}"
            )
        if only is not None:
            break
        number += 1
    run.seconds = time.perf_counter() - began
    return run


def _told(request: corpus.Request) -> str:
    query = corpus.form_bytes(request.query).decode()
    return f"{request.method} {request.path}?{query[:600]} {request.headers} {request.body[:600]!r}"


def test_whatever_is_sent_an_envelope_comes_back(market: Market) -> None:
    run = fuzz(market, SEED, REQUESTS)
    print(run.summary())
    assert not run.failures, "\n".join([run.summary(), *run.failures[:MOST_TOLD]])
    assert run.share >= LEAST_SHARE, run.summary()
    rare = {f"{s}:{e.path}" for s, e in EVERY if run.good[f"{s}:{e.path}"] < LEAST_ACCEPTED}
    assert not rare, f"hardly ever accepted: {sorted(rare)} ({run.summary()})"


@pytest.mark.parametrize("number", [0, 7, 1000])
def test_a_call_can_be_drawn_again(market: Market, number: int) -> None:
    assert Generator(market, SEED).draw(number) == Generator(market, SEED).draw(number)


@contextmanager
def _own_market() -> Iterator[Market]:
    """A market outside pytest."""
    with running_server() as server:
        world = once(lambda: build_world(server))
        with asyncio.Runner() as loop, _connected(server, loop, world) as market:
            yield market


@contextmanager
def _connected(server: Server, loop: asyncio.Runner, world: World) -> Iterator[Market]:
    connection: Any = loop.run(server.connect())
    try:
        yield Market(loop, connection, world)
    finally:
        loop.run(connection.close())


def main(arguments: Sequence[str]) -> int:
    """Run as a script: one line on the standard output; 0 good, 1 failures, 2 could not run."""
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", type=int, help="the number of a single call")
    parser.add_argument("--service", choices=("merchant", "wishpost"), help="only one of them")
    told = parser.parse_args(arguments)
    services = {"merchant": ("merchant",), "wishpost": ("wishpost", older.SERVICE)}.get(told.service, SERVICES)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        with _own_market() as market:
            run = fuzz(market, told.seed, told.requests, told.only, services)
    except Exception as error:
        print(f"fuzz could not run: {error!r}", file=sys.stderr)
        return 2
    for failure in run.failures:
        print(failure, file=sys.stderr)
    print(run.summary())
    if run.failures:
        return 1
    return 0 if run.share >= LEAST_SHARE or told.only is not None else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
