"""Orders by hand: the verbs as processes of their own, from buying to a refund."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.calls import ORDERS
from tests.support.database import Server
from tests.support.market import World
from tradepost.wiring import SUPERUSER

SOURCE = Path(__file__).parents[2] / "src"
CLONE = "order_verbs"


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


def tradepost(url: str, *words: str, **more: str) -> tuple[int, str]:
    """Run `tradepost order`; its exit status and all that it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEPOST_")}
    environment |= {"PYTHONPATH": str(SOURCE), "TRADEPOST_DATABASE_URL": url, **more}
    done = subprocess.run(
        [sys.executable, "-m", "tradepost", "order", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.committing
def test_an_order_by_hand(url: str, world: World) -> None:
    shop = world.merchants["usd"].account_id
    code, told = tradepost(url, "place", shop, "ring-red:2", "scarf", "--country", "CA", "--review")
    assert code == 0
    assert re.fullmatch(r"transaction  [0-9a-f]{24}\n(order        [0-9a-f]{24}\n){2}", told)
    order_id = told.split()[-1]
    assert tradepost(url, "release", shop, order_id) == (0, "released\n")
    assert "not under review" in tradepost(url, "release", shop, order_id)[1]
    assert tradepost(url, "refund", shop, order_id, "Changed my mind", "--by", "customer") == (0, "refunded\n")
    for words, said in (
        (("place", shop, "scarf:99", "--country", "CA"), "No warehouse"),
        (("place", shop, "scarf:x"), "no SKU with a number"),
        (("place", shop, "scarf", "--country", "FR"), "does not ship"),
        (("refund", shop, order_id, "why", "--by", "me"), "is none of"),
        (("refund", shop, order_id, "why"), "has been refunded"),
        (("scan", shop, "TR1234USD", "--at", "yesterday"), "is no time"),
        (("scan", shop, "NOBODYS"), "No order"),
    ):
        code, told = tradepost(url, *words)
        assert code == 1
        assert said in told
    code, told = tradepost(url, "place", shop, "scarf", "--country", "CA", TRADEPOST_REFUND_REASONS="[4]")
    assert (code, "TRADEPOST_REFUND_REASONS" in told) == (1, True)


@pytest.mark.committing
def test_a_parcel_by_hand(url: str, world: World) -> None:
    shop = world.merchants["usd"].account_id
    shipped = ORDERS["usd"]["shipped"]
    assert tradepost(url, "cancel-tracking", shop, shipped) == (0, "to be shipped again\n")
    assert tradepost(url, "cancel-tracking", shop, shipped)[0] == 1
    told = tradepost(
        url, "scan", shop, "TR1234USD", "delivered", "--place", "Juneau", "--at", "2021-05-19T10:00:00"
    )
    assert told == (0, "TR1234USD: delivered\n")
