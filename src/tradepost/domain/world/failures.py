"""What can be wrong with a clock that somebody sets."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class ClockUnusable(Failure):
    """The clock cannot say that: times are from 2000-01-01 to 2199-12-31, and moves like +5d, -1h30m or +90s."""

    value: str


class SeedUnusable(Failure):
    """A seed is 1 to 64 letters, digits, dots, underscores or hyphens."""

    seed: str
