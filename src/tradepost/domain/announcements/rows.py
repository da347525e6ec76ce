"""The SQL of announcements."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tradepost.domain.announcements.announcement import Announcement, AnnouncementFilter
from tradepost.domain.context import Rows
from tradepost.domain.sql import conditions

_SORTS: Final = {
    "id": "id {0}",
    "created_at": "created_at {0}, id {0}",
    "publish_time": "publish_time {0}, id {0}",
}


async def insert(db: Rows, new: Announcement) -> None:
    """Add an announcement; its times keep what the wire tells of them, so that pages begin where they should."""
    await db.execute(
        "insert into sender_news (id, title, url, words, publish_time, created_at) values ($1, $2, $3, $4, "
        "date_trunc('milliseconds', $5::timestamptz), date_trunc('milliseconds', $6::timestamptz))",
        new.id,
        new.title,
        new.url,
        list(new.words),
        new.publish_time,
        new.created_at,
    )


async def list_announcements(db: Rows, wanted: AnnouncementFilter, now: datetime) -> list[Announcement]:
    """The announcements that fit, of those published until now."""
    where, given = _fitting(wanted, now, first=3)
    order = _SORTS[wanted.sort].format("desc" if wanted.descending else "asc")
    found = await db.fetch(
        "select id, title, url, words, publish_time, created_at from sender_news "
        f"where {where} order by {order} limit $1 offset $2",
        wanted.limit,
        wanted.offset,
        *given,
    )
    return [Announcement(**{**row, "words": tuple(row["words"])}) for row in found]


async def count_announcements(db: Rows, wanted: AnnouncementFilter, now: datetime) -> int:
    """How many announcements fit, of those published until now, on all pages."""
    where, given = _fitting(wanted, now, first=1)
    return int(await db.fetchval(f"select count(*) from sender_news where {where}", *given))


def _fitting(wanted: AnnouncementFilter, now: datetime, first: int) -> tuple[str, list[object]]:
    """The condition, and what it is given from the parameter `first` on."""
    bounds = {
        "id >=": wanted.id_min,
        "id <=": wanted.id_max,
        "created_at >=": wanted.created_min,
        "created_at <=": wanted.created_max,
        "publish_time >=": wanted.published_min,
        "publish_time <=": wanted.published_max,
    }
    where, given = conditions(bounds, first=first + 1)
    return f"publish_time <= ${first}{where}", [now, *given]
