"""Keeps the conditions of a server process as the database has them, from its start to its end."""

from __future__ import annotations

import asyncio

import asyncpg
import structlog

from tradepost.domain import world
from tradepost.opening import connect_arguments
from tradepost.sandbox.conditions import Conditions
from tradepost.settings import Settings
from tradepost.storage.database import PLATFORM_ROLE, session_settings

_AGAIN_SECONDS = 0.5

log = structlog.get_logger("tradepost.sandbox")


class Watch:
    """Listens on a connection of its own; where that ends, it begins another one."""

    def __init__(self, settings: Settings, conditions: Conditions) -> None:
        self._settings = settings
        self._conditions = conditions
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the conditions as soon as the database is there, and go on in the background."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.info("sandbox without a database", error=repr(error))
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _listen(self) -> None:
        arguments = connect_arguments(self._settings, PLATFORM_ROLE)
        connection = await asyncpg.connect(**arguments, server_settings=session_settings(PLATFORM_ROLE))
        try:
            heard = asyncio.Event()
            connection.add_termination_listener(lambda _: heard.set())
            await connection.add_listener(world.CHANNEL, lambda *_: heard.set())
            while not connection.is_closed():
                heard.clear()
                await self._conditions.reload(await world.enter(connection))
                await heard.wait()
        finally:
            connection.terminate()
