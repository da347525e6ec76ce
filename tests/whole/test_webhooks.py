"""R17. What happened is told at least once to every receiver that recovers in time, signed, and nowhere else.

Things happen in a shop while its receivers answer 500, 302, 410, 429 with Retry-After, hang, cut, drip, send
without end, or show a certificate that nobody knows, and while workers are killed. The world's clock is moved to
whatever is due next. A receiver that hangs must not delay another by more than a second.

As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_webhooks --size full --seed 7
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.support.jobs import Auditor, Crew, Figure, Finding, auditing
from tests.support.program import Client, Program, serving, wait_until
from tests.support.receivers import HOPELESS, RECOVERING, Receivers, receivers
from tradepost.domain.webhooks.schedule import MOST_ATTEMPTS, PAUSES

SLACK_SECONDS = 60.0
"""How long something that is due may wait for its turn behind what the same receiver answers slowly."""
MOST_DELAY = 1.0
AT_ONCE = 4
_HAPPENS = """
    with happened as (
        insert into event (account_id, id, topic, about, happened_at)
        select $1, md5(random()::text || n)::char(24), 'order_released', jsonb_build_object('order_id', $3 || n),
               world_now()
          from generate_series(1, $2::integer) n returning id),
    told as (
        insert into job (account_id, id, kind, lane, arguments, created_at, due_at)
        select $1, id, 'tell_event', 'outbox:tell_event', jsonb_build_object('event_id', id), world_now(),
               clock_timestamp()
          from happened returning id)
    select count(*), pg_notify('tradepost_jobs', '') from told
"""
_WAITING = "select count(*) from job where kind = 'tell_event' and state in ('pending', 'running')"
_OPEN = """
    select count(*) from webhook_delivery d join webhook_subscription s on s.id = d.subscription_id
     where d.state = 'pending' and s.is_active
"""
_NEXT = "select min(due_at) from webhook_subscription where is_active and due_at is not null"
_MOVE = "update world_clock set shift = greatest(shift, $1::timestamptz - clock_timestamp()) returning true"


@dataclass(frozen=True)
class Size:
    """How many things happen (each is told to every receiver), and how often a worker is killed."""

    events: int
    kills: int


def run(size: Size, seed: int, spoiled: str | None) -> Finding:
    """So many things, told until nothing waits any more."""
    source = random.Random(seed)
    faults = {"500": 5, "302": 3, "429": 1, "hang": 1, "cut": 4}
    with receivers(faults) as met:
        allow = json.dumps([f"127.0.0.1:{met.port}", f"127.0.0.1:{met.tls_port}"])
        with serving(spoiled=spoiled, egress_allow=allow) as running, auditing(running) as auditor:
            shop = running.credentials()["merchants"][0]
            subscriptions = _subscribe(running, shop["access_token"], met)
            delay = _delay(auditor, met, shop["id"])
            auditor.value(_HAPPENS, shop["id"], size.events, "e")
            kills = _kill_some(running, auditor, source, size.kills)
            _tell_everything(auditor)
            of_all = (
                "select d.id, d.subscription_id, d.state, "
                "array_agg(a.started_at order by a.number) as tried from webhook_delivery d "
                "left join webhook_attempt a on a.delivery_id = d.id group by d.merchant_id, d.id"
            )
            deliveries = [dict(row) for row in auditor.rows(of_all)]
            active = {row["id"] for row in auditor.rows("select id from webhook_subscription where is_active")}
            assert running.stop() == 0
    names = {told["id"]: name for name, told in subscriptions.items()}
    secrets = {name: told["secret"] for name, told in subscriptions.items()}
    stopped = {names[found] for found in names.keys() - active}
    wrong = judge(met, deliveries, names, secrets, kills)
    wrong += [f"{name} was stopped" for name in stopped - {"gone"}] + (
        ["gone goes on"] if "gone" not in stopped else []
    )
    if delay > MOST_DELAY:
        wrong.append(f"a receiver that hangs delays another by {delay:.1f} s")
    happened = len(deliveries) // len(names)
    told = {"events": happened, "deliveries": len(deliveries), "messages": len(met.messages), "kills": kills}
    return Finding(wrong, kills > 0 or size.kills == 0, {**told, "delay": round(delay, 2)})


def _subscribe(running: Program, token: str, met: Receivers) -> dict[str, Any]:
    found = {}
    with Client(running.merchant, token) as client:
        for name in (*RECOVERING, *HOPELESS):
            reply = client.post("/api/v3/webhook/subscriptions", {"topic_id": "2", "endpoint": met.url(name)})
            assert reply.status == 200, reply.body
            found[name] = reply.data
    return found


def _delay(auditor: Auditor, met: Receivers, shop: str) -> float:
    """How much later things arrive at one receiver while another hangs than before: the worst of some times."""
    worst = []
    for met.hanging in (False, True):
        lags = []
        for number in range(4):
            before, began = met.met["ok"], time.monotonic()
            auditor.value(_HAPPENS, shop, 1, f"lag{met.hanging}{number}-")
            wait_until(lambda before=before: met.met["ok"] > before, 30, "a message")  # type: ignore[misc]
            lags.append(time.monotonic() - began)
        worst.append(max(lags))
    met.hanging = False
    return worst[1] - worst[0]


def _kill_some(running: Program, auditor: Auditor, source: random.Random, most: int) -> int:
    crew = Crew(running, auditor, source)
    for _ in range(most):
        time.sleep(source.uniform(0.1, 0.6))  # the moment of a kill must be anybody's guess
        crew.strike("worker")
        wait_until(lambda: bool(auditor.value("select cardinality(live_workers())")), what="a worker")
    return most


def _tell_everything(auditor: Auditor) -> None:
    """Move the clock to what is due next until nothing waits."""
    wait_until(lambda: auditor.value(_WAITING) == 0, 120, "telling")
    deadline = time.monotonic() + 900
    while auditor.value(_OPEN):
        assert time.monotonic() < deadline, "something waits for ever"
        due = auditor.value(_NEXT)
        if due is not None:
            auditor.value(_MOVE, due)
        time.sleep(0.05)


def judge(
    met: Receivers,
    deliveries: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
    secrets: Mapping[str, str],
    kills: int,
) -> list[str]:
    """What was lost, came twice, was not ours, or came at the wrong time, one line each."""
    taken = Counter(
        (message.path, message.headers["webhook-id"]) for message in met.messages if message.status == 200
    )
    wrong = [f"{message.path}: followed" for message in met.messages if message.path == "redirected"]
    for found in deliveries:
        name = names[found["subscription_id"]]
        arrived = taken[name, found["id"]]
        if name in RECOVERING and (found["state"] != "delivered" or not arrived):
            wrong.append(f"{name}: {found['id']} is {found['state']} and arrived {arrived} times")
        tried = [at for at in found["tried"] if at is not None]
        if name in ("never", "tls") and (found["state"], len(tried)) != ("failed", MOST_ATTEMPTS):
            wrong.append(f"{name}: {found['id']} is {found['state']} after {len(tried)} attempts")
        for pause, gap in zip(PAUSES, (b - a for a, b in pairwise(tried)), strict=False):
            least, most = pause.total_seconds() * 0.8, pause.total_seconds() * 1.2 + SLACK_SECONDS
            if not least <= gap.total_seconds() <= most:
                wrong.append(f"{name}: {found['id']} was tried again after {gap} instead of {pause}")
    twice = sum(count - 1 for count in taken.values())
    if twice > kills * AT_ONCE * len(RECOVERING) + len(deliveries) // 100:
        wrong.append(f"{twice} messages came twice")
    for message in met.messages:
        try:
            Webhook(secrets[message.path]).verify(message.body, dict(message.headers))
        except (KeyError, WebhookVerificationError) as error:
            wrong.append(f"{message.path}: {error!r}")
    return wrong


FIGURE = Figure(
    "R17",
    "messages-lost-or-wrong",
    run,
    {"smoke": Size(10, 2), "full": Size(900, 10)},
    mutant="sent_is_arrived",
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
