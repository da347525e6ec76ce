"""Orders as this service shows them."""

from __future__ import annotations

from msgspec import Struct

from tradepost.domain import orders
from tradepost.surfaces.operator_v1 import vocabulary as v


class Address(Struct, gc=False):
    """Where the parcel goes."""

    recipient: str
    street_address1: str
    street_address2: str | None
    street_address3: str | None
    city: str
    state_or_province: str | None
    zipcode: str | None
    country: str
    phone_number: str | None


class Order(Struct, gc=False):
    """One SKU that one buyer bought.

    `state` is one of `review`, `approved`, `shipped`, `refunded`. `price` and `shipping` are what the buyer pays
    for a piece, `total` is what the merchant gets of all pieces; numbers as text, in `currency`. `refunded_by` says
    in whose name it was refunded. `original_address` is where the buyer is, if `address` is a centre that sends
    the parcel on, null otherwise. Times are null of what has not happened.
    """

    id: str
    merchant_id: str
    transaction_id: str
    buyer_id: str
    state: str
    product_id: str
    sku: str
    product_name: str
    quantity: int
    currency: str
    price: str
    shipping: str
    total: str
    is_express: bool
    placed_at: str
    updated_at: str
    fulfil_by: str | None
    shipped_at: str | None
    carrier: str | None
    tracking_number: str | None
    confirmed_at: str | None
    delivered_at: str | None
    refunded_at: str | None
    refunded_by: str | None
    address: Address
    original_address: Address | None


class Orders(Struct, gc=False):
    """A page of orders. `next` is what `after` is for the next page, null where there is none."""

    orders: list[Order]
    next: str | None


class PlacedOrders(Struct, gc=False):
    """A purchase.

    `orders` are those that it is made of, in the order of the cart.
    """

    transaction_id: str
    orders: list[Order]


class OrderState(Struct, gc=False):
    """How an order stands now."""

    order_id: str
    state: str


def order(merchant_id: str, found: orders.Order) -> Order:
    """An order in this service's words."""
    return Order(
        id=found.id,
        merchant_id=merchant_id,
        transaction_id=found.transaction_id,
        buyer_id=found.buyer_id,
        state=found.state,
        product_id=found.product_id,
        sku=found.sku,
        product_name=found.product_name,
        quantity=found.quantity,
        currency=found.currency,
        price=found.price,
        shipping=found.shipping,
        total=found.total,
        is_express=found.is_express,
        placed_at=v.moment(found.placed_at),
        updated_at=v.moment(found.updated_at),
        fulfil_by=v.moment_or_none(found.fulfil_by),
        shipped_at=v.moment_or_none(found.shipped_at),
        carrier=found.carrier,
        tracking_number=found.tracking_number,
        confirmed_at=v.moment_or_none(found.confirmed_at),
        delivered_at=v.moment_or_none(found.delivered_at),
        refunded_at=v.moment_or_none(found.refunded_at),
        refunded_by=found.refunded_by,
        address=_address(found.address),
        original_address=_address(found.original_address) if found.original_address is not None else None,
    )


def _address(found: orders.Address) -> Address:
    return Address(**{name: getattr(found, name) for name in Address.__struct_fields__})
