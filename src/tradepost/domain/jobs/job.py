"""A job, and everything that can happen to one: a state machine without a database, a clock or a network.

    pending ──claim──▶ running ──advance──▶ finished
       ▲                │  │ ▲ └──claim (lease over, or its worker is dead)──┐
       └────put_off─────┘  │ └───────────────────────────────────────────────┘
                           └──put_off / claim, too many tries──▶ failed ──release──▶ pending
    pending, running ──cancel──▶ cancelled

Each transition takes a job as it is and gives the job as it will be, or None where it must not happen. The rows
area loads and stores what stands here, so what the simulation proves about these functions holds for the program.

Times called `clock` are the machine's: a lease protects the machine. Times called `now` are the world's, which a
sandbox may have stopped: callers see those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

PENDING: Final = "pending"
RUNNING: Final = "running"
FINISHED: Final = "finished"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"

LEASE: Final = timedelta(seconds=15)
"""How long a worker that says nothing keeps a job."""
MOST_TRIES: Final = 8
"""How often a job is begun without getting any further before it is parked."""
SUSPICIOUS_TRIES: Final = 2
"""After so many a job is worked on alone: perhaps it was the one that ended its worker."""
MOST_WAITS: Final = 300
"""How often a job is put off for what time mends before it is parked: about a day of five-minute pauses."""
LONGEST_PAUSE: Final = timedelta(minutes=5)
ERROR_LENGTH: Final = 1000


@dataclass(frozen=True, slots=True)
class Job:
    """Work for later, of one account.

    `position`, `total`, `processed`, `succeeded` and `failed` count in the unit of its kind; `position` is where to
    go on. `due_at` is when it may be taken: of a running job the end of its lease. `fence` grows with every claim.
    """

    account_id: str
    id: str
    kind: str
    lane: str
    arguments: Mapping[str, Any]
    created_at: datetime
    due_at: datetime
    token_id: str | None = None
    person_id: str | None = None
    state: str = PENDING
    started_at: datetime | None = None
    ended_at: datetime | None = None
    position: int = 0
    total: int | None = None
    processed: int = 0
    succeeded: int = 0
    failed: int = 0
    result: Mapping[str, Any] | None = None
    worker: int | None = None
    fence: int = 0
    tries: int = 0
    waits: int = 0
    error: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do."""
        return self.state in (PENDING, RUNNING)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a worker holds of a job: enough to find it again, and to be refused when somebody else has it."""

    account_id: str
    id: str
    worker: int
    fence: int


@dataclass(frozen=True, slots=True)
class Advance:
    """What one step of a job came to; the counts are what it adds."""

    position: int
    done: bool
    processed: int = 0
    succeeded: int = 0
    failed: int = 0
    total: int | None = None
    result: Mapping[str, Any] | None = None


def can_claim(job: Job, clock: datetime, worker_lives: bool) -> bool:
    """Whether a worker may take it: it is due, or whoever had it is dead."""
    return job.is_open and (job.due_at <= clock or (job.worker is not None and not worker_lives))


def claim(job: Job, worker: int, clock: datetime, now: datetime, worker_lives: bool) -> Job | None:
    """The job in the hands of a worker, or parked where it was begun too often without getting any further."""
    if not can_claim(job, clock, worker_lives):
        return None
    if job.tries >= MOST_TRIES:
        return _ended(job, FAILED, now, error=job.error or "its worker ended each time it was tried")
    return replace(
        job,
        state=RUNNING,
        worker=worker,
        fence=job.fence + 1,
        tries=job.tries + 1,
        due_at=clock + LEASE,
        started_at=job.started_at or now,
    )


def claim_of(job: Job) -> Claim:
    """What the worker of a job that was just claimed holds."""
    assert job.worker is not None
    return Claim(job.account_id, job.id, job.worker, job.fence)


def holds(job: Job, held: Claim) -> bool:
    """Whether the claim still counts: nobody took the job over, and it was not ended."""
    return job.state == RUNNING and job.fence == held.fence and job.worker == held.worker


def advance(job: Job, held: Claim, step: Advance, clock: datetime, now: datetime) -> Job | None:
    """The job after a step, finished where the step was the last; a step forward forgives earlier tries."""
    if not holds(job, held):
        return None
    moved = replace(
        job,
        position=step.position,
        total=step.total if step.total is not None else job.total,
        processed=job.processed + step.processed,
        succeeded=job.succeeded + step.succeeded,
        failed=job.failed + step.failed,
        result=step.result if step.result is not None else job.result,
        due_at=clock + LEASE,
        tries=0,
        waits=0,
        error=None,
    )
    return _ended(moved, FINISHED, now) if step.done else moved


def renew(job: Job, held: Claim, clock: datetime) -> Job | None:
    """The job with a new lease."""
    return replace(job, due_at=clock + LEASE) if holds(job, held) else None


def give_back(job: Job, held: Claim, clock: datetime) -> Job | None:
    """The job for anybody to go on with, at once: its worker stops, or lets others have a turn."""
    if not holds(job, held):
        return None
    return replace(job, worker=None, due_at=clock, tries=max(0, job.tries - 1))


def put_off(
    job: Job, held: Claim, error: str, clock: datetime, now: datetime, *, passing: bool = False
) -> Job | None:
    """The job after an error: to be tried again after a pause that doubles, or parked as failed.

    What is `passing` is no fault of the job, so it is waited for much longer and does not count as a try.
    """
    if not holds(job, held):
        return None
    error = error[:ERROR_LENGTH]
    # A job that got on in the same claim has none to give back.
    tries, waits = (max(0, job.tries - 1), job.waits + 1) if passing else (job.tries, job.waits)
    if tries >= MOST_TRIES or waits >= MOST_WAITS:
        return _ended(replace(job, tries=tries, waits=waits), FAILED, now, error=error)
    doublings = max(0, (waits if passing else tries) - 1)
    pause = min(timedelta(seconds=2 ** min(doublings, 16)), LONGEST_PAUSE)
    return replace(job, state=PENDING, worker=None, due_at=clock + pause, tries=tries, waits=waits, error=error)


def cancel(job: Job, now: datetime) -> Job | None:
    """The job cancelled; what it has done stays done."""
    return _ended(job, CANCELLED, now, error=None) if job.is_open else None


def release(job: Job, clock: datetime) -> Job | None:
    """A parked job on its way again."""
    if job.state != FAILED:
        return None
    return replace(job, state=PENDING, ended_at=None, due_at=clock, tries=0, waits=0)


def next_move(job: Job, *, stopping: bool, turn_over: bool) -> Literal["go on", "give back", "leave"]:
    """What a worker does after a step: the next one, or let others have a turn, or nothing more."""
    if job.state != RUNNING:
        return "leave"
    return "give back" if stopping or turn_over else "go on"


def _ended(job: Job, state: str, now: datetime, error: str | None = None) -> Job:
    return replace(job, state=state, worker=None, ended_at=now, error=error)
