"""Chapter *Tracking*: what carriers saw, of orders and of parcels of the logistics service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Struct

from tradepost.domain import merchants, operators, orders, parcels, reference
from tradepost.domain.context import OperatorCtx
from tradepost.domain.merchants import MerchantUnknown
from tradepost.domain.orders.failures import ScanBeforeOrder, ScanUnusable, TrackingUnknown
from tradepost.domain.parcels import ShipperUnknown
from tradepost.domain.parcels.failures import NotInCarriersHands, ParcelNotFound, ScanBeforeBooking, ScanTooEarly
from tradepost.surfaces.operator_v1 import vocabulary as v
from tradepost.surfaces.operator_v1.surface import api
from tradepost.values import FIRST, LAST
from tradepost.wire.bodies import StrictObject
from tradepost.wire.params import Choice, Country, Doc, Key, Whole

_PARCEL = (ShipperUnknown, ParcelNotFound, NotInCarriersHands)


class Recorded(Struct, gc=False):
    """What was written down."""

    tracking_number: str
    kind: str


class Sender(Struct, gc=False):
    """A user of the logistics service.

    `verified` says whether he has shown by his real name who he is.
    """

    id: str
    name: str
    suspended: bool
    verified: bool
    opened_at: str


class Senders(Struct, gc=False):
    """A page of users. `next` is what `after` is for the next page, null where there is none."""

    senders: list[Sender]
    next: str | None


class SenderState(Struct, gc=False):
    """How a user of the logistics service stands now."""

    sender_id: str
    verified: bool


class Parcel(Struct, gc=False):
    """A parcel of a user of the logistics service.

    `number` is our number of it, `tracking_number` the carrier's. `fee` is what it costs, in CNY.
    """

    id: str
    number: str
    tracking_number: str | None
    channel: str
    state: str
    country: str
    fee: str
    created_at: str
    updated_at: str


class Parcels(Struct, gc=False):
    """A page of parcels. `next` is what `after` is for the next page, null where there is none."""

    parcels: list[Parcel]
    next: str | None


class ParcelState(Struct, gc=False):
    """How a parcel stands now."""

    number: str
    state: str


@dataclass(frozen=True, kw_only=True)
class ScanToRecord:
    """What a carrier saw of the parcel of some orders."""

    merchant_id: v.MerchantId
    tracking_number: Annotated[v.Number, Doc("The number that the merchant gave, in any case.")]
    kind: Annotated[str, Choice(orders.SCAN_KINDS), Doc("What was seen.")] = orders.SCAN_KINDS[0]
    at: v.At | None = None
    place: Annotated[str, Key(200), Doc("Where it was seen.")] | None = None


@dataclass(frozen=True, kw_only=True)
class SenderToChange:
    """Which user of the logistics service it is about."""

    sender_id: v.SenderId


@dataclass(frozen=True, kw_only=True)
class ParcelToChange:
    """Which parcel of the logistics service it is about."""

    sender_id: v.SenderId
    number: Annotated[v.Number, Doc("The parcel's number, the carrier's or ours.")]


@dataclass(frozen=True, kw_only=True)
class ParcelScan(ParcelToChange):
    """What a carrier saw of a parcel of the logistics service."""

    status: Annotated[int, Whole(2, parcels.MOST_STATUS), Doc("What was seen, as WishPost's tracking tells.")]
    at: v.At | None = None
    country: Annotated[str, Country(reference.ISO_COUNTRIES), Doc("In which country.")] | None = None
    province: Annotated[str, Key(100), Doc("In which province or state.")] | None = None
    city: Annotated[str, Key(100), Doc("In which town.")] | None = None
    remark: Annotated[str, Key(500), Doc("What the carrier said besides.")] | None = None


@api.write(
    "/tracking/record",
    scope="tracking:write",
    fails=[MerchantUnknown, TrackingUnknown, ScanUnusable, ScanBeforeOrder],
)
async def record_scan(
    ctx: OperatorCtx, *, scan: Annotated[ScanToRecord, StrictObject(ScanToRecord), Doc("What was seen.")]
) -> Recorded:
    """Record a scan of an order's parcel.

    From the first one on the tracking of all its orders is confirmed; `delivered` delivers them.
    """
    acting = await merchants.act_for(ctx, scan.merchant_id)
    await orders.record_scan(acting, scan.tracking_number, orders.Scan(scan.kind, scan.at or ctx.now, scan.place))
    about = {"tracking_number": scan.tracking_number, "kind": scan.kind}
    await operators.record_act(ctx, "record_scan", scan.merchant_id, about)
    return Recorded(scan.tracking_number, scan.kind)


@api.read("/senders", scope="parcels:read")
async def list_senders(ctx: OperatorCtx, *, after: v.After = FIRST, limit: v.Limit = v.DEFAULT_LIMIT) -> Senders:
    """List the users of the logistics service.

    The oldest first.
    """
    found, more = await parcels.page_shippers(ctx, after, limit)
    told = [Sender(one.id, one.name, one.suspended, one.verified, v.moment(one.created_at)) for one in found]
    return Senders(told, v.next_page(more, [(one.created_at, one.id) for one in found]))


@api.write("/senders/verify", scope="senders:write", fails=[ShipperUnknown])
async def verify_sender(
    ctx: OperatorCtx, *, wish: Annotated[SenderToChange, StrictObject(SenderToChange), Doc("Whom.")]
) -> SenderState:
    """Verify a user of the logistics service.

    He has shown by his real name who he is, and may book parcels. Everybody counts as verified until somebody says
    otherwise. Once more is no error.
    """
    return await _set_verified(ctx, wish.sender_id, True)


@api.write("/senders/unverify", scope="senders:write", fails=[ShipperUnknown])
async def unverify_sender(
    ctx: OperatorCtx, *, wish: Annotated[SenderToChange, StrictObject(SenderToChange), Doc("Whom.")]
) -> SenderState:
    """Take back that a user of the logistics service is verified.

    He books no parcels from now on, which WishPost tells as 1014. What is booked goes on, and all else is open.
    """
    return await _set_verified(ctx, wish.sender_id, False)


async def _set_verified(ctx: OperatorCtx, sender_id: str, verified: bool) -> SenderState:
    await parcels.set_verified(ctx, sender_id, verified)
    await operators.record_act(ctx, "verify_sender" if verified else "unverify_sender", sender_id, {})
    return SenderState(sender_id, verified)


@api.read("/parcels", scope="parcels:read", fails=[ShipperUnknown])
async def list_parcels(
    ctx: OperatorCtx, *, sender_id: v.SenderId, after: v.After = LAST, limit: v.Limit = v.DEFAULT_LIMIT
) -> Parcels:
    """List parcels of a user of the logistics service.

    The last booked first.
    """
    found, more = await parcels.page_parcels(await parcels.act_for(ctx, sender_id), after, limit)
    told = [_parcel(one) for one in found]
    return Parcels(told, v.next_page(more, [(one.created_at, one.id) for one in found]))


@api.write("/parcels/hand-over", scope="tracking:write", fails=_PARCEL)
async def hand_over_parcel(
    ctx: OperatorCtx, *, wish: Annotated[ParcelToChange, StrictObject(ParcelToChange), Doc("Which parcel.")]
) -> ParcelState:
    """Note that a carrier has a parcel.

    It is charged for now. Once more is no error.
    """
    parcel = await parcels.hand_over(await parcels.act_for(ctx, wish.sender_id), wish.number)
    await operators.record_act(ctx, "hand_over_parcel", wish.sender_id, {"parcel_id": parcel.id})
    return ParcelState(wish.number, parcel.state)


@api.write("/parcels/record-scan", scope="tracking:write", fails=[*_PARCEL, ScanTooEarly, ScanBeforeBooking])
async def record_parcel_scan(
    ctx: OperatorCtx, *, scan: Annotated[ParcelScan, StrictObject(ParcelScan), Doc("What was seen.")]
) -> ParcelState:
    """Record a scan of a parcel.

    The first one ends the time in which it can be cancelled; none can be older than the booking. The same scan told
    twice is one.
    """
    seen = parcels.Scan(scan.at or ctx.now, scan.status, scan.country, scan.province, scan.city, scan.remark)
    parcel = await parcels.note_scan(await parcels.act_for(ctx, scan.sender_id), scan.number, seen)
    about = {"parcel_id": parcel.id, "status": scan.status}
    await operators.record_act(ctx, "record_parcel_scan", scan.sender_id, about)
    return ParcelState(scan.number, parcel.state)


def _parcel(found: parcels.Parcel) -> Parcel:
    return Parcel(
        id=found.id,
        number=found.wish_id,
        tracking_number=found.tracking_number,
        channel=found.otype,
        state=found.state,
        country=found.country,
        fee=f"{found.fee:.2f}",
        created_at=v.moment(found.created_at),
        updated_at=v.moment(found.updated_at),
    )
