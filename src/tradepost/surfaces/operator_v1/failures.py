"""Failures that only this wire knows."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class NotId(Failure):
    """What is given as an id is not 24 hex digits in small letters."""

    name: str


class NotBookmark(Failure):
    """What is given as the end of a page is not the `next` of one."""

    name: str


class ReasonMissing(Failure):
    """A product is rejected and nobody says why."""

    name: str
    verdict: str
