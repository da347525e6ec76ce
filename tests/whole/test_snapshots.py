"""Snapshots of a sandbox that is being used: jobs in hand, files, names, and what is refused."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.support.jobs import link_of, start_download
from tests.support.program import Client, Program, serving, wait_until
from tests.support.sandbox import asked, control, read
from tradepost.opening import DATABASE, SUPERUSER
from tradepost.worker.chores import CHORES


@pytest.fixture(scope="module")
def running() -> Iterator[Program]:
    """A sandbox with a past."""
    with serving() as found:
        with Client(found.merchant) as client:
            control(client, "settle")
            control(client, "generate", orders=300, seed="s")
        yield found


@pytest.fixture
def client(running: Program) -> Iterator[Client]:
    """Somebody who calls for the first shop."""
    with Client(running.merchant, running.credentials()["merchants"][0]["access_token"], timeout=90) as opened:
        yield opened


def sql(running: Program, statement: str) -> list[Any]:
    """What a statement finds, as the superuser."""

    async def ask() -> list[Any]:
        address = running.embedded.connection(SUPERUSER, DATABASE)
        connection = await asyncpg.connect(**address, server_settings={"search_path": "tradepost"})
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return asyncio.run(ask())


@contextmanager
def holding(running: Program, statement: str) -> Iterator[Callable[[str], None]]:
    """Somebody in the middle of a transaction in which he has asked something; with what he asks next."""
    loop = asyncio.new_event_loop()
    address = running.embedded.connection(SUPERUSER, DATABASE)
    connection = loop.run_until_complete(asyncpg.connect(**address, server_settings={"search_path": "tradepost"}))
    try:
        loop.run_until_complete(connection.transaction().start())
        loop.run_until_complete(connection.execute(statement))

        def then(statement: str) -> None:
            loop.run_until_complete(connection.execute(statement))

        yield then
    finally:
        loop.run_until_complete(connection.close())
        loop.close()


def everything(running: Program) -> dict[str, Any]:
    """All rows of all tables but those of the machine, whatever their order."""
    tables = sql(running, "select tablename from pg_tables where schemaname = 'tradepost' order by 1")
    left = {"rate_window", "schema_migration", "chore", "job", "world_clock", "token_use"}
    return {
        name: sql(running, f'select count(*), sum(hashtextextended(t::text, 0)) from "{name}" t')
        for (name,) in tables
        if name not in left
    }


def test_everything_comes_back(running: Program, client: Client) -> None:
    """Every row, file and sequence; row security is as strict as before."""
    control(client, "clock", frozen=True)
    control(client, "settle")  # what is older than anybody keeps it has been forgotten
    before = everything(running)
    strict = "select relname, relrowsecurity, relforcerowsecurity from pg_class where relkind = 'r' order by 1"
    secured, files = sql(running, strict), names(running)
    control(client, "snapshot", name="all")
    assert sql(running, strict) == secured
    assert everything(running) == before
    control(client, "generate", orders=50)
    control(client, "clock", move="+90d")
    control(client, "reset")
    assert everything(running) != before
    control(client, "restore", name="all")
    assert everything(running) == before
    assert sql(running, strict) == secured
    assert names(running) == files
    control(client, "clock", real=True)


def names(running: Program) -> set[str]:
    """The files that the store holds."""
    root = running.folder / "files"
    return {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}


def test_jobs_in_hand_are_done_once_after_a_restore(running: Program, client: Client) -> None:
    """A download that was pending or at work in the snapshot ends, and its file is there."""
    control(client, "settle")
    job_id = start_download(client)
    control(client, "snapshot", name="job")
    wait_until(lambda: link_of(client, job_id) is not None, what="the file")
    control(client, "restore", name="job")
    wait_until(lambda: link_of(client, job_id) is not None, what="the file once more")
    link = urlsplit(link_of(client, job_id) or "")
    assert client.get(f"{link.path}?{link.query}").status == 200
    assert control(client, "settle") == {"settled": True, "left": 0}
    assert sql(running, "select count(*) from job where state in ('running', 'failed')") == [(0,)]


@pytest.mark.parametrize("verb", ["restore", "reset"])
def test_no_worker_is_there_while_the_world_is_exchanged(running: Program, client: Client, verb: str) -> None:
    """Its session ends before anything is exchanged, and it has a new one only afterwards."""
    control(client, "snapshot", name="exchange")
    working = "select objid from pg_locks where locktype = 'advisory' and classid = 7403 and granted"
    wait_until(lambda: sql(running, working) != [], what="the worker")
    before = sql(running, working)
    # Somebody is in the middle of a call that began before: everything waits for him, with the workers gone.
    body = {"name": "exchange"} if verb == "restore" else {}
    exchange = Thread(target=lambda: control(client, verb, **body))
    with holding(running, "select 1 from product limit 1"):
        exchange.start()
        wait_until(lambda: sql(running, working) == [], what="the end of the worker's session")
        sleep(0.7)  # longer than a worker waits before it asks for a new one
        assert sql(running, working) == []
    exchange.join()
    wait_until(lambda: sql(running, working) not in ([], before), what="the worker again")
    control(client, "restore", name="exchange")


def test_who_comes_to_the_tokens_last_is_let_through(running: Program, client: Client) -> None:
    """A page reads his apps and then their tokens: whoever exchanges the world does not keep those for good."""
    held = """select from pg_locks where relation = 'tradepost.access_token'::regclass
               and mode = 'AccessExclusiveLock' and granted"""
    with ThreadPoolExecutor(1) as other, holding(running, "select 1 from app limit 1") as then:
        exchange = other.submit(asked, client, "reset")
        wait_until(lambda: exchange.done() or sql(running, held) != [], what="whoever resets")
        then("select 1 from access_token limit 1")
        then("commit")
        assert exchange.result().status == 200


def test_chores_that_are_due_keep_nobody_waiting(running: Program, client: Client) -> None:
    """They are left for the world that is there afterwards."""
    for _ in range(5):
        control(client, "clock", move="+90d")
        control(client, "reset")
    assert "chore put off" not in running.complaints


@pytest.mark.parametrize("verb", ["reset", "restore"])
def test_what_is_settled_had_every_chore_done_afterwards(running: Program, client: Client, verb: str) -> None:
    """In a world that has just been exchanged, too: no chore is forgotten with the world before it."""
    control(client, "snapshot", name="chores")
    names = {chore.name for chore in CHORES}
    for _ in range(3):
        control(client, verb, **({"name": "chores"} if verb == "restore" else {}))
        asked_at = sql(running, "select clock_timestamp()")[0][0]
        assert control(client, "settle") == {"settled": True, "left": 0}
        done = "select name from chore where due_at > '{}'::timestamptz or name = 'let the world go on'"
        assert names <= {name for (name,) in sql(running, done.format(asked_at.isoformat()))}


def test_chores_are_looked_at_as_soon_as_the_world_is_exchanged() -> None:
    """Workers listen to nobody while it is; so they look by themselves, also where they never would again."""
    due = "select name from chore where due_at <= clock_timestamp() and name <> 'let the world go on'"
    with serving(spoiled="looks_once") as slow, Client(slow.merchant, timeout=90) as caller:
        control(caller, "settle")
        control(caller, "reset")
        wait_until(lambda: sql(slow, due) == [], 60, "chores")


def test_time_goes_on_from_the_moment_of_the_snapshot(running: Program, client: Client) -> None:
    control(client, "clock", set="2021-05-19T16:37:00Z", frozen=False)
    control(client, "snapshot", name="time")
    control(client, "clock", move="+30d")
    control(client, "restore", name="time")
    told = read(client, "clock")
    assert told["now"].startswith("2021-05-19T16:37")
    assert not told["frozen"]
    control(client, "clock", real=True)


def test_a_reset_while_orders_are_generated_is_told(running: Program, client: Client) -> None:
    """Whatever was generated is gone with the world that it was in, and nothing of it is in the next."""
    began = sql(running, "select count(*) from orders")
    with ThreadPoolExecutor(1) as other, Client(running.merchant, timeout=90) as caller:
        generating = other.submit(asked, caller, "generate", orders=60_000, seed="long")
        wait_until(lambda: sql(running, "select count(*) from orders") > began, 60, "the first of them")
        control(client, "reset", seed="exchanged")
        told = generating.result()
    assert (told.status, "begun anew" in told.json["message"]) == (409, True), told.body
    assert sql(running, "select count(*) from orders") == [(0,)]
    assert asked(client, "generate", orders=100).status == 200


def test_a_world_with_a_seed_is_at_rest_when_it_is_begun(running: Program, client: Client) -> None:
    """Its pictures are there, so what is bought next has the same ones each time."""
    for _ in range(2):
        control(client, "reset", seed="rest")
        assert sql(running, "select count(*) from job where state in ('pending', 'running')") == [(0,)]
        assert sql(running, "select count(*) from picture where state = 'waiting'") == [(0,)]


def test_a_snapshot_is_not_forgotten_while_somebody_uses_it(running: Program, client: Client) -> None:
    control(client, "snapshot", name="used")
    with (running.folder / "snapshots" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Not done" in running.run("sandbox", "snapshots", "--drop", "used").stderr
    assert "used" in [found["name"] for found in read(client, "snapshots")["snapshots"]]
    assert "used" not in running.told("sandbox", "snapshots", "--drop", "used")


def test_several_at_once_under_one_name(running: Program) -> None:
    """Each waits for the one before, or is told to try again; what is there at the end is whole."""

    def call(verb: str) -> int:
        with Client(running.merchant, timeout=90) as caller:
            return asked(caller, verb, name="same").status

    with ThreadPoolExecutor(5) as callers:
        for verbs in (["snapshot"] * 5, ["restore", "snapshot"] * 2):
            answers = list(callers.map(call, verbs))
            assert set(answers) <= {200, 503}
            assert 200 in answers
    assert {
        found.name for found in (running.folder / "snapshots").iterdir() if found.name.startswith(".s")
    } == set()
    assert call("restore") == 200


def test_names_lists_and_what_is_refused(running: Program, client: Client) -> None:
    control(client, "snapshot", name="one")
    assert "one" in [found["name"] for found in read(client, "snapshots")["snapshots"]]
    assert "one" in running.told("sandbox", "snapshots")
    assert asked(client, "restore", name="nobody").status == 404
    for name in ("", "../x", "a" * 65, ".hidden"):
        assert asked(client, "snapshot", name=name).status == 400
    file = running.folder / "snapshots" / "one" / "manifest.json"
    file.write_text(file.read_text().replace("0001_", "0000_"))
    refused = asked(client, "restore", name="one")
    assert refused.status == 400
    assert "another version" in refused.json["message"]
    assert "one" not in running.told("sandbox", "snapshots", "--drop", "one")
    assert asked(client, "restore", name="one").status == 404
