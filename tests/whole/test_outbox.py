"""R18. What happened is told, and nothing else: event and letter come with the change, whoever is killed.

Many small downloads of three shops finish while workers, backends and the postmaster are killed at random moments;
some are cancelled on the way. In the end each finished download has exactly one event and at least one letter, and
nothing else has any. An export takes some hundredths of a second longer here than by itself, so that there is time
to kill.

As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_outbox --size full --seed 7
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.jobs import CRASHES, Auditor, Crew, Figure, Finding, ask, auditing, start_download
from tests.support.mailbox import Mailbox, mailbox
from tests.support.program import Client, Program, serving, wait_until
from tradepost.domain.downloads import PRODUCTS

EXPORT_SECONDS = 0.1
ABOUT = re.compile(r"^Download ([0-9a-f]{24})$", re.MULTILINE)
LIMITS = json.dumps({"merchant/default": 10_000_000})


@dataclass(frozen=True)
class Size:
    """How many downloads, and how many kills at most."""

    downloads: int
    kills: int


def run(size: Size, seed: int, spoiled: str | None) -> Finding:
    """So many downloads, with kills until all of them have ended."""
    source = random.Random(seed)
    with (
        mailbox() as box,
        serving("--workers", "2", spoiled=spoiled, rate_limits=LIMITS, **mail_settings(box)) as running,
        auditing(running) as auditor,
    ):
        members = running.credentials()["merchants"]
        for member in members:
            auditor.stock_up(member["id"], 100, 1)
        auditor.slow_exports(EXPORT_SECONDS)
        auditor.watch()
        before = [row["id"] for row in auditor.rows("select id from event")]  # of the seed: tickets, infractions
        crew = Crew(running, auditor, source)
        job_ids = _ask_for(running, members, size.downloads)
        tokens = {member["id"]: member["access_token"] for member in members}
        kills = _kill_until_ended(running, auditor, crew, source, tokens, size.kills)
        auditor.await_end(job_ids, seconds=600)
        taken_over = auditor.value("select count(*) from moved where taken_over")
        states = {row["id"]: row["state"] for row in auditor.rows("select id, state from job")}
        of_events = "select topic, about ->> 'job_id' as job_id, id, told_at from event where id <> all ($1)"
        events = list(map(dict, auditor.rows(of_events, before)))
        letters = list(map(dict, auditor.rows("select event_id, sent_at, refused from mail")))
        assert running.stop() == 0
    arrived = Counter(found[1] for letter in box.letters if (found := ABOUT.search(letter.text)))
    wrong = judge({job_id: states[job_id] for job_id in job_ids}, events, letters, arrived, kills)
    told = {
        "downloads": size.downloads,
        **Counter(states[job_id] for job_id in job_ids),
        "kills": kills,
        "taken-over": taken_over,
        "letters": arrived.total(),
    }
    return Finding(wrong, taken_over > 0, told)


def mail_settings(box: Mailbox) -> Mapping[str, object]:
    """The settings of a program whose letters go to this mailbox."""
    return {"smtp_host": "127.0.0.1", "smtp_port": box.port, "smtp_security": "none"}


def _ask_for(running: Program, members: Sequence[Mapping[str, str]], downloads: int) -> list[str]:
    clients = [Client(running.merchant, member["access_token"]) for member in members]
    job_ids = [start_download(clients[number % len(clients)]) for number in range(downloads)]
    for client in clients:
        client.close()
    return job_ids


def _kill_until_ended(
    running: Program, auditor: Auditor, crew: Crew, source: random.Random, tokens: Mapping[str, str], most: int
) -> int:
    """Kill, and cancel what waits after every third time; gives how often was killed."""
    kills = 0
    while kills < most and auditor.value("select count(*) from job where state in ('pending', 'running')"):
        time.sleep(source.uniform(0.05, 0.5))  # the moment of a kill must be anybody's guess
        crew.strike(CRASHES[kills % len(CRASHES)])
        kills += 1
        waiting = auditor.rows("select account_id, id from job where kind = $1 and state = 'pending'", PRODUCTS)
        if waiting and kills % len(CRASHES) == 0:
            account_id, job_id = source.choice(waiting)
            with Client(running.merchant, tokens[account_id]) as client:
                ask(client, "product/cancel-download-job", job_id=job_id)
        wait_until(lambda: bool(auditor.value("select cardinality(live_workers())")), what="a worker")
    return kills


def judge(
    states: Mapping[str, str],
    events: Sequence[Mapping[str, Any]],
    letters: Sequence[Mapping[str, Any]],
    arrived: Mapping[str, int],
    kills: int,
) -> list[str]:
    """Where changes, events and letters disagree, one line each; `states` are those of the downloads by id."""
    wrong = [f"{job_id} is {state}" for job_id, state in states.items() if state not in ("finished", "cancelled")]
    happened = Counter(event["job_id"] for event in events)
    written = Counter(letter["event_id"] for letter in letters)
    for job_id, state in states.items():
        expected = int(state == "finished")
        if happened[job_id] != expected:
            wrong.append(f"{job_id} is {state} and has {happened[job_id]} events")
        if not expected <= arrived.get(job_id, 0) <= expected * (1 + kills):
            wrong.append(f"{job_id} is {state} and {arrived.get(job_id, 0)} letters came about it")
    wrong += [f"{job_id}: an event about no download" for job_id in happened if job_id not in states]
    for event in events:
        if event["topic"] != "download_ready" or event["told_at"] is None or written[event["id"]] != 1:
            wrong.append(f"{event['job_id']}: {event['topic']} was told at {event['told_at']}")
    return wrong + [f"a letter was not sent: {letter['refused']}" for letter in letters if not letter["sent_at"]]


FIGURE = Figure(
    "R18",
    "changes-not-told-or-untrue",
    run,
    {"smoke": Size(50, 30), "full": Size(1_000, 100)},
    mutant="event_apart",
)


# -- tests


def test_every_change_is_told_and_nothing_else() -> None:
    seed = random.randrange(1 << 16)
    found = run(Size(24, 20), seed, None)
    print(seed, found.told)
    assert found.wrong == []
    assert found.tried


def test_the_judge_sees_what_was_not_told_or_never_happened() -> None:
    """A judge that finds nothing wrong must be able to find something."""

    def event(job_id: str, topic: str = "download_ready", told: str | None = "now") -> dict[str, object]:
        return {"topic": topic, "job_id": job_id, "id": f"event of {job_id}", "told_at": told}

    letter = {"event_id": "event of a", "sent_at": "now", "refused": None}
    states = {"a": "finished", "b": "cancelled"}
    assert not judge(states, [event("a")], [letter], {"a": 1}, 0)
    assert not judge(states, [event("a")], [letter], {"a": 3}, 2)
    assert judge(states, [event("a")], [letter], {"a": 3}, 1)
    assert judge(states, [event("a")], [letter], {}, 1)
    assert judge(states, [], [], {}, 0)
    assert judge(states, [event("a"), event("a")], [letter], {"a": 1}, 0)
    assert judge(states, [event("a"), event("b")], [letter], {"a": 1}, 0)
    assert judge(states, [event("a"), event("c")], [letter], {"a": 1}, 0)
    assert judge(states, [event("a", told=None)], [letter], {"a": 1}, 0)
    assert judge(states, [event("a")], [letter, letter], {"a": 1}, 0)
    assert judge(states, [event("a")], [{**letter, "sent_at": None}], {"a": 1}, 0)
    assert judge({**states, "d": "failed"}, [event("a")], [letter], {"a": 1}, 0)


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
