"""What can be wrong about announcements."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class AnnouncementUnusable(Failure):
    """An announcement has a title that can be read, and some text."""

    title: str
