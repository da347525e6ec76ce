"""What can be wrong with an order. Where a state forbids something, the fact is named after the state."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class OrderNotFound(Failure):
    """The merchant has no such order."""

    id: str


class OrderFulfilled(Failure):
    """The order has been shipped before."""

    id: str


class OrderNotShipped(Failure):
    """The order has not been shipped, so there is nothing to change about its shipping."""

    id: str


class OrderUnderReview(Failure):
    """The order is under review, so nothing may be shipped yet."""

    id: str


class OrderNotUnderReview(Failure):
    """The order is not under review, so it cannot be released."""

    id: str


class OrderRefunded(Failure):
    """The order has been refunded."""

    id: str


class OrderOnItsWay(Failure):
    """The order has been shipped, so where it goes cannot change."""

    id: str


class CarrierUnknown(Failure):
    """There is no such carrier, or it is not accepted."""

    carrier: str


class TrackingMissing(Failure):
    """An order that was released after tracking became compulsory is shipped without a tracking number."""

    id: str


class TrackingReused(Failure):
    """The tracking number belongs to a parcel of somebody else, or of another time."""

    tracking_number: str


class ParcelNotForOrder(Failure):
    """The number is of no WishPost parcel that was booked for this order by somebody who sends for the shop."""

    tracking_number: str
    id: str


class TrackingConfirmed(Failure):
    """The carrier has seen the parcel under its tracking number."""

    id: str


class TrackingTooOld(Failure):
    """The order was shipped too long ago for its tracking to be cancelled."""

    id: str
    days: int


class TrackingUnknown(Failure):
    """No order of the merchant travels under this tracking number."""

    tracking_number: str


class ScanUnusable(Failure):
    """There is no such kind of scan, or it is of a time that has not come yet."""

    kind: str


class ScanBeforeOrder(Failure):
    """A parcel cannot have been seen before any of its orders was the merchant's to ship."""

    tracking_number: str


class ReasonNotAccepted(Failure):
    """Refunds for this reason are not accepted."""

    reason_code: int


class ReasonForUnfulfilled(Failure):
    """The reason is for orders that were not fulfilled, and this one was."""

    reason_code: int


class ReasonNoteMissing(Failure):
    """The reason says nothing by itself, and there is no note."""

    reason_code: int


class CartUnusable(Failure):
    """There is nothing in the cart, more than a cart can hold, or a number of pieces that cannot be."""

    limit: int


class AddressUnusable(Failure):
    """Something of the buyer or the address is missing, too long, or holds what cannot stand on a parcel."""

    name: str


class NotForSale(Failure):
    """The variation is disabled or its product was rejected."""

    sku: str


class MoreThanAllowed(Failure):
    """One order may not have so many pieces of the product."""

    sku: str
    limit: int


class OutOfStock(Failure):
    """No warehouse that ships there has as many pieces."""

    sku: str


class NotShippedThere(Failure):
    """The merchant does not ship the product to where the buyer is."""

    sku: str
    country: str
