"""The failures about orders, each by a call that provokes it."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.answer import Answer
from tests.support.calls import ORDERS
from tests.support.market import Market

Call = Callable[[Market, str], Answer]
OPEN, SHIPPED, DELIVERED, REFUNDED, REVIEW = (
    ORDERS["usd"][kind] for kind in ("open", "shipped", "delivered", "refunded", "review")
)


def _order(verb: str, **params: str) -> Call:
    return lambda market, locale: market.post(f"/api/v2/order/{verb}", locale=locale, **params)


def _fulfil(order_id: str, tracking_number: str = "12345679", tracking_provider: str = "USPS") -> Call:
    params = {"id": order_id, "tracking_number": tracking_number, "tracking_provider": tracking_provider}
    return _order("fulfill-one", **params)


def _modify(order_id: str) -> Call:
    return _order("modify-tracking", id=order_id, tracking_number="12345679", tracking_provider="USPS")


def _refund(order_id: str, reason_code: str) -> Call:
    return _order("refund", id=order_id, reason_code=reason_code)


def _only_some_reasons(market: Market, locale: str) -> Answer:
    market.accept_reasons(1, 25, 32)
    try:
        return _refund(OPEN, "22")(market, locale)
    finally:
        market.accept_reasons()


_ADDRESS = {"street_address1": "1 Street", "city": "Town", "zipcode": "1", "country": "US"}

ORDERS_PROVOKED: dict[str, Call] = {
    "OrderNotFound": lambda market, locale: market.get("/api/v2/order", id="0" * 24, locale=locale),
    "CarrierUnknown": _fulfil(OPEN, tracking_provider="Pigeon"),
    "OrderFulfilled": _fulfil(SHIPPED),
    "OrderNotShipped": _modify(OPEN),
    "OrderUnderReview": _fulfil(REVIEW),
    "OrderRefunded": _refund(REFUNDED, "25"),
    "OrderOnItsWay": _order("change-shipping", id=SHIPPED, **_ADDRESS),
    "TrackingMissing": _fulfil(OPEN, tracking_number=""),
    "TrackingReused": _fulfil(OPEN, "TR1234USD"),
    "ParcelNotForOrder": _fulfil(OPEN, "WP12345678901234", "WishPost"),
    "TrackingConfirmed": _modify(DELIVERED),
    "NotTrackingNumber": _fulfil(OPEN, "12 34"),
    "ReasonNotAccepted": _only_some_reasons,
    "ReasonForUnfulfilled": _refund(SHIPPED, "1"),
    "ReasonNoteMissing": _refund(OPEN, "-1"),
}
