"""From the bytes of somebody's picture to those of ours, and a small one beside it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import GifImagePlugin, Image, JpegImagePlugin, MpoImagePlugin, PngImagePlugin

LEAST_SIDE: Final = 100
MOST_PIXELS: Final = 40_000_000
MOST_SIDE: Final = 5_000
"""A longer side is made this long."""
SMALL_SIDE: Final = 256
MOST_PNG_BYTES: Final = 8 << 20
"""A larger PNG is made a JPEG or, where it is transparent, a smaller PNG."""
MOST_SCANS: Final = 100
"""A progressive JPEG has about ten; each further one costs as much time as the first."""
QUALITY: Final = 88

_START_OF_SCAN: Final = b"\xff\xda"
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Imported here, so that nothing has to be once the limits hold: these are all formats that are ever opened.
PLUGINS: Final = (GifImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin)
# The library refuses what has twice as many, and warns of what is between.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2


class Undevelopable(Exception):
    """It becomes no picture of ours; `reason` is unreadable, too_small or too_large."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Developed:
    """A picture that was made anew, as `jpg` or `png`, and a small one of the same kind."""

    extension: str
    width: int
    height: int
    picture: bytes
    small: bytes


def develop(data: bytes, formats: Sequence[str]) -> Developed:
    """Make a picture anew out of one in any of some formats (JPEG, PNG, GIF); raises Undevelopable.

    Of several frames the first is taken. It is turned as its EXIF data say, and nothing of these stays.
    """
    try:
        opened = Image.open(io.BytesIO(data), formats=tuple(formats))
    except Image.DecompressionBombError:
        raise Undevelopable("too_large") from None
    except Exception:  # whatever a decoder thinks of what is no picture
        raise Undevelopable("unreadable") from None
    width, height = opened.size
    if width * height > MOST_PIXELS:
        raise Undevelopable("too_large")
    if min(width, height) < LEAST_SIDE:
        raise Undevelopable("too_small")
    if data.count(_START_OF_SCAN) > MOST_SCANS and opened.format in ("JPEG", "MPO"):
        raise Undevelopable("unreadable")
    try:
        return _made_anew(opened)
    except MemoryError:
        raise Undevelopable("too_large") from None
    except Exception:
        raise Undevelopable("unreadable") from None


def _made_anew(opened: Image.Image) -> Developed:
    turn = _TURNS.get(_orientation(opened))
    is_jpeg = opened.format in ("JPEG", "MPO")
    if is_jpeg and max(opened.size) > MOST_SIDE:
        opened.draft(None, (MOST_SIDE, MOST_SIDE))
    opened.load()
    plain = _plain(opened)
    opened.close()
    if max(plain.size) > MOST_SIDE:
        plain.thumbnail((MOST_SIDE, MOST_SIDE), reducing_gap=2.0)
    if turn is not None:
        plain = plain.transpose(turn)
    small = plain.copy() if max(plain.size) <= SMALL_SIDE else plain.resize(_fitting(plain.size), reducing_gap=2.0)
    if is_jpeg:
        return Developed("jpg", *plain.size, _jpeg(plain), _jpeg(small))
    while len(png := _png(plain)) > MOST_PNG_BYTES:
        if plain.mode != "RGBA":
            return Developed("jpg", *plain.size, _jpeg(plain), _jpeg(small))
        plain = plain.reduce(2)
    return Developed("png", *plain.size, png, _png(small))


def _orientation(opened: Image.Image) -> int:
    try:
        return int(opened.getexif().get(_ORIENTATION, 1))
    except Exception:  # data that nobody has to believe
        return 1


def _plain(opened: Image.Image) -> Image.Image:
    """The pixels alone, in a mode that can be scaled and saved: L, RGB or RGBA."""
    if opened.mode.startswith("I"):  # grey in 16 bits or more
        made = opened.convert("I").point(lambda level: level / 256).convert("L")
    elif opened.mode in ("1", "L") and "transparency" not in opened.info:
        made = opened.convert("L")
    elif opened.has_transparency_data:
        made = opened.convert("RGBA")
    else:
        made = opened.convert("RGB")
    # What else came along (profiles, comments, EXIF) would be written back.
    made.info = {}
    return made


def _fitting(size: tuple[int, int]) -> tuple[int, int]:
    longer = max(size)
    return max(1, size[0] * SMALL_SIDE // longer), max(1, size[1] * SMALL_SIDE // longer)


def _jpeg(made: Image.Image) -> bytes:
    out = io.BytesIO()
    made.save(out, "JPEG", quality=QUALITY, exif=b"", icc_profile=None, comment=b"")
    return out.getvalue()


def _png(made: Image.Image) -> bytes:
    out = io.BytesIO()
    made.save(out, "PNG", compress_level=6, exif=None, icc_profile=None)
    return out.getvalue()
