"""Chapter *Tracking*: where parcels are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from msgspec import Struct

from tradepost.domain import parcels
from tradepost.domain.context import ShipperCtx
from tradepost.domain.parcels.failures import ParcelNotFound
from tradepost.surfaces.wishpost_v2.surface import api
from tradepost.surfaces.wishpost_v2.vocabulary import Token
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.statuses import status_words
from tradepost.wire.bodies import BodyMarkup, Many
from tradepost.wire.failures import echo
from tradepost.wire.http_types import Locale
from tradepost.wire.params import Choice, Doc, LookedUp

MOST_TRACKED: Final = 20
LANGUAGES: Final = {"en": "en", "cn": "zh"}


@dataclass(frozen=True, kw_only=True)
class Track:
    """One parcel that is asked about."""

    barcode: Annotated[str, LookedUp(64), Doc("Its number, the carrier's or ours.")]


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which parcels are asked about."""

    track: Annotated[tuple[Track, ...], Many(1, MOST_TRACKED), Doc("The parcels.")]
    language: Annotated[str, Choice(tuple(LANGUAGES)), Doc("The language of what was seen.")] = "en"
    access_token: Token | None = None


class Event(Struct, gc=False):
    """What was seen of a parcel.

    `date` is when, in China's time. `status_number` is what, from 1 to 30. `status_desc` is the same in words.
    `remark` is what the carrier said besides. `city`, `state` and `country_code` are where.
    """

    date: str
    status_number: int
    status_desc: str
    remark: str | None
    city: str | None
    state: str | None
    country_code: str | None


class Tracks(Struct, gc=False):
    """What is known of one number.

    `barcode` is the number as it was sent; `error_message`, where it is none of yours, says so. `track` is what was
    seen, the oldest first.
    """

    ATTRIBUTES: ClassVar = ("barcode", "error_message")
    barcode: str
    error_message: str | None
    track: list[Event]


class Tracked(Struct):
    """The parcels in the order they were asked about.

    `timestamp` is the time in China.
    """

    timestamp: str
    tracks: list[Tracks]


@api.read("/tracking", method="POST", scope="user.tracking.read", fails=[ParcelNotFound])
async def tracking(
    ctx: ShipperCtx,
    *,
    question: Annotated[Question, BodyMarkup(Question), Doc("The parcels.")],
    locale: Locale,
) -> Tracked:
    """Track orders.

    The oldest event of each is our own, that it was booked. A number that is none of yours has an error instead.
    """
    numbers = [track.barcode for track in question.track]
    found = await parcels.track_parcels(ctx, numbers)
    told = [
        _tracks(number, line, LANGUAGES[question.language], locale)
        for number, line in zip(numbers, found, strict=True)
    ]
    return Tracked(v.china_time(ctx.now), told)


def _tracks(
    number: str, line: tuple[parcels.Parcel, list[parcels.Scan]] | None, language: str, locale: str
) -> Tracks:
    if line is None:
        return Tracks(echo(number), api.table.tell(ParcelNotFound(id=number), locale).message, [])
    parcel, scans = line
    return Tracks(number, None, [_event(scan, language) for scan in parcels.with_own_events(parcel, scans)])


def _event(scan: parcels.Scan, language: str) -> Event:
    return Event(
        date=v.china_time(scan.at),
        status_number=scan.status,
        status_desc=status_words(scan.status, language),
        remark=scan.remark,
        city=scan.city,
        state=scan.province,
        country_code=scan.country,
    )
