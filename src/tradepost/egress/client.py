"""Asking the guard: over the socket of one that runs already, or by one that is started when it is needed first."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Protocol

import msgspec

from tradepost.egress.fetching import Delivered, Fetched, Write
from tradepost.egress.protocol import (
    ANSWERED,
    BODY,
    END,
    LATER,
    PIECE_BYTES,
    REFUSED,
    Asked,
    Ended,
    Told,
    read_frame,
)
from tradepost.egress.sockets import connect_socket
from tradepost.values import TryLater

STOP_SECONDS = 5.0
PATIENCE_SECONDS = 15.0
"""How much longer than a fetch may take we wait for the guard itself."""


class FetchRefused(Exception):
    """Nothing will ever be fetched from there; why is for a log, and for no merchant to see."""


class OtherSideAway(TryLater):
    """It cannot be fetched now: the other side, or the guard, is not there."""

    why: str = "the guard is not there"


class GuardAway(Exception):
    """Nobody can say whether it was sent: the guard itself is not there."""


class Guard(Protocol):
    """Fetches what a URL names, if that may be fetched at all."""

    async def fetch(self, url: str, *, most_bytes: int, seconds: float, write: Write) -> Fetched:
        """Hand the body to `write` piece by piece; raises FetchRefused or OtherSideAway, at any time."""


class Courier(Protocol):
    """Sends something to where a URL leads, if that may be."""

    async def deliver(self, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Delivered:
        """Send a body by POST; raises FetchRefused, OtherSideAway or GuardAway."""


class GuardProcess:
    """A guard in a process of its own."""

    def __init__(self, path: Path | None) -> None:
        """`path` is the socket of one that runs; without it one of our own is started, and lives as long as we."""
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    async def fetch(self, url: str, *, most_bytes: int, seconds: float, write: Write) -> Fetched:
        """Hand the body to `write` piece by piece; raises FetchRefused or OtherSideAway, at any time."""
        try:
            async with aclosing(self._ask(Asked(url, most_bytes, seconds))) as frames:
                async for kind, payload in frames:
                    if kind == BODY:
                        await write(payload)
                    elif kind == END:
                        done = msgspec.json.decode(payload, type=Ended)
                        return Fetched(done.content_type, done.size)
        except (OSError, EOFError, TimeoutError) as error:
            raise OtherSideAway from error
        raise OtherSideAway

    async def deliver(self, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Delivered:
        """Send a body by POST; raises FetchRefused, OtherSideAway or GuardAway."""
        try:
            async with aclosing(self._ask(Asked(url, 0, seconds, headers, body))) as frames:
                async for kind, payload in frames:
                    if kind == ANSWERED:
                        told = msgspec.json.decode(payload, type=Told)
                        return Delivered(told.status, told.retry_after)
        except (OSError, EOFError, TimeoutError) as error:
            raise GuardAway from error
        raise GuardAway

    async def _ask(self, asked: Asked) -> AsyncGenerator[tuple[bytes, bytes]]:
        """What the guard says; raises FetchRefused, OtherSideAway, OSError, EOFError or TimeoutError."""
        opened = self._connect()
        reader, writer = await asyncio.open_unix_connection(sock=opened, limit=2 * PIECE_BYTES)
        try:
            writer.write(msgspec.json.encode(asked) + b"\n")
            while True:
                async with asyncio.timeout(asked.seconds + PATIENCE_SECONDS):
                    kind, payload = await read_frame(reader)
                if kind == REFUSED:
                    raise FetchRefused(payload.decode())
                if kind == LATER:
                    raise OtherSideAway(why=payload.decode())
                yield kind, payload
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _connect(self) -> socket.socket:
        if self._path is not None:
            return connect_socket(self._path)
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._running(), [b"+"], [theirs.fileno()])
            except OSError:
                ours.close()
                self.close()  # it is gone; the next fetch starts another one
                raise
        ours.setblocking(False)
        return ours

    def _running(self) -> socket.socket:
        """The socket that questions are handed over by."""
        if self._control is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tradepost", "egress", "--control", str(theirs.fileno())],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                )
            self._control = ours
        return self._control

    def close(self) -> None:
        """End the guard of our own, if there is one."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
