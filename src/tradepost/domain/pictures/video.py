"""Which kind of video a file is, by how it begins. No more of it is ever looked at: nothing here decodes."""

from __future__ import annotations

from typing import Final

HEAD_BYTES: Final = 4096
"""How much of a file is asked for at most."""

_ASF: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_EBML: Final = bytes.fromhex("1a45dfa3")
_DOC_TYPE: Final = b"\x42\x82"
# Brands of MP4 that are something else than a video: still pictures, sound alone.
_NO_VIDEO: Final = frozenset(b"heic heix hevc heim heis mif1 msf1 avif avis crx".split())
_SOUND: Final = (b"M4A ", b"M4B ")
_OLD_MOV: Final = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def extension_of(head: bytes) -> str | None:
    """The extension for a file that begins so: mp4, mov, wmv, flv, avi, mkv, webm; None for anything else."""
    size, kind = int.from_bytes(head[:4], "big"), head[4:8]
    if kind == b"ftyp":
        return _of_brand(size, head[8:12])
    if kind in _OLD_MOV and (size >= 8 or kind == b"mdat"):
        return "mov"
    if head.startswith(_ASF):
        return "wmv"
    if head.startswith(b"FLV\x01") and int.from_bytes(head[5:9], "big") == 9:
        return "flv"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    return _of_ebml(head) if head.startswith(_EBML) else None


def _of_brand(size: int, brand: bytes) -> str | None:
    if not 16 <= size <= HEAD_BYTES or brand.strip() in _NO_VIDEO or brand.startswith((b"3g", *_SOUND)):
        return None
    return "mov" if brand == b"qt  " else "mp4"


def _of_ebml(head: bytes) -> str | None:
    at = head.find(_DOC_TYPE)
    if at < 0 or at + 3 > len(head):
        return None
    length = head[at + 2] & 0x7F  # of one byte, as every writer has it
    return {b"matroska": "mkv", b"webm": "webm"}.get(head[at + 3 : at + 3 + length].rstrip(b"\0"))
