"""The rate limit across processes: exactly as many calls as promised, for exactly whom it was promised.

The same probe runs against a counter that is read and then written, which is what the one statement in the
database protects from. There it has to fail; otherwise it shows nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from tests.support.program import Client, Program, Reply, serving

LIMIT = 200
CLIENTS = 64
WINDOW = 60
BURST_SECONDS = 8.0
LIMITED = 1056
RESET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000\+00:00")

# The counter as it must not be: what was read may be old by the time it is written. The pause stands for the
# work that lies between the two in a program that keeps its counter this way.
NAIVE = """
create function tradepost.read_then_write(counter text, window_start timestamptz) returns integer
language plpgsql as $$
declare
    seen integer;
begin
    select case when started_at < window_start then 0 else used end into seen
      from tradepost.rate_window where key = counter;
    seen := coalesce(seen, 0) + 1;
    perform pg_sleep(0.001);
    insert into tradepost.rate_window (key, started_at, used) values (counter, window_start, seen)
        on conflict (key) do update set used = seen, started_at = window_start;
    return seen;
end $$
"""
_COUNTING = re.compile(
    r"insert into rate_window as w \(key, started_at, used\)\s+"
    r"values \((?P<key>keys\[1\]), (?P<start>date_bin\(.*?, epoch\)), 1\)"
    r".*?returning limits\[1\] - w\.used, w\.started_at into remaining, reset;",
    re.DOTALL,
)


@dataclass
class Burst:
    """What many clients at once were answered."""

    allowed: list[Reply] = field(default_factory=list)
    limited: list[Reply] = field(default_factory=list)
    others: list[Reply] = field(default_factory=list)
    servers: set[int | None] = field(default_factory=set)
    seconds: float = 0.0
    edge: datetime | None = None

    def note(self, reply: Reply) -> None:
        """Sort one answer in."""
        kind = {200: self.allowed, 429: self.limited}.get(reply.status, self.others)
        kind.append(reply)


@dataclass(frozen=True)
class Limited:
    """A program with a low limit, and the apps that call it."""

    program: Program
    hammered: str
    same_shop_other_app: str
    other_shop: str
    again: str


@pytest.fixture(scope="module")
def limited() -> Iterator[Limited]:
    """Two server processes; `again` is a fresh app of the hammered shop for a second measurement."""
    with serving("--workers", "2", rate_limits=json.dumps({"merchant/default": LIMIT})) as running:
        cast = running.credentials()["merchants"]

        def another_app() -> str:
            client_id = running.told("app", "add", "Another").split()[1]
            return running.told("token", "issue", cast[0]["id"], client_id).strip()

        yield Limited(running, cast[0]["access_token"], another_app(), cast[1]["access_token"], again=another_app())


def await_room(seconds: float) -> None:
    """Windows are minutes of the wall clock: where too little of this one is left, wait for the next."""
    left = WINDOW - time.time() % WINDOW
    if left < seconds:
        time.sleep(left + 0.1)


def burst(running: Program, token: str, calls_each: int) -> Burst:
    """Let all clients call at the same moment, each over a connection of its own."""
    seen = Burst()
    lock = threading.Lock()
    gate = threading.Barrier(CLIENTS + 1)

    def call() -> None:
        with Client(running.merchant, token) as client:
            client.get("/livez")
            gate.wait(30)
            for _ in range(calls_each):
                reply = client.get("/api/v2/auth_test")
                with lock:
                    seen.note(reply)
            server = running.server_of(client)
            with lock:
                seen.servers.add(server)

    threads = [threading.Thread(target=call) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    await_room(BURST_SECONDS)
    window = int(time.time() // WINDOW)
    seen.edge = datetime.fromtimestamp((window + 1) * WINDOW, UTC)
    gate.wait(30)
    began = time.monotonic()
    for thread in threads:
        thread.join()
    seen.seconds = time.monotonic() - began
    assert int(time.time() // WINDOW) == window, "the burst crossed the edge of a window"
    return seen


def test_exactly_as_many_as_promised(limited: Limited) -> None:
    seen = burst(limited.program, limited.hammered, calls_each=8)
    print(f"allowed {len(seen.allowed)} of {LIMIT}, refused {len(seen.limited)}, {seen.seconds:.2f} s")
    assert seen.servers == set(limited.program.web_pids()), "some server process had no part in it"
    assert seen.others == []
    assert abs(len(seen.allowed) - LIMIT) <= 1
    assert len(seen.allowed) + len(seen.limited) == CLIENTS * 8

    remaining = sorted(int(reply.headers["wish-rate-limit-remaining"]) for reply in seen.allowed)
    assert remaining == list(range(LIMIT)), "each allowed call was told another number, down to none"
    assert not any("wish-rate-limit-reset" in reply.headers for reply in seen.allowed)

    for reply in seen.limited:
        assert reply.json == {
            "message": "Too many requests.", "code": LIMITED, "data": {}, "type": "too_many_requests",
        }  # fmt: skip
        assert reply.headers["wish-rate-limit-remaining"] == "0"
        assert RESET.fullmatch(reply.headers["wish-rate-limit-reset"])
        assert datetime.fromisoformat(reply.headers["wish-rate-limit-reset"]) == seen.edge

    for untouched in (limited.same_shop_other_app, limited.other_shop):
        with Client(limited.program.merchant, untouched) as client:
            told = [client.get("/api/v2/auth_test") for _ in range(3)]
        assert [reply.status for reply in told] == [200] * 3
        assert [reply.headers["wish-rate-limit-remaining"] for reply in told] == ["199", "198", "197"]


def test_without_the_protection_the_same_probe_fails(limited: Limited) -> None:
    """Counting by reading and then writing lets far too many in, and the probe sees it."""

    async def act() -> None:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            **limited.program.embedded.connection("postgres", "tradepost")
        )
        source = await connection.fetchval("select pg_get_functiondef('tradepost.admit'::regproc)")
        naive, replaced = _COUNTING.subn(
            r"select limits[1] - read_then_write(\g<key>, \g<start>), \g<start> into remaining, reset;",
            source,
        )
        assert replaced == 1
        await connection.execute(NAIVE)
        await connection.execute(naive)
        await connection.close()

    asyncio.run(act())
    seen = burst(limited.program, limited.again, calls_each=8)
    print(f"read then written: allowed {len(seen.allowed)} of {LIMIT}, {seen.seconds:.2f} s")
    assert seen.others == []
    assert len(seen.allowed) > LIMIT + 1
