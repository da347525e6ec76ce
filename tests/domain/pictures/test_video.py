"""What counts as a video, by how a file begins; everything else is none, whatever it is called."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from tradepost.domain.pictures import extension_of


def box(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    """A box of an MP4; `size` is what it claims, where that is not the truth."""
    return struct.pack("!I4s", 8 + len(body) if size is None else size, kind) + body


def mp4(brand: bytes, size: int | None = None) -> bytes:
    """How a file of this brand begins."""
    return box(b"ftyp", brand + bytes(4) + b"isom", size) + box(b"free", b"")


def ebml(kind: bytes) -> bytes:
    """How Matroska and its kin begin."""
    doc_type = b"\x42\x82" + bytes([0x80 | len(kind)]) + kind
    return bytes.fromhex("1a45dfa3") + bytes([0x80 | len(doc_type)]) + doc_type


def picture(kind: str) -> bytes:
    """A picture in one of the library's formats."""
    out = io.BytesIO()
    Image.new("RGB", (100, 100)).save(out, kind)
    return out.getvalue()


ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
VIDEOS = {
    "mp4": [mp4(b"isom"), mp4(b"mp42"), mp4(b"avc1"), mp4(b"M4V "), mp4(b"isom") + box(b"free", b"") * 1_000_000],
    "mov": [mp4(b"qt  "), box(b"moov", bytes(8)), box(b"wide", b"") + box(b"mdat", b"x"), box(b"mdat", b"x", 1)],
    "wmv": [ASF + bytes(8)],
    "flv": [b"FLV\x01\x05" + struct.pack("!I", 9)],
    "avi": [b"RIFF" + bytes(4) + b"AVI LIST"],
    "mkv": [ebml(b"matroska"), ebml(b"matroska\0")],
    "webm": [ebml(b"webm")],
}
NONE = [
    b"",
    b"\0" * 4096,
    b"ftyp",
    mp4(b"isom", 0),
    mp4(b"isom", 1),
    mp4(b"isom", 1 << 31),
    mp4(b"heic"),
    mp4(b"avif"),
    mp4(b"M4A "),
    mp4(b"3gp4"),
    box(b"moov", b"", 0),
    ebml(b"other"),
    bytes.fromhex("1a45dfa3"),
    b"\x1a\x45\xdf\xa3" + b"\x42\x82",
    b"RIFF" + bytes(4) + b"WAVEfmt ",
    b"RIFF" + bytes(4) + b"WEBPVP8 ",
    b"FLV\x02\x05" + struct.pack("!I", 9),
    b"#EXTM3U\n#EXT-X-TARGETDURATION:10\nhttp://127.0.0.1/a.ts\n",
    b"ffconcat version 1.0\nfile http://127.0.0.1/a.mp4\n",
    b"<!doctype html><video src=a.mp4>",
    b"#!/bin/sh\n" + mp4(b"isom"),
    b"G" + bytes(187) + b"G",
    picture("JPEG"),
    picture("PNG"),
    picture("GIF"),
]


@pytest.mark.parametrize(("extension", "head"), [(name, head) for name, heads in VIDEOS.items() for head in heads])
def test_a_video_is_told_by_how_it_begins(extension: str, head: bytes) -> None:
    assert extension_of(head[:4096]) == extension


@pytest.mark.parametrize("head", NONE, ids=range(len(NONE)))
def test_nothing_else_is_a_video(head: bytes) -> None:
    assert extension_of(head[:4096]) is None
