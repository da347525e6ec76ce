"""The ledger always balances, whoever is killed: servers, workers, the database.

For two users at once parcels are booked and cancelled over HTTP while carriers scan them, each by several hands,
until so many of each were answered; meanwhile one thing after the other is killed with SIGKILL. In the end the
database is held against itself and against what the callers were told: every balance is the sum of its entries,
all balances of a user sum to zero, nobody owes more than he may, each parcel is paid for once or not at all as its
state says, and nothing that was acknowledged is missing.

As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_money --size full --seed 7
"""

from __future__ import annotations

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
from datetime import UTC, datetime
from typing import Any

import asyncpg

from tests.support.calls import ADDRESS, NEW_ORDER
from tests.support.jobs import Auditor, Crew, Figure, Finding, auditing
from tests.support.program import Client, Program, serving, wait_until
from tradepost.domain import parcels
from tradepost.domain.context import Ctx
from tradepost.domain.parcels import Scan
from tradepost.storage.database import PLATFORM_ROLE
from tradepost.values import Fact

KINDS = ("web", "worker", "backend", "postmaster")
LIMITS = json.dumps({"wishpost/default": 10_000_000})
HANDS = {"book": 6, "cancel": 3, "scan": 3}
BALANCE_TOO_LOW = 1006
SCAN_SECONDS = 0.02
"""A carrier is no faster than this, or nothing would be left to cancel."""
LOST = (
    OSError,
    http.client.HTTPException,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

# What must hold in the database whatever happened; each statement finds what does not.
MUST_HOLD = {
    "a balance is not the sum of its entries": """
        select a.account_id, a.name from ledger_account a
         where a.balance <> coalesce((select sum(e.amount) from entry e
                                       where e.account_id = a.account_id and e.name = a.name), 0)
    """,
    "the balances of a user do not sum to zero": """
        select account_id from ledger_account group by account_id having sum(balance) <> 0
    """,
    "the entries of a transfer do not sum to zero": """
        select transfer_id from entry group by account_id, transfer_id having sum(amount) <> 0
    """,
    "more is owed than may be": "select account_id from ledger_account where balance < least or balance > most",
    "a parcel's money is not where its state says": """
        select p.wish_id, p.state, sum(e.amount) filter (where e.name = 'frozen') as frozen,
               sum(e.amount) filter (where e.name = 'spent') as spent
          from parcel p
          left join transfer t on t.account_id = p.account_id and t.parcel_id = p.id
          left join entry e on e.account_id = t.account_id and e.transfer_id = t.id
         group by p.account_id, p.id, p.wish_id, p.state, p.fee
        having coalesce(sum(e.amount) filter (where e.name = 'frozen'), 0)
               <> case when p.state in ('booked', 'numbered') then p.fee else 0 end
            or coalesce(sum(e.amount) filter (where e.name = 'spent'), 0)
               <> case when p.state in ('handed_over', 'in_transit', 'delivered', 'returned') then p.fee else 0 end
    """,
    "a parcel is charged twice": """
        select parcel_id from transfer where kind in ('charge', 'late_charge', 'refund')
         group by account_id, parcel_id having sum(case when kind = 'refund' then -1 else 1 end) not in (0, 1)
    """,
    "a parcel has scans and was never handed over": """
        select p.wish_id from parcel p where p.handed_over_at is null
           and exists (select from scan s where s.account_id = p.account_id and s.parcel_id = p.id)
    """,
}


@dataclass(frozen=True)
class Size:
    """How many of each deed for each user, and how many kills."""

    deeds: int
    kills: int


@dataclass
class Notes:
    """What was asked for one user, and what was answered."""

    account_id: str
    token: str
    outcomes: Counter[str] = field(default_factory=Counter)
    booked: dict[str, str] = field(default_factory=dict)
    """Our number of each parcel whose booking was acknowledged, by its guid."""
    refused: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    scanned: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def any_number(self, source: random.Random) -> str | None:
        """The number of one of the latest parcels, where callers meet."""
        with self.lock:
            latest = list(self.booked.values())[-12:]
        return source.choice(latest) if latest else None


class Hand(threading.Thread):
    """Does one kind of deed again and again until it is over."""

    def __init__(self, worker: Caller | Scanner, kind: str, notes: Notes, over: threading.Event) -> None:
        super().__init__(name=kind)
        self._worker, self._kind, self._notes, self._over = worker, kind, notes, over

    def run(self) -> None:
        """Count what each came to."""
        number = 0
        deed: Callable[[int], str] = getattr(self._worker, self._kind)
        while not self._over.is_set():
            number += 1
            try:
                outcome = deed(number)
            except LOST:
                outcome = "unknown"
            with self._notes.lock:
                self._notes.outcomes[f"{self._kind} {outcome}"] += 1
            if outcome in ("unknown", "nothing"):
                time.sleep(0.02)
        self._worker.close()


class Caller:
    """Books and cancels over one connection."""

    def __init__(self, running: Program, notes: Notes, name: str, seed: int) -> None:
        self._client = Client(running.wishpost, notes.token)
        self._notes = notes
        self._name = name
        self._source = random.Random(seed)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def book(self, number: int) -> str:
        """Book a parcel that costs 12 to 30 yuan."""
        guid = f"{self._name}-{number}"
        goods = [NEW_ORDER["goods"][0] | {"weight": f"0.{self._source.randint(1, 200):03d}"}]
        body = {name: NEW_ORDER[name] for name in ("otype", "wish_order_id")}
        body |= {"sender": ADDRESS, "recipient": ADDRESS, "goods": goods, "guid": guid}
        data, code = self._post("orders/create", body)
        if code == 0:
            with self._notes.lock:
                self._notes.booked[guid] = data["wish_standard_tracking_id"]
            return "done"
        if code == BALANCE_TOO_LOW:
            self._notes.refused.append(guid)
        return "refused" if code == BALANCE_TOO_LOW else "unknown"

    def cancel(self, number: int) -> str:
        """Cancel one or two parcels, perhaps the same one twice, in any order."""
        names = [name for _ in range(2) if (name := self._notes.any_number(self._source))]
        if not names:
            return "nothing"
        wishes = [{"tracking_id": name, "cancel_reason_code": "USER_BIZ_DUPLICATE_ORDER"} for name in names]
        data, code = self._post("orders/cancel", wishes)
        if code != 0:
            return "unknown"
        self._notes.cancelled += [item["tracking_id"] for item in data if item["code"] == 0]
        return "done" if any(item["code"] == 0 for item in data) else "refused"

    def _post(self, path: str, body: object) -> tuple[Any, int]:
        try:
            reply = self._client.post_body(f"/api/v3/{path}", json.dumps(body).encode())
        except LOST:
            self._client.close()
            raise
        if reply.status == 503:
            return None, -1
        if reply.status >= 500 or reply.json["code"] not in (0, BALANCE_TOO_LOW):
            self._notes.forbidden.append(f"{path}: {reply.status} {reply.body[:300]!r}")
        return reply.json["data"], reply.json["code"]


class Scanner:
    """A carrier with a connection of its own to the database: it hands over and scans."""

    def __init__(self, running: Program, notes: Notes, seed: int) -> None:
        self._running = running
        self._notes = notes
        self._source = random.Random(seed)
        self._loop = asyncio.Runner()
        self._connection: asyncpg.Connection[Any] | None = None

    def close(self) -> None:
        """Let go of the connection and what belongs to it."""
        self._hang_up()
        self._loop.close()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def scan(self, number: int) -> str:
        """Hand a parcel over, or scan it."""
        name = self._notes.any_number(self._source)
        if name is None:
            return "nothing"
        time.sleep(SCAN_SECONDS)
        try:
            self._loop.run(self._note(name, self._source.choice((0, 2, 16, 23))))
        except Fact:
            return "refused"
        except LOST:
            self._hang_up()
            raise
        self._notes.scanned.append(name)
        return "done"

    async def _note(self, name: str, status: int) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                **self._running.embedded.connection(PLATFORM_ROLE, "tradepost"),
                server_settings={"search_path": "tradepost"},
            )
        async with self._connection.transaction():
            now = datetime.now(UTC)
            ctx = await parcels.act_for(Ctx(db=self._connection, now=now, actor=None), self._notes.account_id)
            if status == 0:
                await parcels.hand_over(ctx, name)
            else:
                await parcels.note_scan(ctx, name, Scan(now, status))


def judge(auditor: Auditor, notes: Mapping[str, Notes]) -> list[str]:
    """What is wrong in the database, and where it is not what callers were told."""
    wrong = [f"{what}: {dict(row)}" for what, query in MUST_HOLD.items() for row in auditor.rows(query)]
    for told in notes.values():
        wrong += told.forbidden
        states = {
            row["wish_id"]: (row["guid"], row["state"], row["scanned_at"] is not None)
            for row in auditor.rows("select * from parcel where account_id = $1", told.account_id)
        }
        guids = {guid for guid, _, _ in states.values()}
        wrong += [f"{guid} was acknowledged and is not there" for guid in told.booked if guid not in guids]
        wrong += [f"{guid} was refused and is there" for guid in told.refused if guid in guids]
        for name in told.cancelled:
            _, state, was_scanned = states[name]
            if state != "cancelled" and not was_scanned:
                wrong.append(f"{name} was cancelled, is {state} and was never scanned")
        twice = Counter(told.cancelled)
        wrong += [f"{name} was cancelled {times} times" for name, times in twice.items() if times > 1]
        for name in told.scanned:
            if states[name][1] in ("booked", "numbered"):
                wrong.append(f"{name} was handed over or scanned and is {states[name][1]}")
    return wrong


def run(size: Size, seed: int, spoiled: str | None) -> Finding:
    """Many hands, and kills in between."""
    source = random.Random(seed)
    over = threading.Event()
    with serving("--workers", "2", spoiled=spoiled, rate_limits=LIMITS) as running, auditing(running) as auditor:
        if spoiled is not None:
            auditor.run(_WITHOUT_CONSTRAINTS)
        notes = {m["id"]: Notes(m["id"], m["access_token"]) for m in running.credentials()["wishpost"]}
        hands = [hand for told in notes.values() for hand in _hands(running, told, over, source)]
        crew = Crew(running, auditor, source)
        for hand in hands:
            hand.start()
        try:
            kills = _kill(crew, running, size.kills if spoiled is None else 0, source)
            wait_until(lambda: _all_happened(notes.values(), size.deeds), 240, "enough deeds")
        finally:
            over.set()
            for hand in hands:
                hand.join()
        wait_until(lambda: not auditor.value("select count(*) from job where state = 'pending'"), 60, "all numbers")
        wrong = judge(auditor, notes)
        assert running.stop() == 0
    done: Counter[str] = sum((told.outcomes for told in notes.values()), Counter())
    told = {name.replace(" ", "-"): done[name] for name in sorted(done) if " " in name}
    return Finding(wrong, _overlapped(done), {"kills": kills, **told})


def _hands(running: Program, notes: Notes, over: threading.Event, source: random.Random) -> list[Hand]:
    made = []
    for kind, count in HANDS.items():
        for number in range(count):
            seed = source.randrange(1 << 30)
            name = f"{kind}-{number}-{seed}"
            worker = Scanner(running, notes, seed) if kind == "scan" else Caller(running, notes, name, seed)
            made.append(Hand(worker, kind, notes, over))
    return made


def _all_happened(notes: Iterable[Notes], deeds: int) -> bool:
    """Whether there were enough deeds, each kind succeeded, and somebody's money has come to its end."""
    notes = list(notes)
    done: Counter[str] = sum((told.outcomes for told in notes), Counter())
    return all(_enough(told, deeds) for told in notes) and _overlapped(done)


def _overlapped(done: Mapping[str, int]) -> bool:
    return all(done[f"{kind} done"] > 0 for kind in HANDS) and done["book refused"] > 0


def _enough(notes: Notes, deeds: int) -> bool:
    answered = Counter({kind: notes.outcomes[f"{kind} done"] + notes.outcomes[f"{kind} refused"] for kind in HANDS})
    return all(answered[kind] >= deeds for kind in HANDS)


def _kill(crew: Crew, running: Program, kills: int, source: random.Random) -> int:
    for number in range(kills):
        time.sleep(source.uniform(0.05, 0.4))  # the moment of a kill must be anybody's guess
        crew.strike(KINDS[number % len(KINDS)])
        wait_until(running.is_ready, 30, "readiness")
    return kills


# The mutant works without the row locks, and so shows something only where the database does not stop it either.
_WITHOUT_CONSTRAINTS = """
alter table tradepost.ledger_account drop constraint ledger_account_check, drop constraint ledger_account_check1;
drop index tradepost.transfer_of_parcel;
"""

FIGURE = Figure(
    "R11",
    "unbalanced-or-paid-twice",
    run,
    {"smoke": Size(40, 4), "full": Size(100, 20)},
    mutant="parcels_unlocked",
)


def test_the_ledger_balances_whoever_is_killed() -> None:
    FIGURE.check()


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
