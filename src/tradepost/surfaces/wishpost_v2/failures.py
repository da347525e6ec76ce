"""Failures that only this wire knows."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class PickupMissing(Failure):
    """Door pickup is asked for, and not all that it takes is there."""

    name: str
