"""One typeface out of several fonts: for some characters, a small TrueType font that has them and nothing else.

Noto Sans has the Latin, Greek and Cyrillic letters with all their accents, Noto Sans SC the Chinese characters. The
latter comes with outlines in cubic curves, which our PDF library does not embed; each glyph that is needed is drawn
anew in quadratic ones, within a thousandth of the height of a line. So a file carries one font, with what it shows.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.filterPen import DecomposingFilterPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

FONTS: Final = (
    ("fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf"),
    ("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"),
)
"""Package and file of each font; the first that has a character draws it."""
UNITS: Final = 1000
ASCENT: Final = 880
DESCENT: Final = -220
MISSING: Final = "\u25a1"
"""What stands for a character that no font has: an empty box."""
_MOST_KEPT: Final = 4000
_MOST_DEVIATION: Final = 1.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A glyph as it stands in the small font, and how wide it is."""

    outline: Any
    width: int


class Typeface:
    """Draws characters; opens its fonts when they are needed, and keeps what it drew."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._fonts: list[_Font] = []
        self._kept: dict[str, Drawn] = {}

    def has(self, char: str) -> bool:
        """Whether one of the fonts has a character."""
        return self._find(char) is not None

    def shown(self, text: str) -> str:
        """The text as it can be drawn: a box for each character that no font has."""
        return "".join(char if self.has(char) else MISSING for char in text)

    def font(self, texts: Iterable[str], name: str) -> bytes:
        """A TrueType font of this name with the characters of some texts, as `shown` gives them."""
        chars = sorted({char for text in texts for char in text} | {" ", MISSING})
        drawn = {".notdef": self.drawn(MISSING)} | {f"u{ord(char):04X}": self.drawn(char) for char in chars}
        made = FontBuilder(UNITS, isTTF=True)
        made.setupGlyphOrder(list(drawn))
        made.setupCharacterMap({ord(char): f"u{ord(char):04X}" for char in chars})
        made.setupGlyf({glyph: found.outline for glyph, found in drawn.items()})
        metrics = {glyph: (found.width, made.font["glyf"][glyph].xMin or 0) for glyph, found in drawn.items()}
        made.setupHorizontalMetrics(metrics)
        made.setupHorizontalHeader(ascent=ASCENT, descent=DESCENT)
        made.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name})
        made.setupOS2(sTypoAscender=ASCENT, sTypoDescender=DESCENT, usWinAscent=ASCENT, usWinDescent=-DESCENT)
        made.setupPost()
        # The same characters make the same bytes, whenever that is.
        made.font["head"].created = made.font["head"].modified = 0
        made.font.recalcTimestamp = False
        out = io.BytesIO()
        made.save(out)
        return out.getvalue()

    def drawn(self, char: str) -> Drawn:
        """The glyph of a character that one of the fonts has."""
        if char not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            font = self._find(char)
            assert font is not None, f"nobody can draw {char!r}"
            self._kept[char] = font.drawn(char)
        return self._kept[char]

    def _find(self, char: str) -> _Font | None:
        if not self._fonts:
            self._fonts = [_Font(package, file) for package, file in FONTS]
        return next((font for font in self._fonts if ord(char) in font.glyphs), None)


class _Font:
    """One of the fonts that characters are taken from."""

    def __init__(self, package: str, file: str) -> None:
        found = resources.files(package).joinpath(file)
        font = TTFont(io.BytesIO(found.read_bytes()), lazy=True)
        assert font["head"].unitsPerEm == UNITS
        self.glyphs: dict[int, str] = font.getBestCmap()
        self._set = font.getGlyphSet()

    def drawn(self, char: str) -> Drawn:
        glyph = self._set[self.glyphs[ord(char)]]
        pen = TTGlyphPen(None)
        curves = Cu2QuPen(pen, _MOST_DEVIATION, reverse_direction=False)
        glyph.draw(DecomposingFilterPen(curves, self._set))
        return Drawn(pen.glyph(), round(glyph.width))
