"""The desk at which a sandbox is moved: by the command line and over HTTP alike."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from tradepost.domain import autopilot, jobs, merchants, world
from tradepost.domain.autopilot import Autopilot
from tradepost.domain.context import Ctx
from tradepost.opening import open_files, operator, order_rules
from tradepost.sandbox import seed as seeding
from tradepost.sandbox import snapshots
from tradepost.sandbox.conditions import Conditions
from tradepost.sandbox.generate import Generated, generate
from tradepost.sandbox.pause import count_workers
from tradepost.sandbox.situations import Ids, play_scene
from tradepost.sandbox.snapshots import Snapshot
from tradepost.settings import Settings

Result = TypeVar("Result")
_LOOK_SECONDS = 0.05
REST_SECONDS = 60.0
"""How long a new world is waited for to be at rest."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Whether everything that was to be done is done, and how much is not."""

    settled: bool
    left: int


class Desk:
    """What can be done to the world of some settings while it is being used."""

    def __init__(self, settings: Settings, conditions: Conditions | None = None) -> None:
        """`conditions` are those of this process, if it serves calls: they follow at once."""
        self.settings = settings
        self._conditions = conditions

    async def act(self, verb: Callable[[Ctx], Awaitable[Result]]) -> Result:
        """Do something in one transaction, at the time of the world and for every account."""
        async with operator(self.settings) as ctx:
            return await verb(ctx)

    async def look(self, verb: Callable[[Ctx], Awaitable[Result]]) -> Result:
        """Read something, or do what makes no ids: where the world has a seed, those of others stay as they are."""
        async with operator(self.settings, makes_ids=False) as ctx:
            return await verb(ctx)

    async def change(self, verb: Callable[[Ctx], Awaitable[Result]]) -> Result:
        """Change what this process has to know, and let it know before anybody calls."""
        done = await self.look(verb)
        await self._follow()
        return done

    async def generate(self, merchant_id: str | None, orders: int, seed: str | None) -> Generated:
        """Give a shop (the first of the cast without an id) a past of so many orders; raises what that raises."""
        shop = self._shop(merchant_id)
        files, rules = open_files(self.settings), order_rules(self.settings)
        return await _aside(generate(self.look, files, rules, shop, orders, seed or secrets.token_hex(4)))

    async def play_scene(self, name: str, merchant_id: str | None) -> Ids:
        """Let a situation come about in a shop (the first of the cast without an id); raises what that raises."""
        rules, shop = order_rules(self.settings), self._shop(merchant_id)

        async def play(ctx: Ctx) -> Ids:
            return await play_scene(await merchants.act_for(ctx, shop), rules, name)

        return await self.act(play)

    async def switch_autopilot(self, pace: int | None, seed: str | None = None) -> Autopilot | None:
        """Let the world go on by itself at a pace, or no more without one; raises AutopilotUnusable.

        Without a seed it follows from the world's, and from a new one where that has none.
        """

        async def switch(ctx: Ctx) -> Autopilot | None:
            if pace is None:
                return await autopilot.switch_off(ctx)
            own = (await world.read_clock(ctx)).seed if seed is None else seed
            return await autopilot.switch_on(ctx, pace, secrets.token_hex(4) if own is None else own)

        return await self.look(switch)

    def _shop(self, merchant_id: str | None) -> str:
        cast = seeding.load_cast(self.settings)
        return merchant_id or ("" if cast is None else cast.merchants[0].id)

    async def reset(self, seed: str | None, at: datetime | None) -> seeding.Cast:
        """Start over; with a seed for new ids, and a time at which the clock stands still.

        A world with a seed is at rest when this is done, if anybody works in it: what comes next is to be the same
        each time, and pictures on their way would not be.
        """
        works = await self.look(lambda ctx: count_workers(ctx.db)) > 0
        cast = await _aside(seeding.reset(self.settings, seed, at))
        await self._follow()
        if seed is not None and works:
            await self.settle(REST_SECONDS)
        return cast

    async def take_snapshot(self, name: str) -> Snapshot:
        """Keep the whole state under a name; raises what `snapshots` raises."""
        return await _aside(snapshots.take_snapshot(self.settings, name))

    async def restore_snapshot(self, name: str) -> Snapshot:
        """Put everything back; raises what `snapshots` raises."""
        found = await _aside(snapshots.restore_snapshot(self.settings, name))
        await self._follow()
        return found

    def list_snapshots(self) -> list[Snapshot]:
        """All snapshots."""
        return snapshots.list_snapshots(self.settings)

    async def drop_snapshot(self, name: str) -> None:
        """Forget a snapshot; raises what `snapshots` raises."""
        await snapshots.drop_snapshot(self.settings, name)

    async def settle(self, seconds: float) -> Settled:
        """Have all chores done, and wait until nothing is left to do; at most so long.

        Each of them begins and ends after this was asked: one that is in hand is done once more.
        """
        since, moment = await self.look(_hurry)
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            left = await self.look(lambda ctx: _count_left(ctx, since, moment))
            if not left or asyncio.get_running_loop().time() > deadline:
                return Settled(not left, left)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _follow(self) -> None:
        if self._conditions is not None:
            await self.look(self._conditions.reload)


async def _hurry(ctx: Ctx) -> tuple[datetime, datetime]:
    """Let all chores be due; gives since when, by the machine's clock, and what time it is in the world."""
    return await world.announce(ctx), ctx.now


async def _count_left(ctx: Ctx, since: datetime, moment: datetime) -> int:
    """How much is still to be done of what was due then.

    Beats are looked at first: what the last one asked for is counted with the jobs.
    """
    beats = await autopilot.count_due(ctx, moment)
    return beats + await jobs.count_due(ctx, since)


async def _aside(work: Coroutine[Any, Any, Result]) -> Result:
    """Do what keeps a processor busy on a loop and in a thread of its own, so that calls are answered meanwhile."""
    return await asyncio.to_thread(asyncio.run, work)
