"""What is said between the guard's process and whoever asks it, over a stream of a Unix socket.

Asked is one line of JSON. Answered are frames: a letter, four bytes of length, and so many bytes: `B` a piece of
the body, `E` the end of it, `A` what was answered to something that was sent, `R` that it is refused for good, `L`
that it may come later. Closing the stream takes the question back.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from typing import Final

import msgspec

BODY: Final = b"B"
END: Final = b"E"
ANSWERED: Final = b"A"
REFUSED: Final = b"R"
LATER: Final = b"L"
PIECE_BYTES: Final = 64 << 10
LONGEST_ASKED: Final = 128 << 10
MOST_SENT: Final = 32 << 10
"""Bytes of a body that is sent, at most."""
_HEAD = struct.Struct("!cI")


class Asked(msgspec.Struct, frozen=True):
    """A URL, how many bytes its body may have, and how long all of it may take."""

    url: str
    most_bytes: int
    seconds: float
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    """What is sent there, with these headers; None where something is fetched."""


class Told(msgspec.Struct, frozen=True):
    """What was answered to something that was sent."""

    status: int
    retry_after: str


class Ended(msgspec.Struct, frozen=True):
    """How a fetch ended well: what the other side called the content, for the log only."""

    content_type: str
    size: int


def frame(kind: bytes, payload: bytes) -> bytes:
    """A frame as it goes over the stream."""
    return _HEAD.pack(kind, len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next frame; raises EOFError where the stream ends, ValueError for one that is too long."""
    kind, length = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if length > PIECE_BYTES:
        raise ValueError("a frame that is too long")
    return kind, await reader.readexactly(length)
