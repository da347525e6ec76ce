"""The style sheet: what is to be read stands out from its ground, in the light and in the dark (WCAG 2, AA)."""

from __future__ import annotations

import re

import pytest

from tradepost.surfaces.pages.site import STYLE

PAIRS = [
    ("ink", "ground"),
    ("ink", "sheet"),
    ("soft", "sheet"),
    ("soft", "ground"),
    ("accent", "ground"),
    ("accent", "sheet"),
    ("on-accent", "accent"),
    ("good", "sheet"),
    ("bad", "bad-ground"),
    ("bad", "sheet"),
    ("bad", "ground"),
    ("good", "good-ground"),
    ("warn", "warn-ground"),
    ("info", "info-ground"),
    ("ink", "shade"),
    ("soft", "shade"),
    ("accent", "shade"),
]


def themes() -> list[dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", STYLE.decode(), re.DOTALL)
    found = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block)) for block in blocks]
    assert len(found) == 2
    return found


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_what_is_read_stands_out(theme: dict[str, str], text: str, ground: str) -> None:
    bright, dark = sorted((luminance(theme[text]), luminance(theme[ground])), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5
