"""Migrations on real databases: empty ones, finished ones, edited ones, and two programs at once."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from tests.support.database import Server, data_folder
from tests.support.market import build_world, open_market
from tradepost.opening import OWNER_ROLE, prepare_database
from tradepost.storage.embedded import EmbeddedPostgres
from tradepost.storage.migrate import MigrationError, migrate, migrations, missing

SYSTEM_BINARIES = Path("/usr/lib/postgresql/15/bin")
SOURCE = Path(__file__).parents[2] / "src"
NAMES = [migration.name for migration in migrations()]
Result = TypeVar("Result")

_numbers = itertools.count(1)


class Fresh:
    """An empty database on the suite's server, owned by the role that migrates."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.name = f"fresh_{next(_numbers)}"

    @property
    def url(self) -> str:
        """Where it is, for another process."""
        return self.server.embedded.dsn(OWNER_ROLE, self.name)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        """A connection of the owner."""
        connection: asyncpg.Connection[Any] = await asyncpg.connect(self.url)
        try:
            yield connection
        finally:
            await connection.close()

    def run(self, action: Callable[[asyncpg.Connection[Any]], Awaitable[Result]]) -> Result:
        """Do something on a connection of its own."""

        async def act() -> Result:
            async with self.connected() as connection:
                return await action(connection)

        return asyncio.run(act())

    def objects(self) -> set[tuple[str, str]]:
        """All that is in the database besides PostgreSQL's own."""

        async def ask(connection: asyncpg.Connection[Any]) -> set[tuple[str, str]]:
            rows = await connection.fetch(
                """
                select n.nspname, coalesce(c.relname, '') from pg_namespace n left join pg_class c
                    on c.relnamespace = n.oid
                 where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
                union all select 'function', proname from pg_proc
                 where pronamespace <> all (array['pg_catalog', 'information_schema']::regnamespace[])
                """
            )
            return {(row[0], row[1]) for row in rows}

        return self.run(ask)

    def act(self, statement: str) -> None:
        """Run one statement as the owner."""
        self.run(lambda connection: connection.execute(statement))


@pytest.fixture
def fresh(server: Server) -> Iterator[Fresh]:
    """An empty database, dropped at the end."""

    async def on_server(statement: str) -> None:
        connection = await server.connect(database="postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    made = Fresh(server)
    asyncio.run(on_server(f"create database {made.name} owner {OWNER_ROLE}"))
    yield made
    asyncio.run(on_server(f"drop database {made.name} with (force)"))


def test_the_second_time_there_is_nothing_to_do(fresh: Fresh) -> None:
    said: list[str] = []
    assert fresh.run(lambda connection: migrate(connection, said.append)) == NAMES
    assert said == [f"running {name}" for name in NAMES]
    before = fresh.objects()
    assert fresh.run(migrate) == []
    assert fresh.objects() == before
    assert (
        fresh.run(
            lambda connection: connection.fetchval("select count(*) from pg_locks where locktype = 'advisory'")
        )
        == 0
    )


def test_an_edited_file_is_refused(fresh: Fresh) -> None:
    fresh.run(migrate)
    fresh.act(f"update tradepost.schema_migration set checksum = 'other' where name = '{NAMES[1]}'")
    with pytest.raises(MigrationError, match=f"{NAMES[1]} was changed after it ran"):
        fresh.run(migrate)


def test_a_newer_database_is_refused(fresh: Fresh) -> None:
    fresh.run(migrate)
    fresh.act("insert into tradepost.schema_migration (name, checksum) values ('9999_from_the_future', 'x')")
    with pytest.raises(MigrationError, match="newer than this program: 9999_from_the_future"):
        fresh.run(migrate)


def test_what_is_missing_is_named(fresh: Fresh) -> None:
    assert fresh.run(missing) == NAMES
    fresh.run(migrate)
    assert fresh.run(missing) == []
    fresh.act(f"delete from tradepost.schema_migration where name = '{NAMES[-1]}'")
    assert fresh.run(missing) == NAMES[-1:]


def test_a_dry_run_changes_nothing_in_an_empty_database(fresh: Fresh) -> None:
    before = fresh.objects()
    assert fresh.run(lambda connection: migrate(connection, dry_run=True)) == NAMES
    assert fresh.objects() == before


def test_a_dry_run_changes_nothing_in_a_database_that_lacks_the_last(fresh: Fresh) -> None:
    fresh.run(migrate)
    fresh.act(f"delete from tradepost.schema_migration where name = '{NAMES[-1]}'")
    before = fresh.objects()
    assert fresh.run(lambda connection: migrate(connection, dry_run=True)) == NAMES[-1:]
    assert fresh.objects() == before
    assert fresh.run(missing) == NAMES[-1:]


def test_a_migration_that_fails_leaves_nothing_of_itself(fresh: Fresh) -> None:
    """Something stands in the way of the second: the first stays, and the next attempt goes on from there."""

    async def stand_in_the_way(connection: asyncpg.Connection[Any]) -> None:
        await connection.execute("create schema tradepost; create table tradepost.stock (x int)")

    fresh.run(stand_in_the_way)
    with pytest.raises(asyncpg.DuplicateTableError):
        fresh.run(migrate)
    assert fresh.run(missing) == NAMES[1:]
    assert ("tradepost", "product") not in fresh.objects()
    fresh.act("drop table tradepost.stock")
    assert fresh.run(migrate) == NAMES[1:]


def _start(*words: str, **settings: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEPOST_")}
    more = {f"TRADEPOST_{name.upper()}": value for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "tradepost", *words], text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**environment, "PYTHONPATH": str(SOURCE), **more},
    )  # fmt: skip


def _one_ran_all_and_one_nothing(processes: list[subprocess.Popen[str]]) -> None:
    told = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    everything = "".join(f"ran {name}\n" for name in NAMES)
    assert sorted(out for out, _ in told) == sorted([everything, "nothing to do\n"])


def test_two_processes_at_once_share_the_work(fresh: Fresh) -> None:
    _one_ran_all_and_one_nothing([_start("migrate", database_url=fresh.url) for _ in range(2)])
    assert fresh.run(missing) == []


def test_two_processes_at_once_make_one_embedded_database() -> None:
    with data_folder() as folder:
        _one_ran_all_and_one_nothing([_start("migrate", data=str(folder)) for _ in range(2)])
        assert not EmbeddedPostgres(folder / "postgres").is_running()


@pytest.mark.skipif(not SYSTEM_BINARIES.exists(), reason="no PostgreSQL 15 in this system")
def test_the_least_version_carries_the_whole_market(loop: asyncio.Runner) -> None:
    """Migrations, policies, gate and reading on the oldest PostgreSQL that is promised to work."""
    with data_folder() as folder:
        embedded = EmbeddedPostgres(folder / "postgres", SYSTEM_BINARIES)
        embedded.start()
        assert embedded.version.startswith("15.")
        try:
            old = Server(folder, embedded)
            assert loop.run(prepare_database(old.settings(postgres_binaries=SYSTEM_BINARIES))) == NAMES
            world = loop.run(build_world(old))
            with open_market(old, world, loop) as market:
                answer = market.get("/api/v2/product", parent_sku="ring")
                assert (answer.status, answer.data["Product"]["name"]) == (200, "Cute Ring")
                assert market.get("/api/v2/product", as_="cny", parent_sku="scarf").status == 200
                assert market.post("/api/v2/variant/update-inventory", sku="ring-red", inventory=3).status == 200
                assert market.get("/api/v3/channels", as_="wishpost:lan").status == 200
            loop.run(old.close_spare())
        finally:
            embedded.stop()
