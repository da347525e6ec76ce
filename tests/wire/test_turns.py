"""Large bodies take turns: two of a caller, four of all, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from tradepost.wire.refusals import ServiceUnavailable
from tradepost.wire.turns import MOST_IN_LINE, Queues, Turns


async def settle() -> None:
    """Let everything happen that can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Callers:
    """Takes turns and keeps them until told."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}

    async def take(self, name: str) -> None:
        """`a1` and `a2` are calls of the caller `a`."""
        self.ends[name] = asyncio.Event()
        async with self.turns.take(name[0]):
            self.begun.append(name)
            await self.ends[name].wait()


def test_turns_are_shared() -> None:
    async def play() -> None:
        callers = Callers(Turns())
        tasks = {name: asyncio.create_task(callers.take(name)) for name in ("a1", "a2", "a3", "b1", "b2", "c1")}
        await settle()
        assert callers.begun == ["a1", "a2", "b1", "b2"]
        callers.ends["b1"].set()
        await settle()
        assert callers.begun[4:] == ["c1"]
        callers.ends["a1"].set()
        await settle()
        assert callers.begun[5:] == ["a3"]
        tasks["a2"].cancel()
        for end in callers.ends.values():
            end.set()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        assert callers.turns._lines == {}

    asyncio.run(play())


def test_nobody_waits_for_ever_and_who_gave_up_takes_nothing() -> None:
    async def play() -> None:
        turns = Turns(wait_seconds=0.01)
        async with AsyncExitStack() as held:
            for _ in range(2):
                await held.enter_async_context(turns.take("a"))
            with pytest.raises(ServiceUnavailable):
                await held.enter_async_context(turns.take("a"))
            for _ in range(2):
                await held.enter_async_context(turns.take("b"))
            with pytest.raises(ServiceUnavailable):
                await held.enter_async_context(turns.take("c"))
        async with AsyncExitStack() as held:
            for caller in "aabb":
                await held.enter_async_context(turns.take(caller))
        assert turns._lines == {}

    asyncio.run(play())


def test_a_heavy_call_runs_alone_and_a_crowd_of_one_caller_is_sent_away() -> None:
    async def play() -> None:
        callers = Callers(Queues().heavy)
        tasks = {name: asyncio.create_task(callers.take(name)) for name in ("a1", "a2", "b1")}
        await settle()
        assert callers.begun == ["a1"]
        callers.ends["a1"].set()
        await settle()
        # The other caller has not waited behind all of the first one's.
        assert callers.begun[:2] == ["a1", "b1"]
        more = [asyncio.create_task(callers.take(f"a{number}")) for number in range(3, MOST_IN_LINE + 3)]
        await settle()
        assert [task.done() for task in more].count(True) == 1
        for task in (*tasks.values(), *more):
            task.cancel()
        await asyncio.gather(*tasks.values(), *more, return_exceptions=True)
        assert callers.turns._lines == {}

    asyncio.run(play())
