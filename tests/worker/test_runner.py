"""Runners on a real database, with small handlers of the tests' own: what is done, in which order, and what a
runner does when its session, a step or its own time ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import asyncpg
import pytest

from tests.support.database import Server, once
from tests.support.market import NOW, World
from tradepost.domain import jobs
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import Advance, Job
from tradepost.storage.database import PLATFORM_ROLE, Database, StorageUnavailable, session_settings
from tradepost.values import TryLater
from tradepost.worker.handlers import Progress
from tradepost.worker.runner import Runner

PATIENCE_SECONDS = 20
KIND = "trial"


@dataclass
class Trial:
    """A handler that counts, and does in each half of a step what a test wants."""

    kind: ClassVar[str] = KIND
    steps: int = 1
    do_outside: Callable[[Job, Progress], Awaitable[Any]] | None = None
    do_inside: Callable[[Ctx, Job], Awaitable[None]] | None = None
    do_parked: Callable[[Ctx, Job], Awaitable[None]] | None = None
    done: list[tuple[str, int]] = field(default_factory=list)
    """The job and the position of every inside half that was reached, in order."""
    dropped_effects: list[Any] = field(default_factory=list)
    parked_jobs: list[str] = field(default_factory=list)

    async def outside(self, job: Job, progress: Progress) -> Any:
        """What a test wants done outside."""
        return await self.do_outside(job, progress) if self.do_outside else None

    async def inside(self, ctx: Ctx, job: Job, effect: Any) -> Advance:
        """Count one step, of as many as the arguments of the job or the test say."""
        self.done.append((job.id, job.position))
        if self.do_inside:
            await self.do_inside(ctx, job)
        many = job.arguments.get("steps", self.steps)
        return Advance(job.position + 1, job.position + 1 >= many, processed=1, total=many)

    async def dropped(self, job: Job, effect: Any) -> None:
        """Remember it."""
        self.dropped_effects.append(effect)

    async def parked(self, ctx: Ctx, job: Job) -> None:
        """Remember it."""
        self.parked_jobs.append(job.id)
        if self.do_parked:
            await self.do_parked(ctx, job)

    @property
    def order(self) -> list[str]:
        """The jobs in the order in which they were first worked on."""
        return list(dict.fromkeys(job_id for job_id, _ in self.done))


@dataclass
class Yard:
    """A database of its own where runners are started and jobs asked for."""

    server: Server
    name: str
    accounts: tuple[str, str]
    database: Database
    watching: asyncpg.Connection[Any]
    pids: list[int] = field(default_factory=list)
    """The backends of the runners' own sessions."""

    async def ask(self, account: int = 0, lane: str = KIND, **arguments: Any) -> str:
        """Ask for a job; gives its id."""
        async with self.database.acting_for(self.accounts[account]) as connection:
            ctx = Ctx(db=connection, now=NOW, actor=None)
            return await jobs.enqueue(ctx, self.accounts[account], KIND, lane, arguments)

    async def job(self, job_id: str, account: int = 0) -> Job:
        """A job as it is now."""
        async with self.database.acting_for(self.accounts[account]) as connection:
            return await jobs.find_job(
                Ctx(db=connection, now=NOW, actor=None), self.accounts[account], KIND, job_id
            )

    async def cancel(self, job_id: str, account: int = 0) -> None:
        """Cancel a job."""
        async with self.database.acting_for(self.accounts[account]) as connection:
            ctx = Ctx(db=connection, now=NOW, actor=None)
            await jobs.cancel_job(ctx, self.accounts[account], KIND, job_id)

    async def make_due(self, job_id: str) -> None:
        """Let the pause of a job that was put off be over, and say so."""
        await self.watching.execute("update job set due_at = clock_timestamp() where id = $1", job_id)
        await self.watching.execute("select pg_notify($1, '')", jobs.CHANNEL)

    async def until(self, condition: str, *values: object) -> None:
        """Wait until a condition about `job` is true of some row."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            statement = f"select exists (select from job where {condition})"
            while not await self.watching.fetchval(statement, *values):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def until_ended(self, *job_ids: str) -> list[Job]:
        """Wait for the end of some jobs of the first account; gives them."""
        for job_id in job_ids:
            await self.until("id = $1 and ended_at is not null", job_id)
        return [await self.job(job_id) for job_id in job_ids]

    async def session(self) -> asyncpg.Connection[Any]:
        """What a runner listens on and holds its number with."""
        opened = await asyncpg.connect(
            **self.server.embedded.connection(PLATFORM_ROLE, self.name),
            server_settings=session_settings(PLATFORM_ROLE),
        )
        self.pids.append(opened.get_server_pid())
        return opened

    def runner(self, *trials: Trial, slots: int = 2, grace_seconds: float = 15.0) -> Runner:
        """A runner that does the trials."""
        handlers: Mapping[str, Any] = {trial.kind: trial for trial in trials}
        return Runner(self.database, self.database, self.session, handlers, slots, grace_seconds=grace_seconds)

    @asynccontextmanager
    async def working(self, *trials: Trial, slots: int = 2, grace_seconds: float = 15.0) -> AsyncIterator[Runner]:
        """A runner at work, told to stop at the end and waited for."""
        runner = self.runner(*trials, slots=slots, grace_seconds=grace_seconds)
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            runner.stop()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await task


@asynccontextmanager
async def opened(server: Server, name: str, world: World) -> AsyncIterator[Yard]:
    """A yard without jobs, with its connections."""
    # The two roles of a runner differ in what they may see, which is not what these tests are about.
    database = Database(server.embedded.connection(PLATFORM_ROLE, name), PLATFORM_ROLE, most=12)
    await database.open()
    watching = await server.connect(database=name)
    accounts = (world.merchants["usd"].account_id, world.merchants["cny"].account_id)
    try:
        await watching.execute("delete from job")
        yield Yard(server, name, accounts, database, watching)
    finally:
        await watching.close()
        await database.close()


Scene = Callable[[Yard], Awaitable[None]]
Play = Callable[[Scene], None]


@pytest.fixture(scope="module")
def play(server: Server, world: World) -> Play:
    """Runs one scene after the other on a copy of the market."""
    server.clone("yard")

    def run(scene: Scene) -> None:
        async def within() -> None:
            async with opened(server, "yard", world) as yard:
                await scene(yard)

        once(within)

    return run


async def hang(*_: object) -> None:
    """Never end by itself."""
    await asyncio.Event().wait()


# -- what is done


def test_jobs_are_done_whenever_they_are_asked_for(play: Play) -> None:
    """Before there is a worker, and while one waits."""

    async def scene(yard: Yard) -> None:
        trial = Trial(steps=3)
        early = await yard.ask()
        async with yard.working(trial):
            await yard.until_ended(early)
            late = await yard.ask()
            ended = await yard.until_ended(early, late)
        assert trial.done == [(early, 0), (early, 1), (early, 2), (late, 0), (late, 1), (late, 2)]
        for job in ended:
            assert (job.state, job.position, job.processed, job.total) == (jobs.FINISHED, 3, 3, 3)
            assert (job.worker, job.started_at, job.ended_at, job.error) == (None, NOW, NOW, None)

    play(scene)


def test_two_runners_do_everything_once(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        asked = [await yard.ask(lane=f"lane {number % 12}") for number in range(24)]
        trial, other = Trial(steps=2), Trial(steps=2)
        async with yard.working(trial), yard.working(other):
            await yard.until_ended(*asked)
        assert sorted(trial.done + other.done) == sorted((job_id, at) for job_id in asked for at in (0, 1))

    play(scene)


def test_one_job_of_a_lane_at_a_time_and_in_order(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        at_work: list[str] = []
        crowds: list[tuple[str, ...]] = []

        async def be_there(job: Job, progress: Progress) -> None:
            at_work.append(job.id)
            crowds.append(tuple(at_work))
            # Long enough for the other runner to look for a job.
            await yard.job(job.id)
            at_work.remove(job.id)

        trial = Trial(steps=3, do_outside=be_there)
        asked = [await yard.ask() for _ in range(6)]
        async with yard.working(trial), yard.working(trial):
            await yard.until_ended(*asked)
        assert trial.order == asked
        assert max(map(len, crowds)) == 1

    play(scene)


def test_lanes_and_accounts_do_not_wait_for_each_other(play: Play) -> None:
    """Three jobs can only end when all three have begun."""

    async def scene(yard: Yard) -> None:
        barrier = asyncio.Barrier(3)

        async def meet(job: Job, progress: Progress) -> None:
            await barrier.wait()

        trial = Trial(do_outside=meet)
        async with yard.working(trial, slots=3):
            own = [await yard.ask(), await yard.ask(lane="other")]
            foreign = await yard.ask(account=1)
            await yard.until_ended(*own)
            await yard.until("id = $1 and state = 'finished'", foreign)

    play(scene)


def test_a_small_job_does_not_wait_for_a_long_one(play: Play) -> None:
    """One slot, and a job of another account that would take for ever: they take turns."""

    async def scene(yard: Yard) -> None:
        begun = asyncio.Event()

        async def tell(ctx: Ctx, job: Job) -> None:
            begun.set()

        trial = Trial(do_inside=tell)
        async with yard.working(trial, slots=1):
            long = await yard.ask(steps=10**9)
            await begun.wait()
            small = await yard.ask(account=1, steps=2)
            await yard.until("id = $1 and state = 'finished'", small)
            await yard.until("id = $1 and state = 'running' and worker is not null", long)
            await yard.cancel(long)
        job = await yard.job(long)
        assert (job.state, job.processed) == (jobs.CANCELLED, job.position)
        assert job.position == sum(job_id == long for job_id, _ in trial.done)

    play(scene)


# -- what goes wrong


@pytest.mark.parametrize("half", ["outside", "inside"])
def test_an_error_puts_it_off_and_nothing_else(play: Play, half: str) -> None:
    """Its lane goes on; what the step wrote before the error is not there."""

    async def scene(yard: Yard) -> None:
        async def fail(ctx: Ctx, job: Job) -> None:
            await ctx.db.execute("update job set total = 77 where id = $1", job.id)
            if not job.arguments["good"] and job.error is None:
                raise ValueError("out of ink")

        async def fail_outside(job: Job, progress: Progress) -> None:
            if not job.arguments["good"] and job.error is None:
                raise ValueError("out of ink")

        trial = Trial(do_inside=fail) if half == "inside" else Trial(do_outside=fail_outside)
        bad, good = await yard.ask(good=False), await yard.ask(good=True)
        async with yard.working(trial):
            await yard.until("id = $1 and state = 'pending' and due_at > clock_timestamp()", bad)
            put_off = await yard.job(bad)
            await yard.until_ended(good)
            await yard.make_due(bad)
            await yard.until_ended(bad)
        assert (put_off.error, put_off.tries, put_off.waits) == ("ValueError('out of ink')", 1, 0)
        assert (put_off.worker, put_off.position, put_off.total) == (None, 0, None)
        assert [(await yard.job(job_id)).state for job_id in (bad, good)] == [jobs.FINISHED] * 2
        assert [job_id for job_id, _ in trial.done][-2:] == [good, bad]

    play(scene)


def test_what_time_mends_is_no_try(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        async def later(job: Job, progress: Progress) -> None:
            if job.error is None:
                raise TryLater

        async with yard.working(Trial(do_outside=later)):
            asked = await yard.ask()
            await yard.until("id = $1 and state = 'pending' and error is not null", asked)
            put_off = await yard.job(asked)
            await yard.make_due(asked)
            await yard.until_ended(asked)
        assert (put_off.tries, put_off.waits) == (0, 1)

    play(scene)


def test_what_a_runner_lets_go_of_is_not_kept(play: Play) -> None:
    """The database was too busy for a moment, or what is written down about a parked job failed.

    Nobody works on the job any more, so its lease must not be renewed by a worker that is well otherwise.
    """

    async def scene(yard: Yard) -> None:
        errors: dict[str, Exception] = {
            "outside": StorageUnavailable(),
            "inside": StorageUnavailable(),
            "parked, passing": StorageUnavailable(),
            "parked": ValueError("no such shop"),
        }

        async def outside(job: Job, progress: Progress) -> None:
            if job.lane == "outside" and (error := errors.pop(job.lane, None)):
                raise error

        async def inside(ctx: Ctx, job: Job) -> None:
            if job.lane == "inside" and (error := errors.pop(job.lane, None)):
                raise error
            if job.lane.startswith("parked"):
                raise ValueError("always")

        async def parked(ctx: Ctx, job: Job) -> None:
            if error := errors.pop(job.lane, None):
                raise error

        asked = {lane: await yard.ask(lane=lane) for lane in errors}
        await yard.watching.execute("update job set tries = 7 where lane ~ '^parked'")
        async with yard.working(Trial(do_outside=outside, do_inside=inside, do_parked=parked), slots=4):
            for job_id in asked.values():
                # Each heartbeat lets a lease run for fifteen seconds again.
                let_go = "ended_at is not null or due_at < now() + interval '12 seconds'"
                await yard.until(f"id = $1 and fence > 0 and ({let_go})", job_id)
                await yard.make_due(job_id)
            ended = await yard.until_ended(*asked.values())
        assert errors == {}
        assert [job.state for job in ended] == [jobs.FINISHED, jobs.FINISHED, jobs.FAILED, jobs.FAILED]

    play(scene)


def test_a_job_that_never_gets_anywhere_is_parked(play: Play) -> None:
    """Told once, whether the last try ended with an error or with the end of the worker."""

    async def scene(yard: Yard) -> None:
        async def fail(*_: object) -> None:
            raise ValueError("always")

        trial = Trial(do_inside=fail)
        failing, killing = await yard.ask(), await yard.ask(lane="other")
        await yard.watching.execute("update job set tries = 7 where id = $1", failing)
        await yard.watching.execute("update job set tries = 8 where id = $1", killing)
        async with yard.working(trial):
            ended = await yard.until_ended(failing, killing)
            next_one = await yard.ask(lane="third")
            await yard.until("id = $1 and error is not null", next_one)
        assert [job.state for job in ended] == [jobs.FAILED] * 2
        assert ended[0].error == "ValueError('always')"
        assert ended[1].error
        assert sorted(trial.parked_jobs) == sorted((failing, killing))
        assert killing not in trial.order

    play(scene)


def test_what_has_no_handler_is_left_alone(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        other = await yard.ask(lane="other")
        await yard.watching.execute("update job set kind = 'of tomorrow' where id = $1", other)
        trial = Trial()
        async with yard.working(trial):
            asked = await yard.ask()
            await yard.until_ended(asked)
        assert trial.order == [asked]
        assert await yard.watching.fetchval("select state from job where id = $1", other) == "pending"

    play(scene)


# -- what is lost


def test_a_lost_session_is_replaced(play: Play) -> None:
    """What was in hand is dropped and begun again under a new number."""

    async def scene(yard: Yard) -> None:
        workers: list[int | None] = []
        begun = asyncio.Event()

        async def hang_first(job: Job, progress: Progress) -> None:
            workers.append(job.worker)
            begun.set()
            if job.worker == workers[0]:
                await hang()

        async with yard.working(Trial(do_outside=hang_first)):
            asked = await yard.ask()
            await begun.wait()
            await yard.watching.execute("select pg_terminate_backend($1)", yard.pids[0])
            (job,) = await yard.until_ended(asked)
        assert job.state == jobs.FINISHED
        assert len(set(workers)) == len(yard.pids) == 2

    play(scene)


def test_a_cancelled_step_ends_and_others_tell_how_far_they_are(play: Play) -> None:
    """Both at the next heartbeat, long before the halves outside of the database end by themselves."""

    async def scene(yard: Yard) -> None:
        begun, ended, go_on = asyncio.Barrier(3), asyncio.Event(), asyncio.Event()

        async def outside(job: Job, progress: Progress) -> None:
            progress(5, 10)
            await begun.wait()
            if job.lane == KIND:
                await go_on.wait()
                return
            try:
                await hang()
            finally:
                ended.set()

        trial = Trial(do_outside=outside)
        async with yard.working(trial):
            told, cancelled = await yard.ask(), await yard.ask(lane="other")
            await begun.wait()
            await yard.cancel(cancelled)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await ended.wait()
            await yard.until("id = $1 and processed = 5 and total = 10 and state = 'running'", told)
            go_on.set()
            (job,) = await yard.until_ended(told)
        assert (job.state, job.fence) == (jobs.FINISHED, 1)
        assert trial.order == [told]
        assert (await yard.job(cancelled)).processed == 0

    play(scene)


def test_an_effect_of_a_lost_job_is_cleaned_up(play: Play) -> None:
    """It was cancelled while something was made outside that nobody will ever ask for."""

    async def scene(yard: Yard) -> None:
        async def make(job: Job, progress: Progress) -> str:
            await yard.cancel(job.id)
            return f"file of {job.id}"

        trial = Trial(do_outside=make)
        async with yard.working(trial):
            asked = await yard.ask()
            await yard.until_ended(asked)
        assert trial.dropped_effects == [f"file of {asked}"]
        assert trial.done == []

    play(scene)


# -- the end of a runner


def test_stopping_lets_a_step_end_and_another_runner_goes_on(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def wait(job: Job, progress: Progress) -> None:
            begun.set()
            await go_on.wait()

        trial = Trial(steps=3, do_outside=wait)
        asked, never_begun = await yard.ask(), await yard.ask()
        runner = yard.runner(trial)
        task = asyncio.create_task(runner.run())
        await begun.wait()
        runner.stop()
        go_on.set()
        await task
        job = await yard.job(asked)
        assert (job.state, job.worker, job.position, job.tries) == (jobs.RUNNING, None, 1, 0)
        assert (await yard.job(never_begun)).fence == 0
        async with yard.working(trial):
            await yard.until_ended(asked, never_begun)
        assert [at for job_id, at in trial.done if job_id == asked] == [0, 1, 2]
        assert (await yard.job(asked)).fence == 2

    play(scene)


def test_stopping_does_not_wait_for_ever(play: Play) -> None:
    """What hangs outside of the database is given back when its grace is over."""

    async def scene(yard: Yard) -> None:
        begun = asyncio.Event()

        async def hang_there(job: Job, progress: Progress) -> None:
            begun.set()
            await hang()

        asked = await yard.ask()
        async with yard.working(Trial(do_outside=hang_there), grace_seconds=0.05):
            await begun.wait()
        job = await yard.job(asked)
        assert (job.state, job.worker, job.tries) == (jobs.RUNNING, None, 0)
        async with yard.working(Trial()):
            await yard.until_ended(asked)

    play(scene)
