"""R16. A worker that was thought dead and comes back does no harm.

A worker is stopped (SIGSTOP) in one of three places: in the transaction of a pack, between the beginning of one and
the moment when it takes the job's row, or while it writes a file. Another worker takes the job over. Then the first
one goes on, at once (so that both are at work) or after the job has ended, and has to find that the job is somebody
else's. Every pack must have been applied once, and the file be whole and the only one.

`--size smoke` and `full` wait for the program's own lease of 15 seconds and, in a pack, for the 30 seconds after
which the database ends a transaction that nobody goes on with. The test in the suite shortens both.

As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_zombie --size full --seed 7
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass

from tests.support.jobs import Auditor, Crew, Figure, Finding, auditing, link_of, start_bulk, start_download
from tests.support.program import Client, Program, serving, wait_until
from tests.whole.test_download_kill import Whole, entries_of

PRODUCTS, VARIATIONS = 2_400, 5
PACK_SECONDS = 0.4
EXPORT_SECONDS = 1.5
TAKE_OVER_SECONDS = 60.0
PLACES = ("before the row", "in a pack", "in a file")
LIMITS = json.dumps({"merchant/default": 10_000_000})


@dataclass(frozen=True)
class Size:
    """How often a worker is stopped, and whether the program's own lease is waited for."""

    rounds: int
    lease: str | None = None


class Stage:
    """Two shops whose jobs are taken from a worker that cannot move: one changes goods, the other lists them."""

    def __init__(self, running: Program, auditor: Auditor, source: random.Random) -> None:
        changing, lasting = running.credentials()["merchants"][:2]
        for member in (changing, lasting):
            auditor.stock_up(member["id"], PRODUCTS, VARIATIONS)
        auditor.watch()
        self._running = running
        self._auditor = auditor
        self._merchant_id = changing["id"]
        self._updates = Client(running.merchant, changing["access_token"])
        self._downloads = Client(running.merchant, lasting["access_token"])
        self._folder = running.folder / "files" / "downloads" / lasting["id"]
        self._crew = Crew(running, auditor, source)
        job_id = start_download(self._downloads)
        auditor.await_end([job_id])
        self._whole = Whole.of(self._downloads.get(link_of(self._downloads, job_id) or "").body)
        auditor.slow_packs(PACK_SECONDS)
        auditor.slow_exports(EXPORT_SECONDS / (PRODUCTS // 100 * VARIATIONS))
        self._value = 0
        self.wrong: list[str] = []
        self.take_overs: list[float] = []

    def close(self) -> None:
        """Close the connections."""
        self._updates.close()
        self._downloads.close()

    def play(self, place: str, wait_for_end: bool) -> None:
        """Stop whoever has a job at this place, let another one take it over, and let the first one go on."""
        stop = {
            PLACES[0]: self._stop_before_the_row,
            PLACES[1]: self._stop_in_a_pack,
            PLACES[2]: self._stop_in_a_file,
        }
        job_id = start_download(self._downloads) if place == PLACES[2] else self._start_bulk()
        fence, zombie = stop[place](job_id)
        stopped = time.monotonic()
        try:
            wait_until(lambda: self._auditor.job(job_id)["fence"] > fence, TAKE_OVER_SECONDS * 2, "a take-over")
            self.take_overs.append(time.monotonic() - stopped)
            if wait_for_end:
                self._auditor.await_end([job_id])
        finally:
            os.kill(zombie, signal.SIGCONT)
        self._auditor.await_end([job_id])
        self._await_quiet()
        if self.take_overs[-1] > TAKE_OVER_SECONDS:
            self.wrong.append(f"{place}: taken over after {self.take_overs[-1]:.0f} seconds")
        judge = self._judge_file if place == PLACES[2] else self._judge_update
        self.wrong += [f"{place}: {line}" for line in judge(job_id)]

    def _start_bulk(self) -> str:
        self._value += 1
        rows = [{"sku": f"sku-{n}", "inventory": self._value} for n in range(1, PRODUCTS * VARIATIONS + 1)]
        return start_bulk(self._updates, rows)

    # -- places

    def _stop_before_the_row(self, job_id: str) -> tuple[int, int]:
        """A step asks for the time before it takes its job's row; nobody is told the time while this is locked."""
        wait_until(lambda: self._is("PgSleep"), what="a pack")
        with auditing(self._running) as clock:
            clock.run("begin; lock table world_clock in access exclusive mode")
            wait_until(lambda: self._is("relation"), 4.0, "a step that waits for the time")
            return self._stop(job_id)

    def _stop_in_a_pack(self, job_id: str) -> tuple[int, int]:
        wait_until(lambda: self._is("PgSleep"), what="a pack")
        return self._stop(job_id)

    def _stop_in_a_file(self, job_id: str) -> tuple[int, int]:
        wait_until(
            lambda: any(file.stat().st_size for file in entries_of(self._folder / job_id)), what="half a file"
        )
        return self._stop(job_id)

    def _stop(self, job_id: str) -> tuple[int, int]:
        """Stop whoever has the job; gives its fence and the process."""
        job = self._auditor.job(job_id)
        zombie = self._crew.pid_of(job["worker"])
        assert zombie is not None
        os.kill(zombie, signal.SIGSTOP)
        return job["fence"], zombie

    def _is(self, wait_event: str) -> bool:
        """Whether some step waits for this in the database."""
        return bool(
            self._auditor.value(
                "select count(*) from pg_stat_activity where wait_event = $1 and usename = 'tradepost_app'",
                wait_event,
            )
        )

    def _await_quiet(self) -> None:
        """Wait until nobody is in the middle of anything, the one that came back above all."""
        wait_until(
            lambda: (
                not self._auditor.value(
                    "select count(*) from pg_stat_activity where usename = 'tradepost_app' and state <> 'idle'"
                )
            ),
            TAKE_OVER_SECONDS,
            "the end of all transactions",
        )

    # -- what has to be there

    def _judge_update(self, job_id: str) -> list[str]:
        job = self._auditor.job(job_id)
        wrong = [] if job["state"] == "finished" else [f"it is {job['state']}, {job['error']}"]
        counts = (job["processed"], job["succeeded"], job["failed"])
        if counts != (PRODUCTS * VARIATIONS, PRODUCTS * VARIATIONS, 0):
            wrong.append(f"the counts are {counts}")
        times = self._auditor.rows(
            """
            select times, count(*) from (
                select count(*) as times
                  from applied a
                  join job j on j.account_id = a.merchant_id and (j.arguments ->> 'revision')::bigint = a.rev
                 where j.account_id = $1 and j.id = $2
                 group by a.variation_id) as written
             group by times
            """,
            self._merchant_id,
            job_id,
        )
        if [tuple(row) for row in times] != [(1, PRODUCTS * VARIATIONS)]:
            wrong += [f"{count} rows were applied {n} times" for n, count in times]
        return wrong

    def _judge_file(self, job_id: str) -> list[str]:
        job = self._auditor.job(job_id)
        wrong = [] if job["state"] == "finished" else [f"it is {job['state']}, {job['error']}"]
        link = link_of(self._downloads, job_id)
        reply = self._downloads.get(link or "/none")
        if (reply.status, Whole.of(reply.body)) != (200, self._whole):
            wrong.append(f"the link gave {reply.status} and {len(reply.body)} bytes")
        expected = [f"{job['result'] and json.loads(job['result'])['version']}/products.csv"]
        folder = self._folder / job_id

        def found() -> list[str]:
            return sorted(str(file.relative_to(folder)) for file in entries_of(folder))

        try:
            wait_until(lambda: found() == expected, what="one file alone")
        except AssertionError:
            wrong.append(f"there are {found()}")
        events = self._auditor.value("select count(*) from event where about ->> 'job_id' = $1", job_id)
        return wrong + ([] if events == 1 else [f"{events} events"])


def run(size: Size, seed: int, spoiled: str | None) -> Finding:
    """Stop and wake so many workers, one after the other."""
    source = random.Random(seed)
    with serving("--workers", "2", spoiled=spoiled or size.lease, rate_limits=LIMITS) as running:
        with auditing(running) as auditor:
            stage = Stage(running, auditor, source)
            for number in range(size.rounds):
                place = PLACES[number % len(PLACES)]
                stage.play(place, wait_for_end=number % 4 > 1)
            stage.close()
        noticed = refusals(running)
        assert running.stop() == 0
    told = {"rounds": size.rounds, **noticed, "longest-take-over": f"{max(stage.take_overs):.1f}"}
    return Finding(stage.wrong, len(stage.take_overs) == size.rounds, told)


def refusals(running: Program) -> dict[str, int]:
    """How often a step found that its job was somebody else's, and how often that its transaction was dead.

    Else the next heartbeat found it, of which there is no line in a log.
    """
    logs = "".join(file.read_text(encoding="utf-8") for file in running.folder.glob("*.err"))
    return {"refused": logs.count("job is somebody else's"), "interrupted": logs.count("job interrupted")}


FIGURE = Figure(
    "R16",
    "doubled-or-late",
    run,
    {"short": Size(2, "short_lease"), "smoke": Size(3), "full": Size(50)},
    mutant="unfenced",
)


# -- tests


def test_a_worker_that_comes_back_does_no_harm() -> None:
    FIGURE.check("short")


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
