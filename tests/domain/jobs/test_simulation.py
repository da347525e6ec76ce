"""R22: the job machine under everything that can happen to workers, on a clock that does not exist.

Workers claim, apply packs, write files, renew, pause like zombies, crash before and after a commit, stop, and meet
errors; the database goes away; callers cancel, operators release. All of it is drawn from a seed, the transitions
are those of the program (`tradepost.domain.jobs.job`), and only the database is a dictionary. After every event
the invariants below are looked at.

    python -m tests.domain.jobs.test_simulation --seeds 10000

prints one line and ends with 0 (held), 1 (did not) or 2 (nothing was exercised); `--mutant NAME` takes a
protection away and has to fail.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tradepost.domain.jobs import job as machine
from tradepost.domain.jobs.job import Advance, Claim, Job

START = datetime(2021, 5, 19, tzinfo=UTC)
EVENTS = 220
MUTANTS = ("fence", "cursor", "lane", "cancel")


class Broken(AssertionError):
    """An invariant that does not hold."""


@dataclass
class Worker:
    """A process: its number, what it believes to hold, and whether it is paused."""

    number: int
    job: Job | None = None
    claim: Claim | None = None
    effect: int | None = None
    paused: bool = False
    stopping: bool = False


@dataclass
class World:
    """The database, the workers and the clock of one run."""

    source: random.Random
    mutant: str | None = None
    clock: datetime = START
    jobs: dict[str, Job] = field(default_factory=dict)
    packs: dict[str, int] = field(default_factory=dict)
    applied: dict[str, Counter[int]] = field(default_factory=dict)
    files: dict[str, set[int]] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    alive: set[int] = field(default_factory=set)
    numbers: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    # -- the database: each of these is one transaction

    def store(self, job: Job) -> None:
        """Commit a job, with the unique index on running jobs of a lane."""
        before = self.jobs[job.id]
        if job.fence < before.fence:
            raise Broken(f"{job.id}: the fence went back")
        if before.state in (machine.FINISHED, machine.CANCELLED) and job != before:
            raise Broken(f"{job.id}: changed after its end")
        self.jobs[job.id] = job
        running = Counter((j.account_id, j.lane) for j in self.jobs.values() if j.state == machine.RUNNING)
        if running and max(running.values()) > 1:
            raise Broken(f"{job.id}: two jobs of a lane run")

    def next_job(self) -> Job | None:
        """What the statement of the program finds: due or orphaned, in a free lane, the longest due first."""

        def free(job: Job) -> bool:
            if job.state == machine.RUNNING or self.mutant == "lane":
                return True
            return not any(
                o.state == machine.RUNNING and (o.account_id, o.lane) == (job.account_id, job.lane)
                for o in self.jobs.values()
            )

        found = [j for j in self.jobs.values() if machine.can_claim(j, self.clock, self.lives(j)) and free(j)]
        return min(found, key=lambda j: j.due_at, default=None)

    def lives(self, job: Job) -> bool:
        """Whether the worker of a job is alive, as everybody can see."""
        return job.worker is None or job.worker in self.alive

    # -- what workers do

    def claim(self, worker: Worker) -> None:
        """Take the next job."""
        job = self.next_job()
        if job is None:
            return
        self.seen["taken over"] += job.state == machine.RUNNING and job.worker is not None
        claimed = machine.claim(job, worker.number, self.clock, self.clock, self.lives(job))
        if claimed is None:
            raise Broken(f"{job.id}: found and not claimable")
        self.store(claimed)
        if claimed.state == machine.FAILED:
            self.seen["parked"] += 1
            return
        worker.job, worker.claim, worker.effect = claimed, machine.claim_of(claimed), None

    def outside(self, worker: Worker) -> None:
        """Write a file of this version; complete, whatever happens afterwards."""
        assert worker.job is not None
        worker.effect = worker.job.fence
        self.files[worker.job.id].add(worker.job.fence)

    def step(self, worker: Worker, crash: bool) -> None:
        """Effects and progress in one transaction; `crash` ends the worker right after the commit."""
        assert worker.job is not None
        assert worker.claim is not None
        held = self.jobs[worker.job.id]
        if not self._holds(held, worker.claim):
            self.seen["refused"] += 1
            worker.job = worker.claim = None
            return
        position, many = held.position, self.packs[held.id]
        self.applied[held.id][position] += 1
        self.seen["steps"] += 1
        if held.state == machine.CANCELLED:
            raise Broken(f"{held.id}: an effect after it was cancelled")
        advance = Advance(
            position + 1, position + 1 == many, processed=1, result={"version": worker.effect or held.fence}
        )
        if self.mutant == "cursor" and self.source.random() < 0.3:
            worker.job = worker.claim = None  # the effect is committed, the cursor was to follow
            return
        moved = machine.advance(held, self._claim_for(held, worker.claim), advance, self.clock, self.clock)
        if moved is None:
            raise Broken(f"{held.id}: held, and not moved")
        self.store(moved)
        worker.job, worker.effect = moved, None
        if machine.next_move(moved, stopping=False, turn_over=False) == "leave":
            worker.job = worker.claim = None
        elif crash:
            self.crash(worker)
        else:
            move = machine.next_move(moved, stopping=worker.stopping, turn_over=self.source.random() < 0.2)
            if move == "give back":
                self.leave(worker, machine.give_back(moved, worker.claim, self.clock))

    def _holds(self, job: Job, claim: Claim) -> bool:
        if self.mutant == "fence":
            return job.state == machine.RUNNING
        if self.mutant == "cancel":
            return job.fence == claim.fence
        return machine.holds(job, claim)

    def _claim_for(self, job: Job, claim: Claim) -> Claim:
        if self.mutant in ("fence", "cancel"):
            return Claim(job.account_id, job.id, job.worker or 0, job.fence)
        return claim

    def leave(self, worker: Worker, after: Job | None) -> None:
        """Write a job back that the worker does not go on with, if it still has it."""
        if after is not None:
            self.store(after)
        worker.job = worker.claim = worker.effect = None

    def fail(self, worker: Worker) -> None:
        """An error in a step: nothing of it is committed but that the job is put off."""
        assert worker.job is not None
        assert worker.claim is not None
        passing = self.source.random() < 0.5
        job = self.jobs[worker.job.id]
        self.seen["put off"] += 1
        self.leave(worker, machine.put_off(job, worker.claim, "error", self.clock, self.clock, passing=passing))

    def beat(self, worker: Worker) -> None:
        """Renew the lease of what the worker has."""
        if worker.job is not None and worker.claim is not None:
            renewed = machine.renew(self.jobs[worker.job.id], worker.claim, self.clock)
            if renewed is not None:
                self.store(renewed)

    def crash(self, worker: Worker) -> None:
        """The process is gone and another one starts; everybody sees that the old number is free."""
        self.seen["crashes"] += 1
        self.alive.discard(worker.number)
        worker.job = worker.claim = worker.effect = None
        worker.paused = worker.stopping = False
        worker.number = self.new_number()

    def new_number(self) -> int:
        """A number for a worker that starts."""
        self.numbers += 1
        self.alive.add(self.numbers)
        return self.numbers

    def lose_database(self) -> None:
        """Every session ends; workers drop what they have, but the paused, who do not know yet."""
        self.seen["database lost"] += 1
        self.alive.clear()
        for worker in self.workers:
            if not worker.paused:
                worker.job = worker.claim = worker.effect = None
                worker.number = self.new_number()

    def work(self, worker: Worker) -> None:
        """One thing that a worker does by itself."""
        if worker.job is None:
            if not worker.stopping:
                self.claim(worker)
        elif worker.job.kind == "download" and worker.effect is None:
            self.outside(worker)
        else:
            self.step(worker, crash=self.source.random() < 0.08)


def build(source: random.Random, mutant: str | None) -> World:
    """Some jobs of some accounts, and some workers."""
    world = World(source, mutant)
    for n in range(source.randint(2, 7)):
        kind = source.choice(("bulk", "bulk", "download"))
        account, job_id = f"account {source.randint(1, 3)}", f"job {n}"
        world.jobs[job_id] = Job(account, job_id, kind, kind, {}, START, START + timedelta(seconds=n))
        world.packs[job_id] = 1 if kind == "download" else source.randint(1, 6)
        world.applied[job_id], world.files[job_id] = Counter(), set()
    world.workers = [Worker(world.new_number()) for _ in range(source.randint(1, 4))]
    return world


def disturb(world: World) -> None:
    """One event, as it comes."""
    source, worker = world.source, world.source.choice(world.workers)
    kind = source.choices(
        ("work", "beat", "time", "pause", "crash", "fail", "database", "cancel", "release", "stop"),
        (60, 8, 12, 6, 4, 5, 1, 1, 2, 1),
    )[0]
    if kind == "time":
        world.clock += timedelta(seconds=source.choice((0.1, 1, 5, 16, 40)))
    elif kind == "pause":
        worker.paused = not worker.paused
    elif kind == "cancel":
        cancelled = machine.cancel(source.choice(list(world.jobs.values())), world.clock)
        if cancelled is not None:
            world.store(cancelled)
            world.seen["cancelled"] += 1
    elif kind == "release":
        released = machine.release(source.choice(list(world.jobs.values())), world.clock)
        if released is not None:
            world.store(released)
    elif kind == "database":
        world.lose_database()
    elif kind == "crash":
        world.crash(worker)
    elif not worker.paused:
        if kind == "work":
            world.work(worker)
        elif kind == "beat":
            world.beat(worker)
        elif kind == "stop":
            worker.stopping = not worker.stopping
        elif worker.job is not None:
            world.fail(worker)


def check(world: World) -> None:
    """What must hold at every moment: packs once and in order, counts that agree with them."""
    for job in world.jobs.values():
        applied = world.applied[job.id]
        if any(times > 1 for times in applied.values()):
            raise Broken(f"{job.id}: a pack was applied twice")
        if sorted(applied) != list(range(job.position)) or job.processed != job.position:
            raise Broken(f"{job.id}: position {job.position}, applied {sorted(applied)}")
        if job.state == machine.FINISHED and job.position != world.packs[job.id]:
            raise Broken(f"{job.id}: finished too early")
        if job.state == machine.FINISHED and job.kind == "download":
            assert job.result is not None
            if job.result["version"] not in world.files[job.id]:
                raise Broken(f"{job.id}: its link leads to a file that was never complete")


def settle(world: World) -> None:
    """Quiet at last: everything that was not cancelled or parked comes to its end."""
    for worker in world.workers:
        worker.paused = worker.stopping = False
    for _ in range(600):
        if not any(job.is_open for job in world.jobs.values()):
            return
        for worker in world.workers:
            world.work(worker)
        world.clock += timedelta(seconds=1)
        check(world)
        if world.source.random() < 0.05:
            world.clock += machine.LONGEST_PAUSE
    raise Broken(f"never ended: {[job.id for job in world.jobs.values() if job.is_open]}")


def run(seed: int, mutant: str | None = None) -> Counter[str]:
    """One run; raises Broken. Gives how often what happened."""
    world = build(random.Random(seed), mutant)
    for _ in range(EVENTS):
        disturb(world)
        check(world)
    settle(world)
    check(world)
    return world.seen


def broken_seeds(seeds: range, mutant: str | None = None) -> tuple[list[str], Counter[str]]:
    """What broke, by seed, and what was exercised."""
    wrong, seen = [], Counter[str]()
    for seed in seeds:
        try:
            seen += run(seed, mutant)
        except Broken as error:
            wrong.append(f"seed {seed}: {error}")
    return wrong, seen


def test_nothing_breaks() -> None:
    wrong, seen = broken_seeds(range(500))
    assert wrong == []
    for event in ("steps", "taken over", "refused", "crashes", "put off", "cancelled", "database lost"):
        assert seen[event] > 50, event


@pytest.mark.parametrize("mutant", MUTANTS)
def test_it_can_break(mutant: str) -> None:
    """Each protection is needed: without it some run breaks."""
    wrong, _ = broken_seeds(range(1000), mutant)
    assert wrong


def main() -> int:
    """Many runs, one line."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--seeds", type=int, default=500)
    reader.add_argument("--first", type=int, default=0)
    reader.add_argument("--mutant", choices=MUTANTS)
    options = reader.parse_args()
    began = time.monotonic()
    wrong, seen = broken_seeds(range(options.first, options.first + options.seeds), options.mutant)
    tried = seen["taken over"] > 0 and seen["refused"] > 0
    verdict = "fail" if wrong else "pass" if tried else "untried"
    told = " ".join(f"{name.replace(' ', '-')}={count}" for name, count in sorted(seen.items()))
    print(
        f"R22 {len(wrong)} broken target=0 {verdict} seed={options.first} n={options.seeds} {told} "
        f"bound95={3 / options.seeds:.2g}/run secs={time.monotonic() - began:.0f}"
    )
    for line in wrong[:10]:
        print(line, file=sys.stderr)
    return 1 if wrong else 0 if tried else 2


if __name__ == "__main__":
    sys.exit(main())
