"""Fixtures of the whole suite: one database server, one world in it, and a market that forgets.

With several processes (`make test`) each has all of that for itself: folders are made anew, and ports picked by the
system.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.support.database import Server, once, running_server
from tests.support.market import Market, World, build_world, open_market

# Some machines have Python keep no compiled files. The suite starts the program hundreds of times, and each of its
# processes would compile the whole of it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The suite's PostgreSQL with a migrated database that holds the world."""
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def world(server: Server) -> World:
    """The cast with its goods, committed once into the template."""
    return once(lambda: build_world(server))


@pytest.fixture(scope="session")
def loop(server: Server) -> Iterator[asyncio.Runner]:
    """The loop that all in-process requests run on."""
    with asyncio.Runner() as runner:
        yield runner
        runner.run(server.close_spare())


@pytest.fixture
def market(server: Server, world: World, loop: asyncio.Runner) -> Iterator[Market]:
    """The application on a connection whose transaction is rolled back after the test."""
    with open_market(server, world, loop) as opened:
        yield opened
