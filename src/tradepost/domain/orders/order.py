"""An order: one variation that one buyer wants, at the price it had; chapter *Orders* of the merchant reference.

What is bought together is one transaction of several orders. Amounts are in the currency that the merchant is paid
in; those of an order as read are texts of numbers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec
from babel.numbers import get_currency_precision

from tradepost.domain import reference

REVIEW: Final = "review"
APPROVED: Final = "approved"
SHIPPED: Final = "shipped"
REFUNDED: Final = "refunded"

BY_CUSTOMER: Final = "customer"
BY_WISH: Final = "wish"
BY_MERCHANT: Final = "merchant"
BY_WISH_FOR_MERCHANT: Final = "wish_for_merchant"

LATE_FULFILLMENT: Final = "late_fulfillment"
"""The cause of what the platform does by itself about an order that was not fulfilled in time."""

TIME_TO_FULFIL: Final = timedelta(days=5)
EXPRESS_WORKDAYS: Final = 5
MOST_ITEMS: Final = 100

Amount = str

_UNFIT: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_JOINERS: Final = "\u200c\u200d"


class Address(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Where a parcel goes."""

    recipient: str
    street_address1: str
    city: str
    country: str
    street_address2: str | None = None
    street_address3: str | None = None
    state_or_province: str | None = None
    zipcode: str | None = None
    phone_number: str | None = None

    def key(self) -> str:
        """The same text for the same recipient at the same place, however it is written."""
        told = (self.recipient, self.street_address1, self.street_address2, self.city, self.zipcode, self.country)
        return "|".join("".join(c for c in (part or "").casefold() if c.isalnum()) for part in told)


def unfit_at(line: str) -> int | None:
    """Where the first character is that cannot stand in one line on a parcel; None where all of them can.

    Blanks of every kind can, and the two joiners that Persian and Indian words are written with; but by themselves
    they are no line.
    """
    if not line.strip().strip(_JOINERS):
        return 0
    for at, char in enumerate(line):
        if unicodedata.category(char) in _UNFIT and char not in _JOINERS:
            return at
    return None


class Refund(msgspec.Struct, frozen=True, gc=False):
    """What was given back of an order, and how much of it the merchant bears."""

    refunded_at: datetime
    amount: Amount
    responsible_amount: Amount
    responsibility: int
    reason: str


class Order(msgspec.Struct, frozen=True, gc=False):
    """An order as it is kept."""

    id: str
    transaction_id: str
    buyer_id: str
    state: str
    product_id: str
    variation_id: str
    is_express: bool
    is_combined: bool
    needs_confirmation: bool
    vat_required: bool
    sku: str
    product_name: str
    picture: str
    color: str | None
    size: str | None
    quantity: int
    currency: str
    price: Amount
    cost: Amount
    shipping: Amount
    shipping_cost: Amount
    total: Amount
    placed_at: datetime
    updated_at: datetime
    released_at: datetime | None
    fulfil_by: datetime | None
    deliver_by: datetime | None
    shipped_at: datetime | None
    carrier: str | None
    tracking_number: str | None
    ship_note: str | None
    confirmed_at: datetime | None
    delivered_at: datetime | None
    refunded_at: datetime | None
    refunded_by: str | None
    fine_ids: Sequence[str]
    address: Address
    original_address: Address | None
    refunds: Sequence[Refund]

    @property
    def confirms_delivery(self) -> bool:
        """Whether a carrier of the country's list has confirmed that the buyer has it."""
        return self.delivered_at is not None and self.carrier in reference.CONFIRMED_DELIVERY.get(
            self.address.country, ()
        )

    def is_late_arrival(self, now: datetime) -> bool:
        """Whether a Wish Express order came after its day, or did not come by then; a refund ends the waiting."""
        if self.deliver_by is None:
            return False
        return (self.delivered_at or self.refunded_at or now).date() > self.deliver_by.date()

    def borne(self, responsibility: int) -> Decimal:
        """So many percent of what the merchant would have got, rounded to the decimals of the currency."""
        return round(Decimal(self.total) * responsibility / 100, get_currency_precision(self.currency))


@dataclass(frozen=True, slots=True)
class OrderRules:
    """What an installation decides about orders."""

    share: Decimal = Decimal("0.85")
    """What a merchant gets of every price."""
    refund_reasons: frozenset[int] = frozenset(reference.REFUND_REASONS)
    """The codes of the reasons that a merchant may refund for."""


@dataclass(frozen=True, slots=True)
class Item:
    """So many pieces of one SKU."""

    sku: str
    quantity: int = 1


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """What a buyer takes to the till. Under review it waits before the merchant may ship it."""

    address: Address
    items: Sequence[Item]
    buyer_id: str | None = None
    original_address: Address | None = None
    under_review: bool = False
    vat_required: bool = False


@dataclass(frozen=True, slots=True)
class Money:
    """What one piece costs the buyer, and what the merchant gets of it."""

    price: Decimal
    cost: Decimal
    shipping: Decimal
    shipping_cost: Decimal


def settle_money(price: Decimal, shipping: Decimal, share: Decimal, currency: str) -> Money:
    """The merchant's share of a price and of its shipping, each rounded to the decimals of the currency."""
    places = get_currency_precision(currency)
    return Money(price, round(price * share, places), shipping, round(shipping * share, places))


@dataclass(frozen=True, slots=True)
class Shipment:
    """How an order goes on its way."""

    carrier: str
    tracking_number: str | None = None
    ship_note: str | None = None
    origin_country: str | None = None


@dataclass(frozen=True, slots=True)
class RefundWish:
    """Who wants an order refunded, and why; `responsibility` is the merchant's part in percent.

    What the platform does by itself has a `cause`, which the merchant is told in his language.
    """

    by: str
    reason: str
    reason_code: int | None = None
    note: str | None = None
    responsibility: int = 100
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class NewAddress:
    """Where an order is to go instead; the recipient stays, and the telephone where none is given."""

    street_address1: str
    city: str
    zipcode: str
    country: str
    street_address2: str | None = None
    state_or_province: str | None = None
    phone_number: str | None = None


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders of a list are wanted: changed from `since` on and before `upto`."""

    since: datetime | None = None
    upto: datetime | None = None
    express_only: bool = False


@dataclass(frozen=True, slots=True)
class OrderCut:
    """What a file of orders holds: those placed and changed then, the first `limit` by when they were placed."""

    placed_from: datetime | None = None
    placed_before: datetime | None = None
    since: datetime | None = None
    limit: int | None = None
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Scan:
    """What a carrier has seen of a parcel."""

    kind: str
    scanned_at: datetime
    place: str | None = None


SCAN_KINDS: Final = ("accepted", "in_transit", "out_for_delivery", "delivered", "returned")


@dataclass(frozen=True, slots=True)
class Awaited:
    """A parcel whose carrier may have something to tell, and its order that was sent off first, if any is left."""

    merchant_id: str
    number: str
    order_id: str | None
    shipped_at: datetime | None
    country: str | None
    city: str | None


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a purchase."""

    transaction_id: str
    order_ids: Sequence[str] = field(default_factory=tuple)


def add_workdays(moment: datetime, days: int) -> datetime:
    """The same time of day so many days later, Saturdays and Sundays not counted."""
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < 5
    return moment
