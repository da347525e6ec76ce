"""R17. What happened is told at least once to every receiver that recovers in time, signed, and nowhere else.

Things happen in a shop while its receivers answer 500, 302, 410, 429 with Retry-After, hang, cut, drip, send
without end, or show a certificate that nobody knows, and while workers are killed. The world's clock is moved to
what is due next, and never before everything that is due was tried; so when each attempt came is judged by the
world's clock alone, however slow the machine is. The published library verifies each message as it arrives, and
with each of two secrets where one was replaced, until the former one is ended.

`delay` is how much longer, in seconds, a good receiver waits for a message while many others keep theirs waiting
than while there are none: the middle of so many times of each, in turns. It must be told before any of those is
given up; in the full size the figure must also be at most one second.

As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_webhooks --size full --seed 7
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.support.jobs import Auditor, Crew, Figure, Finding, auditing
from tests.support.program import Client, Program, serving, wait_until
from tests.support.receivers import HOLDING, HOPELESS, RECOVERING, Receivers, receivers
from tradepost.domain.webhooks.schedule import MOST_ATTEMPTS, PAUSES

MOST_DELAY = 1.0
AT_ONCE = 4
PATIENCE = 180.0
"""How long nothing at all may come to its end before we say that it never will."""
FAULTS = {"500": 5, "302": 3, "429": 2, "hang": 1, "cut": 4}
RETRY_AFTER = timedelta(seconds=30)
SLOWLY = ("hang", "drip", *HOPELESS)
"""Those that are told of every tenth thing in the full size: each takes them ten times, or a second for each."""
MET = {
    *(("500", 500), ("302", 302), ("429", 429), ("hang", "timeout"), ("cut", "unreachable")),
    *(("never", 500), ("gone", 410), ("tls", "tls")),
}
"""What must have been seen of receivers, for a run to say anything."""
# The topics of those who are told everything, of those who are told some, of the good one and of those that hold.
ALL, SOME = ("1", "order_released"), ("7", "order_refunded")
GOOD, HELD = ("12", "ticket_awaiting_merchant"), ("9", "infraction_issued")
_HAPPENS = """
    with happened as (
        insert into event (account_id, id, topic, about, happened_at)
        select $1, md5(random()::text || n)::char(24), $2, jsonb_build_object('order_id', 'ours-' || $4 || n),
               world_now()
          from generate_series(1, $3::integer) n returning id),
    told as (
        insert into job (account_id, id, kind, lane, arguments, created_at, due_at)
        select $1, id, 'tell_event', 'outbox:tell_event', jsonb_build_object('event_id', id), world_now(),
               clock_timestamp()
          from happened returning id)
    select count(*), pg_notify('tradepost_jobs', '') from told
"""
_WAITING = "select count(*) from job where kind = 'tell_event' and state in ('pending', 'running')"
_OPEN = """
    from (select greatest(d.due_at, s.not_before) as at
            from webhook_delivery d join webhook_subscription s on s.id = d.subscription_id
           where d.state = 'pending' and s.is_active) due
"""
_LEFT = f"select count(*), count(*) filter (where at <= world_now()) {_OPEN}"
_NEXT = f"select percentile_disc($1::float) within group (order by at) {_OPEN}"
_MOVE = "update world_clock set shift = greatest(shift, $1::timestamptz - clock_timestamp()) returning true"
_SO_FAR = f"select (select count(*) from webhook_attempt) - ({_WAITING})"
# What the product means to do next, noted as it is written down: when, and for when.
_WATCH = """
    create table tradepost.planned (delivery_id text, number integer, at timestamptz, due_at timestamptz);
    create function tradepost.note_planned() returns trigger language plpgsql security definer as $$
    begin
        insert into tradepost.planned values (new.id, new.attempts, tradepost.world_now(), new.due_at);
        return null;
    end $$;
    create trigger note_planned after update on tradepost.webhook_delivery for each row
        when (new.attempts > old.attempts and new.state = 'pending') execute function tradepost.note_planned();
"""
_DELIVERIES = "select id, subscription_id, state, body from webhook_delivery"
_ATTEMPTS = """
    select a.delivery_id, a.number, a.started_at, coalesce(a.status::text, a.error) as came, p.at, p.due_at
      from webhook_attempt a left join planned p on p.delivery_id = a.delivery_id and p.number = a.number
     order by a.delivery_id, a.number
"""


@dataclass(frozen=True)
class Size:
    """How many things happen, how often a worker is killed, and how much trouble is taken.

    Every `sparse`th is told to those who take long. So many receivers keep theirs waiting in each of the `rounds`
    that delays are measured in; `measured` is whether the figure counts and not their order alone. The clock goes
    to where that part of what waits is due, 1 for all of it.
    """

    events: int
    kills: int
    sparse: int = 1
    holding: int = 60
    rounds: int = 2
    measured: bool = False
    step: float = 1.0


@dataclass
class Told:
    """What a run came to, as the database has it."""

    names: Mapping[str, str]
    """Of receivers, by the ids of their subscriptions."""
    deliveries: Sequence[Mapping[str, Any]] = ()
    attempts: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    active: frozenset[str] = frozenset()

    def tried(self, delivery: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """The attempts of a delivery, the first one first."""
        return self.attempts.get(delivery["id"], ())


def run(size: Size, seed: int, spoiled: str | None) -> Finding:
    """So many things, told until nothing waits any more."""
    source = random.Random(seed)
    with receivers(FAULTS) as met:
        allow = json.dumps([f"127.0.0.1:{met.port}", f"127.0.0.1:{met.tls_port}"])
        with serving(spoiled=spoiled, egress_allow=allow) as running, auditing(running) as auditor:
            shop = running.credentials()["merchants"][0]
            told = Told(_subscribe(running, shop["access_token"], met, size))
            auditor.run(_WATCH)
            good = next(id_ for id_, name in told.names.items() if name == "good")
            _replace_secret(running, shop["access_token"], met, good)
            late, delay = _delay(auditor, met, shop["id"], size)
            _end_former_secret(running, shop["access_token"], met, good)
            _lag(auditor, met, shop["id"], "ended-")
            some = size.events // size.sparse
            auditor.value(_HAPPENS, shop["id"], SOME[1], some, "some-")
            auditor.value(_HAPPENS, shop["id"], ALL[1], size.events - some, "all-")
            kills = _kill_some(running, auditor, source, size.kills)
            _tell_everything(auditor, size.step)
            _read(auditor, told)
            assert running.stop() == 0
    wrong = late + judge(met, told, size, kills)
    seen = {(told.names[row["subscription_id"]], one["came"]) for row in told.deliveries for one in told.tried(row)}
    missing = {(name, str(came)) for name, came in MET} - seen
    figures = {"events": size.events, "deliveries": len(told.deliveries), "messages": len(met.messages)}
    return Finding(wrong, not missing and kills == size.kills, {**figures, "kills": kills, "delay": f"{delay:.2f}"})


def _subscribe(running: Program, token: str, met: Receivers, size: Size) -> dict[str, str]:
    wanted = {name: (SOME if name in SLOWLY else ALL)[0] for name in (*RECOVERING, *HOPELESS)}
    wanted |= {"good": GOOD[0]} | {f"{HOLDING}{number}": HELD[0] for number in range(size.holding)}
    found = {}
    with Client(running.merchant, token) as client:
        for name, topic in wanted.items():
            reply = client.post("/api/v3/webhook/subscriptions", {"topic_id": topic, "endpoint": met.url(name)})
            assert reply.status == 200, reply.body
            met.secrets[name] = [reply.data["secret"]]
            found[reply.data["id"]] = name
    return found


def _replace_secret(running: Program, token: str, met: Receivers, subscription_id: str) -> None:
    """From now on the good receiver's messages are signed with two secrets."""
    with Client(running.merchant, token) as client:
        reply = client.post("/api/v3/webhook/secret", {"subscription_id": subscription_id})
    assert reply.status == 200, reply.body
    met.secrets["good"].append(reply.data["secret"])


def _end_former_secret(running: Program, token: str, met: Receivers, subscription_id: str) -> None:
    """And with the second alone."""
    with Client(running.merchant, token) as client:
        reply = client.delete(f"/api/v3/webhook/former_secret?subscription_id={subscription_id}")
    assert reply.status == 204, reply.body
    met.ended["good"] = [met.secrets["good"].pop(0)]


# -- whether whoever is slow keeps others waiting


def _delay(auditor: Auditor, met: Receivers, shop: str, size: Size) -> tuple[list[str], float]:
    """What is wrong with how others wait beside those that hold, and how much longer they do."""
    alone, beside = [], []
    for number in range(size.rounds):
        alone.append(_lag(auditor, met, shop, f"alone-{number}-"))
        met.hold(True)
        auditor.value(_HAPPENS, shop, HELD[1], 1, f"held-{number}-")
        wait_until(lambda: met.held > 0, PATIENCE, "a message that is held")
        beside.append(_lag(auditor, met, shop, f"beside-{number}-"))
        late = met.given_up
        met.hold(False)
        if late:
            return [f"a receiver waited until {late} others were given up"], beside[-1] - alone[-1]
        _await_quiet(auditor)
    delay = statistics.median(beside) - statistics.median(alone)
    too_long = size.measured and delay > MOST_DELAY
    return [f"slow receivers delay another by {delay:.2f} s"] if too_long else [], delay


def _lag(auditor: Auditor, met: Receivers, shop: str, which: str) -> float:
    """How long it takes until the good receiver has what happens now."""
    before, began = met.met["good"], time.monotonic()
    auditor.value(_HAPPENS, shop, GOOD[1], 1, which)
    wait_until(lambda: met.met["good"] > before, PATIENCE, "a message")
    return time.monotonic() - began


# -- killing workers, and moving the clock


def _kill_some(running: Program, auditor: Auditor, source: random.Random, most: int) -> int:
    crew = Crew(running, auditor, source)
    for _ in range(most):
        time.sleep(source.uniform(0.1, 0.6))  # the moment of a kill must be anybody's guess
        crew.strike("worker")
        wait_until(lambda: bool(auditor.value("select cardinality(live_workers())")), what="a worker")
    return most


def _tell_everything(auditor: Auditor, step: float) -> None:
    """Move the clock to what is due next, each time when nothing is due any more, until nothing waits."""
    while _await_quiet(auditor):
        auditor.value(_MOVE, auditor.value(_NEXT, step))


def _await_quiet(auditor: Auditor) -> int:
    """Wait until everything that is due was told and tried; gives how much waits for later."""
    so_far, deadline = None, 0.0
    while True:
        ((left, due),) = auditor.rows(_LEFT)
        if not due and not auditor.value(_WAITING):
            return int(left)
        now = auditor.value(_SO_FAR)
        if now != so_far:
            so_far, deadline = now, time.monotonic() + PATIENCE
        assert time.monotonic() < deadline, "something waits for ever"
        time.sleep(0.05)


def _read(auditor: Auditor, told: Told) -> None:
    told.deliveries = [dict(row) for row in auditor.rows(_DELIVERIES)]
    attempts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in auditor.rows(_ATTEMPTS):
        attempts[row["delivery_id"]].append(dict(row))
    told.attempts = attempts
    active = auditor.rows("select id from webhook_subscription where is_active")
    told.active = frozenset(told.names[row["id"]] for row in active)


# -- what is wrong


def judge(met: Receivers, told: Told, size: Size, kills: int) -> list[str]:
    """What was lost, came twice, was not ours, or came at the wrong time, one line each."""
    wrong = [f"{message.path}: {message.forged}" for message in met.messages if message.forged]
    if told.active ^ {"gone"} != set(told.names.values()):
        wrong.append(f"active are {sorted(told.active)}")
    taken = Counter(
        (message.path, message.headers["webhook-id"]) for message in met.messages if message.status == 200
    )
    for row in told.deliveries:
        name, tried = told.names[row["subscription_id"]], told.tried(row)
        arrived = taken[name, row["id"]]
        if name not in HOPELESS and (row["state"] != "delivered" or not arrived):
            wrong.append(f"{name}: {row['id']} is {row['state']} and arrived {arrived} times")
        if name in ("never", "tls") and (row["state"], len(tried)) != ("failed", MOST_ATTEMPTS):
            wrong.append(f"{name}: {row['id']} is {row['state']} after {len(tried)} attempts")
        wrong += (f"{name}: {row['id']} {said}" for said in _untimely(name, tried))
    wrong += _untold(told, size)
    twice = sum(count - 1 for count in taken.values())
    if twice > kills * AT_ONCE * len(RECOVERING) + len(told.deliveries) // 100:
        wrong.append(f"{twice} messages came twice")
    return wrong


def _untold(told: Told, size: Size) -> Iterator[str]:
    """Who was not told of each thing that happened once."""
    some = size.events // size.sparse
    heard: dict[str, Counter[str]] = defaultdict(Counter)
    for row in told.deliveries:
        heard[told.names[row["subscription_id"]]][json.loads(row["body"])["data"].get("order_id", "")] += 1
    for name in (*RECOVERING, *HOPELESS):
        ours = [count for about, count in heard[name].items() if about.startswith("ours-")]
        wanted = some if name in SLOWLY else size.events
        if name != "gone" and (len(ours), sum(ours)) != (wanted, wanted):
            yield f"{name} was told of {len(ours)} of {wanted} things, {sum(ours)} times"


def _untimely(name: str, tried: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Which attempts came before they were due, or were meant for another time than the schedule's.

    When an attempt ended lies between its beginning and when we saw it written down, so neither bound can fail
    because something took its time.
    """
    due: datetime | None = None
    for pause, one in zip((*PAUSES, timedelta()), tried, strict=False):
        if due is not None and one["started_at"] < due:
            yield f"was tried at {one['started_at']} and due at {due}"
        due = one["due_at"]
        if due is None:
            continue
        least, most = pause * 0.8, pause * 1.2
        if name == "429" and one["came"] == "429":
            least, most = max(least, RETRY_AFTER), max(most, RETRY_AFTER)
        if due - one["started_at"] < least or due - one["at"] > most:
            yield f"is due {due - one['at']} after attempt {one['number']} instead of {pause}"


FIGURE = Figure(
    "R17",
    "messages-lost-or-wrong",
    run,
    {
        "smoke": Size(45, 2),
        "full": Size(10_000, 10, sparse=10, rounds=15, measured=True, step=0.125),
    },
    mutant="sent_is_arrived",
    other_mutants=("slow_holds_up", "again_at_once", "signed_once", "overlap_unended"),
)


# -- tests


def test_everything_is_told_to_whoever_recovers() -> None:
    seed = random.randrange(1 << 16)
    found = run(Size(2, 1), seed, None)
    print(seed, found.told)
    assert found.wrong == []
    assert found.tried


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
