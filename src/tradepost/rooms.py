"""Processes that make something apart from everybody else, each asked over a socket for one thing at a time.

A question is a line of JSON and some bytes, an answer as well. Rooms are started when they are needed; one that is
lost is replaced.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

_LONGEST_LINE: Final = 4096


class Room:
    """One process, and the socket it is spoken to over."""

    def __init__(self, *program: str) -> None:
        """`program` are the arguments of the interpreter; the number of its socket follows them."""
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._is_busy = False
        self._program = program

    async def ask(self, line: bytes, data: bytes, size_of: Callable[[bytes], int]) -> tuple[bytes, bytes]:
        """The line and the bytes of the answer; `size_of` tells by the line how many these are."""
        opened = self._open()
        self._is_busy = True
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(opened, line + b"\n")
        await loop.sock_sendall(opened, data)
        line, rest = await self._line(opened)
        size = size_of(line)
        body = bytearray(rest)
        while len(body) < size:
            if not (piece := await loop.sock_recv(opened, 256 << 10)):
                raise ConnectionError("the room is gone")
            body += piece
        self._is_busy = False
        return line, bytes(body)

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


class Rooms:
    """Some rooms of one kind, handed out to whoever comes first."""

    def __init__(self, program: tuple[str, ...], rooms: int = 1) -> None:
        """No process is started before it is needed."""
        self._rooms = [Room(*program) for _ in range(rooms)]
        self._free: asyncio.Queue[Room] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[Room]:
        """A room for oneself."""
        free = self._queue()
        room = await free.get()
        try:
            yield room
        finally:
            room.settle()
            free.put_nowait(room)

    def close(self) -> None:
        """End all rooms."""
        for room in self._rooms:
            room.close()

    def _queue(self) -> asyncio.Queue[Room]:
        """The rooms that are free; made anew for each loop, as tests have several, one after the other."""
        loop = asyncio.get_running_loop()
        if self._free is None or self._loop is not loop:
            self._free, self._loop = asyncio.Queue(), loop
            for room in self._rooms:
                self._free.put_nowait(room)
        return self._free
