"""Chapter *Announcements*: news for everybody who sends parcels."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from tradepost.domain import announcements
from tradepost.domain.announcements import AnnouncementFilter
from tradepost.domain.context import ShipperCtx
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.failures import NotObjectId
from tradepost.surfaces.wishpost_v3.surface import api
from tradepost.wire.params import Doc

Sorting = Annotated[
    v.Order,
    v.SortBy(("publish_time", "created_at", "id")),
    Doc(v.SORTED),
]
PublishedMin = Annotated[datetime, v.Time(), Doc("Only those published at this moment or later.")]
PublishedMax = Annotated[datetime, v.Time(), Doc("Only those published at this moment or earlier.")]


class Announcement(Struct, gc=False):
    """News.

    `text` are its paragraphs. `url` is where there is more of it. `publish_time` is since when it can be read.
    """

    id: str
    title: str
    text: list[str]
    url: str | None
    publish_time: str
    created_at: str


@api.read("/announcements", scope="user.announcement.read", fails=[NotObjectId])
async def list_announcements(
    ctx: ShipperCtx,
    *,
    limit: v.Limit = v.DEFAULT_LIMIT,
    sort_by: Sorting | None = None,
    id_min: v.IdMin | None = None,
    id_max: v.IdMax | None = None,
    created_at_min: v.CreatedMin | None = None,
    created_at_max: v.CreatedMax | None = None,
    publish_time_min: PublishedMin | None = None,
    publish_time_max: PublishedMax | None = None,
) -> list[Announcement]:
    """List announcements.

    The next page begins where the last announcement of this one is: with its `created_at` as `created_at_max`. Who
    would rather go by ids, which say nothing about time, asks for `sort_by=id.desc` from the first page on; the
    next begins with the last id less one as `id_max`.
    """
    sort = v.in_order(sort_by, id_min, id_max)
    wanted = AnnouncementFilter(
        limit=limit,
        sort=sort.by,
        descending=sort.descending,
        id_min=id_min,
        id_max=id_max,
        created_min=created_at_min,
        created_max=created_at_max,
        published_min=publish_time_min,
        published_max=publish_time_max,
    )
    return [_told(found) for found in await announcements.list_announcements(ctx, wanted)]


def _told(found: announcements.Announcement) -> Announcement:
    return Announcement(
        id=found.id,
        title=found.title,
        text=list(found.words),
        url=found.url,
        publish_time=v.moment(found.publish_time),
        created_at=v.moment(found.created_at),
    )
