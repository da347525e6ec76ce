"""Chores on a real database and in a real folder: what they clean up, what they leave, and who does them when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.database import Server, once
from tests.support.market import NOW, World
from tradepost.domain import downloads, jobs, world
from tradepost.domain.context import Ctx
from tradepost.domain.downloads import PRODUCTS, folder_of, key_of
from tradepost.domain.downloads.link import LIFETIME
from tradepost.opening import OWNER_ROLE
from tradepost.sandbox.pause import pause_workers
from tradepost.storage.database import PLATFORM_ROLE, Database
from tradepost.storage.files import FileStore, FilesUnavailable
from tradepost.storage.files_local import LocalFiles
from tradepost.worker.chores import CHORES, Chore, delete_expired_files, do_chore, do_chores

HOUR = timedelta(hours=1)
SWEEP = Chore("sweep", HOUR, delete_expired_files)


@dataclass
class Yard:
    """A database of its own without jobs and chores, and a store in a folder."""

    account: str
    database: Database
    files: LocalFiles
    address: Mapping[str, Any]
    """How the owner of the database connects."""

    async def ended(self, ago: timedelta, *versions: int, state: str = "finished", kind: str = "") -> str:
        """A download that ended so long ago and left some files; gives its id."""
        async with self.database.acting_for("") as connection:
            ctx = Ctx(db=connection, now=NOW, actor=None)
            job_id = await jobs.enqueue(ctx, self.account, kind or downloads.PRODUCTS, "lane", {})
            await connection.execute(
                "update job set state = $2, ended_at = $3 where id = $1",
                job_id,
                state,
                None if state == "pending" else NOW - ago,
            )
        for version in versions:
            async with self.files.writing(key_of(self.account, job_id, version, PRODUCTS)) as writer:
                await writer.write(b"Product ID\r\n")
        return job_id

    async def left(self, job_id: str, version: int = 1) -> bool:
        """Whether a file of a download is still there."""
        return await self.files.size(key_of(self.account, job_id, version, PRODUCTS)) is not None


Scene = Callable[[Yard], Awaitable[None]]
Play = Callable[[Scene], None]


@pytest.fixture
def play(server: Server, world: World, tmp_path: Path) -> Play:
    """Runs one scene in a copy of the market."""

    def run(scene: Scene) -> None:
        server.clone("chores")

        async def within() -> None:
            database = Database(server.embedded.connection(PLATFORM_ROLE, "chores"), PLATFORM_ROLE, most=4)
            owner, files = server.embedded.connection(OWNER_ROLE, "chores"), LocalFiles(tmp_path / "files")
            await database.open()
            try:
                async with database.acting_for("") as connection:
                    await connection.execute("delete from job")
                await scene(Yard(world.merchants["usd"].account_id, database, files, owner))
            finally:
                await database.close()

        once(within)

    return run


def test_expired_downloads_lose_their_files(play: Play) -> None:
    """However they ended, with what earlier tries left; nothing that a link may still lead to is touched."""

    async def scene(yard: Yard) -> None:
        over, in_time = LIFETIME + timedelta(seconds=1), LIFETIME - timedelta(seconds=1)
        gone = [
            await yard.ended(over, 1, 2),
            await yard.ended(over, 1, state="failed"),
            await yard.ended(over, 1, state="cancelled"),
            await yard.ended(over),
        ]
        kept = [
            await yard.ended(in_time, 1),
            await yard.ended(over, 1, state="pending"),
            await yard.ended(over, 1, kind="of tomorrow"),
        ]
        assert await do_chore(yard.database, yard.files, SWEEP) == len(gone)
        assert [await yard.left(job_id) for job_id in gone] == [False] * 4
        assert not await yard.left(gone[0], 2)
        assert [await yard.left(job_id) for job_id in kept] == [True] * 3
        assert await do_chore(yard.database, yard.files, replace(SWEEP, name="again")) == 0

    play(scene)


def test_a_chore_that_is_not_due_is_not_done(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        done: list[str] = []

        async def count(ctx: Ctx, files: FileStore) -> int:
            done.append("")
            return 7

        chore = Chore("count", HOUR, count)
        assert await do_chore(yard.database, yard.files, chore) == 7
        assert await do_chore(yard.database, yard.files, chore) is None
        assert await do_chore(yard.database, yard.files, replace(chore, every=timedelta(0))) is None
        assert len(done) == 1

    play(scene)


def test_of_many_workers_one_does_it(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        barrier = asyncio.Barrier(4)

        async def one() -> int | None:
            await barrier.wait()
            return await do_chore(yard.database, yard.files, SWEEP)

        await yard.ended(LIFETIME + HOUR, 1)
        came = await asyncio.gather(*(one() for _ in range(4)))
        assert sorted(came, key=repr) == [1, None, None, None]

    play(scene)


def test_a_chore_that_fails_is_due_again_and_its_worker_goes_on(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        errors = ["select 1 / 0", "unavailable"]

        async def fail(ctx: Ctx, files: FileStore) -> int:
            await ctx.db.execute("update world_clock set shift = interval '1 day'")
            if errors[-1] == "unavailable":
                raise FilesUnavailable
            await ctx.db.execute(errors[-1])
            return 1

        chore = Chore("fail", HOUR, fail)
        while errors:
            assert await do_chore(yard.database, yard.files, chore) is None
            errors.pop()
        errors.append("select 1")
        assert await do_chore(yard.database, yard.files, chore) == 1

    play(scene)


def test_a_chore_in_hand_is_waited_for_while_the_world_is_exchanged(play: Play) -> None:
    """Whoever exchanges it goes on when the chore is done, and none begins until he is: it is due afterwards."""

    async def scene(yard: Yard) -> None:
        exchanging = await asyncpg.connect(**yard.address)

        async def wait(ctx: Ctx, files: FileStore) -> int:
            pausing = asyncio.create_task(pause_workers(exchanging))
            while not await ctx.db.fetchval("select exists (select from pg_locks where not granted)"):
                assert not pausing.done()
                await asyncio.sleep(0.01)
            assert await do_chore(yard.database, yard.files, SWEEP) is None
            waiting.append(pausing)
            return 1

        waiting: list[asyncio.Task[None]] = []
        assert await do_chore(yard.database, yard.files, Chore("wait", HOUR, wait)) == 1
        await waiting[0]
        await yard.ended(LIFETIME + HOUR, 1)
        assert await do_chore(yard.database, yard.files, SWEEP) is None
        await exchanging.close()
        assert await do_chore(yard.database, yard.files, SWEEP) == 1

    play(scene)


def test_a_chore_that_begins_while_the_clock_is_set_is_done_at_its_new_time(play: Play) -> None:
    """Whoever moves the clock counts it as done afterwards, so it has to see what is due by then."""

    async def scene(yard: Yard) -> None:
        seen: list[datetime] = []

        async def tell(ctx: Ctx, files: FileStore) -> int:
            seen.append(ctx.now)
            return 1

        chore = Chore("tell", HOUR, tell)
        async with yard.database.acting_for("") as connection:
            await jobs.add_chores(await world.enter(connection), [chore.name])
        async with yard.database.acting_for("") as connection:
            then = (await world.set_clock(await world.enter(connection), NOW + timedelta(days=9), frozen=True)).time
            doing = asyncio.create_task(do_chore(yard.database, yard.files, chore))
            waiting = "select exists (select from pg_locks where not granted and locktype = 'transactionid')"
            while not await connection.fetchval(waiting):
                assert not doing.done()
                await asyncio.sleep(0.01)
        assert await doing == 1
        assert seen == [then]

    play(scene)


def test_all_chores_are_known_before_the_first_is_done(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        known: list[str] = []

        async def look(ctx: Ctx, files: FileStore) -> int:
            known.extend(row["name"] for row in await ctx.db.fetch("select name from chore"))
            return 1

        looking = Chore("look", HOUR, look)
        task = asyncio.create_task(do_chores(yard.database, yard.files, asyncio.Event(), [looking]))
        async with asyncio.timeout(20):
            while not known:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert {chore.name for chore in (looking, *CHORES)} <= set(known)

    play(scene)


def test_without_a_database_nothing_is_done(server: Server, tmp_path: Path) -> None:
    async def scene() -> None:
        database = Database(server.embedded.connection(PLATFORM_ROLE, "not_there"), PLATFORM_ROLE)
        await database.open()
        try:
            assert await do_chore(database, LocalFiles(tmp_path), SWEEP) is None
        finally:
            await database.close()

    once(scene)


def test_every_chore_of_the_program_runs(play: Play) -> None:
    async def scene(yard: Yard) -> None:
        assert len({chore.name for chore in CHORES}) == len(CHORES)
        old = await yard.ended(timedelta(days=31), 1)
        for chore in CHORES:
            assert await do_chore(yard.database, yard.files, chore) is not None, chore.name
        assert await yard.files.delete_all(folder_of(yard.account, old)) == 0
        async with yard.database.acting_for("") as connection:
            assert not await connection.fetchval("select exists (select from job where id = $1)", old)

    play(scene)
