"""Having labels printed, without anybody else waiting for it."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from tradepost.press.label import Order, Sheets
from tradepost.rooms import Rooms
from tradepost.values import TryLater

PATIENCE_SECONDS: Final = 20.0
MOST_WAITING: Final = 16
_PROGRAM: Final = ("-m", "tradepost.press.room")


class PressAway(TryLater):
    """Nothing can be printed at the moment."""


class Press(Rooms):
    """Prints in a process of its own, one file at a time."""

    def __init__(self) -> None:
        """No process is started before it is needed."""
        super().__init__(_PROGRAM)
        self._waiting = 0

    async def print(self, sheets: Sheets) -> bytes:
        """The PDF file of some labels; raises PressAway, also where too many others wait for theirs."""
        if self._waiting >= MOST_WAITING:
            raise PressAway
        self._waiting += 1
        try:
            return await self._print(msgspec.json.encode(sheets))
        finally:
            self._waiting -= 1

    async def _print(self, data: bytes) -> bytes:
        async with self.taken() as room:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    _, made = await room.ask(msgspec.json.encode(Order(len(data))), data, _size)
            except (OSError, TimeoutError, msgspec.MsgspecError) as error:
                raise PressAway from error
        return made


def _size(line: bytes) -> int:
    return msgspec.json.decode(line, type=Order).size
