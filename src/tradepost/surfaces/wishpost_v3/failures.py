"""Failures that only this wire knows."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class NotObjectId(Failure):
    """What is given as an id is not 24 hex digits."""

    name: str


class NotTransferId(Failure):
    """What is given as the id of a payment is not a whole number."""

    name: str
