"""Having pictures made: what the rooms of the darkroom are asked, and what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from tradepost.darkroom.order import SECONDS, Order, Outcome
from tradepost.rooms import Rooms
from tradepost.values import TryLater

PATIENCE_SECONDS: Final = SECONDS + 10.0
_PROGRAM: Final = ("-m", "tradepost.darkroom.room")


class PictureRefused(Exception):
    """It becomes no picture of ours; `reason` is unreadable, too_small or too_large."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DarkroomAway(TryLater):
    """No picture can be made at the moment."""


class Print(msgspec.Struct, frozen=True):
    """A picture that was made anew, and a small one of the same kind."""

    extension: str
    width: int
    height: int
    picture: bytes
    small: bytes


class Darkroom(Rooms):
    """Makes pictures in `rooms` processes at most, one picture in each at a time."""

    def __init__(self, rooms: int = 1) -> None:
        """No process is started before it is needed."""
        super().__init__(_PROGRAM, rooms)

    async def develop(self, data: bytes, formats: Sequence[str]) -> Print:
        """Make a picture anew; raises PictureRefused or DarkroomAway."""
        order = msgspec.json.encode(Order(tuple(formats), len(data)))
        async with self.taken() as room:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    line, body = await room.ask(order, data, _size)
            except (OSError, TimeoutError, msgspec.MsgspecError) as error:
                raise DarkroomAway from error
        told = _outcome(line)
        if told.reason:
            raise PictureRefused(told.reason)
        return Print(told.extension, told.width, told.height, body[: told.picture], body[told.picture :])


def _outcome(line: bytes) -> Outcome:
    return msgspec.json.decode(line, type=Outcome)


def _size(line: bytes) -> int:
    told = _outcome(line)
    return told.picture + told.small
