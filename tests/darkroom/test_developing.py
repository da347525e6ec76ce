"""S08: pictures that mean harm, or mean nothing; and good ones, which come out right.

The corpus below is made, not kept: each entry is small or becomes large only in whoever believes it. Everything is
done in the real process with its limits, whose memory is watched from outside.

As a script it prints one line:

    python -m tests.darkroom.test_developing --size full --seed 7
"""

from __future__ import annotations

import asyncio
import io
import random
import resource
import struct
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests.support.jobs import Figure, Finding
from tests.support.program import children_of
from tradepost.darkroom.client import Darkroom, PictureRefused, Print
from tradepost.domain.pictures import FORMATS, MOST_BYTES, UPLOAD_FORMATS

MOST_SECONDS = 11.0  # ten, and what starting and telling takes
MOST_MIB = 512
MOST_GROWN_MIB = 64
KINDS = {"jpg": "JPEG", "png": "PNG"}
SCRIPT = b"<script>alert(1)</script>"


def encoded(made: Image.Image, kind: str, **how: Any) -> bytes:
    """A picture in a format."""
    out = io.BytesIO()
    made.save(out, kind, **how)
    return out.getvalue()


def noise(width: int = 200, height: int = 200, seed: int = 1) -> Image.Image:
    """A picture that no encoder makes small, the same for the same seed."""
    source = random.Random(seed)
    return Image.frombytes("RGB", (width, height), source.randbytes(3 * width * height))


def arrow() -> Image.Image:
    """A picture that tells which way is up: red above, blue below, a white corner at the upper left."""
    made = Image.new("RGB", (160, 200), (200, 30, 30))
    draw = ImageDraw.Draw(made)
    draw.rectangle((0, 100, 160, 200), fill=(30, 30, 200))
    draw.rectangle((0, 0, 40, 40), fill=(255, 255, 255))
    return made


# -- what is made of PNG


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG with the checksum it should have."""
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, color: int, body: bytes, *more: bytes) -> bytes:
    """A PNG that says of itself what it likes."""
    head = chunk(b"IHDR", struct.pack("!2I5B", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def zeros(size: int) -> bytes:
    """So many zeros, packed, without having them."""
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    out = [packer.compress(piece) for _ in range(size >> 20)]
    return b"".join([*out, packer.compress(bytes(size & ((1 << 20) - 1))), packer.flush()])


def one_bit(side: int) -> bytes:
    """Little to send, much to hold."""
    return png(side, side, 1, 0, zeros(side * (side // 8 + 1)))


def apng(frames: int) -> bytes:
    """An animation of frames that say they are as large as they can be."""
    control = chunk(b"acTL", struct.pack("!2I", frames, 0))
    again = b"".join(
        chunk(b"fcTL", struct.pack("!5I2H2B", 2 * n, 200, 200, 0, 0, 1, 100, 0, 0))
        + chunk(b"fdAT", struct.pack("!I", 2 * n + 1) + zeros(200 * 601))
        for n in range(frames)
    )
    return png(200, 200, 8, 2, zeros(200 * 601), control, again)


# -- what is made of GIF and JPEG


def gif(width: int, height: int, frames: int = 1, frame: tuple[int, int] | None = None) -> bytes:
    """A GIF whose frames may be larger than its canvas."""
    size = frame or (width, height)
    head = b"GIF89a" + struct.pack("<2H3B", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    one = b"," + struct.pack("<4HB", 0, 0, *size, 0) + b"\x02\x02\x4c\x01\x00"
    return head + one * frames + b";"


def scans(count: int, made: Image.Image) -> bytes:
    """A progressive JPEG whose last scan is said again and again."""
    data = encoded(made, "JPEG", progressive=True)
    last = data.rfind(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def enlarged(side: int) -> bytes:
    """A JPEG that says of itself that it is larger than it is."""
    data = bytearray(encoded(noise(), "JPEG"))
    at = data.find(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack("!2H", side, side)
    return bytes(data)


def segments(count: int) -> bytes:
    """A JPEG with that many comments."""
    data = encoded(noise(), "JPEG")
    return data[:2] + b"\xff\xfe\x00\x10fourteen bytes" * count + data[2:]


def with_exif(orientation: int, made: Image.Image, kind: str = "JPEG") -> bytes:
    """A picture with EXIF: how it is held, where it was made, by whom."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "SECRET-DESCRIPTION"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return encoded(made, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))


TURNED: dict[int, Callable[[Image.Image], Image.Image]] = {
    1: lambda made: made,
    2: lambda made: made.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda made: made.transpose(Image.Transpose.ROTATE_180),
    4: lambda made: made.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda made: made.transpose(Image.Transpose.TRANSPOSE),
    6: lambda made: made.transpose(Image.Transpose.ROTATE_90),
    7: lambda made: made.transpose(Image.Transpose.TRANSVERSE),
    8: lambda made: made.transpose(Image.Transpose.ROTATE_270),
}
"""How a picture lies in the file that is right side up by each orientation."""


@dataclass(frozen=True)
class Entry:
    """Something to be refused; or, where that does no harm, made anew without what came along."""

    name: str
    data: Callable[[], bytes]
    harmless_if_clean: bool = False
    formats: tuple[str, ...] = FORMATS


def corpus(source: random.Random, many: bool) -> Iterator[Entry]:
    """List 2.8 of the reliability page."""
    yield from _sizes()
    yield from _other_formats()
    yield from _polyglots()
    for kind in ("JPEG", "PNG", "GIF"):
        whole = encoded(noise(), kind)
        for tenth in range(1, 10):
            cut = whole[: len(whole) * tenth // 10]
            yield Entry(f"{kind} truncated at {tenth}0 %", lambda cut=cut: cut)  # type: ignore[misc]
        for _ in range(170 if many else 8):
            cut = whole[: source.randrange(1, len(whole) - 64)]
            yield Entry(f"{kind} truncated at {len(cut)} bytes", lambda cut=cut: cut)  # type: ignore[misc]
        yield Entry(f"{kind} and then garbage", lambda whole=whole: whole[:40] + b"\xa5" * 4000)  # type: ignore[misc]


def _sizes() -> Iterator[Entry]:
    yield Entry("nothing", lambda: b"")
    for width, height in ((1, 1), (99, 100), (100, 99), (99_999, 1), (1, 60_000), (50, 50)):
        yield Entry(f"{width} x {height} PNG", lambda w=width, h=height: encoded(Image.new("L", (w, h)), "PNG"))  # type: ignore[misc]
    yield Entry("one-bit PNG of 13,000", lambda: one_bit(13_000))
    yield Entry("one-bit PNG of 30,000", lambda: one_bit(30_000))
    yield Entry("PNG of 2^31 - 1", lambda: png(2**31 - 1, 2**31 - 1, 8, 6, zeros(1 << 20)))
    yield Entry("PNG of no width", lambda: png(0, 200, 8, 2, zeros(1000)))
    yield Entry("PNG with a wrong checksum", lambda: encoded(noise(), "PNG").replace(b"IHDR", b"IHDR", 1)[:29]
                + b"\0\0\0\0" + encoded(noise(), "PNG")[33:])  # fmt: skip
    yield Entry("PNG with a packed text", lambda: png(200, 200, 8, 2, zeros(200 * 601),
                chunk(b"zTXt", b"Comment\0\0" + zeros(300 << 20))), harmless_if_clean=True)  # fmt: skip
    yield Entry("PNG with a packed profile", lambda: png(200, 200, 8, 2, zeros(200 * 601),
                chunk(b"iCCP", b"x\0\0" + zeros(300 << 20))), harmless_if_clean=True)  # fmt: skip
    yield Entry("PNG with 10,000 texts", lambda: png(200, 200, 8, 2, zeros(200 * 601),
                chunk(b"tEXt", b"Comment\0" + SCRIPT) * 10_000), harmless_if_clean=True)  # fmt: skip
    yield Entry("PNG with more pixels than told", lambda: png(200, 200, 8, 2, zeros(200 << 20)), True)
    yield Entry("animated PNG of 10,000 frames", lambda: apng(10_000), harmless_if_clean=True)
    yield Entry("GIF of 5,000 frames", lambda: gif(200, 200, 5_000), harmless_if_clean=True)
    yield Entry("GIF canvas of 65,535", lambda: gif(65_535, 65_535))
    yield Entry("GIF frame larger than its canvas", lambda: gif(200, 200, 1, (65_535, 65_535)))
    yield Entry("JPEG of 1,000 scans", lambda: scans(1_000, noise()))
    yield Entry("large JPEG of 90 scans", lambda: scans(80, arrow().resize((6_000, 6_000))), harmless_if_clean=True)
    yield Entry("JPEG of 65,500", lambda: enlarged(65_500))
    yield Entry("JPEG with 10,000 segments", lambda: segments(10_000), harmless_if_clean=True)
    yield Entry(
        "JPEG with broken EXIF", lambda: encoded(noise(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"), True
    )


def _other_formats() -> Iterator[Entry]:
    small = Image.new("RGB", (200, 200))
    for kind in ("WEBP", "TIFF", "BMP", "ICO", "PPM", "TGA", "JPEG2000", "DDS", "PCX", "EPS", "PDF"):
        yield Entry(f"{kind} named as a picture", lambda kind=kind: encoded(small, kind))  # type: ignore[misc]
    texts = {
        "SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"/>',
        "HTML": b"<!doctype html><img src=x>",
        "PSD": b"8BPS\0\1" + bytes(6) + struct.pack("!H2I2H", 3, 200, 200, 8, 3) + bytes(1000),
        "AVIF": b"\0\0\0\x1cftypavif" + bytes(1000),
        "HEIC": b"\0\0\0\x1cftypheic" + bytes(1000),
        "script": b"#!/bin/sh\n",
        "XBM": b"#define x_width 200\n#define x_height 200\nstatic char x_bits[] = {0};",
        "FLI": struct.pack("<I2H", 128, 0xAF11, 1) + bytes(200),
        "playlist": b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/\n",
    }
    for name, data in texts.items():
        yield Entry(f"{name} named as a picture", lambda data=data: data)  # type: ignore[misc]
    for kind in ("PNG", "GIF"):
        yield Entry(f"{kind} as an upload", lambda kind=kind: encoded(noise(), kind), formats=UPLOAD_FORMATS)  # type: ignore[misc]


def _polyglots() -> Iterator[Entry]:
    jpeg, gif_, png_ = (encoded(noise(), kind) for kind in ("JPEG", "GIF", "PNG"))
    yield Entry("JPEG and page", lambda: jpeg + b"<html>" + SCRIPT, harmless_if_clean=True)
    yield Entry("JPEG with a page in it", lambda: encoded(noise(), "JPEG", comment=SCRIPT), harmless_if_clean=True)
    yield Entry("GIF and script", lambda: gif_[:-1] + b"!\xfe" + bytes([len(SCRIPT)]) + SCRIPT + b"\0;", True)
    yield Entry("PNG and archive", lambda: png_ + b"PK\3\4" + SCRIPT, harmless_if_clean=True)
    yield Entry("PDF and JPEG", lambda: b"%PDF-1.4\n" + SCRIPT + jpeg)
    yield Entry("page and JPEG", lambda: SCRIPT + jpeg)


GOOD: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(arrow(), "JPEG", quality=95),
    "progressive JPEG": lambda: encoded(arrow(), "JPEG", quality=95, progressive=True),
    "grey JPEG": lambda: encoded(arrow().convert("L"), "JPEG", quality=95),
    "CMYK JPEG": lambda: encoded(arrow().convert("CMYK"), "JPEG", quality=95),
    "PNG": lambda: encoded(arrow(), "PNG"),
    "PNG of a palette": lambda: encoded(arrow().convert("P"), "PNG"),
    "transparent PNG": lambda: encoded(arrow().convert("RGBA"), "PNG"),
    "grey PNG": lambda: encoded(arrow().convert("L"), "PNG"),
    "one-bit PNG": lambda: encoded(
        arrow().convert("L").point(lambda level: 255 * (level > 70)).convert("1"), "PNG"
    ),
    "GIF": lambda: encoded(arrow(), "GIF"),
    **{f"turned JPEG {n}": lambda n=n: with_exif(n, TURNED[n](arrow())) for n in TURNED},  # type: ignore[misc]
    "turned PNG": lambda: with_exif(6, TURNED[6](arrow()), "PNG"),
    "JPEG of 5 MB": lambda: encoded(noise(2_100, 1_400), "JPEG", quality=97),
}


def is_right(name: str, made: Image.Image) -> bool:
    """Whether an arrow points up."""
    if made.size != (160, 200):
        return name == "JPEG of 5 MB" and made.size == (2_100, 1_400)
    white, red, blue = (made.convert("RGB").getpixel(at) for at in ((15, 15), (120, 50), (80, 150)))
    assert isinstance(white, tuple)
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    if "grey" in name or "one-bit" in name:
        return min(white) > 240 and red != blue
    return min(white) > 240 and red[0] > 150 > 90 > red[2] and blue[2] > 150 > 90 > blue[0]


def leftovers(data: bytes) -> list[str]:
    """What is in a picture that is no picture."""
    with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as opened:  # it may be large
        opened.load()
        plain = ("jfif", "jfif_version", "jfif_unit", "jfif_density")
        found = [str(key) for key in opened.info if key not in plain]
        found += [f"exif {key}" for key in opened.getexif()]
    found += [word for word in ("SECRET", "script", "Exif", "ICC_PROFILE", "PK\3\4") if word.encode() in data]
    return found


# -- the figure


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """The most memory that the processes below this one held meanwhile, in MiB: rooms, and those that they fork."""
    most = {"room": 0.0, "child": 0.0}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            for room in children_of(_own_pid()):
                if b"darkroom" not in _command(room):
                    continue
                most["room"] = max(most["room"], _resident(room))
                for child in children_of(room):
                    most["child"] = max(most["child"], _resident(child))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def _own_pid() -> int:
    return int(Path("/proc/self").resolve().name)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / (1 << 20)
    except (OSError, IndexError):
        return 0.0


def _develop(room: Darkroom, data: bytes, formats: tuple[str, ...] = FORMATS) -> tuple[Print | None, float]:
    began = time.monotonic()
    assert len(data) <= MOST_BYTES["picture"], "nobody takes so much from a host"
    try:
        return asyncio.run(room.develop(data, formats)), time.monotonic() - began
    except PictureRefused:
        return None, time.monotonic() - began


class _Unlimited(Darkroom):
    """A darkroom that believes every picture and gives it all the room that it wants."""

    def __init__(self) -> None:
        super().__init__()
        self._rooms[0]._program = (
            "-c",
            "import resource, signal, sys\n"
            "resource.setrlimit = lambda *_: None\n"
            "signal.alarm = lambda _: None\n"
            "from PIL import Image\n"
            "from tradepost.darkroom import developing, room\n"
            "developing.MOST_PIXELS = 1 << 40\n"
            "developing.LEAST_SIDE = 1\n"
            "Image.MAX_IMAGE_PIXELS = None\n"
            "room.main(int(sys.argv[1]))\n",
        )


@dataclass(frozen=True)
class Size:
    """Whether there are many random cuts."""

    many: bool


def run(size: Size, seed: int, spoil: str | None) -> Finding:
    """Everything through one darkroom; the bombs first, then what has to come out right."""
    wrong: list[str] = []
    longest = 0.0
    room = Darkroom() if spoil is None else _Unlimited()
    try:
        _develop(room, GOOD["JPEG"]())
        with watched() as most:
            idle = _resident(next(pid for pid in children_of(_own_pid()) if b"darkroom" in _command(pid)))
            entries = list(corpus(random.Random(seed), size.many))
            for entry in entries:
                made, took = _develop(room, entry.data(), entry.formats)
                longest = max(longest, took)
                if took > MOST_SECONDS:
                    wrong.append(f"{entry.name}: {took:.1f} s")
                if made is not None and (not entry.harmless_if_clean or leftovers(made.picture)):
                    wrong.append(f"{entry.name}: accepted, with {leftovers(made.picture)}")
        if most["child"] > MOST_MIB:
            wrong.append(f"{most['child']:.0f} MiB in a child")
        if most["room"] - idle > MOST_GROWN_MIB:
            wrong.append(f"the room has grown by {most['room'] - idle:.0f} MiB")
        wrong += _judge_good(room)
    finally:
        room.close()
    told = {
        "entries": len(entries),
        "good": len(GOOD),
        "child-mib": round(most["child"]),
        "longest": round(longest, 1),
    }
    return Finding(wrong, True, told)


def _judge_good(room: Darkroom) -> Iterator[str]:
    for name, data in GOOD.items():
        made, _ = _develop(room, data())
        if made is None:
            yield f"{name}: refused"
            continue
        for bytes_ in (made.picture, made.small):
            if leftovers(bytes_):
                yield f"{name}: with {leftovers(bytes_)}"
        with Image.open(io.BytesIO(made.picture)) as opened:
            if (opened.size, opened.format) != ((made.width, made.height), KINDS[made.extension]):
                yield f"{name}: not what is told"
            if not is_right(name, opened):
                yield f"{name}: wrong"


S08: Figure[Size] = Figure(
    "S08", "accepted-or-over-limit", run, {"smoke": Size(False), "full": Size(True)}, mutant="no_limits"
)


# -- tests


def test_bombs_stay_small_and_good_pictures_come_out_right() -> None:
    found = run(Size(False), 7, None)
    print(found.told)
    assert found.wrong == []


@pytest.fixture
def room() -> Iterator[Darkroom]:
    opened = Darkroom()
    yield opened
    opened.close()


def test_a_room_that_is_lost_is_replaced(room: Darkroom) -> None:
    assert _develop(room, GOOD["JPEG"]())[0] is not None
    process = room._rooms[0]._process
    assert process is not None
    process.kill()
    process.wait()

    async def again() -> Print:
        while True:
            try:
                return await room.develop(GOOD["JPEG"](), FORMATS)
            except Exception as error:
                assert type(error).__name__ == "DarkroomAway"  # noqa: PT017 - time mends it

    assert asyncio.run(again()).width == 160


def test_whoever_leaves_in_the_middle_leaves_nothing_to_the_next(room: Darkroom) -> None:
    async def scene() -> None:
        late = asyncio.create_task(room.develop(encoded(noise(4_000, 3_000), "PNG", compress_level=1), FORMATS))
        await asyncio.sleep(0.2)
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)
        assert (await room.develop(GOOD["JPEG"](), FORMATS)).width == 160

    asyncio.run(scene())


def test_a_large_picture_is_made_smaller_and_a_large_png_a_jpeg(room: Darkroom) -> None:
    made, _ = _develop(room, encoded(Image.new("RGB", (8_000, 4_000), (1, 2, 3)), "JPEG"))
    assert made is not None
    assert (made.width, made.height, made.extension) == (5_000, 2_500, "jpg")
    made, _ = _develop(room, encoded(noise(1_800, 1_800), "PNG", compress_level=1))
    assert made is not None
    assert (made.extension, made.width) == ("jpg", 1_800)
    small = Image.open(io.BytesIO(made.small))
    assert (small.size, small.format) == ((256, 256), "JPEG")


if __name__ == "__main__":
    sys.exit(S08.main(__doc__))
