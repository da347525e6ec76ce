"""Charts as SVG, drawn here: bars, each with its value in words for whoever does not see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 600
HEIGHT: Final = 120
_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart, in units of the drawing, with its label and its value."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of bars beside each other; `most` is the value of the highest."""

    bars: Sequence[Bar]
    most: int
    total: int
    width: int = WIDTH
    height: int = HEIGHT


def bars(values: Sequence[tuple[str, int]]) -> Chart:
    """A chart of values with their labels, from the left to the right."""
    most = max((value for _, value in values), default=0)
    step = WIDTH / max(1, len(values))
    drawn = []
    for at, (label, value) in enumerate(values):
        # Whatever is not nothing can be seen.
        height = 0.0 if not value else max(2.0, HEIGHT * value / most)
        place = (round(at * step, 2), round(HEIGHT - height, 2), round(step - _GAP, 2), round(height, 2))
        drawn.append(Bar(*place, label, value))
    return Chart(drawn, most, sum(value for _, value in values))
