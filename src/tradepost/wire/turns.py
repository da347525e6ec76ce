"""Turns at reading large bodies: a few at a time, so that memory stays bounded and nobody takes them all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from tradepost.wire import refusals

TURNS_OF_A_CALLER: Final = 2
TURNS_OF_ALL: Final = 4
WAIT_SECONDS: Final = 60


class _Line:
    """The turns of one caller, kept while somebody has one or waits."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(TURNS_OF_A_CALLER)
        self.members = 0


class Turns:
    """Hands out turns, first come, first served; one per process."""

    def __init__(self, wait_seconds: float = WAIT_SECONDS) -> None:
        self._wait_seconds = wait_seconds
        self._all = asyncio.Semaphore(TURNS_OF_ALL)
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def take(self, caller: str) -> AsyncIterator[None]:
        """A turn of this caller; raises ServiceUnavailable where none comes in `wait_seconds`."""
        line = self._lines.setdefault(caller, _Line())
        line.members += 1
        try:
            async with AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(self._wait_seconds):
                        # Who waits for a turn of his own must not keep one of everybody's.
                        await held.enter_async_context(line.turns)
                        await held.enter_async_context(self._all)
                except TimeoutError:
                    raise refusals.ServiceUnavailable from None
                yield
        finally:
            line.members -= 1
            if line.members == 0:
                del self._lines[caller]
