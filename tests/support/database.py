"""The suite's own PostgreSQL: one server in a folder of its own, a template with the cast, a clone per use."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from tradepost.opening import SUPERUSER, prepare_database
from tradepost.settings import Settings
from tradepost.storage.embedded import EmbeddedPostgres

Result = TypeVar("Result")
FOLDER_PREFIX = "tradepost-test-"


@contextmanager
def data_folder() -> Iterator[Path]:
    """A folder that the database's account can reach, gone at the end with the server in it."""
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir="/tmp"))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    try:
        yield folder
    finally:
        end_server(EmbeddedPostgres(folder / "postgres"))
        shutil.rmtree(folder)


def end_server(database: EmbeddedPostgres) -> None:
    """End what is left of a server by its pid, and remove its socket folder."""
    if (pid := database.pid) is not None:
        os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + 20
        while database.pid is not None and time.monotonic() < deadline:
            time.sleep(0.005)
    if database.home is not None:
        shutil.rmtree(database.connection("", "")["host"], ignore_errors=True)


@dataclass
class Server:
    """A running server of the suite."""

    folder: Path
    embedded: EmbeddedPostgres
    _spare: tuple[asyncio.AbstractEventLoop, asyncpg.Connection[Any]] | None = None
    """One that was given back, and its loop; it knows types and statements, which take long to learn."""

    def settings(self, **changes: Any) -> Settings:
        """Settings that lead to this server."""
        return Settings(data=self.folder, **changes)

    async def connect(self, user: str = SUPERUSER, database: str = "tradepost") -> asyncpg.Connection[Any]:
        """A connection of its own."""
        return await asyncpg.connect(
            **self.embedded.connection(user, database), server_settings={"search_path": "tradepost"}
        )

    async def borrow(self) -> asyncpg.Connection[Any]:
        """A connection that may have been somebody else's before, to be given back on the same loop."""
        loop, found = self._spare or (None, None)
        self._spare = None
        if found is None or found.is_closed() or loop is not asyncio.get_running_loop():
            return await self.connect()
        return found

    async def give_back(self, connection: asyncpg.Connection[Any]) -> None:
        """Keep a connection for the next, as it was when it was new; or close it."""
        if self._spare is not None or connection.is_closed():
            await connection.close()
            return
        await connection.reset()
        self._spare = asyncio.get_running_loop(), connection

    async def close_spare(self) -> None:
        """Close what was given back, before its loop ends."""
        if self._spare is not None:
            await self._spare[1].close()
            self._spare = None

    def clone(self, name: str, template: str = "tradepost") -> None:
        """Another database like the template, which nobody may be connected to."""
        if self._spare is not None:
            self._spare[1].terminate()
            self._spare = None
        # Only ever on a server that this suite started in a folder of its own.
        assert self.folder.name.startswith(FOLDER_PREFIX)

        async def run() -> None:
            connection = await self.connect(database="postgres")
            try:
                await connection.execute(f"drop database if exists {name}")
                await connection.execute(f"create database {name} template {template}")
            finally:
                await connection.close()

        asyncio.run(run())


@contextmanager
def running_server() -> Iterator[Server]:
    """A server with a migrated, empty database."""
    with data_folder() as folder:
        embedded = EmbeddedPostgres(folder / "postgres")
        embedded.start()
        server = Server(folder, embedded)
        try:
            asyncio.run(prepare_database(server.settings()))
            yield server
        finally:
            embedded.stop()


def once(action: Callable[[], Awaitable[Result]]) -> Result:
    """Run one coroutine to its end."""

    async def run() -> Result:
        return await action()

    return asyncio.run(run())
