"""Turns at what costs much: a few at a time, so that it stays bounded and nobody takes them all.

Large bodies are read in turns, for the memory they take. Heavy calls, such as uploads of pictures, run in turns:
they keep a connection while a picture is made, and a dozen of them would keep all there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from tradepost.wire import refusals

TURNS_OF_A_CALLER: Final = 2
TURNS_OF_ALL: Final = 4
HEAVY_TURNS: Final = 1
MOST_IN_LINE: Final = 16
"""Calls of one caller that have a turn or wait for one; each may hold what it was sent meanwhile."""
WAIT_SECONDS: Final = 60


class _Line:
    """The turns of one caller, kept while somebody has one or waits."""

    def __init__(self, turns: int) -> None:
        self.turns = asyncio.Semaphore(turns)
        self.members = 0


class Turns:
    """Hands out turns at one thing, first come, first served."""

    def __init__(
        self,
        of_a_caller: int = TURNS_OF_A_CALLER,
        of_all: int = TURNS_OF_ALL,
        most_in_line: int = 1 << 30,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """So many at a time; whoever finds `most_in_line` of his own calls there already is sent away."""
        self._of_a_caller = of_a_caller
        self._most_in_line = most_in_line
        self._wait_seconds = wait_seconds
        self._all = asyncio.Semaphore(of_all)
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def take(self, caller: str) -> AsyncIterator[None]:
        """A turn of this caller; raises ServiceUnavailable where none comes in `wait_seconds`."""
        line = self._lines.get(caller) or self._lines.setdefault(caller, _Line(self._of_a_caller))
        if line.members >= self._most_in_line:
            raise refusals.ServiceUnavailable
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


def _heavy_turns() -> Turns:
    return Turns(HEAVY_TURNS, HEAVY_TURNS, MOST_IN_LINE)


@dataclass(frozen=True, slots=True)
class Queues:
    """All turns of one process."""

    bodies: Turns = field(default_factory=Turns)
    heavy: Turns = field(default_factory=_heavy_turns)
