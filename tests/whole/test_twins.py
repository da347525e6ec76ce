"""R04: a call with an Idempotency-Key is done once, however often and however simultaneously it is sent.

    python -m tests.whole.test_twins --size full

A storefront buys a cart per key. Twenty twins of each call start at a barrier; of every tenth key half of them ask
for something else. Now and then a server process is killed under them with kill -9. Afterwards each call is sent
once more, then once more when the platform's clock says 23 hours and 59 minutes, and some of them again after 24
hours, when they are to be done anew. Every fifth key is used by another operator as well, for a cart of his own.

Wrong is: an effect that is not there or is there twice, two different answers, another request that is not refused
(422), a twin that is neither answered nor told to come again (409), and a key that matches another operator's.

The mutant looks for the key first and writes it when all is done, and nobody holds it in between.
"""

from __future__ import annotations

import http.client
import random
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.support.jobs import Auditor, Figure, Finding, ask, auditing
from tests.support.program import Client, Program, Reply, kill, serving

TWINS = 20
SKU = "as-many-as-you-like"
PLACE = "/api/operator/v1/orders/place"
LIMITS = '{"operator/default": 10000000}'
ADDRESS = {"recipient": "A Buyer", "street_address1": "1 Street", "city": "Rogers", "country": "US"}
LATER = (409, 503)
"""What says that the same call is to be sent again shortly."""


@dataclass
class Call:
    """One key with what is asked under it, and everything that was answered."""

    key: str
    body: Mapping[str, Any]
    other: Mapping[str, Any] | None
    """What some twins ask for instead."""
    answers: list[tuple[bool, int, bytes]] = field(default_factory=list)
    """Whether it was the other body, the status and the answer; nothing that was lost on its way."""
    overlapped: bool = False
    killed: bool = False

    def judge(self, effects: int) -> list[str]:
        """What is wrong with the answers, and with so many effects."""
        good = {(is_other, body) for is_other, status, body in self.answers if status == 200}
        wrong = [f"{effects} effects"] if effects != 1 else []
        if len(good) != 1:
            return [*wrong, f"{len(good)} different answers"]
        ((winner, _),) = good
        for is_other, status, body in self.answers:
            expected = (200, *LATER) if is_other == winner else (422, *LATER)
            if status not in expected:
                wrong.append(f"answered {status}: {body[:200]!r}")
        return wrong


class Storefront:
    """Somebody with a token and a connection per twin."""

    def __init__(self, running: Program, token: str) -> None:
        self._clients = [Client(running.merchant, token) for _ in range(TWINS)]
        self._pool = ThreadPoolExecutor(TWINS)

    def close(self) -> None:
        """Close all connections."""
        self._pool.shutdown()
        for client in self._clients:
            client.close()

    def together(self, call: Call) -> None:
        """All twins at once."""
        barrier = threading.Barrier(TWINS)

        def twin(number: int) -> tuple[float, float]:
            is_other = call.other is not None and number % 2 == 1
            barrier.wait()
            began = time.monotonic()
            self._send(number, call, is_other)
            return began, time.monotonic()

        spans = list(self._pool.map(twin, range(TWINS)))
        call.overlapped = max(began for began, _ in spans) < min(ended for _, ended in spans)

    def again(self, call: Call, seconds: float = 30.0) -> bytes:
        """The same call, until it is answered for good; gives the answer."""
        deadline = time.monotonic() + seconds
        is_other = any(is_other and status == 200 for is_other, status, _ in call.answers)
        while True:
            reply = self._send(0, call, is_other)
            if reply is not None and reply.status not in LATER:
                return reply.body
            assert time.monotonic() < deadline, f"{call.key} is never answered"
            time.sleep(0.05)

    def _send(self, number: int, call: Call, is_other: bool) -> Reply | None:
        body = call.other if is_other and call.other is not None else call.body
        try:
            reply = self._clients[number].post_json(PLACE, body, {"Idempotency-Key": call.key})
        except (OSError, http.client.HTTPException):
            return None
        call.answers.append((is_other, reply.status, reply.body))
        return reply


def _token(running: Program, name: str) -> str:
    running.told("operator", "add", name)
    return running.told("operator", "token", "issue", name).strip()


def _call(number: int, merchant_id: str, buyer: str) -> Call:
    body = {
        "merchant_id": merchant_id,
        "buyer_id": buyer,
        "items": [{"sku": SKU, "quantity": 1}],
        "address": ADDRESS,
    }
    other = {**body, "items": [{"sku": SKU, "quantity": 2}]} if number % 10 == 0 else None
    return Call(f"cart-{number}", body, other)


def _effects(auditor: Auditor, calls: list[Call]) -> Mapping[str, int]:
    found = auditor.rows(
        "select buyer_id, count(*) from orders where buyer_id = any($1) group by 1",
        [call.body["buyer_id"] for call in calls],
    )
    return {row[0]: row[1] for row in found}


def _judged(auditor: Auditor, calls: list[Call], when: str) -> list[str]:
    effects = _effects(auditor, calls)
    return [
        f"{when}, {call.key}: {wrong}"
        for call in calls
        for wrong in call.judge(effects.get(call.body["buyer_id"], 0))
    ]


def run(keys: int, seed: int, spoiled: str | None) -> Finding:
    """So many keys in one shop."""
    source = random.Random(seed)
    with serving("--workers", "2", spoiled=spoiled, rate_limits=LIMITS) as running, auditing(running) as auditor:
        member = running.credentials()["merchants"][0]
        _stock(running, member["access_token"])
        shop, other_shop = (Storefront(running, _token(running, name)) for name in ("shop", "other"))
        calls = [_call(number, member["id"], f"{source.randrange(1 << 96):024x}") for number in range(keys)]
        struck = set(source.sample(range(keys), max(3, keys // 25)))
        for number, call in enumerate(calls):
            if number in struck:
                call.killed = True
                victim = source.choice(running.web_pids() or [0])
                timer = threading.Timer(source.uniform(0.0, 0.02), kill, [victim] if victim else [])
                timer.start()
            shop.together(call)
        for call in calls:
            shop.again(call)
        wrong = _judged(auditor, calls, "at once")
        others = [_call(1, member["id"], f"{source.randrange(1 << 96):024x}") for _ in calls[::5]]
        for call, theirs in zip(calls[::5], others, strict=True):
            theirs.key = call.key
            other_shop.again(theirs)
        wrong += _judged(auditor, others, "another operator's")
        wrong += _a_day_later(auditor, shop, calls)
        shop.close()
        other_shop.close()
        assert running.stop() == 0
    lost = [call for call in calls if call.killed and sum(status == 200 for _, status, _ in call.answers) < TWINS]
    overlapped = sum(call.overlapped for call in calls)
    bound = f"{3 / keys:.4f}/key"
    told = {"n": f"{keys}x{TWINS}", "overlapped": overlapped, "kills": len(struck), "cut": len(lost)}
    return Finding(wrong, overlapped > keys // 2 and bool(lost), {**told, "bound95": bound})


def _a_day_later(auditor: Auditor, shop: Storefront, calls: list[Call]) -> list[str]:
    """At 23 h 59 nothing is done again; after 24 hours everything is new."""
    move = "update world_clock set shift = (select {0}(used_at) from idempotency_key) + $1 - clock_timestamp()"
    auditor.rows(f"{move.format('min')} returning true", timedelta(hours=23, minutes=59))
    for call in calls:
        shop.again(call)
    wrong = _judged(auditor, calls, "at 23:59")
    auditor.rows(f"{move.format('max')} returning true", timedelta(hours=24))
    for call in calls[:20]:
        before = {body for _, status, body in call.answers if status == 200}
        if shop.again(call) in before:
            wrong.append(f"after a day, {call.key}: answered as before")
    return wrong


def _stock(running: Program, token: str) -> None:
    with Client(running.merchant, token) as client:
        ask(
            client,
            "product/add",
            name="As many as you like",
            description="There are enough.",
            sku=SKU,
            inventory=500_000,
            price=10,
            shipping=2,
            main_image="https://pictures.example/many.jpg",
        )


FIGURE = Figure("R04", "keys-not-once", run, {"smoke": 100, "full": 1_000}, mutant="key_apart")


# -- tests


def test_what_is_sent_twenty_times_is_done_once() -> None:
    seed = random.randrange(1 << 16)
    found = run(30, seed, None)
    print(seed, found.told)
    assert found.wrong == []
    assert found.tried


def test_without_holding_the_key_it_is_done_more_than_once() -> None:
    assert run(10, 1, "key_apart").wrong


def test_the_judge_sees_every_fault() -> None:
    def judged(*answers: tuple[bool, int, bytes], effects: int = 1) -> list[str]:
        return Call("k", {}, {}, list(answers)).judge(effects)

    done = (False, 200, b"a")
    assert judged(done, done, (False, 409, b""), (True, 422, b"")) == []
    assert judged((True, 200, b"b"), (False, 422, b"")) == []
    assert judged(done, effects=2), "bought twice"
    assert judged(done, effects=0), "never bought"
    assert judged(done, (False, 200, b"b")), "two answers"
    assert judged(done, (True, 200, b"a")), "another call had the answer"
    assert judged(done, (False, 500, b"")), "a fault of ours"
    assert judged(done, (False, 422, b"")), "the same call was taken for another one"
    assert judged(effects=0), "no answer at all"


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
