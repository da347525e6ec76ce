"""Claims jobs and works on them, several at a time, until told to stop.

A worker is a number that holds an advisory lock on a session of its own. On that session it listens for new jobs
and renews its leases; when the process dies, so does the session, and everybody sees that its jobs are free. When
the session is lost, everything in hand is dropped and begun again under a new number: fences see to it that what
was dropped can do no harm.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import asyncpg
import structlog

from tradepost.domain import jobs, world
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import CHANNEL, FAILED, Claim, Job, JobLost, LaneTaken
from tradepost.domain.jobs.job import SUSPICIOUS_TRIES, next_move
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.values import Fact, TryLater
from tradepost.worker.handlers import Handler

WORKER_LOCK: Final = 7403
"""The first key of the advisory locks that workers hold; the migrations know it, too."""
PAUSE_LOCK: Final = 7404
"""Workers and chores share it: whoever has it to himself finds none at work. The sandbox's pause knows it, too."""
HEARTBEAT_SECONDS: Final = 2.0
IDLE_SECONDS: Final = 1.0
TURN_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 15.0

log = structlog.get_logger("tradepost.worker")


@dataclass
class _Session:
    """The worker's own connection: its number, and what comes in on it."""

    connection: asyncpg.Connection[Any]
    number: int
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    lost: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False)
class _Work:
    """A job in hand."""

    job: Job
    claim: Claim
    task: asyncio.Task[None] | None = None
    progress: tuple[int, int | None] | None = None

    def note(self, processed: int, total: int | None) -> None:
        """Remember how far the step is."""
        self.progress = (processed, total)


class Runner:
    """One worker."""

    def __init__(
        self,
        platform: Database,
        app: Database,
        connect: Callable[[], Awaitable[asyncpg.Connection[Any]]],
        handlers: Mapping[str, Handler],
        slots: int,
        aside: Mapping[str, int] | None = None,
        grace_seconds: float = GRACE_SECONDS,
        numbered: Callable[[int], None] = lambda number: None,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        """`platform` sees every account, `app` the one it acts for; `connect` opens a session of its own.

        Kinds in `aside` have slots of their own, so many each: what waits for others keeps nobody else waiting.
        `grace_seconds` is how long what happens outside of the database may go on after the word to stop.
        `numbered` is told the worker's number whenever it gets one, `moved` when somebody has, or may
        have, set the clock.
        """
        self._platform = platform
        self._app = app
        self._connect = connect
        self._handlers = handlers
        self._slots = slots
        self._aside = dict(aside or {})
        self._grace_seconds = grace_seconds
        self._numbered = numbered
        self._moved = moved
        self._works: set[_Work] = set()
        self._room = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Take no more jobs, and give back those in hand as soon as a step is done."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until told to stop; whatever happens to the database is waited for."""
        while not self._stopping.is_set():
            try:
                async with self._session() as session:
                    await self._serve(session)
            except (OSError, TryLater, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("worker without a database", error=repr(error))
                await _first(self._stopping.wait(), asyncio.sleep(0.5))

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[_Session]:
        connection = await self._connect()
        try:
            number = await connection.fetchval("select nextval('worker_number')")
            await connection.execute("select pg_advisory_lock_shared($1, 0)", PAUSE_LOCK)
            await connection.execute("select pg_advisory_lock($1, $2)", WORKER_LOCK, number)
            self._numbered(number)
            session = _Session(connection, number)
            connection.add_termination_listener(lambda _: session.lost.set())
            await connection.add_listener(CHANNEL, lambda *_: session.woken.set())
            await connection.add_listener(world.CHANNEL, lambda *_: self._moved())
            self._moved()  # what was said while nobody listened, as when the world was exchanged, was not heard
            log.info("worker ready", worker=number)
            yield session
        finally:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=2)

    async def _serve(self, session: _Session) -> None:
        beat = asyncio.create_task(self._beat(session))
        try:
            await self._claim_until_stopped(session)
            if not session.lost.is_set():
                await self._finish()
        finally:
            beat.cancel()
            await self._drop_everything()

    async def _claim_until_stopped(self, session: _Session) -> None:
        while not self._stopping.is_set() and not session.lost.is_set():
            self._room.clear()
            session.woken.clear()
            kinds = self._kinds_with_room()
            job = await self._claim(session, kinds) if kinds else None
            if job is None:
                news = [self._room.wait(), self._stopping.wait(), session.lost.wait()]
                if kinds:
                    # The end of one of our own jobs is news, too: the next of its lane can begin.
                    await _first(session.woken.wait(), *news, seconds=IDLE_SECONDS)
                else:
                    await _first(*news)
                continue
            work = _Work(job, jobs.claim_of(job))
            self._works.add(work)
            work.task = asyncio.create_task(self._work_on(work))
            work.task.add_done_callback(partial(self._put_down, work))

    def _kinds_with_room(self) -> list[str]:
        """What can be taken on at the moment; beside a job that may have ended its workers there is nothing."""
        if any(work.job.tries > SUSPICIOUS_TRIES for work in self._works):
            return []
        at_work = Counter(work.job.kind for work in self._works)
        together = sum(count for kind, count in at_work.items() if kind not in self._aside)
        return [
            kind
            for kind in self._handlers
            if (at_work[kind] < self._aside[kind] if kind in self._aside else together < self._slots)
        ]

    def _put_down(self, work: _Work, task: asyncio.Task[None]) -> None:
        self._works.discard(work)
        self._room.set()

    async def _claim(self, session: _Session, kinds: Collection[str]) -> Job | None:
        """The next job of these kinds, if there is one; a job that is parked instead is noted and passed over."""
        while True:
            try:
                async with self._platform.acting_for("") as connection:
                    ctx = await world.enter(connection)
                    job = await jobs.claim_next(ctx, session.number, kinds, alone=not self._works)
                    if job is None or job.state != FAILED:
                        return job
                    await self._note_parked(connection, ctx, job)
            except LaneTaken:
                continue

    # -- one job

    async def _work_on(self, work: _Work) -> None:
        handler = self._handlers[work.job.kind]
        turn = asyncio.get_running_loop().time() + TURN_SECONDS
        try:
            while True:
                job = await self._step(handler, work)
                turn_over = asyncio.get_running_loop().time() > turn
                move = next_move(job, stopping=self._stopping.is_set(), turn_over=turn_over)
                if move == "give back":
                    await self._give_back(work)
                if move != "go on":
                    return
        except JobLost:
            log.info("job is somebody else's", kind=work.job.kind, job=work.job.id)
        except asyncio.CancelledError:
            await self._give_back(work)
            raise
        except TryLater as error:
            log.warning("job interrupted", kind=work.job.kind, job=work.job.id, error=repr(error))
            await self._put_off(work, error)
        except Exception as error:
            log.warning("job failed", kind=work.job.kind, job=work.job.id, exc_info=True)
            await self._put_off(work, error)

    async def _step(self, handler: Handler, work: _Work) -> Job:
        effect = await handler.outside(work.job, work.note)
        try:
            async with self._app.acting_for(work.claim.account_id) as connection:
                ctx = await world.enter(connection)
                job = await jobs.hold(ctx, work.claim)
                world.begin(ctx, _doing(job))
                step = await handler.inside(ctx, job, effect)
                return await jobs.advance(ctx, work.claim, step)
        except JobLost:
            await handler.dropped(work.job, effect)
            raise

    async def _give_back(self, work: _Work) -> None:
        with suppress(StorageUnavailable):
            async with self._app.acting_for(work.claim.account_id) as connection:
                await jobs.give_back(await world.enter(connection), work.claim)

    async def _put_off(self, work: _Work, error: Exception) -> None:
        """Let it be tried again later; where even that cannot be written down, the end of the lease does it."""
        with suppress(StorageUnavailable):
            async with self._app.acting_for(work.claim.account_id) as connection:
                ctx = await world.enter(connection)
                world.begin(ctx, f"{_doing(work.job)} put off")
                after = await jobs.put_off(ctx, work.claim, repr(error), passing=isinstance(error, TryLater))
                if after is not None and after.state == FAILED:
                    await self._note_parked(connection, ctx, after)

    async def _note_parked(self, connection: Any, ctx: Ctx, job: Job) -> None:
        """Let the handler say that a job was given up; it stays given up even if that fails."""
        log.error("job parked", kind=job.kind, job=job.id, error=job.error)
        try:
            async with connection.transaction():
                await self._handlers[job.kind].parked(ctx, job)
        except (asyncpg.PostgresError, Fact):
            log.exception("parking was not told", kind=job.kind, job=job.id)

    # -- all jobs in hand

    async def _beat(self, session: _Session) -> None:
        """Renew the leases, show how far steps are, and drop what is somebody else's by now."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            before = list(self._works)
            try:
                async with session.connection.transaction():
                    ctx = await world.enter(session.connection)
                    ours = await jobs.renew_leases(ctx, session.number, [work.claim for work in before])
                    for work in before:
                        if work.progress is not None:
                            await jobs.note_progress(ctx, work.claim, *work.progress)
                            work.progress = None
            except Exception as error:
                # Whatever it is: without a heartbeat nothing may be kept in hand.
                log.warning("no heartbeat", error=repr(error))
                session.lost.set()
                return
            for work in before:
                claim = work.claim
                if work.task is not None and (claim.account_id, claim.id, claim.fence) not in ours:
                    work.task.cancel()

    async def _finish(self) -> None:
        """Let what is in hand come to the end of its step, or be given back when that takes too long."""
        tasks = [work.task for work in self._works if work.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=self._grace_seconds)

    async def _drop_everything(self) -> None:
        tasks = [work.task for work in self._works if work.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _doing(job: Job) -> str:
    """Names a step of a job, which is done once: one that is begun anew left nothing behind."""
    return f"job {job.account_id} {job.id} {job.position} {job.waits}"


async def _first(*waiting: Awaitable[Any], seconds: float | None = None) -> None:
    """Return when the first of several things has happened, or after so many seconds."""
    tasks = [asyncio.ensure_future(one) for one in waiting]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
