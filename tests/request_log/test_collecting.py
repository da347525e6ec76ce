"""The log as callers fill it: everything once, nothing secret, within its bounds, and in nobody's way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.answer import Answer
from tests.support.consent import APP_IDS, CODES, SECRET, VERIFIER, client, exchange
from tests.support.market import Market
from tradepost.domain import request_log
from tradepost.domain.context import Ctx
from tradepost.domain.request_log import Kept, Line, Search
from tradepost.storage.database import StorageUnavailable
from tradepost.surfaces.merchant_v2.chapters import api
from tradepost.surfaces.request_log import collecting
from tradepost.surfaces.request_log.collecting import BRIEF, BUSY, RequestLog
from tradepost.wire.taken import Taken, new_request_id

XML = {"content-type": "text/xml"}


def flush(market: Market) -> None:
    market.run(market.calls.flush())


def lines(market: Market, account_id: str | None, **wanted: Any) -> list[Line]:
    """What the log has of an account, the latest first."""
    flush(market)

    async def look(ctx: Ctx) -> Any:
        return await request_log.search_calls(ctx, account_id, Search(**wanted), 200)

    return list(market.operate(look).lines)


def shown(market: Market, answer: Answer, who: str | None) -> Kept:
    """A call of somebody as the log has it, by the id that its answer told."""
    flush(market)

    async def look(ctx: Ctx) -> Any:
        return await request_log.find_call(ctx, who, answer.headers["wish-request-id"])

    found: Kept = market.operate(look)
    return found


def found_again(market: Market, call_id: str) -> Any:
    return market.operate(lambda ctx: request_log.find_call(ctx, None, call_id))


def test_every_call_is_kept_once_whatever_became_of_it(market: Market) -> None:
    usd = market.world.merchants["usd"].account_id
    lan = market.world.senders["lan"].account_id
    answers = [
        market.get("/api/v2/product/multi-get"),
        market.get("/api/v2/product/multi-get?format=xml"),
        market.get("/api/v2/product?id=0"),
        market.post("/api/v2/variant/update-inventory", sku="nothing", inventory=3),
        market.get("/api/v2/nothing"),
        market.get("/api/v2/auth_test"),
        market.get("/api/v2/auth_test", as_=None),
        market.get("/api/v3/webhook/topics"),
    ]
    sent = [
        market.get("/api/v3/channels", as_="wishpost:lan"),
        market.request("POST", "/api/v2/auth_test", "wishpost:lan", b"<wish/>", XML),
        market.request("POST", "/api/v2/tracking", "wishpost:lan", b"<a", XML),
    ]
    flush(market)
    told = {answer.headers["wish-request-id"]: answer.status for answer in answers}
    # Whoever shows no token is nobody.
    nobodys = {answers[6].headers["wish-request-id"]}
    assert [line.call.id for line in lines(market, usd)] == [
        answer.headers["wish-request-id"]
        for answer in reversed(answers)
        if answer.headers["wish-request-id"] not in nobodys
    ]
    assert {line.call.id for line in lines(market, "")} == nobodys
    assert [line.call.id for line in lines(market, lan)] == [a.headers["wish-request-id"] for a in reversed(sent)]
    everything = lines(market, None)
    assert len(everything) == len({line.call.id for line in everything}) == len(answers) + len(sent)
    assert {line.call.id: line.call.status for line in everything if line.call.id in told} == told


def test_a_call_is_kept_with_what_was_asked_and_answered(market: Market) -> None:
    token = market.token("usd")
    answer = market.post(f"/api/v2/variant/update-inventory?access_token={token}&locale=de", sku="n", inventory=3)
    usd = market.world.merchants["usd"].account_id
    kept = shown(market, answer, usd)
    detail = kept.said
    assert (kept.call.status, kept.call.code) == (answer.status, answer.code)
    assert (kept.call.method, kept.call.endpoint) == ("POST", "update_inventory")
    assert (kept.call.path, kept.call.service) == ("/api/v2/variant/update-inventory", "merchant")
    assert kept.call.client == "127.0.0.1"
    assert kept.call.microseconds > 0
    assert kept.call.token_id == market.sql("select id from access_token where account_id = $1 limit 1", usd)
    assert kept.call.app_id == market.sql("select app_id from access_token where account_id = $1 limit 1", usd)
    assert detail.query == "access_token=[removed]&locale=de"
    assert detail.asked == "sku=n&inventory=3"
    assert json.loads(detail.answered) == answer.json
    assert (detail.asked_size, detail.answered_size) == (len(detail.asked), len(answer.body))


def test_nobody_else_finds_a_call(market: Market) -> None:
    answer = market.get("/api/v2/auth_test")
    cny = market.world.merchants["cny"].account_id
    with pytest.raises(request_log.CallUnknown):
        shown(market, answer, cny)
    assert lines(market, cny) == []

    async def as_cny() -> int:
        async with market.connection.transaction():
            await market.connection.execute("set local role tradepost_app")
            await market.connection.execute("select set_config('tradepost.account', $1, true)", cny)
            return int(await market.connection.fetchval("select count(*) from request_log"))

    assert market.run(as_cny()) == 0


def test_no_secret_is_kept(market: Market) -> None:
    token, code, secret, verifier = market.token("usd"), CODES["merchant"], SECRET, VERIFIER
    client_id, form = APP_IDS["merchant"], exchange("merchant")
    exchanged = market.post("/api/v3/oauth/access_token", None, **form)
    tokens = [value for value in json.dumps(exchanged.json["data"]).split('"') if value.startswith("mp_")]
    assert len(tokens) >= 2, exchanged.json
    refresh = next(value for value in tokens if value.startswith("mp_rt_"))
    again = market.get("/api/v3/oauth/refresh_token", None, **client("merchant"), refresh_token=refresh)
    tokens += [value for value in json.dumps(again.json).split('"') if value.startswith("mp_")]
    market.get(f"/api/v2/{token}", None)
    market.get("/api/v2/auth_test", None, access_token=token)
    market.post("/api/v2/oauth/access_token", None, **form)
    market.request(
        "POST",
        f"/api/v3/oauth/access_token?client_secret={quote(secret)}",
        None,
        json.dumps(form).encode(),
        {"content-type": "application/json"},
    )
    body = f"<a><access_token>{token}</access_token></a>".encode()
    market.request("POST", "/api/v2/auth_test", "wishpost:lan", body, XML)
    market.request("GET", "/api/v2/auth_test", None, headers={"user-agent": f"curl {token}"})
    odd = token.replace("_", "%5F")
    for name in ("user-agent", "accept-language", "content-type"):
        market.request("POST", f"/api/v2/{odd}", None, b"x", {name: f"x {odd}"})
        market.request("POST", "/api/v2/auth_test", None, b"x", {name: f"x {token}"})
    flush(market)
    found = lines(market, None)
    assert len(found) == 14
    for line in found:
        whole = repr(found_again(market, line.call.id))
        for mark in (token, secret, code, verifier, *tokens):
            assert mark[8:24] not in whole
    assert len(lines(market, None, app_id=client_id, path="oauth/access_token")) == 3


# -- bounds


def taken(index: int, body: bytes = b"{}", code: int = 0) -> Taken:
    told: dict[str, Any] = {
        "method": "GET",
        "path": f"/api/v2/{index}",
        "query": b"",
        "headers": {},
        "client": None,
    }
    told |= {"token": "", "asked": b"", "asked_size": 0, "status": 200, "code": code, "microseconds": 300}
    told |= {"answered": body, "answered_size": len(body), "answered_type": "text/xml"}
    return Taken(id=new_request_id(), surface=api, **told)


def log_of(market: Market, most_per_day: int = 1_000, most_waiting: int = 100) -> RequestLog:
    """Another log on the same database."""
    return RequestLog(market.calls._database, most_per_day, most_waiting)


def tally(market: Market) -> tuple[int, int]:
    row = market.run(market.connection.fetchrow("select kept, missed from request_log_tally where account_id = ''"))
    return (row["kept"], row["missed"])


def test_what_does_not_fit_into_the_queue_is_counted(market: Market) -> None:
    log = log_of(market, most_waiting=3)
    for index in range(10):
        log.take(taken(index))
    market.run(log.flush())
    assert log.missed == 7
    assert tally(market) == (3, 7)
    assert [line.call.path for line in lines(market, "")] == ["/api/v2/2", "/api/v2/1", "/api/v2/0"]
    log.take(taken(11))
    market.run(log.flush())
    assert tally(market) == (4, 7), "there is room again"


def test_the_queue_is_bounded_in_bytes(market: Market) -> None:
    log = log_of(market, most_waiting=100_000)
    for index in range(2_000):
        log.take(taken(index, b"x" * 16_384, code=1000))
    assert 0 < log.missed < 2_000
    assert (2_000 - log.missed) * 16_384 <= (16 << 20) + 2 * 16_384


def test_of_many_at_once_successes_are_kept_in_brief_and_failures_whole(market: Market) -> None:
    log = log_of(market, most_waiting=1_000)
    calls = [taken(index, b"x" * 4_096, code=1000 * (index % 2)) for index in range(2 * BUSY)]
    for call in calls:
        log.take(call)
    kept = [len(call.answered) for call in calls]
    assert kept == [4_096] * BUSY + [BRIEF, 4_096] * (BUSY // 2)
    assert all(call.answered_size == 4_096 for call in calls)


def test_of_one_account_and_day_only_so_many_are_kept(market: Market) -> None:
    log = log_of(market, most_per_day=5)
    for _ in range(2):
        for index in range(4):
            log.take(taken(index))
        market.run(log.flush())
    assert tally(market) == (8, 0), "a pack is kept as a whole"
    log.take(taken(9))
    market.run(log.flush())
    assert tally(market) == (8, 1)
    assert len(lines(market, "")) == 8


def test_whoever_names_an_app_does_not_use_up_its_owners_log(market: Market) -> None:
    """The id of an app is in every link to its consent page, so anybody can call in its name without a token."""
    log, usd = log_of(market, most_per_day=200, most_waiting=5_000), market.world.merchants["usd"]
    for index in range(1_600):
        log.take(replace(taken(index), query=f"client_id={usd.client_id}".encode()))
    market.run(log.flush())
    good = [replace(taken(9_000 + index), token=usd.access_token) for index in range(150)]
    for call in good:
        log.take(call)
    market.run(log.flush())
    kept = {line.call.id for line in lines(market, usd.account_id, path="/api/v2/9")}
    assert {call.id for call in good} <= kept
    row = "select array[kept, unproven, missed] from request_log_tally where account_id = $1"
    assert market.sql(row, usd.account_id) == [150, 20, 1_580]
    [told] = market.operate(lambda ctx: request_log.list_tallies(ctx, usd.account_id, date.min))
    assert (told.kept, told.missed) == (170, 1_580)
    for _ in range(2):
        for call in [replace(one, id=new_request_id()) for one in good[:60]]:
            log.take(call)
        market.run(log.flush())
    assert market.sql(row, usd.account_id) == [210, 20, 1_640], "what is proven has its own bound"
    log.take(replace(taken(1), query=f"client_id={usd.client_id}".encode()))
    market.run(log.flush())
    assert market.sql(row, usd.account_id)[1:] == [20, 1_641]


def test_long_bodies_are_kept_by_their_beginnings(market: Market) -> None:
    answer = market.request(
        "POST",
        "/api/v2/variant/update-inventory",
        body=b"inventory=1&sku=" + b"x" * 50_000,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    detail = shown(market, answer, market.world.merchants["usd"].account_id).said
    assert detail.asked_size == 50_016
    assert len(detail.asked) == 16_384


# -- the task beside the calls


class Away:
    """A database that can go away."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.is_away = False

    @asynccontextmanager
    async def acting_for(self, account_id: str) -> AsyncIterator[Any]:
        """The same while it is there."""
        if self.is_away:
            raise StorageUnavailable
        async with self._database.acting_for(account_id) as connection:
            yield connection


class Filling:
    """A database in which a call comes in whenever others are written, the first few times."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.log: Any = None
        self.written_to = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @asynccontextmanager
    async def acting_for(self, account_id: str) -> AsyncIterator[Any]:
        self.written_to += 1
        if self.written_to < 5:
            self.log.take(taken(self.written_to))
        async with self._database.acting_for(account_id) as connection:
            yield connection


def test_what_comes_in_while_writing_waits_for_the_next_look(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written at once, each few calls would cost a transaction: a busy program would do nothing else."""
    database: Any = Filling(market.calls._database)
    database.log = log = RequestLog(database, 1_000)
    monkeypatch.setattr(collecting, "LOOK_SECONDS", 0.0)

    async def run() -> None:
        await log.start()
        await asyncio.sleep(0)  # the first look has begun; the next is far away
        monkeypatch.setattr(collecting, "LOOK_SECONDS", 3_600.0)
        for _ in range(500):
            await asyncio.sleep(0.01)
            if log.written:
                break
        await asyncio.sleep(0.1)
        assert (database.written_to, log.written, log.waiting) == (1, 1, 1)
        await log.stop()

    log.take(taken(0))
    market.run(run())
    assert len(lines(market, "")) == 5


def test_calls_wait_while_the_database_is_away(market: Market) -> None:
    database: Any = Away(market.calls._database)
    log = RequestLog(database, 1_000, 20)
    database.is_away = True
    for index in range(5):
        log.take(taken(index))
    with pytest.raises(StorageUnavailable):
        market.run(log.flush())
    for index in range(5, 30):
        log.take(taken(index))
    database.is_away = False
    market.run(log.flush())
    assert [line.call.path for line in lines(market, "")] == [f"/api/v2/{index}" for index in reversed(range(25))]
    assert tally(market) == (25, 5)


def test_a_call_that_cannot_be_kept_does_not_keep_the_others(market: Market) -> None:
    log = log_of(market)
    first, odd, same = taken(0), replace(taken(1), method=None), taken(2)  # type: ignore[arg-type]
    for call in (first, odd, same):
        log.take(call)
    market.run(log.flush())
    assert [line.call.path for line in lines(market, "")] == ["/api/v2/2", "/api/v2/0"]
    log.take(same)  # as after an end of a transaction of which nobody heard how it went
    market.run(log.flush())
    assert len(lines(market, "")) == 2
    log.take(taken(3))
    market.run(log.flush())
    assert len(lines(market, "")) == 3


def test_what_waits_is_written_when_the_program_stops(market: Market) -> None:
    log = log_of(market)

    async def run() -> None:
        await log.start()
        for index in range(3):
            log.take(taken(index))
        await asyncio.sleep(0)
        await log.stop()

    market.run(run())
    assert len(lines(market, "")) == 3


def test_the_task_writes_by_itself(market: Market) -> None:
    log = log_of(market)

    async def run() -> int:
        await log.start()
        log.take(taken(0))
        for _ in range(100):
            await asyncio.sleep(0.02)
            if log.written:
                break
        found = int(await market.connection.fetchval("select count(*) from request_log"))
        await log.stop()
        return found

    assert market.run(run()) == 1
