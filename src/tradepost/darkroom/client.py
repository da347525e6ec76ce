"""Having pictures made: rooms are started when they are needed, and one that is lost is replaced."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

import msgspec

from tradepost.darkroom.room import SECONDS, Order, Outcome
from tradepost.values import TryLater

PATIENCE_SECONDS: Final = SECONDS + 10.0
_LONGEST_LINE: Final = 4096


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


class Darkroom:
    """Makes pictures in `rooms` processes at most, one picture in each at a time."""

    def __init__(self, rooms: int = 1) -> None:
        """No process is started before it is needed."""
        self._rooms = [_Room() for _ in range(rooms)]
        self._free: asyncio.Queue[_Room] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def develop(self, data: bytes, formats: Sequence[str]) -> Print:
        """Make a picture anew; raises PictureRefused or DarkroomAway."""
        free = self._queue()
        room = await free.get()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await room.make(data, formats)
        except (OSError, TimeoutError, msgspec.MsgspecError) as error:
            raise DarkroomAway from error
        finally:
            room.settle()
            free.put_nowait(room)

    def close(self) -> None:
        """End all rooms."""
        for room in self._rooms:
            room.close()

    def _queue(self) -> asyncio.Queue[_Room]:
        """The rooms that are free; made anew for each loop, as tests have several, one after the other."""
        loop = asyncio.get_running_loop()
        if self._free is None or self._loop is not loop:
            self._free, self._loop = asyncio.Queue(), loop
            for room in self._rooms:
                self._free.put_nowait(room)
        return self._free


class _Room:
    """One process, and the socket it is spoken to over."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._is_busy = False
        self._program: tuple[str, ...] = ("-m", "tradepost.darkroom.room")

    async def make(self, data: bytes, formats: Sequence[str]) -> Print:
        opened = self._open()
        self._is_busy = True
        loop = asyncio.get_running_loop()
        line = msgspec.json.encode(Order(tuple(formats), len(data))) + b"\n"
        await loop.sock_sendall(opened, line)
        await loop.sock_sendall(opened, data)
        line, rest = await self._line(opened)
        told = msgspec.json.decode(line, type=Outcome)
        body = bytearray(rest)
        while len(body) < told.picture + told.small:
            if not (piece := await loop.sock_recv(opened, 256 << 10)):
                raise ConnectionError("the room is gone")
            body += piece
        self._is_busy = False
        if told.reason:
            raise PictureRefused(told.reason)
        picture = bytes(memoryview(body)[: told.picture])
        return Print(told.extension, told.width, told.height, picture, bytes(body[told.picture :]))

    async def _line(self, opened: socket.socket) -> tuple[bytes, bytes]:
        loop = asyncio.get_running_loop()
        found = b""
        while b"\n" not in found and len(found) < _LONGEST_LINE:
            if not (piece := await loop.sock_recv(opened, _LONGEST_LINE)):
                raise ConnectionError("the room is gone")
            found += piece
        line, _, rest = found.partition(b"\n")
        return line, rest

    def settle(self) -> None:
        """Leave a room in which something was not brought to its end: nobody knows what it would say next."""
        if self._is_busy:
            self.close()

    def _open(self) -> socket.socket:
        if self._socket is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, *self._program, str(theirs.fileno())],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                )
            ours.setblocking(False)
            self._socket = ours
        return self._socket

    def close(self) -> None:
        """End the process; there is nothing in it that anybody would miss."""
        self._is_busy = False
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
