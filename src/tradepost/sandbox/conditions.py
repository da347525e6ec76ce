"""What a server process of a sandbox has to know of its world with every call, kept in memory and told anew.

So that a call costs no more for it: whoever changes it tells, and the process reads it again (`watch`).
"""

from __future__ import annotations

from tradepost.domain import faults, world
from tradepost.domain.context import Ctx
from tradepost.domain.faults import Fault


class Conditions:
    """The seed that ids follow from, and the faults that calls may meet."""

    def __init__(self) -> None:
        self.seed: str | None = None
        self.faults: list[Fault] = []

    async def reload(self, ctx: Ctx) -> None:
        """Read everything anew."""
        self.seed = (await world.read_clock(ctx)).seed
        self.faults = [fault for fault in await faults.list_faults(ctx) if fault.remaining != 0]
