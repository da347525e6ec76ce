"""An announcement, and which of them are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Announcement:
    """News with a title and some paragraphs; seen from its publish time on."""

    id: str
    title: str
    url: str | None
    words: tuple[str, ...]
    publish_time: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AnnouncementFilter:
    """Which announcements, in which order (`id`, `created_at` or `publish_time`), how many, and after how many."""

    limit: int
    sort: str
    descending: bool
    id_min: str | None = None
    id_max: str | None = None
    created_min: datetime | None = None
    created_max: datetime | None = None
    published_min: datetime | None = None
    published_max: datetime | None = None
    offset: int = 0
