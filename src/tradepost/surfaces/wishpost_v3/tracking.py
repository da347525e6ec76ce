"""Chapter *Tracking*: where parcels are."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from tradepost.domain import parcels
from tradepost.domain.context import ShipperCtx
from tradepost.domain.parcels.failures import ParcelNotFound
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.statuses import status_words
from tradepost.surfaces.wishpost_v3.surface import api
from tradepost.wire.failures import echo
from tradepost.wire.http_types import Locale
from tradepost.wire.params import Doc, Listed

MOST_TRACKED = 20


class TrackingEvent(Struct, gc=False):
    """What was seen of a parcel.

    `date` is when. `status_number` is what, from 1 to 30. `status_desc` is the same in words. `country_code` is
    where, as are `state` and `city`. `remark` is what the carrier said besides.
    """

    date: str
    status_number: int
    status_desc: str
    country_code: str | None
    state: str | None
    city: str | None
    remark: str | None


class TrackedOrder(Struct, gc=False):
    """What is known of one number.

    `tracking_id` is the number as it was sent. `code` is 0 where there is such a parcel. `message` says otherwise
    that there is none. `wish_standard_tracking_id` is our number of it. `state_name` is how far it is. `events`
    are what was seen, the oldest first.
    """

    tracking_id: str
    code: int
    message: str
    wish_standard_tracking_id: str | None
    state_name: str | None
    events: list[TrackingEvent]


@api.read("/tracking", scope="user.tracking.read", fails=[ParcelNotFound])
async def track_orders(
    ctx: ShipperCtx,
    *,
    tracking_ids: Annotated[
        tuple[str, ...],
        Listed(",", MOST_TRACKED, 64),
        Doc("The numbers of parcels, the carriers' or ours, with commas between them."),
    ],
    locale: Locale,
) -> list[TrackedOrder]:
    """Track orders.

    The answer has an item for each number, in the same order; a number that is none of yours has an error there.
    """
    found = await parcels.track_parcels(ctx, tracking_ids)
    return [_tracked(number, line, locale) for number, line in zip(tracking_ids, found, strict=True)]


def _tracked(number: str, line: tuple[parcels.Parcel, list[parcels.Scan]] | None, locale: str) -> TrackedOrder:
    if line is None:
        failed = api.table.tell(ParcelNotFound(id=number), locale)
        return TrackedOrder(echo(number), failed.code, failed.message, None, None, [])
    parcel, scans = line
    events = [_event(scan, locale) for scan in parcels.with_own_events(parcel, scans)]
    return TrackedOrder(number, 0, "", parcel.wish_id, v.STATE_NAMES[parcel.state], events)


def _event(scan: parcels.Scan, locale: str) -> TrackingEvent:
    return TrackingEvent(
        date=v.moment(scan.at),
        status_number=scan.status,
        status_desc=status_words(scan.status, locale),
        country_code=scan.country,
        state=scan.province,
        city=scan.city,
        remark=scan.remark,
    )
