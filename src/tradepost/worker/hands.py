"""Which queues of webhooks one worker may take in hand next: so that who answers slowly holds up nobody else.

Three kinds have room by themselves: queues that answer slowly, those that fail, and all others. A queue counts as
slow from the moment that it keeps one message waiting, so a receiver that begins to hang gives its place back then
and not when it is given up; the worker remembers it until it answers quickly again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

SLOTS: Final = 48
"""Queues in hand at the same time that answer quickly, as far as is known."""
FAILING_SLOTS: Final = SLOTS // 2
"""Of these, such that fail."""
SLOW_SLOTS: Final = 32
"""Queues in hand beside them that are slow; more only where they became so in hand."""
AT_ONCE: Final = 4
AT_ONCE_SLOW: Final = 2
"""What is sent at the same time of one queue; of one that fails, one thing. Together what a guard sends at once."""
SLOW_SECONDS: Final = 0.25
MOST_KNOWN: Final = 10_000


class Hands:
    """The queues that a worker has in hand, by their ids."""

    def __init__(self) -> None:
        """None yet, and none is known to be slow."""
        self._failing: dict[str, bool] = {}
        self._slow: dict[str, None] = {}

    @property
    def has_room(self) -> bool:
        """Whether a queue may be taken that is not known to be slow, or one that is."""
        return self._quick < SLOTS and len(self._failing) < SLOTS + SLOW_SLOTS

    @property
    def even_failing(self) -> bool:
        """Whether it may be one that fails."""
        failing = sum(fails for name, fails in self._failing.items() if name not in self._slow)
        return failing < FAILING_SLOTS

    @property
    def left_out(self) -> Sequence[str]:
        """Those that may not be taken now: the slow ones, where there are enough of them in hand."""
        in_hand = len(self._failing) - self._quick
        return list(self._slow) if in_hand >= SLOW_SLOTS else []

    @property
    def _quick(self) -> int:
        return sum(name not in self._slow for name in self._failing)

    def take(self, name: str, fails: bool) -> None:
        """A queue is in hand now."""
        self._failing[name] = fails

    def put_down(self, name: str) -> None:
        """It is not any more."""
        self._failing.pop(name, None)

    def at_once(self, name: str, fails: bool, answered: int) -> int:
        """How much of a queue is sent next at the same time; the first thing is sent alone, to see how it goes."""
        if fails or not answered:
            return 1
        return AT_ONCE_SLOW if name in self._slow else AT_ONCE

    def note_slow(self, name: str) -> None:
        """It keeps a message waiting."""
        self._slow.pop(name, None)
        self._slow[name] = None
        if len(self._slow) > MOST_KNOWN:
            self._slow.pop(next(iter(self._slow)))

    def note_quick(self, name: str) -> None:
        """It answered quickly."""
        self._slow.pop(name, None)
