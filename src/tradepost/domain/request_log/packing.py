"""Packs: calls of one account, written together."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from typing import Final

import msgspec

from tradepost.domain.request_log.call import Call, Said

WORTH_COMPRESSING: Final = 1_800
"""Bytes from which compressing costs less than writing them."""
MOST_SECONDS: Final = 2
"""The calls of one pack are no further apart."""
BETWEEN: Final = 10
"""Calls that are compressed before other work has its turn."""

# A small window: making a large one ready takes longer than compressing what fits into it.
_WINDOW: Final = 13
_MEMORY: Final = 6


class _Lines(msgspec.Struct, array_like=True, frozen=True):
    """The calls of a pack, and how many bytes each has of what was said."""

    calls: list[Call]
    sizes: list[int]


_encoder: Final = msgspec.msgpack.Encoder()
_lines: Final = msgspec.msgpack.Decoder(_Lines)
_said: Final = msgspec.msgpack.Decoder(Said)


@dataclass(frozen=True, slots=True)
class Pack:
    """Calls of one account as they are kept, ids in their order.

    Those that are not proven named an app of the account and showed no token: anybody can do that.
    """

    account_id: str
    first_id: str
    last_id: str
    calls: int
    is_compressed: bool
    lines: bytes
    said: bytes
    is_proven: bool = True

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.lines) + len(self.said)


class PackMaker:
    """Gathers calls of one account; there is at least one before it is finished."""

    def __init__(self, account_id: str, is_proven: bool = True) -> None:
        self._account_id = account_id
        self._is_proven = is_proven
        self._calls: list[Call] = []
        self._said: list[bytes] = []

    def add(self, call: Call, said: Said) -> None:
        """Put a call into the pack."""
        self._calls.append(call)
        self._said.append(_encoder.encode(said))

    async def finish(self) -> Pack:
        """The pack, compressed with other work in between."""
        ids = sorted(call.id for call in self._calls)
        lines = _encoder.encode(_Lines(self._calls, [len(said) for said in self._said]))
        said = b"".join(self._said)
        is_compressed = len(said) > WORTH_COMPRESSING
        if is_compressed:
            lines = zlib.compress(lines, 1)
            compressor = zlib.compressobj(1, zlib.DEFLATED, _WINDOW, _MEMORY)
            pieces = []
            for at in range(0, len(self._said), BETWEEN):
                pieces.append(compressor.compress(b"".join(self._said[at : at + BETWEEN])))
                await asyncio.sleep(0)
            said = b"".join([*pieces, compressor.flush()])
        return Pack(self._account_id, ids[0], ids[-1], len(ids), is_compressed, lines, said, self._is_proven)


def calls_of(is_compressed: bool, lines: bytes) -> list[Call]:
    """The calls of a pack in the order that they were put there."""
    return _lines.decode(zlib.decompress(lines) if is_compressed else lines).calls


def said_in(is_compressed: bool, lines: bytes, said: bytes, call_id: str) -> tuple[Call, Said] | None:
    """A call of a pack by its id, with what was said; None where it is not in there."""
    known = _lines.decode(zlib.decompress(lines) if is_compressed else lines)
    at = 0
    for call, size in zip(known.calls, known.sizes, strict=True):
        if call.id == call_id:
            whole = zlib.decompress(said) if is_compressed else said
            return call, _said.decode(whole[at : at + size])
        at += size
    return None
