"""Warehouses and shipping settings by hand: the verbs as processes of their own, on a database of their own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database import Server
from tests.support.market import World
from tradepost.wiring import SUPERUSER

SOURCE = Path(__file__).parents[2] / "src"
CLONE = "verbs"


@pytest.fixture
def url(server: Server, world: World) -> Iterator[str]:
    """A copy of the world."""

    async def remove() -> None:
        connection = await server.connect(database="postgres")
        await connection.execute(f"drop database {CLONE} with (force)")
        await connection.close()

    server.clone(CLONE)
    yield server.embedded.dsn(SUPERUSER, CLONE)
    asyncio.run(remove())


def tradepost(url: str, *words: str) -> tuple[int, str]:
    """Run a verb; its exit status and all that it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEPOST_")}
    environment |= {"PYTHONPATH": str(SOURCE), "TRADEPOST_DATABASE_URL": url}
    done = subprocess.run(
        [sys.executable, "-m", "tradepost", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.committing
def test_warehouses_and_settings_by_hand(url: str, world: World) -> None:
    shop = world.merchants["usd"].account_id
    assert tradepost(url, "warehouse", "add", shop, "DE")[1].endswith("  EXPRESS-DE\n")
    code, told = tradepost(url, "warehouse", "add", shop, "DE")
    assert (code, "already" in told) == (1, True)
    assert tradepost(url, "warehouse", "add", shop, "XX")[0] == 1
    names = [line.split()[1] for line in tradepost(url, "warehouse", "list", shop)[1].splitlines()]
    assert names == ["EXPRESS-DE", "EXPRESS-US", "STANDARD"]

    given = tradepost(url, "shipping", "set", shop, "FR", "SE", "FR", "--price", "2.50")
    assert given == (0, "ships to FR, SE from STANDARD\n")
    assert tradepost(url, "shipping", "drop", shop, "SE", "SE") == (0, "no longer ships to SE from STANDARD\n")
    own = world.merchants["cny"].account_id
    assert tradepost(url, "shipping", "set", own, "FR", "--price", "7000.50")[0] == 0
    assert tradepost(url, "shipping", "worldwide", shop)[1] == "ships worldwide\n"
    told = tradepost(url, "shipping", "list", shop)[1]
    assert "worldwide, at the shipping prices of the variations" in told
    assert "FR  STANDARD    2.5\n" in told
    assert "DE  EXPRESS-DE  as the variations say\n" in told
    assert "SE" not in told
    assert tradepost(url, "shipping", "worldwide", shop, "--off")[1] == "ships by its settings\n"


@pytest.mark.committing
@pytest.mark.parametrize(
    "words",
    [
        ("set", "SHOP", "XX"),
        ("set", "SHOP", "FR", "--price", "1000.01"),
        ("set", "SHOP", "FR", "--price", "1.005"),
        ("set", "SHOP", "FR", "--price", "NaN"),
        ("set", "SHOP", "FR", "--price", "x"),
        ("set", "SHOP", "FR", "--price", "1e2"),
        ("set", "SHOP", "FR", "--price", "1_0"),
        ("set", "SHOP", "FR", "--price", "\u0663"),
        ("set", "SHOP", "FR", "--price", "-1"),
        ("set", "SHOP", "FR", "--warehouse", "EXPRESS-US"),
        ("set", "SHOP", "FR", "--warehouse", "EXPRESS-ZA"),
        ("set", "0" * 24, "FR"),
        ("drop", "SHOP", "FR"),
        ("list", "0" * 24),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_refused_in_one_line(url: str, world: World, words: tuple[str, ...]) -> None:
    shop = world.merchants["usd"].account_id
    code, told = tradepost(url, "shipping", *(shop if word == "SHOP" else word for word in words))
    assert code == 1
    assert told.startswith("Not done. ") or told.endswith(" is no price.\n"), told
    assert told.count("\n") == 1, told
