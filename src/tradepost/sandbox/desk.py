"""The desk at which a sandbox is moved: by the command line and over HTTP alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tradepost.domain.context import Ctx
from tradepost.settings import Settings
from tradepost.wiring import operator

Result = TypeVar("Result")


class Desk:
    """What can be done to the world of some settings while it is being used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def act(self, verb: Callable[[Ctx], Awaitable[Result]]) -> Result:
        """Do something in one transaction, at the time of the world and for every account."""
        async with operator(self.settings) as ctx:
            return await verb(ctx)
