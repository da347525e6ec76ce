"""Chapter *Orders*: parcels are booked, looked at and cancelled."""

from __future__ import annotations

from typing import Annotated, Any, Final

from tradepost.domain import parcels
from tradepost.domain.context import ShipperCtx
from tradepost.domain.failure import Failure
from tradepost.domain.ledger import BalanceTooLow
from tradepost.domain.parcels import failures as f
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.failures import NotObjectId
from tradepost.surfaces.wishpost_v3.order_shapes import (
    BookedOrder,
    CancelledOrder,
    Order,
    OrderToCancel,
    OrderToCreate,
    money,
    order,
)
from tradepost.surfaces.wishpost_v3.reasons import OTHER
from tradepost.surfaces.wishpost_v3.surface import api
from tradepost.values import Fact
from tradepost.wire import refusals
from tradepost.wire.bodies import BodyList, BodyObject, BodyParamBad, Rejected
from tradepost.wire.failures import echo
from tradepost.wire.http_types import Locale
from tradepost.wire.params import Choice, Doc, LookedUp

MOST_CANCELLED = 100
BOOKING_FAILS: Final = (
    f.RealNameUnverified,
    f.ChannelNotFound,
    f.GuidTaken,
    f.OrderIdWrong,
    f.TooManyOrderIds,
    f.NameWithoutLatin,
    f.NameWithoutChinese,
    f.ChineseNotAllowed,
    f.KindAndBatteryDisagree,
    f.KindNotTaken,
    f.ParcelTooHeavy,
    f.HandoverWarehouseWrong,
    f.PickupServiceWrong,
    f.PickupAddressMissing,
    BalanceTooLow,
)
"""Why a parcel cannot be booked."""


@api.write(
    "/orders/create",
    scope="user.order.write",
    fails=BOOKING_FAILS,
)
async def create_order(
    ctx: ShipperCtx, *, booking: Annotated[OrderToCreate, BodyObject(OrderToCreate), Doc("The parcel.")]
) -> BookedOrder:
    """Create an order.

    The parcel has our number at once; the carrier's comes later, and only then can there be a label. What it
    costs is frozen in the account until it is handed over or cancelled.
    """
    parcel = await parcels.book_parcel(ctx, booking.told())
    return BookedOrder(parcel.id, parcel.wish_id, money(parcel.fee))


@api.write(
    "/orders/cancel",
    scope="user.order.write",
    fails=[f.ParcelNotFound, f.AlreadyCancelled, f.AlreadyScanned, f.AlreadyRefused],
)
async def cancel_orders(
    ctx: ShipperCtx,
    *,
    wishes: Annotated[
        list[Any], BodyList(OrderToCancel, 1, MOST_CANCELLED), Doc("The orders; each is judged by itself.")
    ],
    locale: Locale,
) -> list[CancelledOrder]:
    """Cancel orders.

    An order can be cancelled until its carrier has scanned it. The answer has an item for each order of the call,
    in the same order: what stands against one is told there and keeps none of the others from being cancelled.
    """
    checked = [_checked(at, wish) for at, wish in enumerate(wishes)]
    asked = [wish for wish in checked if isinstance(wish, parcels.Cancellation)]
    judged = iter(await parcels.cancel_parcels(ctx, asked))
    return [
        _told(wish.number, next(judged).failure, locale)
        if isinstance(wish, parcels.Cancellation)
        else _told(wish[0], wish[1], locale)
        for wish in checked
    ]


def _checked(at: int, wish: OrderToCancel | Rejected) -> parcels.Cancellation | tuple[str, Fact]:
    """What is to be cancelled; or the number as it was sent, and why that cannot be asked for."""
    if isinstance(wish, Rejected):
        sent = wish.item.get("tracking_id") if isinstance(wish.item, dict) else None
        return echo(sent) if isinstance(sent, str) else "", wish.why
    if wish.cancel_reason_code == OTHER and not wish.invalid_reason:
        missing = refusals.ParameterMissing(name=f"[{at}].invalid_reason")
        return wish.tracking_id, BodyParamBad(problem=missing)
    return parcels.Cancellation(wish.tracking_id, wish.cancel_reason_code, wish.invalid_reason)


def _told(number: str, failure: Failure | Fact | None, locale: str) -> CancelledOrder:
    if failure is None:
        return CancelledOrder(number, 0, "")
    failed = api.table.tell(failure, locale)
    return CancelledOrder(number, failed.code, failed.message)


@api.read("/orders", scope="user.order.read", fails=[NotObjectId])
async def list_orders(
    ctx: ShipperCtx,
    *,
    limit: v.Limit = v.DEFAULT_LIMIT,
    sort_by: v.Sorting | None = None,
    state: Annotated[str | None, Choice(tuple(v.STATES)), Doc("Only those in this state.")] = None,
    id_min: v.IdMin | None = None,
    id_max: v.IdMax | None = None,
    created_at_min: v.CreatedMin | None = None,
    created_at_max: v.CreatedMax | None = None,
    locale: Locale,
) -> list[Order]:
    """List orders.

    The next page begins where the last order of this one is: with its `created_at` as `created_at_max`. Who
    would rather go by ids, which say nothing about time, asks for `sort_by=id.desc` from the first page on; the
    next begins with the last id less one as `id_max`.
    """
    sort = v.in_order(sort_by, id_min, id_max)
    wanted = parcels.ParcelFilter(
        limit=limit,
        sort=sort.by,
        descending=sort.descending,
        state=v.STATES[state] if state else None,
        id_min=id_min,
        id_max=id_max,
        created_min=created_at_min,
        created_max=created_at_max,
    )
    return [order(parcel, locale) for parcel in await parcels.list_parcels(ctx, wanted)]


@api.read("/orders/get", scope="user.order.read", fails=[f.ParcelNotFound])
async def get_order(
    ctx: ShipperCtx,
    *,
    id: Annotated[str, LookedUp(64), Doc("The id of the order, 24 hex digits.")],
    locale: Locale,
) -> Order:
    """Get an order."""
    return order(await parcels.find_parcel(ctx, id), locale)
