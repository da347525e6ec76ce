"""Ids that can be foretold: in a world with a seed they follow from it and from what they are for."""

from __future__ import annotations

import hashlib
from typing import Any

from tradepost.domain.context import random_id


class ForetoldIds:
    """New ids of 24 hex digits, the same ones whenever the same thing is done in a world of the same seed.

    They are random until somebody says what is being done.
    """

    __slots__ = ("_begun", "_count", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._begun: Any = None
        self._count = 0

    def begin(self, doing: str) -> None:
        """Ids are for this from now on; another text for whatever is done another time, or they come twice."""
        self._begun = hashlib.sha256(f"{self._seed}\n{doing}".encode())
        self._count = 0

    def __call__(self) -> str:
        if self._begun is None:
            return random_id()
        one = self._begun.copy()
        one.update(b"\n%d" % self._count)
        self._count += 1
        return str(one.hexdigest()[:24])
