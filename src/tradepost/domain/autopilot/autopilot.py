"""When the autopilot does something, all of it without a database: beats at even distances of the world's time.

A clock that was moved far leaves many beats behind. The last 200 of them are made up for, one after the other, each
at its own time; the others are left out, numbers and all. A clock that was moved back goes through no time twice:
nothing happens until the next beat is due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

MOST_PACE: Final = 3600
MOST_AT_ONCE: Final = 200
"""How many beats that were missed are made up for."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One time that something happens: its number in this world, when it is, and the seed of its chances."""

    number: int
    at: datetime
    seed: str


@dataclass(frozen=True, slots=True)
class Autopilot:
    """Whether it is on, its beats per hour, the seed of its chances, how many are over, when the next one is."""

    is_on: bool
    pace: int
    seed: str
    beats: int
    next_at: datetime

    @property
    def distance(self) -> timedelta:
        """From one beat to the next."""
        return timedelta(hours=1) / self.pace

    def due(self, now: datetime) -> int:
        """How many beats are still to come about at a time: at most as many as are made up for."""
        if not self.is_on or now < self.next_at:
            return 0
        return min((now - self.next_at) // self.distance + 1, MOST_AT_ONCE)

    def step(self, now: datetime) -> tuple[Beat, Autopilot] | None:
        """The next beat of those that are due, and how things stand after it; None where none is due."""
        due = self.due(now)
        if not due:
            return None
        left_out = (now - self.next_at) // self.distance + 1 - due
        at = self.next_at + left_out * self.distance
        number = self.beats + left_out + 1
        return Beat(number, at, self.seed), replace(self, beats=number, next_at=at + self.distance)
