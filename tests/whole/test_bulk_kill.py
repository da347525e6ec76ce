"""R01. A bulk update is applied once, whoever is killed: servers, workers, the database.

One bulk update runs while something is killed every 50 to 300 milliseconds of work, and somebody else changes some
of the same SKUs by single calls. An auditor in the database notes every write to a stock level. In the end that is
held against the rows, against what the other writer was told, and against the lists of a twin: the same update in
another shop with the same goods, which nobody disturbed.

A pack of rows takes 0.2 seconds longer here than by itself, so that kills land inside of the job.

As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_bulk_kill --size full --seed 7
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.jobs import OPEN, Auditor, Crew, Figure, Finding, ask, auditing, result_list, start_bulk
from tests.support.program import Client, Program, serving
from tests.whole.test_kill import Ledger, Watch, Write
from tradepost.domain.bulk_updates import PACK_ROWS

PACK_SECONDS = 0.2
VARIATIONS = 5
BY_OTHERS = 200_000  # the other writer's values are higher, those of the rows lower
KINDS = ("worker", "postmaster", "web", "backend")
CHANGED_SINCE = 1002
LIMITS = json.dumps({"merchant/default": 10_000_000})
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Size:
    """How many rows, and how many kills at most."""

    rows: int
    kills: int


def make_rows(source: random.Random, size: int) -> list[Row]:
    """Rows as a careless shop sends them: some SKUs twice, near or far, some unknown, some values that are none."""
    rows: list[Row] = []
    for number in range(1, size + 1):
        sku, chance = f"sku-{number}", source.random()
        if rows and chance < 0.03:
            sku = source.choice(rows[-50:] if chance < 0.015 else rows)["sku"]
        row: dict[str, Any] = {"sku": sku, "inventory": source.randrange(BY_OTHERS)}
        chance = source.random()
        if chance < 0.01:
            row["sku"] = f"nobodys-{number}"
        elif chance < 0.02:
            row["inventory"] = source.choice([-1, 500_001, "many", 1.5])
        elif chance < 0.12:
            row["enabled"] = source.random() < 0.5
        rows.append(row)
    return rows


def is_good(row: Row) -> bool:
    """Whether nothing is wrong with a row by itself."""
    return row["sku"].startswith("sku-") and isinstance(row["inventory"], int) and 0 <= row["inventory"] < BY_OTHERS


class OtherWriter(threading.Thread):
    """Sets the stock of some SKUs by single calls, again and again, until told to stop."""

    def __init__(self, running: Program, token: str, skus: Sequence[str], source: random.Random) -> None:
        super().__init__(name="other writer")
        self._client = Client(running.merchant, token)
        self._source = source
        self._skus = skus
        self.watch = Watch()
        self.ledgers: dict[str, Ledger] = {}

    def run(self) -> None:
        """Note, ask, note."""
        number = BY_OTHERS
        while not self.watch.over.is_set():
            number += 1
            sku = self._source.choice(self._skus)
            write = Write(number)
            self.ledgers.setdefault(sku, Ledger("inventory", sku)).writes.append(write)
            call = self._source.choice(["variant/update", "variant/update-inventory"])
            try:
                reply = self._client.post(f"/api/v2/{call}", {"sku": sku, "inventory": number})
                write.outcome = self.watch.judge(reply)
            except (OSError, http.client.HTTPException):
                write.outcome = "unknown"
            self.watch.answers[write.outcome] += 1
            if write.outcome == "unknown":
                self._client.close()
                time.sleep(0.02)
        self._client.close()


@dataclass(frozen=True)
class Ended:
    """An update that has ended, as its shop sees it and as the auditor does."""

    status: Mapping[str, Any]
    successes: list[str]
    failures: list[tuple[str, int]]
    stock: Mapping[str, tuple[int, bool]]
    """How many pieces there are of each SKU, and whether it is on sale."""
    applications: Mapping[str, int] = field(default_factory=dict)
    """How often the update wrote each SKU's stock."""
    overwritten: Sequence[str] = ()
    """The SKUs whose newer stock the update wrote over."""


def judge(rows: Sequence[Row], ended: Ended, twin: Ended, ledgers: Mapping[str, Ledger]) -> list[str]:
    """What is wrong with an update, one line each; `twin` is the same one where nobody disturbed it."""
    late = Counter(sku for sku, code in ended.failures if code == CHANGED_SINCE)
    outcomes = outcomes_of(rows, late)
    wrong = [f"{sku} was refused as changed since, and nobody had" for sku in late if sku not in ledgers]
    if twin.successes != [row["sku"] for row in rows if is_good(row)]:
        wrong.append("the twin did not apply the good rows")
    reasons = iter(twin.failures)
    failures = []
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome != "applied":
            failures.append((row["sku"], CHANGED_SINCE) if outcome == "late" else next(reasons, ("", 0)))
    if ended.failures != failures:
        wrong.append("the failures are not those of the twin and what was changed since")
    if ended.successes != [row["sku"] for row, how in zip(rows, outcomes, strict=True) if how == "applied"]:
        wrong.append("the successes are not those of the twin without what was changed since")
    told = ended.status
    counts = (told["processed_count"], told["success_count"], told["failure_count"])
    if counts != (len(rows), len(ended.successes), len(ended.failures)):
        wrong.append(f"{len(rows)} rows, {len(ended.successes)} and {len(ended.failures)} in the lists: {counts}")
    if (told["status"], told["state"]) != (4, "FINISHED"):
        wrong.append(f"it is {told['state']}")
    return wrong + judge_data(rows, outcomes, ended, ledgers)


def outcomes_of(rows: Sequence[Row], late: Mapping[str, int]) -> list[str]:
    """What became of each row: applied, failed or late. Once a row of a SKU is late, so are those after it."""
    left = Counter(late)
    outcomes = []
    for row in reversed(rows):
        outcome = "applied" if is_good(row) else "failed"
        if outcome == "applied" and left[row["sku"]] > 0:
            left[row["sku"]] -= 1
            outcome = "late"
        outcomes.append(outcome)
    return outcomes[::-1]


def judge_data(
    rows: Sequence[Row], outcomes: Sequence[str], ended: Ended, ledgers: Mapping[str, Ledger]
) -> list[str]:
    """Where the goods are not what the outcomes of the rows say."""
    packs: defaultdict[str, set[int]] = defaultdict(set)
    expected = {row["sku"]: (0, True) for row in rows if is_good(row)}
    for at, (row, outcome) in enumerate(zip(rows, outcomes, strict=True)):
        if outcome == "applied":
            packs[row["sku"]].add(at // PACK_ROWS)
            expected[row["sku"]] = (row["inventory"], row.get("enabled", expected[row["sku"]][1]))
    wrong = [f"{sku}: a newer change was written over" for sku in ended.overwritten]
    for sku, (inventory, enabled) in expected.items():
        applied = ended.applications.get(sku, 0)
        if applied != len(packs[sku]):
            wrong.append(f"{sku}: applied {applied} times instead of {len(packs[sku])}")
        possible = {inventory}
        if sku in ledgers:
            possible = ledgers[sku].possible_last() - {0}
            if not ledgers[sku].outcomes("acknowledged"):
                possible.add(inventory)
        found = ended.stock[sku]
        if found[0] not in possible or found[1] != enabled:
            wrong.append(f"{sku}: it is {found} and not one of {sorted(possible)}, {enabled}")
    return wrong


class Shop:
    """One of the cast, filled with goods, that sends the update."""

    def __init__(self, running: Program, auditor: Auditor, member: Mapping[str, str], size: Size) -> None:
        self.id = member["id"]
        self.token = member["access_token"]
        self.client = Client(running.merchant, self.token)
        self._auditor = auditor
        auditor.stock_up(self.id, size.rows // VARIATIONS, VARIATIONS)

    def look(self, job_id: str) -> Ended:
        """How an update ended, page by page."""
        failures = result_list(self.client, "failures", job_id)
        found = self._auditor.rows(
            """
            select v.sku, s.inventory, v.enabled from variation v
              join stock s
                on s.merchant_id = v.merchant_id and s.product_id = v.product_id and s.variation_id = v.id
             where v.merchant_id = $1
            """,
            self.id,
        )
        return Ended(
            ask(self.client, "variant/get-bulk-update-job-status", job_id=job_id),
            result_list(self.client, "successes", job_id),
            [(failed["sku"], failed["error_code"]) for failed in failures],
            {row["sku"]: (row["inventory"], row["enabled"]) for row in found},
        )

    def audit(self, job_id: str) -> Ended:
        """The same with what the auditor noted."""
        found = self._auditor.rows(
            """
            select v.sku, count(*) as times, coalesce(bool_or(a.old_rev > a.rev), false) as was_newer
              from applied a
              join variation v
                on v.merchant_id = a.merchant_id and v.product_id = a.product_id and v.id = a.variation_id
              join job j on j.account_id = a.merchant_id and (j.arguments ->> 'revision')::bigint = a.rev
             where j.account_id = $1 and j.id = $2
             group by v.sku
            """,
            self.id,
            job_id,
        )
        return replace(
            self.look(job_id),
            applications={row["sku"]: row["times"] for row in found},
            overwritten=[row["sku"] for row in found if row["was_newer"]],
        )


def run(size: Size, seed: int, spoiled: str | None) -> Finding:
    """One update with its twin, killed at."""
    source = random.Random(seed)
    rows = make_rows(source, size.rows)
    some = source.sample(sorted({row["sku"] for row in rows if is_good(row)}), size.rows // 100)
    with serving("--workers", "2", spoiled=spoiled, rate_limits=LIMITS) as running, auditing(running) as auditor:
        shop, other = (Shop(running, auditor, member, size) for member in running.credentials()["merchants"][:2])
        crew = Crew(running, auditor, source)
        undisturbed = start_bulk(other.client, rows)
        auditor.await_end([undisturbed])
        twin = other.look(undisturbed)
        auditor.watch()
        if spoiled is None:  # the mutant takes its time by itself, where it hurts
            auditor.slow_packs(PACK_SECONDS)
        job_id = start_bulk(shop.client, rows)
        writer = OtherWriter(running, shop.token, some, source)
        writer.start()
        try:
            kills = _kill_until_ended(crew, auditor, job_id, size.kills, source)
            auditor.await_end([job_id])
        finally:
            writer.watch.over.set()
            writer.join()
        ended = shop.audit(job_id)
        for client in (shop.client, other.client):
            client.close()
        in_window = _count_before_end(auditor, job_id, kills)
        taken_over = auditor.rows("select position from moved where job_id = $1 and taken_over", job_id)
        assert running.stop() == 0
    wrong = judge(rows, ended, twin, writer.ledgers) + writer.watch.forbidden
    places = len(set(map(tuple, taken_over)))
    told = {
        "rows": size.rows,
        "kills": len(kills),
        "in-window": in_window,
        "taken-over": len(taken_over),
        "at-packs": places,
        "changed-since": sum(code == CHANGED_SINCE for _, code in ended.failures),
        "single-writes": writer.watch.answers["acknowledged"],
    }
    return Finding(wrong, in_window > 0 and places > 1, told)


def _kill_until_ended(crew: Crew, auditor: Auditor, job_id: str, kills: int, source: random.Random) -> list[float]:
    moments: list[float] = []
    while len(moments) < kills and auditor.job(job_id)["state"] in OPEN:
        time.sleep(source.uniform(0.05, 0.3))  # the moment of a kill must be anybody's guess
        moments.append(time.time())
        crew.disturb(KINDS[len(moments) % len(KINDS)], job_id)
    return moments


def _count_before_end(auditor: Auditor, job_id: str, moments: Iterable[float]) -> int:
    ended = auditor.value(
        "select extract(epoch from max(at))::float from moved where job_id = $1 and state = 'finished'", job_id
    )
    return sum(moment < ended for moment in moments) if ended else 0


FIGURE = Figure(
    "R01",
    "lost-doubled-or-overwritten",
    run,
    {"smoke": Size(20_000, 9), "full": Size(100_000, 60)},
    mutant="cursor_apart",
)


# -- tests


def test_a_bulk_update_outlives_kills_and_is_applied_once() -> None:
    FIGURE.check()


def test_the_judge_sees_what_was_lost_doubled_or_overwritten() -> None:
    """A judge that finds nothing wrong must be able to find something."""
    rows: list[Row] = [
        {"sku": "sku-1", "inventory": 10},
        {"sku": "nobodys-2", "inventory": 20},
        {"sku": "sku-3", "inventory": 30, "enabled": False},
        {"sku": "sku-1", "inventory": 40},
    ]
    unknown = ("nobodys-2", 29)
    twin = Ended({}, ["sku-1", "sku-3", "sku-1"], [unknown], {})
    finished = {"status": 4, "state": "FINISHED", "processed_count": 4, "success_count": 3, "failure_count": 1}
    ended = replace(
        twin,
        status=finished,
        stock={"sku-1": (40, True), "sku-3": (30, False)},
        applications={"sku-1": 1, "sku-3": 1},
    )
    assert not judge(rows, ended, twin, {})
    assert judge(rows, replace(ended, status={**finished, "state": "FAILED"}), twin, {})
    assert judge(rows, replace(ended, status={**finished, "processed_count": 5}), twin, {})
    assert judge(rows, replace(ended, applications={"sku-1": 1}), twin, {})
    assert judge(rows, replace(ended, applications={"sku-1": 2, "sku-3": 1}), twin, {})
    assert judge(rows, replace(ended, stock={**ended.stock, "sku-1": (10, True)}), twin, {})
    assert judge(rows, replace(ended, stock={**ended.stock, "sku-3": (30, True)}), twin, {})
    assert judge(rows, replace(ended, successes=twin.successes[:2]), twin, {})
    assert judge(rows, replace(ended, failures=[]), twin, {})
    assert judge(rows, replace(ended, overwritten=["sku-3"]), twin, {})

    newer = {"sku-3": Ledger("inventory", "sku-3", [Write(BY_OTHERS + 1, "acknowledged")])}
    stock = {**ended.stock, "sku-3": (BY_OTHERS + 1, True)}
    late = replace(
        ended,
        status={**finished, "success_count": 2, "failure_count": 2},
        successes=["sku-1", "sku-1"],
        failures=[unknown, ("sku-3", CHANGED_SINCE)],
        stock=stock,
        applications={"sku-1": 1},
    )
    assert not judge(rows, late, twin, newer)
    assert judge(rows, late, twin, {})
    assert judge(rows, replace(late, stock=ended.stock), twin, newer)
    assert judge(rows, ended, twin, newer)
    assert not judge(rows, replace(ended, stock={**ended.stock, "sku-3": (BY_OTHERS + 1, False)}), twin, newer)


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
