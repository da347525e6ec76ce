"""The hosts that the sandbox's own pictures come from: all below `.example`, which leads nowhere in the world.

Any path there is a picture, always the same one, or a video where it ends like one. Some paths are the ways in
which pictures fail, so that a connector can meet all of them without a network:

    /missing…   is not there, for good
    /down…      cannot be reached at the moment, for as long as anybody asks
    /small…     is a picture of fewer pixels than a product's may have
    /broken…    is a page and no picture

Other hosts are the guard's.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import sha256
from typing import Final

from tradepost.egress.client import FetchRefused, Guard, OtherSideAway
from tradepost.egress.fetching import Fetched, Write
from tradepost.egress.urls import BadUrl, read_url

SIDE: Final = 240
SMALL_SIDE: Final = 60
_HOSTS: Final = ".example"
_VIDEOS: Final = (".mp4", ".mov")
_PAGE: Final = b"<!doctype html><title>Not a picture</title>"
_PIECE: Final = 64 << 10


class Outside:
    """A guard that answers for the sandbox's own hosts itself."""

    def __init__(self, guard: Guard) -> None:
        """`guard` is asked for everything else."""
        self._guard = guard

    async def fetch(self, url: str, *, most_bytes: int, seconds: float, write: Write) -> Fetched:
        """Hand the body to `write` piece by piece; raises FetchRefused or OtherSideAway."""
        try:
            target = read_url(url)
        except BadUrl as error:
            raise FetchRefused(str(error)) from None
        if not target.host.endswith(_HOSTS):
            return await self._guard.fetch(url, most_bytes=most_bytes, seconds=seconds, write=write)
        content_type, body = _answer(target.path)
        if len(body) > most_bytes:
            raise FetchRefused("its length")
        for at in range(0, len(body), _PIECE):
            await write(body[at : at + _PIECE])
        return Fetched(content_type, len(body))


def _answer(path: str) -> tuple[str, bytes]:
    name = path.rpartition("/")[2].partition("?")[0]
    if name.startswith("missing"):
        raise FetchRefused("status 404")
    if name.startswith("down"):
        raise OtherSideAway
    if name.startswith("broken"):
        return "text/html", _PAGE
    if name.endswith(_VIDEOS):
        return "video/mp4", video(path)
    return "image/png", picture(path, SMALL_SIDE if name.startswith("small") else SIDE)


def picture(name: str, side: int = SIDE) -> bytes:
    """A PNG of two colours, both and their arrangement out of a name."""
    seed = sha256(name.encode()).digest()
    colors = (seed[:3], seed[3:6])
    size = side // (3 + seed[6] % 6)
    lines = []
    for y in range(side):
        cells = ((x // size + y // size + (seed[7 + (x // size) % 8] >> (y // size) % 8)) % 2 for x in range(side))
        lines.append(b"\0" + b"".join(colors[cell] for cell in cells))
    header = struct.pack("!2I5B", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def video(name: str) -> bytes:
    """What is an MP4 by its form, with a film of no pictures in it that is another one for each name."""
    kind = struct.pack("!I4s4sI4s4s", 24, b"ftyp", b"isom", 512, b"isom", b"mp41")
    seed = sha256(name.encode()).digest()
    return kind + struct.pack("!I4s", 8 + len(seed), b"free") + seed


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
