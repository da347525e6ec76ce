"""Each transition of a job, when it is refused, and what no sequence of them can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tradepost.domain.jobs import job as machine
from tradepost.domain.jobs.job import (
    CANCELLED,
    ERROR_LENGTH,
    FAILED,
    FINISHED,
    LEASE,
    LONGEST_PAUSE,
    MOST_TRIES,
    MOST_WAITS,
    PENDING,
    RUNNING,
    Advance,
    Claim,
    Job,
)

CLOCK = datetime(2026, 11, 22, 10, tzinfo=UTC)
NOW = datetime(2021, 5, 19, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WAITING = Job("account", "job", "kind", "lane", {}, NOW, CLOCK)


def claimed(job: Job = WAITING, worker: int = 1, at: datetime = CLOCK) -> Job:
    """A job in the hands of a worker, who takes it when it is due."""
    taken = machine.claim(job, worker, max(at, job.due_at), NOW, worker_lives=True)
    assert taken is not None
    return taken


def held(job: Job) -> Claim:
    return machine.claim_of(job)


def ended(state: str) -> Job:
    return replace(WAITING, state=state, ended_at=NOW, error="why" if state == FAILED else None)


# -- taking


def test_a_claim() -> None:
    """The lease is by the machine's clock, the start by the world's."""
    job = claimed()
    assert (job.state, job.worker, job.fence, job.tries) == (RUNNING, 1, 1, 1)
    assert (job.due_at, job.started_at) == (CLOCK + LEASE, NOW)


def test_it_starts_once() -> None:
    again = machine.claim(claimed(), 2, CLOCK + LEASE, NOW + SECOND, worker_lives=True)
    assert again is not None
    assert (again.started_at, again.fence, again.tries, again.worker) == (NOW, 2, 2, 2)


@pytest.mark.parametrize(
    ("job", "at", "lives", "free"),
    [
        pytest.param(WAITING, CLOCK, True, True, id="due now"),
        pytest.param(WAITING, CLOCK - timedelta(microseconds=1), True, False, id="due later"),
        pytest.param(WAITING, CLOCK - SECOND, False, False, id="due later, and it never had a worker"),
        pytest.param(claimed(), CLOCK + LEASE - SECOND, True, False, id="in living hands"),
        pytest.param(claimed(), CLOCK + LEASE, True, True, id="its lease is over"),
        pytest.param(claimed(), CLOCK, False, True, id="its worker is dead"),
        pytest.param(ended(FINISHED), CLOCK + LEASE, False, False, id="finished"),
        pytest.param(ended(FAILED), CLOCK + LEASE, False, False, id="failed"),
        pytest.param(ended(CANCELLED), CLOCK + LEASE, False, False, id="cancelled"),
    ],
)
def test_who_can_be_claimed(job: Job, at: datetime, lives: bool, free: bool) -> None:
    assert machine.can_claim(job, at, lives) == free
    assert (machine.claim(job, 7, at, NOW, lives) is not None) == free


def test_a_job_whose_workers_end_each_time_is_parked() -> None:
    job = WAITING
    for tries in range(1, MOST_TRIES + 1):
        job = claimed(job, worker=tries)
        assert (job.state, job.tries) == (RUNNING, tries)
    parked = claimed(job, worker=99)
    assert (parked.state, parked.worker, parked.ended_at) == (FAILED, None, NOW)
    assert parked.fence == MOST_TRIES
    assert parked.error


# -- going on


def test_a_step_adds_up_and_forgives() -> None:
    job = replace(claimed(), tries=5, waits=3, error="earlier", processed=10, succeeded=8, failed=2)
    step = Advance(position=3, done=False, processed=5, succeeded=4, failed=1, total=100, result={"a": 1})
    moved = machine.advance(job, held(job), step, CLOCK + SECOND, NOW)
    assert moved is not None
    assert (moved.state, moved.position, moved.total) == (RUNNING, 3, 100)
    assert (moved.processed, moved.succeeded, moved.failed) == (15, 12, 3)
    assert (moved.tries, moved.waits, moved.error) == (0, 0, None)
    assert (moved.due_at, moved.result, moved.ended_at) == (CLOCK + SECOND + LEASE, {"a": 1}, None)


def test_a_step_that_says_nothing_of_them_keeps_total_and_result() -> None:
    job = replace(claimed(), total=7, result={"a": 1})
    moved = machine.advance(job, held(job), Advance(position=1, done=False), CLOCK, NOW)
    assert moved is not None
    assert (moved.total, moved.result) == (7, {"a": 1})


def test_the_last_step_ends_it() -> None:
    job = claimed()
    done = machine.advance(job, held(job), Advance(position=1, done=True, total=0), CLOCK, NOW + SECOND)
    assert done is not None
    assert (done.state, done.worker, done.ended_at, done.total) == (FINISHED, None, NOW + SECOND, 0)


def test_a_lease_is_renewed() -> None:
    job = claimed()
    assert machine.renew(job, held(job), CLOCK + SECOND) == replace(job, due_at=CLOCK + SECOND + LEASE)


TRANSITIONS: dict[str, Callable[[Job, Claim], Job | None]] = {
    "advance": lambda job, claim: machine.advance(job, claim, Advance(1, True), CLOCK, NOW),
    "renew": lambda job, claim: machine.renew(job, claim, CLOCK),
    "give back": lambda job, claim: machine.give_back(job, claim, CLOCK),
    "put off": lambda job, claim: machine.put_off(job, claim, "e", CLOCK, NOW),
    "put off, passing": lambda job, claim: machine.put_off(job, claim, "e", CLOCK, NOW, passing=True),
}


@pytest.mark.parametrize("transition", TRANSITIONS)
def test_only_the_holder_may(transition: str) -> None:
    """Nobody who lost the job can do anything to it: not by an older fence, another number, or after its end."""
    act, job = TRANSITIONS[transition], claimed(claimed(), worker=1, at=CLOCK + LEASE)
    mine = held(job)
    assert act(job, mine) is not None
    assert act(job, replace(mine, fence=mine.fence - 1)) is None
    assert act(job, replace(mine, worker=mine.worker + 1)) is None
    for after in (
        machine.cancel(job, NOW),
        machine.give_back(job, mine, CLOCK),
        machine.put_off(job, mine, "e", CLOCK, NOW),
        machine.advance(job, mine, Advance(1, True), CLOCK, NOW),
    ):
        assert after is not None
        assert act(after, mine) is None


# -- leaving it


def test_what_is_given_back_is_anybodys_at_once_and_no_try() -> None:
    job = claimed()
    given_back = machine.give_back(job, held(job), CLOCK + SECOND)
    assert given_back == replace(job, worker=None, due_at=CLOCK + SECOND, tries=0)
    assert machine.can_claim(given_back, CLOCK + SECOND, worker_lives=True)


def test_giving_back_after_a_step_counts_no_less_than_nothing() -> None:
    job = claimed()
    moved = machine.advance(job, held(job), Advance(1, False), CLOCK, NOW)
    assert moved is not None
    given_back = machine.give_back(moved, held(moved), CLOCK)
    assert given_back is not None
    assert given_back.tries == 0


def pauses(*, passing: bool) -> tuple[list[timedelta], Job]:
    """How long a job waits after each error in a row, and the job that it ends as."""
    found, job = [], WAITING
    while job.state == PENDING:
        taken = claimed(job)
        after = machine.put_off(taken, held(taken), "error", taken.due_at, NOW, passing=passing)
        assert after is not None
        found.append(after.due_at - taken.due_at)
        job = after
    return found, job


def test_pauses_double_until_it_is_parked() -> None:
    found, parked = pauses(passing=False)
    assert found[:-1] == [SECOND * 2**doublings for doublings in range(MOST_TRIES - 1)]
    assert (len(found), parked.state, parked.ended_at) == (MOST_TRIES, FAILED, NOW)
    assert (parked.worker, parked.error) == (None, "error")


def test_what_time_mends_is_waited_for_much_longer() -> None:
    found, parked = pauses(passing=True)
    assert found[:3] == [SECOND, 2 * SECOND, 4 * SECOND]
    assert set(found[9:-1]) == {LONGEST_PAUSE}
    assert (parked.state, len(found)) == (FAILED, MOST_WAITS)


def test_no_pause_is_longer_than_the_longest() -> None:
    job = replace(claimed(), waits=MOST_WAITS - 2)
    after = machine.put_off(job, held(job), "error", CLOCK, NOW, passing=True)
    assert after is not None
    assert (after.state, after.due_at) == (PENDING, CLOCK + LONGEST_PAUSE)


def test_waits_and_tries_are_counted_apart() -> None:
    """A job that failed before does not lose a try to a pause, and the pause begins short."""
    job = replace(claimed(), tries=6, waits=0)
    after = machine.put_off(job, held(job), "later", CLOCK, NOW, passing=True)
    assert after is not None
    assert (after.tries, after.waits, after.due_at) == (5, 1, CLOCK + SECOND)


def test_an_error_is_told_and_cut() -> None:
    job = claimed()
    after = machine.put_off(job, held(job), "x" * (ERROR_LENGTH + 1), CLOCK, NOW)
    assert after is not None
    assert (after.state, after.worker, after.error) == (PENDING, None, "x" * ERROR_LENGTH)


# -- the end, and back


@pytest.mark.parametrize("job", [WAITING, claimed()], ids=["pending", "running"])
def test_cancelling_keeps_what_is_done(job: Job) -> None:
    begun = replace(job, position=3, processed=30, succeeded=29, failed=1)
    expected = replace(begun, state=CANCELLED, worker=None, ended_at=NOW)
    assert machine.cancel(begun, NOW) == expected


@pytest.mark.parametrize("state", [FINISHED, FAILED, CANCELLED])
def test_what_ended_is_not_cancelled(state: str) -> None:
    assert machine.cancel(ended(state), NOW) is None


def test_a_parked_job_is_released() -> None:
    """With its cursor and counts, and as if it had never failed."""
    parked = replace(ended(FAILED), tries=MOST_TRIES, waits=4, position=3, processed=30, fence=9)
    released = machine.release(parked, CLOCK + SECOND)
    assert released is not None
    assert (released.state, released.ended_at, released.due_at) == (PENDING, None, CLOCK + SECOND)
    assert (released.tries, released.waits) == (0, 0)
    assert (released.position, released.processed, released.fence) == (3, 30, 9)
    assert claimed(released).fence == 10


@pytest.mark.parametrize("job", [WAITING, claimed(), ended(FINISHED), ended(CANCELLED)], ids=lambda job: job.state)
def test_only_a_parked_job_is_released(job: Job) -> None:
    assert machine.release(job, CLOCK) is None


@pytest.mark.parametrize(
    ("job", "stopping", "turn_over", "move"),
    [
        (claimed(), False, False, "go on"),
        (claimed(), True, False, "give back"),
        (claimed(), False, True, "give back"),
        (ended(FINISHED), True, True, "leave"),
        (ended(CANCELLED), False, False, "leave"),
    ],
)
def test_the_next_move(job: Job, stopping: bool, turn_over: bool, move: str) -> None:
    assert machine.next_move(job, stopping=stopping, turn_over=turn_over) == move


# -- whatever happens

EVENTS = ("claim", "advance", "finish", "renew", "give back", "put off", "wait", "cancel", "release", "time")


def happen(event: str, job: Job, claim: Claim, clock: datetime, lives: bool) -> Job | None:
    """One event to a job, in the hands of whoever believes to hold `claim`."""
    match event:
        case "claim":
            return machine.claim(job, claim.worker, clock, NOW, lives)
        case "advance" | "finish":
            step = Advance(job.position + 1, event == "finish", processed=2, succeeded=1, failed=1)
            return machine.advance(job, claim, step, clock, NOW)
        case "renew":
            return machine.renew(job, claim, clock)
        case "give back":
            return machine.give_back(job, claim, clock)
        case "put off" | "wait":
            return machine.put_off(job, claim, event, clock, NOW, passing=event == "wait")
        case "cancel":
            return machine.cancel(job, NOW)
        case _:
            return machine.release(job, clock)


@example(events=[("claim", 1, False, False), ("advance", 1, False, False), ("wait", 1, False, False)])
@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(1, 3), st.booleans(), st.booleans()), max_size=80))
def test_whatever_happens(events: list[tuple[str, int, bool, bool]]) -> None:
    """Fences and cursors never go back, an end is an end but for what is released, and a job is in one hand."""
    job, clock = WAITING, CLOCK
    claims = {worker: Claim("account", "job", worker, 0) for worker in (1, 2, 3)}
    for event, worker, lives, long in events:
        if event == "time":
            clock += LONGEST_PAUSE if long else LEASE
            continue
        after = happen(event, job, claims[worker], clock, lives)
        if after is None:
            continue
        assert after.fence >= job.fence
        assert (after.position, after.processed) >= (job.position, job.processed)
        assert after.processed == after.succeeded + after.failed == 2 * after.position
        if not job.is_open:
            assert (job.state, event, after.state) == (FAILED, "release", PENDING)
        assert (after.ended_at is None) == after.is_open
        assert after.worker is None or after.state == RUNNING
        assert 0 <= after.tries <= MOST_TRIES
        if event == "claim" and after.state == RUNNING:
            assert after.fence == job.fence + 1
            claims[worker] = machine.claim_of(after)
        assert sum(machine.holds(after, claim) for claim in claims.values()) <= 1
        job = after
