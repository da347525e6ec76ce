"""`tradepost jobs`: the queue as an operator sees it, and what was given up put on its way again."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.support.database import Server, once
from tests.support.market import NOW, World
from tradepost.domain import jobs
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import Advance
from tradepost.domain.jobs.job import MOST_TRIES
from tradepost.opening import SUPERUSER
from tradepost.storage.database import PLATFORM_ROLE, Database
from tradepost.surfaces.cli.main import cli

NAME = "cli"


class Operator:
    """Somebody at a shell, with a database that only he uses."""

    def __init__(self, server: Server, account: str) -> None:
        self._server = server
        self.account = account

    def run(self, *words: str) -> Result:
        """A verb of the program."""
        environment = {
            "TRADEPOST_DATABASE_URL": self._server.embedded.dsn(SUPERUSER, NAME),
            "TRADEPOST_DATA": str(self._server.folder),
            "COLUMNS": "300",
        }
        return CliRunner().invoke(cli, words, env=environment)

    def told(self, *words: str) -> str:
        """What a verb prints, which has to succeed."""
        done = self.run(*words)
        assert (done.exit_code, done.exception) == (0, None), done.output
        return done.output

    def act(self, verb: Callable[[Ctx], Awaitable[Any]]) -> Any:
        """Something that happens to the queue meanwhile."""

        async def within() -> Any:
            database = Database(self._server.embedded.connection(PLATFORM_ROLE, NAME), PLATFORM_ROLE)
            await database.open()
            try:
                async with database.acting_for("") as connection:
                    return await verb(Ctx(db=connection, now=NOW, actor=None))
            finally:
                await database.close()

        return once(within)


@pytest.fixture
def operator(server: Server, world: World) -> Operator:
    """An operator of a copy of the market without jobs."""
    server.clone(NAME)
    made = Operator(server, world.merchants["usd"].account_id)
    made.act(lambda ctx: ctx.db.execute("delete from job"))
    return made


def fill(operator: Operator) -> list[str]:
    """A job half-way, one that waits, one that was parked; their ids."""

    async def ask(ctx: Ctx) -> list[str]:
        asked = [await jobs.enqueue(ctx, operator.account, "kind", lane, {}) for lane in ("a", "b", "c")]
        first = await jobs.claim_next(ctx, 7, ["kind"])
        assert first is not None
        step = Advance(1, False, processed=1500, succeeded=1499, failed=1, total=100_000)
        await jobs.advance(ctx, jobs.claim_of(first), step)
        await ctx.db.execute("update job set due_at = due_at + interval '1 hour' where id <> $1", asked[2])
        await ctx.db.execute("update job set tries = $2, error = 'out of ink' where id = $1", asked[2], MOST_TRIES)
        await ctx.db.execute("update job set worker = null where id = $1", asked[0])
        parked = await jobs.claim_next(ctx, 7, ["kind"])
        assert parked is not None
        return asked

    asked: list[str] = operator.act(ask)
    return asked


def test_an_empty_queue(operator: Operator) -> None:
    assert json.loads(operator.told("jobs", "--json")) == []
    assert "Progress" in operator.told("jobs", "--once")


def test_the_queue_for_programs(operator: Operator) -> None:
    half_way, waiting, parked = fill(operator)
    found = {job["id"]: job for job in json.loads(operator.told("jobs", "--json"))}
    assert list(found) == [half_way, parked, waiting]
    assert found[half_way] == {
        "id": half_way,
        "kind": "kind",
        "account_id": operator.account,
        "state": "running",
        "total": 100_000,
        "processed": 1500,
        "succeeded": 1499,
        "failed": 1,
        "worker": None,
        "tries": 0,
        "error": None,
        "created_at": NOW.isoformat(),
        "started_at": NOW.isoformat(),
        "ended_at": None,
    }
    assert (found[waiting]["state"], found[waiting]["total"]) == ("pending", None)
    assert (found[parked]["state"], found[parked]["error"]) == ("failed", "out of ink")


@pytest.mark.parametrize("words", [["jobs", "--once"], ["jobs"]], ids=["--once", "where nobody watches"])
def test_the_queue_for_people(operator: Operator, words: list[str]) -> None:
    asked = fill(operator)
    told = operator.told(*words)
    assert all(job_id in told for job_id in asked)
    assert "1,500 / 100,000" in told
    assert "out of ink" in told


def test_what_was_given_up_is_tried_again(operator: Operator) -> None:
    half_way, _, parked = fill(operator)
    assert operator.told("jobs", "retry", parked).strip() == f"kind {parked} waits for its next try"
    states = {job["id"]: job["state"] for job in json.loads(operator.told("jobs", "--json"))}
    assert states[parked] == "pending"
    for job_id in (parked, half_way, "f" * 24, "nonsense"):
        refused = operator.run("jobs", "retry", job_id)
        assert refused.exit_code != 0
        assert "Not done." in str(refused.exception) + refused.output
