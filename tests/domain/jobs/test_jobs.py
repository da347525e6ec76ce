"""The rows of jobs against the machine: who gets which job, and what several workers do at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.support.database import Server, once
from tests.support.market import NOW, Market, World
from tradepost.domain import jobs
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import (
    FAILED,
    FINISHED,
    PENDING,
    RUNNING,
    Advance,
    Job,
    JobLost,
    JobNotFound,
    JobNotParked,
    LaneTaken,
    TooManyJobs,
)
from tradepost.domain.jobs.job import LEASE, MOST_TRIES
from tradepost.storage.database import PLATFORM_ROLE, Database

WORKER_LOCK = 7403
LIVING = (1, 2, 3, 8)
KINDS = ("kind",)


async def ask(ctx: Ctx, account: str, lane: str = "lane", kind: str = "kind", **arguments: Any) -> str:
    return await jobs.enqueue(ctx, account, kind, lane, arguments)


async def claim(ctx: Ctx, worker: int = 1) -> Job:
    """Take the next job, which there is."""
    job = await jobs.claim_next(ctx, worker, KINDS)
    assert job is not None
    return job


@pytest.fixture
def shops(world: World) -> tuple[str, str]:
    """The ids of two accounts."""
    return world.merchants["usd"].account_id, world.merchants["cny"].account_id


@pytest.fixture
def queue(market: Market) -> Market:
    """A market without jobs, whose workers live until its end."""
    market.sql("delete from job")
    for worker in LIVING:
        market.sql("select pg_advisory_xact_lock($1, $2)", WORKER_LOCK, worker)
    return market


# -- asking and looking


def test_what_is_asked_for_is_there(queue: Market, shops: tuple[str, str]) -> None:
    async def scene(ctx: Ctx) -> None:
        job_id = await ask(ctx, shops[0], since="2021", many=3)
        job = await jobs.find_job(ctx, shops[0], "kind", job_id)
        assert (job.kind, job.lane, job.arguments) == ("kind", "lane", {"since": "2021", "many": 3})
        assert (job.state, job.created_at, job.fence, job.token_id) == (PENDING, NOW, 0, None)
        assert job.person_id is not None
        for account, kind, asked in ((shops[1], "kind", job_id), (shops[0], "x", job_id), (shops[0], "kind", "x")):
            with pytest.raises(JobNotFound):
                await jobs.find_job(ctx, account, kind, asked)
            with pytest.raises(JobNotFound):
                await jobs.cancel_job(ctx, account, kind, asked)

    queue.operate(scene)


def test_every_column_survives(queue: Market, shops: tuple[str, str]) -> None:
    """What a step comes to is read again just so."""

    async def scene(ctx: Ctx) -> None:
        await ask(replace(ctx, token_id="b" * 24), shops[0])
        job = await claim(ctx, 5)
        step = Advance(2, False, processed=9, succeeded=7, failed=2, total=2**40, result={"a": [1, None, "é"]})
        moved = await jobs.advance(ctx, jobs.claim_of(job), step)
        assert await jobs.find_job(ctx, shops[0], "kind", job.id) == moved
        assert (moved.worker, moved.token_id, moved.started_at) == (5, "b" * 24, NOW)

    queue.operate(scene)


def test_a_thousand_may_wait_and_not_one_more(queue: Market, shops: tuple[str, str]) -> None:
    async def scene(ctx: Ctx) -> None:
        await ctx.db.execute(
            "insert into job (account_id, id, kind, lane, arguments, created_at, due_at) "
            "select $1, lpad(n::text, 24, '0'), 'kind', 'lane', '{}', now(), now() from generate_series(1, 999) n",
            shops[0],
        )
        last = await jobs.enqueue(ctx, shops[0], "kind", "lane", {}, most_open=jobs.MOST_OPEN)
        with pytest.raises(TooManyJobs) as caught:
            await jobs.enqueue(ctx, shops[0], "kind", "lane", {}, most_open=jobs.MOST_OPEN)
        assert caught.value.limit == 1000
        for account, lane in ((shops[1], "lane"), (shops[0], "other")):
            await jobs.enqueue(ctx, account, "kind", lane, {}, most_open=jobs.MOST_OPEN)
        await claim(ctx)
        with pytest.raises(TooManyJobs):
            await jobs.enqueue(ctx, shops[0], "kind", "lane", {}, most_open=jobs.MOST_OPEN)
        await jobs.cancel_job(ctx, shops[0], "kind", last)
        await jobs.enqueue(ctx, shops[0], "kind", "lane", {}, most_open=jobs.MOST_OPEN)

    queue.operate(scene)


def test_the_list_begins_with_what_is_at_work(queue: Market, shops: tuple[str, str]) -> None:
    async def scene(ctx: Ctx) -> None:
        finished, running, pending = [await ask(ctx, shops[0]) for _ in range(3)]
        parked = await ask(ctx, shops[1])
        await jobs.advance(ctx, jobs.claim_of(await claim(ctx)), Advance(1, True))
        await claim(ctx)
        await ctx.db.execute("update job set tries = $2 where id = $1", parked, MOST_TRIES)
        await claim(ctx)
        assert [job.id for job in await jobs.list_jobs(ctx, 10)] == [running, parked, pending, finished]
        assert [job.id for job in await jobs.list_jobs(ctx, 2)] == [running, parked]

    queue.operate(scene)


# -- claiming


def test_the_longest_due_comes_first(queue: Market, shops: tuple[str, str]) -> None:
    async def scene(ctx: Ctx) -> None:
        asked = [await ask(ctx, shops[n % 2], lane=f"lane {n}") for n in range(4)]
        await ctx.db.execute("update job set due_at = due_at - interval '1 hour' where id = $1", asked[2])
        await ctx.db.execute("update job set due_at = due_at + interval '1 hour' where id = $1", asked[0])
        assert [(await claim(ctx)).id for _ in range(3)] == [asked[2], asked[1], asked[3]]
        assert await jobs.claim_next(ctx, 1, KINDS) is None

    queue.operate(scene)


def test_one_job_of_a_lane_runs(queue: Market, shops: tuple[str, str]) -> None:
    async def scene(ctx: Ctx) -> None:
        first, second = await ask(ctx, shops[0]), await ask(ctx, shops[0])
        other_lane, other_account = await ask(ctx, shops[0], lane="other"), await ask(ctx, shops[1])
        running = await claim(ctx)
        assert running.id == first
        assert [(await claim(ctx)).id for _ in range(2)] == [other_lane, other_account]
        assert await jobs.claim_next(ctx, 1, KINDS) is None
        await jobs.advance(ctx, jobs.claim_of(running), Advance(1, True))
        assert (await claim(ctx)).id == second

    queue.operate(scene)


def test_only_known_kinds_are_claimed(queue: Market, shops: tuple[str, str]) -> None:
    async def scene(ctx: Ctx) -> None:
        await ask(ctx, shops[0], kind="of tomorrow", lane="other")
        assert await jobs.claim_next(ctx, 1, KINDS) is None
        assert await jobs.claim_next(ctx, 1, []) is None
        assert await jobs.claim_next(ctx, 1, [*KINDS, "of tomorrow"]) is not None

    queue.operate(scene)


def test_what_is_given_back_waits_behind_the_others(queue: Market, shops: tuple[str, str]) -> None:
    """It keeps its lane, and everybody else has a turn."""

    async def scene(ctx: Ctx) -> None:
        long, small, next_of_lane = await ask(ctx, shops[0]), await ask(ctx, shops[1]), await ask(ctx, shops[0])
        running = await claim(ctx)
        assert running.id == long
        await jobs.give_back(ctx, jobs.claim_of(running))
        assert [(await claim(ctx, 2)).id for _ in range(2)] == [small, long]
        assert (await jobs.find_job(ctx, shops[0], "kind", next_of_lane)).state == PENDING

    queue.operate(scene)


def test_what_was_tried_too_often_comes_back_as_failed(queue: Market, shops: tuple[str, str]) -> None:
    async def scene(ctx: Ctx) -> None:
        job_id = await ask(ctx, shops[0])
        await ctx.db.execute("update job set tries = $2 where id = $1", job_id, MOST_TRIES)
        parked = await claim(ctx)
        assert (parked.id, parked.state, parked.ended_at) == (job_id, FAILED, NOW)
        assert await jobs.claim_next(ctx, 1, KINDS) is None
        with pytest.raises(JobNotFound):
            await jobs.release_job(ctx, "f" * 24)
        assert (await jobs.release_job(ctx, job_id)).state == PENDING
        with pytest.raises(JobNotParked) as caught:
            await jobs.release_job(ctx, job_id)
        assert caught.value.state == PENDING
        assert (await claim(ctx)).tries == 1

    queue.operate(scene)


# -- holding


def test_whoever_lost_a_job_is_refused(queue: Market, shops: tuple[str, str]) -> None:
    """Each thing that a worker can ask for with a claim that does not count any more."""

    async def scene(ctx: Ctx) -> None:
        await ask(ctx, shops[0])
        lost = jobs.claim_of(await claim(ctx))
        assert (await jobs.hold(ctx, lost)).fence == lost.fence
        await ctx.db.execute("update job set due_at = clock_timestamp()")
        taken_over = await claim(ctx, 2)
        assert (taken_over.fence, taken_over.worker) == (2, 2)
        with pytest.raises(JobLost):
            await jobs.hold(ctx, lost)
        with pytest.raises(JobLost):
            await jobs.advance(ctx, lost, Advance(1, True))
        assert await jobs.put_off(ctx, lost, "late") is None
        await jobs.give_back(ctx, lost)
        await jobs.note_progress(ctx, lost, 5, 10)
        assert await jobs.find_job(ctx, shops[0], "kind", taken_over.id) == taken_over
        nothing = replace(lost, id="f" * 24)
        assert await jobs.put_off(ctx, nothing, "late") is None
        with pytest.raises(JobLost):
            await jobs.hold(ctx, nothing)

    queue.operate(scene)


def test_leases_are_renewed_and_progress_is_shown(queue: Market, shops: tuple[str, str]) -> None:
    async def scene(ctx: Ctx) -> None:
        for lane in ("one", "two"):
            await ask(ctx, shops[0], lane=lane)
        mine, other = await claim(ctx, 1), await claim(ctx, 2)
        await ctx.db.execute("update job set due_at = due_at - interval '10 seconds'")
        claims = [jobs.claim_of(mine)]
        assert await jobs.renew_leases(ctx, 1, claims) == {(shops[0], mine.id, 1)}
        await jobs.note_progress(ctx, jobs.claim_of(mine), 7, 9)
        after = await jobs.find_job(ctx, shops[0], "kind", mine.id)
        assert (after.processed, after.total, after.position) == (7, 9, 0)
        assert after.due_at > mine.due_at
        untouched = await jobs.find_job(ctx, shops[0], "kind", other.id)
        assert untouched.due_at == other.due_at - timedelta(seconds=10)

    queue.operate(scene)


def test_cancelling_tells_what_it_was(queue: Market, shops: tuple[str, str]) -> None:
    async def scene(ctx: Ctx) -> None:
        waiting, running = await ask(ctx, shops[0]), await ask(ctx, shops[1])
        assert (await jobs.cancel_job(ctx, shops[0], "kind", waiting)).state == PENDING
        assert (await claim(ctx)).id == running
        assert (await jobs.cancel_job(ctx, shops[1], "kind", running)).state == RUNNING
        assert (await jobs.cancel_job(ctx, shops[1], "kind", running)).state == "cancelled"
        assert await jobs.claim_next(ctx, 1, KINDS) is None

    queue.operate(scene)


# -- what is forgotten


def test_what_ended_long_ago_is_forgotten_with_its_packs(queue: Market, shops: tuple[str, str]) -> None:
    async def scene(ctx: Ctx) -> None:
        old, recent, still_open = [await ask(ctx, shops[0], lane=str(n)) for n in range(3)]
        for job_id in (old, recent, still_open):
            await ctx.db.execute(
                "insert into bulk_pack (merchant_id, job_id, number, first_row, rows) values ($1, $2, 0, 1, '')",
                shops[0],
                job_id,
            )
        await ctx.db.execute("update job set created_at = created_at - interval '90 days'")
        for job_id, days in ((old, 31), (recent, 29)):
            await jobs.cancel_job(replace(ctx, now=NOW - timedelta(days=days)), shops[0], "kind", job_id)
        assert await jobs.forget_old_jobs(ctx, ["kind"]) == 0, "its files are not gone yet"
        assert await jobs.forget_old_jobs(ctx, ["other"]) == 1
        assert await jobs.forget_old_jobs(ctx, []) == 0
        left = {row["job_id"] for row in await ctx.db.fetch("select job_id from bulk_pack")}
        assert left == {recent, still_open}
        with pytest.raises(JobNotFound):
            await jobs.find_job(ctx, shops[0], "kind", old)

    queue.operate(scene)


def test_what_is_left_counts_chores_that_were_never_done(queue: Market) -> None:
    """And where nobody has said which there are, something is left: nobody has worked in that world yet."""

    async def scene(ctx: Ctx) -> None:
        await ctx.db.execute("update job set state = 'cancelled', ended_at = now() where ended_at is null")
        await ctx.db.execute("update chore set name = name || ' elsewhere', due_at = clock_timestamp() + '1 day'")
        if not await ctx.db.fetchval("select exists (select from chore)"):
            assert await jobs.count_due(ctx, await jobs.hurry_chores(ctx)) == 1
        await jobs.add_chores(ctx, ["sweep", "mend"])
        assert await jobs.take_chore(ctx, "sweep", timedelta(hours=1))
        await jobs.add_chores(ctx, ["sweep", "mend"])
        assert not await jobs.take_chore(ctx, "sweep", timedelta(hours=1))
        since = await jobs.hurry_chores(ctx)
        left = await jobs.count_due(ctx, since)
        for name in ("mend", "sweep"):
            assert await jobs.take_chore(ctx, name, timedelta(hours=1))
            left -= 1
            assert await jobs.count_due(ctx, since) == left

    queue.operate(scene)


def test_a_chore_is_done_when_it_is_due(queue: Market) -> None:
    async def scene(ctx: Ctx) -> None:
        hour = timedelta(hours=1)
        assert await jobs.take_chore(ctx, "sweep", hour)
        assert not await jobs.take_chore(ctx, "sweep", hour)
        assert await jobs.take_chore(ctx, "another", hour)
        await ctx.db.execute("update chore set due_at = clock_timestamp() where name = 'sweep'")
        assert await jobs.take_chore(ctx, "sweep", hour)

    queue.operate(scene)


# -- several connections


@dataclass
class Yard:
    """A database of its own, where several workers are at work at once."""

    server: Server
    account: str
    database: Database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Ctx]:
        """A transaction on a connection of its own."""
        async with self.database.acting_for("") as connection:
            yield Ctx(db=connection, now=NOW, actor=None)

    async def session(self, worker: int) -> asyncpg.Connection[Any]:
        """The connection by which everybody sees that a worker lives."""
        connection = await self.server.connect(database="yard")
        await connection.execute("select pg_advisory_lock($1, $2)", WORKER_LOCK, worker)
        return connection


Play = Callable[[Callable[[Yard], Awaitable[None]]], None]


@pytest.fixture(scope="module")
def yard_server(server: Server, world: World) -> Server:
    """The server, with a copy of the market in it."""
    server.clone("yard")
    return server


@pytest.fixture
def play(yard_server: Server, world: World) -> Play:
    """Runs one scene in the copy, without what others left there."""

    def run(scene: Callable[[Yard], Awaitable[None]]) -> None:
        async def within() -> None:
            database = Database(yard_server.embedded.connection(PLATFORM_ROLE, "yard"), PLATFORM_ROLE, most=4)
            await database.open()
            yard = Yard(yard_server, world.merchants["usd"].account_id, database)
            sessions = [await yard.session(worker) for worker in LIVING]
            try:
                await sessions[0].execute("delete from job")
                await scene(yard)
            finally:
                await asyncio.gather(*(session.close() for session in sessions))
                await database.close()

        once(within)

    return run


def test_nobody_waits_for_a_row_that_somebody_takes(play: Play) -> None:
    """Two claims at the same time find two jobs, and a third finds none."""

    async def scene(yard: Yard) -> None:
        async with yard.transaction() as ctx:
            asked = [await ask(ctx, yard.account, lane=lane) for lane in ("one", "two")]
        async with yard.transaction() as first, yard.transaction() as second, yard.transaction() as third:
            assert [(await claim(ctx)).id for ctx in (first, second)] == asked
            assert await jobs.claim_next(third, 3, KINDS) is None

    play(scene)


def test_of_two_who_want_the_same_lane_one_is_told(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        async with yard.transaction() as ctx:
            asked = [await ask(ctx, yard.account) for _ in range(2)]

        async def late() -> None:
            async with yard.transaction() as ctx:
                await jobs.claim_next(ctx, 2, KINDS)

        async with yard.transaction() as early:
            assert (await claim(early)).id == asked[0]
            async with yard.transaction() as ctx:
                await ctx.db.execute("update job set due_at = due_at - interval '1 hour' where id = $1", asked[1])
            task = asyncio.create_task(late())
            await waiting_for_a_lock(yard)
        with pytest.raises(LaneTaken):
            await task
        async with yard.transaction() as ctx:
            assert await jobs.claim_next(ctx, 2, KINDS) is None

    play(scene)


def test_jobs_of_a_lane_are_begun_in_the_order_they_were_asked_for(play: Play) -> None:
    """The later one is not begun just because another worker is about to take the earlier one."""

    async def scene(yard: Yard) -> None:
        async with yard.transaction() as ctx:
            await ask(ctx, yard.account)
            later = await ask(ctx, yard.account)
        async with yard.transaction() as slow:
            # So far got somebody who is about to claim the earlier one.
            await slow.db.execute("select from job where id <> $1 for no key update", later)
            async with yard.transaction() as quick:
                assert await jobs.claim_next(quick, 2, KINDS) is None

    play(scene)


async def waiting_for_a_lock(yard: Yard) -> None:
    """Return when some statement of the yard waits for a lock."""
    statement = "select exists (select from pg_locks where not granted and locktype in ('tuple', 'transactionid'))"
    async with asyncio.timeout(10), yard.transaction() as ctx:
        while not await ctx.db.fetchval(statement):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def test_what_a_dead_worker_had_is_free_at_once(play: Play) -> None:
    """Its lease still runs; of a worker that lives nothing is taken, until its lease is over."""

    async def scene(yard: Yard) -> None:
        session = await yard.session(7)
        try:
            async with yard.transaction() as ctx:
                await ask(ctx, yard.account)
                before = await claim(ctx, 7)
            async with yard.transaction() as ctx:
                assert await jobs.claim_next(ctx, 8, KINDS) is None
        finally:
            await session.close()
        async with asyncio.timeout(10):
            after = None
            while after is None:  # the server takes a moment to notice that the session is gone
                async with yard.transaction() as ctx:
                    after = await jobs.claim_next(ctx, 8, KINDS)
        assert (after.id, after.fence, after.worker) == (before.id, 2, 8)
        assert after.due_at - before.due_at < LEASE

    play(scene)


def test_a_living_worker_loses_what_it_did_not_renew(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        session = await yard.session(7)
        try:
            async with yard.transaction() as ctx:
                await ask(ctx, yard.account)
                await claim(ctx, 7)
                await ctx.db.execute("update job set due_at = clock_timestamp() - interval '1 second'")
            async with yard.transaction() as ctx:
                assert (await claim(ctx, 8)).fence == 2
        finally:
            await session.close()

    play(scene)


def test_renewing_does_not_wait_for_a_step(play: Play) -> None:
    """The row that a step holds is passed over, and still counts as its worker's."""

    async def scene(yard: Yard) -> None:
        async with yard.transaction() as ctx:
            for lane in ("one", "two"):
                await ask(ctx, yard.account, lane=lane)
            busy, other = await claim(ctx, 7), await claim(ctx, 7)
        async with yard.transaction() as step:
            await jobs.hold(step, jobs.claim_of(busy))
            async with yard.transaction() as beat:
                claims = [jobs.claim_of(job) for job in (busy, other)]
                assert await jobs.renew_leases(beat, 7, claims) == {
                    (yard.account, job.id, 1) for job in (busy, other)
                }
            async with yard.transaction() as ctx:
                assert (await jobs.find_job(ctx, yard.account, "kind", busy.id)).due_at == busy.due_at
                assert (await jobs.find_job(ctx, yard.account, "kind", other.id)).due_at > other.due_at

    play(scene)


def test_a_cancel_waits_for_a_step_and_keeps_it(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        async with yard.transaction() as ctx:
            await ask(ctx, yard.account)
            job = await claim(ctx)

        async def cancel() -> Job:
            async with yard.transaction() as ctx:
                return await jobs.cancel_job(ctx, yard.account, "kind", job.id)

        async with yard.transaction() as step:
            await jobs.hold(step, jobs.claim_of(job))
            task = asyncio.create_task(cancel())
            await waiting_for_a_lock(yard)
            await jobs.advance(step, jobs.claim_of(job), Advance(1, False, processed=3))
        assert (await task).processed == 3
        async with yard.transaction() as ctx:
            after = await jobs.find_job(ctx, yard.account, "kind", job.id)
            assert (after.state, after.position, after.processed) == ("cancelled", 1, 3)
            with pytest.raises(JobLost):
                await jobs.hold(ctx, jobs.claim_of(job))

    play(scene)


def test_of_two_one_has_a_chore(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        async def take() -> int | None:
            async with yard.transaction() as ctx:
                return await jobs.take_chore(ctx, "sweep", timedelta(hours=1))

        taken = await asyncio.gather(*(take() for _ in range(4)))
        assert [turn for turn in taken if turn is not None] == [1]

    play(scene)


def test_a_chore_whose_work_was_undone_is_still_due(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        async def fail() -> None:
            async with yard.transaction() as ctx:
                assert await jobs.take_chore(ctx, "mend", timedelta(hours=1))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with yard.transaction() as ctx:
            assert await jobs.take_chore(ctx, "mend", timedelta(hours=1))

    play(scene)


def test_asking_wakes_whoever_listens_once_it_is_committed(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        woken = asyncio.Event()
        listener = await yard.server.connect(database="yard")
        try:
            await listener.add_listener(jobs.CHANNEL, lambda *_: woken.set())
            async with yard.transaction() as ctx:
                await ask(ctx, yard.account)
                await listener.fetchval("select 1")
                assert not woken.is_set()
            async with asyncio.timeout(10):
                await woken.wait()
        finally:
            await listener.close()

    play(scene)


def test_finished_jobs_are_nobodys(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        async with yard.transaction() as ctx:
            await ask(ctx, yard.account)
            done = await jobs.advance(ctx, jobs.claim_of(await claim(ctx)), Advance(1, True))
            assert (done.state, done.worker) == (FINISHED, None)
            await ctx.db.execute("update job set due_at = clock_timestamp() - interval '1 hour'")
            assert await jobs.claim_next(ctx, 2, KINDS) is None

    play(scene)
