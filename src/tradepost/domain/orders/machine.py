"""The states of an order and every move between them, without a database and without a clock.

    review ──release──▶ approved ──fulfil──▶ shipped
       │                   ▲  │                │  ▲
       │                   │  │                │  └─ change tracking, until the carrier has seen the parcel
       │                   └──┼─cancel tracking┘
       └──────refund──────────┴───▶ refunded ◀─┘ refund

A move gives the columns that change, or raises the failure of the state that forbids it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tradepost.domain import reference
from tradepost.domain.orders import failures
from tradepost.domain.orders.order import (
    APPROVED,
    BY_WISH,
    EXPRESS_WORKDAYS,
    LATE_FULFILLMENT,
    REFUNDED,
    REVIEW,
    SHIPPED,
    TIME_TO_FULFIL,
    NewAddress,
    Order,
    OrderRules,
    RefundWish,
    Shipment,
    add_workdays,
)

Columns = Mapping[str, Any]

TRACKING_COMPULSORY_FROM: Final = datetime(2021, 1, 15, tzinfo=UTC)
TRACKING_CANCELLED_WITHIN: Final = timedelta(days=25)
OTHER: Final = -1
LATE: Final = RefundWish(BY_WISH, reference.REFUND_REASONS[1].words, cause=LATE_FULFILLMENT)
"""What an order is refunded for that nobody shipped in time."""


def start(under_review: bool, is_express: bool, now: datetime) -> Columns:
    """The state of a new order: the merchant's at once, unless it is under review."""
    if under_review:
        return {"state": REVIEW, "released_at": None, "fulfil_by": None, "deliver_by": None}
    return {"state": APPROVED, **_clock(is_express, now)}


def release(order: Order, now: datetime) -> Columns:
    """Nothing is wrong with an order under review: it is the merchant's from now on."""
    if order.state != REVIEW:
        raise failures.OrderNotUnderReview(id=order.id)
    return {"state": APPROVED, **_clock(order.is_express, now)}


def _clock(is_express: bool, now: datetime) -> Columns:
    deliver_by = add_workdays(now, EXPRESS_WORKDAYS) if is_express else None
    return {"released_at": now, "fulfil_by": now + TIME_TO_FULFIL, "deliver_by": deliver_by}


def fulfil(order: Order, shipment: Shipment, now: datetime) -> Columns:
    """The merchant sends an order off. After its time, too, as long as nobody has refunded it."""
    if order.state == REFUNDED:
        raise failures.OrderRefunded(id=order.id)
    if order.state == SHIPPED:
        raise failures.OrderFulfilled(id=order.id)
    if order.state == REVIEW or order.released_at is None:
        raise failures.OrderUnderReview(id=order.id)
    if shipment.tracking_number is None and order.released_at >= TRACKING_COMPULSORY_FROM:
        raise failures.TrackingMissing(id=order.id)
    return {"state": SHIPPED, "shipped_at": now, **vars_of(shipment)}


def modify_tracking(order: Order, shipment: Shipment) -> Columns:
    """The merchant corrects carrier or number; what he leaves out of the rest stays."""
    if order.state != SHIPPED:
        raise failures.OrderNotShipped(id=order.id)
    if order.confirmed_at is not None:
        raise failures.TrackingConfirmed(id=order.id)
    return {name: value for name, value in vars_of(shipment).items() if value is not None}


def cancel_tracking(order: Order, now: datetime) -> Columns:
    """What was not sent off after all is to be shipped again; its clock goes on where it was."""
    if order.state != SHIPPED or order.shipped_at is None:
        raise failures.OrderNotShipped(id=order.id)
    if order.confirmed_at is not None:
        raise failures.TrackingConfirmed(id=order.id)
    if now - order.shipped_at > TRACKING_CANCELLED_WITHIN:
        raise failures.TrackingTooOld(id=order.id, days=TRACKING_CANCELLED_WITHIN.days)
    return {"state": APPROVED, "shipped_at": None, **vars_of(Shipment("")), "carrier": None}


def vars_of(shipment: Shipment) -> dict[str, Any]:
    """A shipment as columns."""
    return {
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "ship_note": shipment.ship_note,
        "origin_country": shipment.origin_country,
    }


def change_address(order: Order, new: NewAddress) -> Columns:
    """An order that has not left yet goes somewhere else; what its buyer has paid stays."""
    if order.state == REFUNDED:
        raise failures.OrderRefunded(id=order.id)
    if order.state == SHIPPED:
        raise failures.OrderOnItsWay(id=order.id)
    return {
        "street_address1": new.street_address1,
        "street_address2": new.street_address2,
        "street_address3": None,
        "city": new.city,
        "state_or_province": new.state_or_province,
        "zipcode": new.zipcode,
        "country": new.country,
        "phone_number": new.phone_number or order.address.phone_number,
        "needs_confirmation": needs_confirmation(new.country),
    }


def needs_confirmation(country: str) -> bool:
    """Whether delivery has to be confirmed there by a carrier of the country's list."""
    return country in reference.CONFIRMED_DELIVERY


def refund(order: Order, wish: RefundWish, now: datetime) -> Columns:
    """An order is refunded, once. It keeps how it was shipped."""
    if order.state == REFUNDED:
        raise failures.OrderRefunded(id=order.id)
    return {"state": REFUNDED, "refunded_at": now, "refunded_by": wish.by}


def check_reason(order: Order, reason_code: int, note: str | None, rules: OrderRules) -> str:
    """The words of the reason that a merchant refunds for; raises what is wrong with it."""
    reason = reference.REFUND_REASONS.get(reason_code)
    if reason is None or reason_code not in rules.refund_reasons:
        raise failures.ReasonNotAccepted(reason_code=reason_code)
    if reason_code == OTHER and not note:
        raise failures.ReasonNoteMissing(reason_code=reason_code)
    if reason.unfulfilled_only and order.state == SHIPPED:
        raise failures.ReasonForUnfulfilled(reason_code=reason_code)
    return reason.words
