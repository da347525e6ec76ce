"""What was acknowledged is there, whoever is killed: server processes, the database, or all at once.

Writers note what they are about to ask before they ask it, and what was answered after the whole answer was
read. Meanwhile one thing after the other is killed with SIGKILL. In the end the notes are held against the
database: every acknowledged write is there exactly once, one without an answer may be there (whole, or not at
all), and nothing that was refused is.

As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_kill --kills 20 --seed 7
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import asyncpg

from tests.support.program import Client, Program, Reply, children_of, kill, serving, wait_until

BACK_SECONDS = 30.0
ANSWER_SECONDS = 30.0
UNAVAILABLE = 9003
ANSWERED = ("acknowledged", "refused")
KINDS = ("web", "postmaster", "backends", "everything")


@dataclass
class Write:
    """One write as its caller knows it: asked, and then acknowledged, refused or without an answer."""

    number: int
    outcome: str = "open"


@dataclass
class Ledger:
    """What one writer asked for; `key` is the SKU, or what its SKUs begin with."""

    kind: str
    key: str
    writes: list[Write] = field(default_factory=list)

    def outcomes(self, outcome: str) -> list[int]:
        """The numbers of the writes that went so."""
        return [write.number for write in self.writes if write.outcome == outcome]

    def possible_last(self) -> set[int]:
        """What a value that is set again and again may be in the end: the last acknowledged or a later unknown."""
        acknowledged = max(self.outcomes("acknowledged"), default=0)
        return {acknowledged, *(n for n in self.outcomes("unknown") if n > acknowledged)}


@dataclass(frozen=True)
class Row:
    """A variation as the database has it after everything."""

    price: Decimal
    inventory: int | None
    shipped: bool


def judge(ledgers: Iterable[Ledger], found: Mapping[str, list[Row]]) -> list[str]:
    """Where notes and database disagree, one line each; `found` are the live variations by SKU."""
    wrong: list[str] = []
    for ledger in ledgers:
        if ledger.kind == "add":
            for write in ledger.writes:
                sku = f"{ledger.key}{write.number}"
                rows = found.get(sku, [])
                least, most = {"acknowledged": (1, 1), "unknown": (0, 1)}.get(write.outcome, (0, 0))
                if not least <= len(rows) <= most:
                    wrong.append(f"{sku}: {write.outcome}, and there {len(rows)} times")
                wrong += [
                    f"{sku}: half a product: {row}"
                    for row in rows
                    if row.inventory != write.number or not row.shipped
                ]
        else:
            rows = found.get(ledger.key, [])
            if len(rows) != 1 or ledger.outcomes("refused"):
                wrong.append(f"{ledger.key}: it was acknowledged, and was there {len(rows)} times or not always")
                continue
            row, expected = rows[0], ledger.possible_last()
            if row.inventory not in expected:
                wrong.append(f"{ledger.key}: the stock is {row.inventory} and not one of {sorted(expected)}")
            if ledger.kind == "update" and row.price * 100 != row.inventory:
                wrong.append(f"{ledger.key}: half an update: {row}")
    return wrong


@dataclass
class Watch:
    """What the callers saw, and what was open at the moment."""

    answers: Counter[str] = field(default_factory=Counter)
    forbidden: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    open: dict[str, Write] = field(default_factory=dict)

    def judge(self, reply: Reply) -> str:
        """The outcome of a complete answer; keeps those that nobody may ever see."""
        try:
            envelope = reply.json
            complete = envelope.keys() >= {"message", "code", "data"}
        except (ValueError, AttributeError):
            envelope, complete = None, False
        told = f"{reply.status} {reply.body[:200]!r}"
        if complete and reply.status == 200 and envelope["code"] == 0:
            return "acknowledged"
        if complete and reply.status == 400:
            return "refused"
        if complete and reply.status == 503 and envelope["code"] == UNAVAILABLE and "retry-after" in reply.headers:
            return "unknown"
        self.forbidden.append(told)
        return "unknown"


class Writer(threading.Thread):
    """Writes one after the other over one connection until told to stop."""

    def __init__(self, running: Program, token: str, ledger: Ledger, watch: Watch) -> None:
        super().__init__(name=ledger.key)
        self._running = running
        self._token = token
        self._watch = watch
        self._answered = 0
        self.ledger = ledger

    def run(self) -> None:
        """Note, ask, note; a refused write now and then, because those must leave nothing behind."""
        client = Client(self._running.merchant, self._token, ANSWER_SECONDS)
        number = 0
        while not self._watch.over.is_set():
            number += 1
            write = Write(number)
            with self._watch.lock:
                self.ledger.writes.append(write)
                self._watch.open[self.name] = write
            outcome = self._ask(client, number)
            with self._watch.lock:
                write.outcome = outcome
                self._watch.answers[outcome] += 1
                del self._watch.open[self.name]
            self._answered += outcome in ANSWERED
            if outcome == "unknown":
                client.close()
                time.sleep(0.02)
                client = Client(self._running.merchant, self._token, ANSWER_SECONDS)
        client.close()

    def _ask(self, client: Client, number: int) -> str:
        try:
            return self._watch.judge(client.post(*self._request(number)))
        except TimeoutError:
            self._watch.forbidden.append(f"no answer within {ANSWER_SECONDS:g} seconds")
        except (OSError, http.client.HTTPException):
            self._watch.answers["cut"] += 1
        return "unknown"

    def _request(self, number: int) -> tuple[str, dict[str, object]]:
        key = self.ledger.key
        if self.ledger.kind == "add":
            form = product(f"{key}{number}", number)
            # Refused at the very end of its work: the first statements of the write have run by then. By what was
            # answered and not by the number, of which a kill uses up many: after four kills each was refused once.
            is_refused = self._answered % 4 == 3
            return "/api/v2/product/add", form | ({"sku": "kill-taken"} if is_refused else {})
        if self.ledger.kind == "update":
            changes = {"sku": key, "inventory": number, "price": Decimal(number) / 100}
            return "/api/v2/variant/update", changes
        return "/api/v2/variant/update-inventory", {"sku": key, "inventory": number}


def product(sku: str, inventory: int) -> dict[str, object]:
    """The form of a product to add."""
    return {"name": "Ring", "description": "A ring.", "sku": sku, "parent_sku": sku, "inventory": inventory,
            "price": "1.00", "shipping": "1.00", "main_image": "https://pictures.example/ring.jpg"}  # fmt: skip


@dataclass
class Result:
    """What a run came to."""

    wrong: list[str]
    forbidden: list[str]
    answers: Counter[str]
    kills: int
    in_window: int
    seconds: float
    worst_pause: float


def run(kills: int, seed: int, spoil: Callable[[Program], None] = lambda running: None) -> Result:
    """Write, kill and compare; `spoil` may take a protection away before."""
    began = time.monotonic()
    source = random.Random(seed)
    with serving("--workers", "2") as running:
        spoil(running)
        token = running.credentials()["merchants"][0]["access_token"]
        watch = Watch()
        ledgers = [Ledger(kind, f"kill-{kind}-{n}-") for kind in ("inventory", "add", "update") for n in (1, 2)]
        with Client(running.merchant, token) as client:
            for sku in ["kill-taken", *(ledger.key for ledger in ledgers if ledger.kind != "add")]:
                assert client.post("/api/v2/product/add", product(sku, 0)).code == 0
        writers = [Writer(running, token, ledger, watch) for ledger in ledgers]
        for writer in writers:
            writer.start()
        in_window, worst = 0, 0.0
        try:
            for turn in range(kills):
                time.sleep(source.uniform(0.05, 0.3))  # the moment of a kill must be anybody's guess
                hit, pause = _kill(running, KINDS[turn % len(KINDS)], watch, writers, source)
                in_window += hit
                worst = max(worst, pause)
        finally:
            watch.over.set()
            for writer in writers:
                writer.join()
        wait_until(running.is_ready, BACK_SECONDS, "readiness after the last kill")
        found = asyncio.run(_variations(running))
        assert running.stop() == 0
    wrong = judge(ledgers, found)
    return Result(wrong, watch.forbidden, watch.answers, kills, in_window, time.monotonic() - began, worst)


def _kill(
    running: Program, kind: str, watch: Watch, writers: list[Writer], source: random.Random
) -> tuple[bool, float]:
    """Kill something and wait until every writer was answered again; whether an open write felt it."""
    postmaster = running.embedded.pid
    assert postmaster is not None
    with watch.lock:
        felt = list(watch.open.values())
    if kind == "web":
        kill(source.choice(running.web_pids()))
    elif kind == "postmaster":
        kill(postmaster)
    elif kind == "backends":
        kill(*children_of(postmaster))
    else:
        running.kill_everything()
        running.start()
    killed = time.monotonic()
    asked = {writer.name: len(writer.ledger.writes) for writer in writers}

    def everybody_is_served() -> bool:
        with watch.lock:
            return all(
                any(write.outcome in ANSWERED for write in writer.ledger.writes[asked[writer.name] :])
                for writer in writers
            )

    wait_until(everybody_is_served, BACK_SECONDS, f"recovery after killing {kind}")
    return any(write.outcome == "unknown" for write in felt), time.monotonic() - killed


async def _variations(running: Program) -> dict[str, list[Row]]:
    connection = await asyncpg.connect(**running.embedded.connection("postgres", "tradepost"))
    try:
        rows = await connection.fetch(
            """
            select v.sku, v.price, s.inventory, exists (
                       select from tradepost.product_shipping ps
                        where ps.merchant_id = v.merchant_id and ps.product_id = v.product_id) as shipped
              from tradepost.variation v
              join tradepost.product p on p.merchant_id = v.merchant_id and p.id = v.product_id
              left join tradepost.stock s on s.merchant_id = v.merchant_id and s.variation_id = v.id
             where v.sku like 'kill-%' and v.removed_at is null
            union all
            select parent_sku, 0, null, false from tradepost.product p
             where parent_sku like 'kill-%'
               and not exists (select from tradepost.variation v
                                where v.merchant_id = p.merchant_id and v.product_id = p.id)
            """
        )
    finally:
        await connection.close()
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["sku"], []).append(Row(row["price"], row["inventory"], row["shipped"]))
    return found


# -- tests


def test_acknowledged_writes_outlive_kills() -> None:
    result = run(kills=4, seed=random.randrange(1 << 16))
    print(result)
    assert result.wrong == []
    assert result.forbidden == []
    assert result.in_window > 0
    assert result.answers["acknowledged"] > 50
    assert result.answers["refused"] > 0


def test_the_judge_sees_what_was_lost_doubled_or_halved() -> None:
    """A judge that finds nothing wrong must be able to find something."""

    def ledger(kind: str, *outcomes: str) -> Ledger:
        return Ledger(kind, "k", [Write(n, outcome) for n, outcome in enumerate(outcomes, 1)])

    def row(inventory: int | None, cents: int = 100, shipped: bool = True) -> Row:
        return Row(Decimal(cents) / 100, inventory, shipped)

    stock = ledger("inventory", "acknowledged", "acknowledged", "unknown")
    assert not judge([stock], {"k": [row(2)]})
    assert not judge([stock], {"k": [row(3)]})
    assert judge([stock], {"k": [row(1)]})
    assert judge([stock], {})
    assert judge([ledger("inventory", "acknowledged", "refused")], {"k": [row(1)]})
    adding = ledger("add", "acknowledged", "unknown", "refused")
    assert not judge([adding], {"k1": [row(1)]})
    assert not judge([adding], {"k1": [row(1)], "k2": [row(2)]})
    assert judge([adding], {})
    assert judge([adding], {"k1": [row(1), row(1)]})
    assert judge([adding], {"k1": [row(1)], "k3": [row(3)]})
    assert judge([adding], {"k1": [row(None)]})
    assert judge([adding], {"k1": [row(1, shipped=False)]})
    updating = ledger("update", "acknowledged", "unknown")
    assert not judge([updating], {"k": [row(2, cents=2)]})
    assert judge([updating], {"k": [row(2, cents=1)]})


# -- the figure


def _acknowledge_too_early(running: Program) -> None:
    """The protection taken away: the database says yes before anything is safe."""

    async def act() -> None:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            **running.embedded.connection("postgres", "tradepost")
        )
        await connection.execute("alter system set synchronous_commit = off")
        await connection.execute("alter system set wal_writer_delay = '10s'")
        await connection.execute("select pg_reload_conf()")
        await connection.close()

    asyncio.run(act())


def main() -> int:
    """One run, one line."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--kills", type=int, default=20)
    reader.add_argument("--seed", type=int, default=None, help="made up and printed if left out")
    reader.add_argument("--mutant", action="store_true", help="let the database acknowledge too early: has to fail")
    options = reader.parse_args()
    seed = random.randrange(1 << 16) if options.seed is None else options.seed
    try:
        result = run(options.kills, seed, _acknowledge_too_early if options.mutant else lambda running: None)
    except (OSError, AssertionError) as error:
        print(f"kill - lost target=0 error seed={seed} kills={options.kills}: {error}")
        return 2
    tried = result.in_window > 0 and result.answers["acknowledged"] > 0
    held = not result.wrong and not result.forbidden
    verdict = "fail" if not held else "pass" if tried else "untried"
    print(
        f"kill {len(result.wrong)} lost target=0 {verdict} seed={seed} kills={result.kills} "
        f"acknowledged={result.answers['acknowledged']} in-window={result.in_window} "
        f"unknown={result.answers['unknown']} refused={result.answers['refused']} "
        f"forbidden={len(result.forbidden)} worst-pause={result.worst_pause:.1f} secs={result.seconds:.0f}"
    )
    for line in (*result.wrong[:20], *result.forbidden[:20]):
        print(json.dumps(line, ensure_ascii=False), file=sys.stderr)
    return 1 if not held else 0 if tried else 2


if __name__ == "__main__":
    sys.exit(main())
