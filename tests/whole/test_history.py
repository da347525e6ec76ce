"""R21: what the program says of a shop is at every moment what was done in it, by one caller or by fifty.

    python -m tests.whole.test_history --size full --seed 7

First one caller: a state machine of Hypothesis does whatever a merchant, buyers, carriers and time can do to goods,
orders, parcels and tickets, over the whole program in this process; after each step everything that can be read is
held against a model (tests/support/life.py), which knows nothing of the program.

Then fifty callers over HTTP, with two server processes. They append to a few tickets and set the stock of a few
SKUs, and read both in between. Each reading of a ticket must begin with every other one that is shorter, hold each
reply once, in the order in which its caller wrote his own, and all that were acknowledged before it was asked for.
A stock level that is read must have been set by somebody, and not replaced before it was asked for.

The mutant answers readings of a ticket out of what was read a moment before.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from tests.support import spoiled as spoiling
from tests.support.database import Server, once, running_server
from tests.support.jobs import Figure, Finding, ask
from tests.support.living import PICTURE, SKUS, alone
from tests.support.market import World, build_world
from tests.support.program import Client, Program, serving
from tradepost.domain.tickets import rows as ticket_rows

CALLERS: Final = 50
TICKETS: Final = 4
LEAST_SPOILED: Final = 3_000
LIMITS: Final = '{"merchant/default": 100000000}'

# -- fifty callers


@dataclass
class Event:
    """What one caller asked for: of `what`, when it was asked and answered, and what was written or read."""

    caller: int
    what: str
    asked: float
    answered: float
    value: Any


@dataclass
class History:
    """What all callers did, by kind."""

    appended: list[Event] = field(default_factory=list)
    read: list[Event] = field(default_factory=list)
    set: list[Event] = field(default_factory=list)
    seen: list[Event] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


def judge(history: History) -> list[str]:
    """What no order of the calls explains."""
    wrong = list(history.odd)
    for what in sorted({event.what for event in (*history.read, *history.appended)}):
        reads = sorted((each for each in history.read if each.what == what), key=lambda each: len(each.value))
        appends = [each for each in history.appended if each.what == what]
        wrong += [f"{what}: {each}" for each in _judge_list(reads, appends)]
    for what in sorted({event.what for event in history.seen}):
        sets = [each for each in history.set if each.what == what]
        wrong += [f"{what}: {each}" for each in _judge_level([e for e in history.seen if e.what == what], sets)]
    return wrong


def _judge_list(reads: Sequence[Event], appends: Sequence[Event]) -> Iterator[str]:
    known = {event.value for event in appends}
    for shorter, longer in itertools.pairwise(reads):
        if longer.value[: len(shorter.value)] != shorter.value:
            yield f"{shorter.value[-3:]} is not how {len(longer.value)} others begin"
    for read in reads:
        there = Counter(read.value)
        if twice := [each for each, times in there.items() if times > 1]:
            yield f"{twice[:3]} stand there twice"
        if strange := there.keys() - known:
            yield f"{sorted(strange)[:3]} were never written"
        missing = [each.value for each in appends if each.answered < read.asked and each.value not in there]
        if missing:
            yield f"{missing[:3]} were acknowledged before and are not there"
    for caller in sorted({event.caller for event in appends}):
        own = [event.value for event in appends if event.caller == caller]
        if reads and [each for each in reads[-1].value if each in set(own)] != own:
            yield f"the replies of caller {caller} are in another order, or not all there"


def _judge_level(seen: Sequence[Event], sets: Sequence[Event]) -> Iterator[str]:
    by_value = {event.value: event for event in sets}
    for read in seen:
        written = by_value.get(read.value)
        if written is None or written.asked > read.answered:
            yield f"{read.value} was read and not written"
        elif any(written.answered < other.asked and other.answered < read.asked for other in sets):
            yield f"{read.value} was read after it had been replaced"


class Caller(threading.Thread):
    """One of the fifty: appends, sets and reads over a connection of his own."""

    def __init__(self, number: int, running: Program, token: str, places: Sequence[str], deeds: int) -> None:
        super().__init__(name=f"caller {number}")
        self._number = number
        self._client = Client(running.merchant, token)
        self._places = places
        self._deeds = deeds
        self._source = random.Random(number)
        self.history = History()

    def run(self) -> None:
        """Every third deed changes something, the others look."""
        for deed in range(self._deeds):
            ticket, sku = self._source.choice(self._places), self._source.choice(SKUS)
            value = self._number + CALLERS * (deed + 1)
            match (deed + self._number) % 6:
                case 0:
                    said = f"{self._number}.{deed}"
                    self._note(self.history.appended, ticket, said, "ticket/reply", id=ticket, reply=said)
                case 3:
                    self._note(self.history.set, sku, value, "variant/update-inventory", sku=sku, inventory=value)
                case 1 | 4:
                    self._note(self.history.read, ticket, _replies, "ticket", id=ticket)
                case _:
                    self._note(self.history.seen, sku, _stock, "variant", sku=sku)
        self._client.close()

    def look(self, tickets_of: Sequence[str]) -> None:
        """Read everything once more."""
        for ticket in tickets_of:
            self._note(self.history.read, ticket, _replies, "ticket", id=ticket)
        for sku in SKUS:
            self._note(self.history.seen, sku, _stock, "variant", sku=sku)
        self._client.close()

    def _note(self, where: list[Event], what: str, value: Any, path: str, **form: object) -> None:
        asked = time.monotonic()
        try:
            reply = self._client.post(f"/api/v2/{path}", form)
        except (OSError, http.client.HTTPException) as error:
            self.history.odd.append(f"{path}: {error!r}")
            return
        answered = time.monotonic()
        if reply.status != 200:
            self.history.odd.append(f"{path}: {reply.status} {reply.body[:200]!r}")
            return
        told = value(reply.data) if callable(value) else value
        where.append(Event(self._number, what, asked, answered, told))


def _replies(data: Any) -> tuple[str, ...]:
    replies = [one["Reply"] for one in data["Ticket"]["replies"]]
    return tuple(reply["message"] for reply in replies if reply["sender"] == "merchant")


def _stock(data: Any) -> int:
    return int(data["Variant"]["inventory"])


def together(deeds: int, spoiled: str | None) -> tuple[list[str], Counter[str]]:
    """Fifty callers with so many deeds each; gives what was wrong, and what they did."""
    with serving("--workers", "2", spoiled=spoiled, rate_limits=LIMITS) as running:
        member = running.credentials()["merchants"][0]
        everything = History()
        with Client(running.merchant, member["access_token"]) as client:
            places = [_open_ticket(running, client, member["id"]) for _ in range(TICKETS)]
            for number, sku in enumerate(SKUS):
                form = {
                    "name": "Life",
                    "description": "Lived.",
                    "parent_sku": sku,
                    "main_image": PICTURE,
                    "sku": sku,
                }
                ask(client, "product/add", **form, price=1, shipping=1, inventory=number)
                everything.set.append(Event(-1, sku, 0.0, 0.0, number))
        callers = [Caller(n, running, member["access_token"], places, deeds) for n in range(CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        callers[0].look(places)
        assert running.stop() == 0
    for caller in callers:
        for name in ("appended", "read", "set", "seen", "odd"):
            getattr(everything, name).extend(getattr(caller.history, name))
    did = Counter({name: len(getattr(everything, name)) for name in ("appended", "read", "set", "seen")})
    return judge(everything), did


def _open_ticket(running: Program, client: Client, merchant_id: str) -> str:
    product = client.get("/api/v2/product/multi-get?limit=1").data[0]["Product"]["id"]
    return running.told("ticket", "open", merchant_id, "How big?", "How big is it?", "--product", product).strip()


# -- both


@dataclass(frozen=True)
class Size:
    """How many steps one caller does, and how many deeds each of the fifty."""

    steps: int
    deeds: int


@contextmanager
def _remembering(spoil: bool) -> Iterator[None]:
    kept = ticket_rows.find
    if spoil:
        spoiling.remember_tickets()
    try:
        yield
    finally:
        ticket_rows.find = kept


def run(size: Size, number: int, spoiled: str | None) -> Finding:
    """First one, then fifty."""
    with running_server() as server, asyncio.Runner() as loop, _remembering(spoiled is not None):
        world = once(lambda: build_world(server))
        # What is spoiled shows only where a ticket is read again within moments, so it gets its time.
        steps = size.steps if spoiled is None else max(size.steps, LEAST_SPOILED)
        differs, seen = alone((server, world, loop), steps, number)
    wrong, did = together(size.deeds, spoiled)
    told = {"steps": seen["steps"], "callers": CALLERS, **did, "alone": "differs" if differs else "agrees"}
    if spoiled is not None and not (differs and wrong):
        return Finding([], False, told)  # each of the two has to notice
    return Finding([*([differs] if differs else []), *wrong], seen["steps"] >= size.steps, told)


FIGURE = Figure(
    "R21", "mismatches", run, {"smoke": Size(200, 30), "full": Size(20_000, 600)}, mutant="stale_tickets"
)


# -- tests


def test_one_caller_and_a_model(server: Server, world: World, loop: asyncio.Runner) -> None:
    number = random.randrange(1 << 16)
    differs, seen = alone((server, world, loop), 200, number)
    print(number, json.dumps(seen))
    assert differs is None
    assert seen["steps"] >= 200


def test_the_model_notices_what_is_remembered_too_long(server: Server, world: World, loop: asyncio.Runner) -> None:
    with _remembering(True):
        differs, _ = alone((server, world, loop), LEAST_SPOILED, 1)
    assert differs is not None


def test_fifty_callers() -> None:
    wrong, did = together(12, None)
    print(did)
    assert wrong == []
    assert min(did.values()) > CALLERS


@pytest.mark.parametrize(
    ("read", "is_right"),
    [
        (("a", "b"), True),
        (("a",), False),  # b was acknowledged before
        (("b", "a"), False),  # another order than its caller's
        (("a", "b", "b"), False),
        (("a", "b", "c"), False),  # never written
    ],
)
def test_the_judge_of_lists(read: tuple[str, ...], is_right: bool) -> None:
    appended = [Event(1, "t", 0, 1, "a"), Event(1, "t", 2, 3, "b")]
    assert (judge(History(appended, [Event(2, "t", 4, 5, read)])) == []) is is_right
    early = Event(2, "t", 1.5, 2.5, ("a",))
    assert (judge(History(appended, [early, Event(2, "t", 4, 5, read)])) == []) is is_right


@pytest.mark.parametrize(
    ("value", "asked", "is_right"), [(2, 10, True), (1, 10, False), (1, 2.5, True), (3, 10, False), (2, 1.5, False)]
)
def test_the_judge_of_levels(value: int, asked: float, is_right: bool) -> None:
    sets = [Event(1, "s", 0, 1, 1), Event(1, "s", 2, 3, 2)]
    seen = [Event(2, "s", asked, asked + 0.2, value)]
    assert (judge(History(set=sets, seen=seen)) == []) is is_right


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
