"""The clock of the world, and how long a move of it is; the sandbox moves it, and nothing else does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tradepost.domain.world.failures import ClockUnusable

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_MOVE = re.compile(r"([+-])((?:[0-9]{1,9}[dhms]){1,4})", re.ASCII)
_PART = re.compile(r"([0-9]+)([dhms])", re.ASCII)
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is in this world."""

    time: datetime
    """What it says."""
    frozen: bool
    """Whether it stands still until it is told otherwise."""
    ahead: timedelta | None
    """By how much it is before the machine's clock, negative where it is behind; None while it stands still."""
    seed: str | None
    """What new ids follow from; None where they are random."""


def read_move(text: str) -> timedelta:
    """How far `+5d`, `-1h30m` or `+90s` is; raises ClockUnusable."""
    found = _MOVE.fullmatch(text)
    try:
        if found is None:
            raise ClockUnusable(value=text[:64])
        parts = [(_UNITS[unit], int(number)) for number, unit in _PART.findall(found[2])]
        far = sum((timedelta(**{unit: number}) for unit, number in parts), timedelta())
    except OverflowError:
        raise ClockUnusable(value=text[:64]) from None
    return far if found[1] == "+" else -far


def check_moment(moment: datetime) -> datetime:
    """A time that the clock may show, in UTC (one without a zone is in UTC); raises ClockUnusable."""
    known = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if not EARLIEST <= known < LATEST:
        raise ClockUnusable(value=moment.isoformat())
    return known.astimezone(UTC)
