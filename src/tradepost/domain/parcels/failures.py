"""What can be wrong in the logistics service. `place` is where in a booking, such as `goods[1]`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tradepost.domain.failure import Failure


class ShipperEmailTaken(Failure):
    """Somebody signs in to the logistics service with this address already."""

    email: str


class ShipperUnknown(Failure):
    """No user of the logistics service has this id."""

    shipper_id: str


class RealNameUnverified(Failure):
    """The user has not shown by his real name who he is, so he books nothing."""


class ParcelNotFound(Failure):
    """The user has no parcel of this id or number."""

    id: str


class AlreadyCancelled(Failure):
    """The parcel is cancelled; a second time there is nothing to do."""

    id: str


class AlreadyScanned(Failure):
    """The carrier has scanned the parcel, so it is on its way and cannot be cancelled any more."""

    id: str


class AlreadyRefused(Failure):
    """The carrier did not take the parcel on, so there is nothing to cancel."""

    id: str


class NoLabelYet(Failure):
    """The carrier has given the parcel no number so far, and a label shows it."""

    id: str


class NoLabel(Failure):
    """The parcel is cancelled or its carrier has refused it, so it is not to be sent."""

    id: str


class MarkNotFound(Failure):
    """The user has booked no parcel under this mark."""

    mark: str


class MarkFull(Failure):
    """One file holds fewer labels than there are parcels of this mark."""

    mark: str
    limit: int


class LabelsNotFound(Failure):
    """No link of ours leads to such labels."""


class LabelsExpired(Failure):
    """The link to the labels is too old."""


class ChannelNotFound(Failure):
    """No open channel has this otype."""

    otype: str


class GuidTaken(Failure):
    """The user has booked a parcel under this guid before."""

    guid: str
    wish_id: str


class OrderIdWrong(Failure):
    """An order id is 24 letters and digits; NonWishOrder stands alone."""

    order_id: str


class TooManyOrderIds(Failure):
    """One parcel holds fewer orders on this channel."""

    limit: int


class NameWithoutLatin(Failure):
    """A name in English has at least one Latin letter."""

    place: str


class NameWithoutChinese(Failure):
    """A name in Chinese has at least one Chinese character."""

    place: str


class ChineseNotAllowed(Failure):
    """An address that is read abroad has no Chinese characters."""

    place: str


class KindAndBatteryDisagree(Failure):
    """General goods are without a battery, the other kinds with one."""

    place: str


class KindNotTaken(Failure):
    """The channel does not take this kind of goods."""

    place: str
    otype: str


class ParcelTooHeavy(Failure):
    """The goods weigh more together than the channel takes, in kg."""

    weight: Decimal
    most: Decimal


class HandoverWarehouseWrong(Failure):
    """The channel asks for one of its warehouses, and this is none of them."""

    warehouse_code: str
    otype: str


class PickupServiceWrong(Failure):
    """Parcels of this channel are not collected by this company."""

    pickup_service: str
    otype: str


class PickupAddressMissing(Failure):
    """Who has a parcel collected says where, in Chinese."""


class NotInCarriersHands(Failure):
    """What a carrier tells about a parcel that he cannot have."""

    id: str
    state: str


class ScanTooEarly(Failure):
    """A scan is of a time that has not come yet."""

    id: str
    at: datetime


class ScanBeforeBooking(Failure):
    """A scan is of a time at which there was no such parcel."""

    id: str
    at: datetime
    booked_at: datetime


class TariffUnusable(Failure):
    """What a channel costs is nothing or more, and it takes some weight."""

    otype: str
