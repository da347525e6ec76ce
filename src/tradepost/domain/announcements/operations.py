"""Publishing announcements, and reading them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tradepost.domain.announcements import rows
from tradepost.domain.announcements.announcement import Announcement, AnnouncementFilter
from tradepost.domain.announcements.failures import AnnouncementUnusable
from tradepost.domain.context import Ctx


async def publish(
    ctx: Ctx, title: str, words: Sequence[str], url: str | None = None, at: datetime | None = None
) -> str:
    """Tell something to everybody, now or from a moment on; gives its id. Raises AnnouncementUnusable."""
    if not title.strip() or not title.isprintable() or not any(paragraph.strip() for paragraph in words):
        raise AnnouncementUnusable(title=title[:64])
    announcement = Announcement(ctx.new_id(), title, url, tuple(words), at or ctx.now, ctx.now)
    await rows.insert(ctx.db, announcement)
    return announcement.id


async def list_announcements(ctx: Ctx, wanted: AnnouncementFilter) -> list[Announcement]:
    """The announcements that fit and are published by now."""
    return await rows.list_announcements(ctx.db, wanted, ctx.now)


async def count_announcements(ctx: Ctx, wanted: AnnouncementFilter) -> int:
    """How many announcements fit and are published by now, whatever the page."""
    return await rows.count_announcements(ctx.db, wanted, ctx.now)
