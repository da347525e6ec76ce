"""Sending orders off, and following their parcels. Each verb takes the order's row first: of two, one is second.

Every number passes `_claim`, where WishPost asks more of its own than their form: each must be that of a parcel
which was booked for the order, by somebody who sends for the shop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from tradepost.domain import inbox, jobs, outbox, parcels, reference
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.orders import failures, machine
from tradepost.domain.orders.operations.placing import RELEASED_TOPIC
from tradepost.domain.orders.order import SCAN_KINDS, Awaited, NewAddress, Order, Scan, Shipment
from tradepost.domain.orders.rows import reading, tracking, writing

SHIPPED_TOPIC: Final = "order_shipped"
TRACKING_TOPIC: Final = "order_tracking_changed"
TRACKING_CANCELLED_TOPIC: Final = "order_tracking_cancelled"
ADDRESS_TOPIC: Final = "order_address_changed"
CONFIRMED_TOPIC: Final = "order_tracking_confirmed"
DELIVERED_TOPIC: Final = "order_delivered"

WISHPOST: Final = "WishPost"
PARCEL_KIND: Final = "order_parcel"

MOST_PLACE: Final = 200
SHARED_WITHIN: Final = timedelta(days=5)
"""How far apart orders of one parcel may have been released."""


async def fulfil_order(ctx: MerchantCtx, order_id: str, shipment: Shipment) -> None:
    """Note that an order was sent off.

    Raises CarrierUnknown, OrderNotFound, OrderFulfilled, OrderRefunded, OrderUnderReview, ParcelNotForOrder,
    TrackingMissing, TrackingReused.
    """
    _check_carrier(shipment)
    order = await hold_order(ctx, order_id)
    columns = dict(machine.fulfil(order, shipment, ctx.now))
    if shipment.tracking_number is not None:
        columns |= await _claim(ctx, order, shipment.carrier, shipment.tracking_number)
    await _change(ctx, order, columns, SHIPPED_TOPIC)
    await _tell_seen(ctx, order.id, columns.get("confirmed_at"), columns.get("delivered_at"))


async def modify_tracking(ctx: MerchantCtx, order_id: str, shipment: Shipment) -> None:
    """Correct how an order was sent off.

    Raises CarrierUnknown, OrderNotFound, OrderNotShipped, ParcelNotForOrder, TrackingConfirmed, TrackingReused.
    """
    _check_carrier(shipment)
    order = await hold_order(ctx, order_id)
    columns = dict(machine.modify_tracking(order, shipment))
    before = order.tracking_number or ""
    number = shipment.tracking_number or before
    if number.upper() != before.upper() or (number and shipment.carrier != order.carrier):
        columns |= await _claim(ctx, order, shipment.carrier, number)
    await _change(ctx, order, columns, TRACKING_TOPIC)
    await _tell_seen(ctx, order.id, columns.get("confirmed_at"), columns.get("delivered_at"))


async def cancel_tracking(ctx: MerchantCtx, order_id: str) -> None:
    """Let an order that did not leave after all be shipped again.

    Raises OrderNotFound, OrderNotShipped, TrackingConfirmed, TrackingTooOld.
    """
    order = await hold_order(ctx, order_id)
    await _change(ctx, order, machine.cancel_tracking(order, ctx.now), TRACKING_CANCELLED_TOPIC)


async def release_order(ctx: MerchantCtx, order_id: str) -> None:
    """End the review of an order: it is the merchant's from now on. Raises OrderNotFound, OrderNotUnderReview."""
    order = await hold_order(ctx, order_id)
    await _change(ctx, order, machine.release(order, ctx.now), RELEASED_TOPIC)


async def change_address(ctx: MerchantCtx, order_id: str, new: NewAddress) -> None:
    """Let an order go somewhere else; raises OrderNotFound, OrderOnItsWay, OrderRefunded."""
    order = await hold_order(ctx, order_id)
    await _change(ctx, order, machine.change_address(order, new), ADDRESS_TOPIC)


async def record_scan(ctx: MerchantCtx, tracking_number: str, scan: Scan) -> None:
    """Note what a carrier saw of a parcel: from the first time on its orders' tracking is confirmed.

    Raises ScanUnusable, TextUnusable, TrackingUnknown, ScanBeforeOrder.
    """
    if scan.kind not in SCAN_KINDS or scan.scanned_at > ctx.now:
        raise failures.ScanUnusable(kind=scan.kind)
    if scan.place is not None:
        inbox.checked_text("place", scan.place, MOST_PLACE)
    number = tracking_number.upper()
    released_from = await tracking.released_from(ctx.db, ctx.actor.id, number)
    if released_from is None:
        raise failures.TrackingUnknown(tracking_number=tracking_number)
    if scan.scanned_at < released_from:
        raise failures.ScanBeforeOrder(tracking_number=tracking_number)
    await _note_scan(ctx, number, ctx.new_id(), scan)


async def awaited_parcels(ctx: Ctx, limit: int) -> list[Awaited]:
    """Some parcels of any shop whose carriers may have something to tell by now, the longest due first.

    Not WishPost's, whose carriers tell by themselves, and none of an order of the past.
    """
    return await tracking.awaited(ctx.db, ctx.now, limit)


async def await_parcel(ctx: MerchantCtx, number: str, at: datetime | None) -> None:
    """Note when the carrier of a parcel may have something to tell next; None where he has told everything."""
    await tracking.set_awaited(ctx.db, ctx.actor.id, number, at)


async def note_parcel(ctx: MerchantCtx, numbers: Sequence[str], scans: Sequence[Scan]) -> None:
    """Note what carriers have seen of a parcel until now, by whichever of its numbers orders travel.

    The same may be told again and again: a scan is known by what it says.
    """
    for number in dict.fromkeys(number.upper() for number in numbers):
        told = {_scan_id(number, scan): scan for scan in scans}
        known = await tracking.known_scans(ctx.db, ctx.actor.id, list(told))
        for scan_id, scan in told.items():
            if scan_id not in known and not await _note_scan(ctx, number, scan_id, scan):
                break  # no order travels under this number


def _scan_id(number: str, scan: Scan) -> str:
    said = f"{number} {scan.kind} {scan.scanned_at.isoformat()} {scan.place}"
    return hashlib.sha256(said.encode()).hexdigest()[:24]


async def _note_scan(ctx: MerchantCtx, number: str, scan_id: str, scan: Scan) -> bool:
    """Write down a scan, and what follows of it for the orders; whether any order travels under the number."""
    seen = await tracking.note_scan(ctx.db, ctx.actor.id, scan_id, number, scan, ctx.now)
    if seen is None:
        return False
    for order_id, is_confirmed, is_delivered in await tracking.tell_orders(
        ctx.db, ctx.actor.id, number, *seen, ctx.now
    ):
        await _tell_seen(ctx, order_id, is_confirmed, is_delivered)
    return True


async def _tell_seen(ctx: MerchantCtx, order_id: str, is_confirmed: object, is_delivered: object) -> None:
    """Record what is true of an order from now on: that its carrier has seen it, and that its buyer has it."""
    for happened, topic in ((is_confirmed, CONFIRMED_TOPIC), (is_delivered, DELIVERED_TOPIC)):
        if happened:
            await outbox.record_event(ctx, ctx.actor.id, topic, {"order_id": order_id})


async def hold_order(ctx: MerchantCtx, order_id: str) -> Order:
    """Take the row of an order for this transaction; raises OrderNotFound."""
    order = await reading.lock(ctx.db, ctx.actor.id, order_id)
    if order is None:
        raise failures.OrderNotFound(id=order_id)
    return order


def _check_carrier(shipment: Shipment) -> None:
    if shipment.carrier not in reference.CARRIERS:
        raise failures.CarrierUnknown(carrier=shipment.carrier)


async def _claim(ctx: MerchantCtx, order: Order, carrier: str, number: str) -> Mapping[str, Any]:
    """Let an order travel under a number, and say how its parcel stands.

    Raises ParcelNotForOrder, TrackingReused.
    """
    assert order.released_at is not None  # or it could not be shipped
    number = number.upper()
    parcel = None
    if carrier == WISHPOST:
        parcel = await parcels.parcel_for_order(ctx, number, order.id)
        if parcel is None:
            raise failures.ParcelNotForOrder(tracking_number=number, id=order.id)
    # WishPost's carriers tell by themselves; whoever knows another one asks him.
    awaited_at = ctx.now if parcel is None else None
    stands = await tracking.claim_number(
        ctx.db, ctx.actor.id, number, order.address.key(), order.released_at, SHARED_WITHIN, awaited_at
    )
    if stands is None:
        raise failures.TrackingReused(tracking_number=number)
    if parcel is not None:
        # Its carrier may have seen it before, or sees it before this is committed: ask him afterwards.
        about = {"account_id": parcel.account_id, "parcel_id": parcel.parcel_id}
        await jobs.enqueue(ctx, ctx.actor.id, PARCEL_KIND, PARCEL_KIND, about)
    return {"confirmed_at": stands[0], "delivered_at": stands[1]}


async def _change(ctx: MerchantCtx, order: Order, columns: Mapping[str, Any], topic: str) -> None:
    await writing.update(ctx.db, ctx.actor.id, order.id, columns, ctx.now)
    await outbox.record_event(ctx, ctx.actor.id, topic, {"order_id": order.id})
