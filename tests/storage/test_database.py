"""The pool against a real server: what it does when that server goes away, and what its connections may."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.support.database import Server, running_server
from tradepost.storage.database import APP_ROLE, PLATFORM_ROLE, Database, StorageUnavailable

BINDING = "select current_setting('tradepost.account', true)"
NOT_THERE_SECONDS = 5.0


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that may be stopped; the suite's own goes on for the others."""
    with running_server() as running:
        yield running


@asynccontextmanager
async def opened(server: Server, role: str = APP_ROLE, most: int = 10) -> AsyncIterator[Database]:
    """An open pool, closed at the end."""
    database = Database(server.embedded.connection(role, "tradepost"), role, most=most)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def number(database: Database) -> int:
    """Something only a server can tell."""
    async with database.call() as connection:
        return int(await connection.fetchval("select 7"))


async def unavailable(database: Database) -> float:
    """How many seconds it took to be told that the server is not there."""
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        await number(database)
    return time.monotonic() - began


# -- a server that goes and comes


def test_a_server_that_was_stopped_is_told_and_found_again(own_server: Server) -> None:
    async def act() -> None:
        async with opened(own_server, most=3) as database:
            assert await number(database) == 7
            assert await database.missing() is None
            own_server.embedded.stop()
            for _ in range(4):
                assert await unavailable(database) < NOT_THERE_SECONDS
            assert str(await database.missing()).startswith("database: ")
            own_server.embedded.start()
            assert await asyncio.gather(*(number(database) for _ in range(9))) == [7] * 9
            assert await database.missing() is None

    asyncio.run(act())


def test_connections_that_were_cut_are_replaced_and_cost_each_caller_at_most_one_refusal(
    own_server: Server,
) -> None:
    async def act() -> None:
        async with opened(own_server, most=3) as database:
            await asyncio.gather(*(number(database) for _ in range(9)))
            superuser = await own_server.connect()
            cut = await superuser.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = $1", APP_ROLE
            )
            await superuser.close()
            assert cut == 3
            refused = 0
            for _ in range(10):
                try:
                    assert await number(database) == 7
                except StorageUnavailable:
                    refused += 1
            assert refused <= 3

    asyncio.run(act())


def test_a_call_that_loses_its_server_in_the_middle_is_told_so(own_server: Server) -> None:
    async def act() -> None:
        async with opened(own_server) as database:
            superuser = await own_server.connect()

            async def lose_it() -> None:
                async with database.acting_for("") as connection:
                    pid = await connection.fetchval("select pg_backend_pid()")
                    await superuser.execute("select pg_terminate_backend($1)", pid)
                    await connection.fetchval("select 7")

            with pytest.raises(StorageUnavailable):
                await lose_it()
            await superuser.close()
            assert await number(database) == 7

    asyncio.run(act())


def test_a_pool_that_is_used_up_is_told_instead_of_waited_for(own_server: Server) -> None:
    async def act() -> None:
        async with opened(own_server, most=1) as database, database.call():
            assert await unavailable(database) < NOT_THERE_SECONDS

    asyncio.run(act())


def test_a_pool_that_was_never_opened_is_unavailable(own_server: Server) -> None:
    async def act() -> None:
        with pytest.raises(StorageUnavailable):
            await number(Database(own_server.embedded.connection(APP_ROLE, "tradepost")))

    asyncio.run(act())


def test_other_errors_of_the_database_stay_what_they_are(own_server: Server) -> None:
    async def act() -> None:
        async with opened(own_server, most=1) as database:
            with pytest.raises(asyncpg.DivisionByZeroError):
                async with database.call() as connection:
                    await connection.fetchval("select 1 / 0")
            assert await number(database) == 7

    asyncio.run(act())


# -- how long things may take


def test_the_timeouts_are_in_force_on_every_connection(own_server: Server) -> None:
    wanted = {
        "statement_timeout": "10s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "30s",
        "search_path": "tradepost",
        "jit": "off",
    }

    async def act() -> None:
        for role in (APP_ROLE, PLATFORM_ROLE):
            async with (
                opened(own_server, role, most=2) as database,
                database.call() as one,
                database.call() as other,
            ):
                for connection in (one, other):
                    found = {name: await connection.fetchval(f"show {name}") for name in wanted}
                    assert found == wanted
                    assert await connection.fetchval("select current_user") == role

    asyncio.run(act())


@pytest.mark.parametrize(
    ("setting", "statement"),
    [
        ("statement_timeout", "select pg_sleep(20)"),
        ("lock_timeout", "select * from world_clock for update"),
    ],
)
def test_what_takes_too_long_is_unavailable(own_server: Server, setting: str, statement: str) -> None:
    """With a shorter time than the program's own, so that the test need not wait for it."""

    async def take_long(database: Database) -> None:
        async with database.acting_for("") as connection:
            await connection.execute(f"set local {setting} = '50ms'")
            await connection.fetch(statement)

    async def act() -> None:
        holder = await own_server.connect()
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("select * from world_clock for update")
        try:
            async with opened(own_server, PLATFORM_ROLE) as database:
                with pytest.raises(StorageUnavailable):
                    await take_long(database)
                assert await number(database) == 7
                async with database.call() as connection:
                    assert await connection.fetchval(f"show {setting}") in ("10s", "5s")
        finally:
            await transaction.rollback()
            await holder.close()

    asyncio.run(act())


# -- whom a connection acts for


def test_acting_for_somebody_ends_with_its_block(own_server: Server) -> None:
    async def act() -> None:
        async with opened(own_server, most=1) as database:
            async with database.acting_for("a" * 24) as connection:
                assert await connection.fetchval(BINDING) == "a" * 24
            async with database.call() as connection:
                assert not await connection.fetchval(BINDING)

            with pytest.raises(asyncpg.DivisionByZeroError):
                async with database.acting_for("b" * 24) as connection:
                    await connection.fetchval("select 1 / 0")
            async with database.call() as connection:
                assert not await connection.fetchval(BINDING)

            async with database.acting_for("") as connection:
                assert await connection.fetchval(BINDING) == ""
                assert await connection.fetch("select * from product") == []

    asyncio.run(act())


def test_two_act_for_different_accounts_at_the_same_time(own_server: Server) -> None:
    async def act_for(database: Database, account: str) -> list[str]:
        async with database.acting_for(account) as connection:
            return [await connection.fetchval(BINDING) for _ in range(20)]

    async def act() -> list[list[str]]:
        async with opened(own_server, most=3) as database:
            return await asyncio.gather(*(act_for(database, letter * 24) for letter in "abcdef"))

    assert asyncio.run(act()) == [[letter * 24] * 20 for letter in "abcdef"]


def test_what_was_done_in_a_block_that_failed_is_undone(own_server: Server) -> None:
    async def fail(database: Database) -> None:
        async with database.acting_for("") as connection:
            await connection.execute(
                "insert into channel (otype, channel_name, channel_name_en, is_registered, support_warehouses, "
                "is_only_online_payment, allow_battery) values ('9-1', 'x', 'x', true, true, true, true)"
            )
            raise LookupError

    async def act() -> None:
        async with opened(own_server, PLATFORM_ROLE) as database:
            with pytest.raises(LookupError):
                await fail(database)
            async with database.acting_for("") as connection:
                assert await connection.fetchval("select count(*) from channel") == 0

    asyncio.run(act())
