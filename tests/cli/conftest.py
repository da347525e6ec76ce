"""What tests of the verbs share: a database of one's own, and the program as a process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.database import Server
from tests.support.market import World
from tradepost.opening import SUPERUSER

SOURCE = Path(__file__).parents[2] / "src"
CLONE = "verbs"


class Tradepost(Protocol):
    """Runs `tradepost` with words, and settings such as TRADEPOST_…; gives its exit status and all that it said."""

    def __call__(self, *words: str, **settings: str) -> tuple[int, str]: ...


@pytest.fixture
def tradepost(server: Server, world: World) -> Iterator[Tradepost]:
    """The program at a shell, on a copy of the world."""

    async def remove() -> None:
        connection = await server.connect(database="postgres")
        await connection.execute(f"drop database {CLONE} with (force)")
        await connection.close()

    server.clone(CLONE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEPOST_")}
    environment |= {"PYTHONPATH": str(SOURCE), "TRADEPOST_DATABASE_URL": server.embedded.dsn(SUPERUSER, CLONE)}

    def run(*words: str, **settings: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "tradepost", *words],
            env=environment | settings,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    yield run
    asyncio.run(remove())
