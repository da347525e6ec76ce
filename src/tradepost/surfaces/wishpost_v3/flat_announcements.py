"""Chapter *Older announcements*: news as connectors of an older generation ask for it, by days and by pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from msgspec import Struct

from tradepost.domain import announcements
from tradepost.domain.announcements import AnnouncementFilter
from tradepost.domain.context import ShipperCtx
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.flat import Token
from tradepost.surfaces.wishpost_v3.surface import api
from tradepost.wire import refusals
from tradepost.wire.bodies import BodyObject
from tradepost.wire.params import Doc, Whole

MOST_OFFSET: Final = 1_000_000
DAY: Final = timedelta(days=1)
TICK: Final = timedelta(milliseconds=1)
"""How finely the times of announcements are kept."""


class Bound(NamedTuple):
    """A day or a second as it was written, the moment that it begins and the last that belongs to it."""

    text: str
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class DayOrSecond:
    """A day or a second on the clocks of China, as this generation tells times; or a moment as v3 does."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    _pattern: ClassVar[re.Pattern[str]] = re.compile(
        r"((?:19[7-9][0-9]|2[0-9]{3})-[0-9]{2}-[0-9]{2})(?:[ T]([0-9]{2}:[0-9]{2}:[0-9]{2}))?", re.ASCII
    )

    def read(self, name: str, text: str) -> Bound:
        if (found := self._pattern.fullmatch(text)) is None:
            at = v.Time().read(name, text)
            return Bound(text, at, at)
        day, time = found.groups()
        try:
            first = datetime.fromisoformat(f"{day}T{time or '00:00:00'}").replace(tzinfo=UTC) - v.CHINA
        except ValueError:
            raise refusals.NotMoment(name=name) from None
        return Bound(text, first, first + (timedelta(seconds=1) if time else DAY) - TICK)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "examples": ["2021-05-19", "2021-05-19 16:37:00", "2021-05-19T08:37:00Z"]}


@dataclass(frozen=True, kw_only=True)
class NewsQuestion:
    """Which announcements are asked about."""

    start_date: (
        Annotated[Bound, DayOrSecond(), Doc("Only those published on this day, in China, or later.")] | None
    ) = None
    end_date: (
        Annotated[Bound, DayOrSecond(), Doc("Only those published on this day, in China, or earlier.")] | None
    ) = None
    offset: Annotated[int, Whole(0, MOST_OFFSET), Doc("How many of the newest are passed over.")] = 0
    limit: v.Limit = v.DEFAULT_LIMIT
    access_token: Token | None = None


class OldAnnouncement(Struct, gc=False):
    """News.

    `text` are its paragraphs. `url` is where there is more of it. `publish_time` is since when it can be read, in
    China's time.
    """

    url: str | None
    title: str
    publish_time: str
    text: list[str]


class Place(Struct, gc=False):
    """What to ask for to get another page."""

    limit: int
    offset: int


class Pagination(Struct, gc=False):
    """Where a page is.

    `total` is how many there are on all pages. `next` leads to the page after this one and `previous` to the one
    before; null where there is none.
    """

    total: int
    next: Place | None
    previous: Place | None


class NewsPage(Struct, gc=False):
    """A page of announcements, the newest first.

    `start_date` and `end_date` are as they were sent; null where they were not.
    """

    announcements: list[OldAnnouncement]
    pagination: Pagination
    start_date: str | None
    end_date: str | None


class NewsAnswer(Struct):
    """A page of announcements, in `data` as the last calls of this generation have it.

    `timestamp` is the time in China.
    """

    timestamp: str
    data: NewsPage


@api.read("/announcements", method="POST", scope="user.announcement.read", flat=True)
async def get_announcements(
    ctx: ShipperCtx,
    *,
    question: Annotated[NewsQuestion, BodyObject(NewsQuestion), Doc("The announcements.")],
) -> NewsAnswer:
    """Get announcements, the older way.

    By POST; by GET the same path is [the newer call](announcements.md). Days are those of China.
    """
    wanted = AnnouncementFilter(
        limit=question.limit,
        offset=question.offset,
        sort="publish_time",
        descending=True,
        published_min=question.start_date.first if question.start_date else None,
        published_max=question.end_date.last if question.end_date else None,
    )
    total = await announcements.count_announcements(ctx, wanted)
    found = await announcements.list_announcements(ctx, wanted)
    page = NewsPage(
        announcements=[_told(item) for item in found],
        pagination=_places(question.limit, question.offset, total),
        start_date=question.start_date.text if question.start_date else None,
        end_date=question.end_date.text if question.end_date else None,
    )
    return NewsAnswer(v.china_time(ctx.now), page)


def _told(found: announcements.Announcement) -> OldAnnouncement:
    return OldAnnouncement(found.url, found.title, v.china_time(found.publish_time), list(found.words))


def _places(limit: int, offset: int, total: int) -> Pagination:
    """The pages around one; before one that is behind the end stands the last that has something on it."""
    after = Place(limit, offset + limit) if offset + limit < total else None
    before = Place(limit, max(0, min(offset, total) - limit)) if offset > 0 else None
    return Pagination(total, after, before)
