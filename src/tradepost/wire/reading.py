"""Reads the body of a request from the server, within limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from tradepost.wire import refusals

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
BODY_SECONDS: Final = 60
LOOKED_AT: Final = 16_384
"""Bytes of a body that can be looked at after it was read."""


class BodyReader:
    """Reads one body within a number of bytes and a deadline; its beginning can be looked at afterwards."""

    __slots__ = ("_beginning", "_headers", "_receive", "size")

    def __init__(self, headers: Mapping[str, str], receive: Receive) -> None:
        self._headers = headers
        self._receive = receive
        self._beginning: list[bytes] = []
        self.size = 0
        """Bytes that were read."""

    @property
    def beginning(self) -> bytes:
        """What was read first: at most LOOKED_AT bytes."""
        return b"".join(self._beginning)[:LOOKED_AT]

    async def read(self, limit: int) -> bytes:
        """The whole body."""
        return b"".join([piece async for piece in self.stream(limit)])

    async def stream(self, limit: int) -> AsyncIterator[bytes]:
        """The body as it arrives; raises BodyTooLarge, BodySlow, or BodyMalformed where it ends too soon."""
        told = self._headers.get("content-length", "")
        too_large = refusals.BodyTooLarge(limit=f"{limit / (1 << 20):g} MiB")
        if told and not (told.isascii() and told.isdigit()):
            raise refusals.BodyMalformed
        if len(told) > 18 or (told and int(told) > limit):
            raise too_large
        deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        more = True
        while more:
            try:
                async with asyncio.timeout_at(deadline):
                    message = await self._receive()
            except TimeoutError:
                raise refusals.BodySlow(seconds=BODY_SECONDS) from None
            if message["type"] == "http.disconnect":
                raise refusals.BodyMalformed
            piece: bytes = message.get("body", b"")
            if self.size < LOOKED_AT:
                self._beginning.append(piece[:LOOKED_AT])
            self.size += len(piece)
            if self.size > limit:
                raise too_large
            more = message.get("more_body", False)
            yield piece
