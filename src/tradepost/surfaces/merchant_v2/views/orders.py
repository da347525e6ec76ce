"""Orders on the wire; the chapters about orders, and the items of tickets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from tradepost.domain import orders as domain
from tradepost.domain.pictures import NO_PICTURE
from tradepost.domain.products import UNPAID
from tradepost.surfaces.merchant_v2.views.leaves import (
    FlagText,
    NumberText,
    OptionalNumber,
    OptionalText,
    flag,
    image_url,
    maybe,
    number,
)

STATES: Final = {
    domain.REVIEW: "REQUIRE_REVIEW",
    domain.APPROVED: "APPROVED",
    domain.SHIPPED: "SHIPPED",
    domain.REFUNDED: "REFUNDED",
}
REFUNDED_BY: Final = {
    domain.BY_CUSTOMER: "CANCELLED BY CUSTOMER",
    domain.BY_WISH: "REFUNDED BY WISH",
    domain.BY_MERCHANT: "REFUNDED BY MERCHANT",
    domain.BY_WISH_FOR_MERCHANT: "REFUNDED BY WISH FOR MERCHANT",
}


class ShippingDetail(Struct, gc=False):
    """Where a parcel goes.

    `name` is the recipient. `street_address1` is the street and the number. `street_address2` is more about the
    street. `street_address3` is still more about it. `city` is the town. `state` is the state or province.
    `zipcode` is the postal code. `country` is an ISO 3166 alpha-2 code. `phone_number` is the
    recipient's telephone.
    """

    name: str
    street_address1: str
    city: str
    country: str
    street_address2: OptionalText = UNSET
    street_address3: OptionalText = UNSET
    state: OptionalText = UNSET
    zipcode: OptionalText = UNSET
    phone_number: OptionalText = UNSET


_Detail = ShippingDetail


class OrderRefund(Struct, gc=False):
    """What was given back of an order.

    `refund_time` is when. `refund_amount` is what the buyer got, in US dollars, 999999 for merchants who are not
    paid in them. `merchant_responsible_amount` is the merchant's part of it, out of what he would have got, told
    in the same way. `refund_reason` is why, in words. `localized_refund_amount` is what the buyer got in the
    merchant's own currency, which is there where he is paid in it. `localized_merchant_responsible_amount` is
    the merchant's part of that.
    """

    refund_time: str
    refund_amount: NumberText
    merchant_responsible_amount: NumberText
    refund_reason: str
    localized_refund_amount: OptionalNumber = UNSET
    localized_merchant_responsible_amount: OptionalNumber = UNSET


class Order(Struct, gc=False):
    """An order: one variation that one buyer bought. Times are UTC.

    `order_id` is 24 hex digits. `transaction_id` is shared by all orders that were bought together. `state` is
    APPROVED (to be shipped), SHIPPED, REFUNDED (not to be shipped) or REQUIRE_REVIEW (not to be shipped yet).
    `order_time` is when it was placed. `last_updated` is when it was changed last. `buyer_id` is the same for
    all orders of a buyer. `product_id` is what was bought. `variant_id` is the variation of it. `sku` is the
    SKU that it had. `product_name` is the name that it had. `product_image_url` is the picture that it had.
    `quantity` is the number of pieces. `price` is what the buyer paid for a piece in US dollars, 999999 for
    merchants who are not paid in them, like all amounts beside a localized one. `cost` is what the merchant
    gets of the price. `shipping` is what the buyer paid for shipping a piece. `shipping_cost` is what the
    merchant gets of that. `order_total` is what the merchant gets in all. `currency_code` is the currency that
    the merchant is paid in. `is_wish_express` says whether it is shipped from an Express warehouse.
    `is_combined_order` says whether it was bought with others. `requires_delivery_confirmation` says whether
    the country asks for a carrier that confirms delivery. `pay_customer_vat_required` says whether the merchant
    has to pay the buyer's VAT. `fine_ids` are the fines about it. `ShippingDetail` is where it goes.
    `released_to_merchant_time` is when the merchant's time to ship it began. `color` is the colour that was
    bought. `size` is the size that was bought. `localized_price` is the price in the merchant's own currency,
    which is there where he is paid in it. `localized_cost` is what he gets of it. `localized_shipping` is the
    same as shipping in it. `localized_shipping_cost` is what he gets of that. `localized_order_total` is what
    he gets in all. `days_to_fulfill` are the whole days that are left. `hours_to_fulfill` are the whole hours
    that are left. `expected_ship_date` is when it is refunded if nobody has shipped it. `shipping_provider` is
    the carrier. `tracking_number` is the carrier's number of the parcel. `ship_note` is the merchant's note to
    himself. `shipped_date` is the day on which it was shipped. `tracking_confirmed` says whether the carrier
    has seen the parcel. `tracking_confirmed_date` is since when. `we_required_delivery_date` is the day by
    which the buyer must have a Wish Express order. `is_wish_express_late_arrival` says whether it came later,
    or is late and not there. `confirmed_delivery` says whether a carrier of the country's list has confirmed
    delivery. `date_shipping_carrier_confirmed_delivery` is the day that it told. `refunded_by` is who refunded
    it. `refunded_reason` is why. `refunded_time` is the day on which it was refunded. `refunds` are the amounts
    that were given back. `OriginalShippingDetail` is where the buyer is, if it goes to a consolidation centre.
    """

    order_id: str
    transaction_id: str
    state: str
    order_time: str
    last_updated: str
    buyer_id: str
    product_id: str
    variant_id: str
    sku: str
    product_name: str
    product_image_url: str
    quantity: NumberText
    price: NumberText
    cost: NumberText
    shipping: NumberText
    shipping_cost: NumberText
    order_total: NumberText
    currency_code: str
    is_wish_express: FlagText
    is_combined_order: FlagText
    requires_delivery_confirmation: FlagText
    pay_customer_vat_required: FlagText
    fine_ids: list[str]
    ShippingDetail: ShippingDetail
    released_to_merchant_time: OptionalText = UNSET
    color: OptionalText = UNSET
    size: OptionalText = UNSET
    localized_price: OptionalNumber = UNSET
    localized_cost: OptionalNumber = UNSET
    localized_shipping: OptionalNumber = UNSET
    localized_shipping_cost: OptionalNumber = UNSET
    localized_order_total: OptionalNumber = UNSET
    days_to_fulfill: OptionalNumber = UNSET
    hours_to_fulfill: OptionalNumber = UNSET
    expected_ship_date: OptionalText = UNSET
    shipping_provider: OptionalText = UNSET
    tracking_number: OptionalText = UNSET
    ship_note: OptionalText = UNSET
    shipped_date: OptionalText = UNSET
    tracking_confirmed: FlagText | UnsetType = UNSET
    tracking_confirmed_date: OptionalText = UNSET
    we_required_delivery_date: OptionalText = UNSET
    is_wish_express_late_arrival: FlagText | UnsetType = UNSET
    confirmed_delivery: FlagText | UnsetType = UNSET
    date_shipping_carrier_confirmed_delivery: OptionalText = UNSET
    refunded_by: OptionalText = UNSET
    refunded_reason: OptionalText = UNSET
    refunded_time: OptionalText = UNSET
    refunds: list[OrderRefund] | UnsetType = UNSET
    OriginalShippingDetail: _Detail | UnsetType = UNSET


class OrderItem(Struct, gc=False):
    """An order in a list, or by itself."""

    Order: Order


def order_item(order: domain.Order, now: datetime, base_url: str, *, show_original: bool = True) -> OrderItem:
    """An order as it reads at a moment; URLs of ours begin with `base_url`."""
    told = Order(
        order_id=order.id,
        transaction_id=order.transaction_id,
        state=STATES[order.state],
        order_time=_time(order.placed_at),
        last_updated=_time(order.updated_at),
        buyer_id=order.buyer_id,
        product_id=order.product_id,
        variant_id=order.variation_id,
        sku=order.sku,
        product_name=order.product_name,
        product_image_url=image_url(order.picture or NO_PICTURE, base_url),
        quantity=str(order.quantity),
        **_amounts(order),  # type: ignore[arg-type]
        currency_code=order.currency,
        is_wish_express=flag(order.is_express),
        is_combined_order=flag(order.is_combined),
        requires_delivery_confirmation=flag(order.needs_confirmation),
        pay_customer_vat_required=flag(order.vat_required),
        fine_ids=list(order.fine_ids),
        ShippingDetail=_detail(order.address),
        color=maybe(order.color),
        size=maybe(order.size),
    )
    _tell_times(told, order, now)
    _tell_parcel(told, order, now)
    if order.refunded_at is not None:
        _tell_refunds(told, order, order.refunded_at)
    if show_original and order.original_address is not None:
        told.OriginalShippingDetail = _detail(order.original_address)
    return OrderItem(told)


def _amounts(order: domain.Order) -> Mapping[str, str]:
    amounts = {
        "price": number(order.price),
        "cost": number(order.cost),
        "shipping": number(order.shipping),
        "shipping_cost": number(order.shipping_cost),
        "order_total": number(order.total),
    }
    if order.currency == "USD":
        return amounts
    return {**dict.fromkeys(amounts, UNPAID), **{f"localized_{name}": amount for name, amount in amounts.items()}}


def _tell_times(told: Order, order: domain.Order, now: datetime) -> None:
    if order.released_at is not None:
        told.released_to_merchant_time = _time(order.released_at)
    if order.state == domain.APPROVED and order.fulfil_by is not None:
        left = max(order.fulfil_by - now, timedelta())
        told.days_to_fulfill = str(left.days)
        told.hours_to_fulfill = str(left // timedelta(hours=1))
        told.expected_ship_date = _time(order.fulfil_by)


def _tell_parcel(told: Order, order: domain.Order, now: datetime) -> None:
    if order.shipped_at is not None:
        told.shipping_provider = maybe(order.carrier)
        told.tracking_number = maybe(order.tracking_number)
        told.ship_note = maybe(order.ship_note)
        told.shipped_date = _day(order.shipped_at)
        told.tracking_confirmed = flag(order.confirmed_at is not None)
        if order.confirmed_at is not None:
            told.tracking_confirmed_date = _time(order.confirmed_at)
        if order.needs_confirmation:
            told.confirmed_delivery = flag(order.confirms_delivery)
            if order.confirms_delivery and order.delivered_at is not None:
                told.date_shipping_carrier_confirmed_delivery = _day(order.delivered_at)
    if order.deliver_by is not None:
        told.we_required_delivery_date = _day(order.deliver_by)
        told.is_wish_express_late_arrival = flag(order.is_late_arrival(now))


def _tell_refunds(told: Order, order: domain.Order, refunded_at: datetime) -> None:
    told.refunded_by = REFUNDED_BY[order.refunded_by or domain.BY_WISH]
    told.refunded_time = _day(refunded_at)
    if order.refunds:
        told.refunded_reason = order.refunds[-1].reason
    told.refunds = [_refund(refund, order.currency) for refund in order.refunds]


def _refund(refund: domain.Refund, currency: str) -> OrderRefund:
    at, amount, part = _time(refund.refunded_at), number(refund.amount), number(refund.responsible_amount)
    if currency == "USD":
        return OrderRefund(at, amount, part, refund.reason)
    return OrderRefund(at, UNPAID, UNPAID, refund.reason, amount, part)


def _detail(address: domain.Address) -> ShippingDetail:
    return ShippingDetail(
        name=address.recipient,
        street_address1=address.street_address1,
        city=address.city,
        country=address.country,
        street_address2=maybe(address.street_address2),
        street_address3=maybe(address.street_address3),
        state=maybe(address.state_or_province),
        zipcode=maybe(address.zipcode),
        phone_number=maybe(address.phone_number),
    )


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")[:19]


def _day(moment: datetime) -> str:
    return moment.isoformat()[:10]
