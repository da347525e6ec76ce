"""The chapters about orders: reading them, and what a merchant does with one.

This reference has lost most of them; parameters and answers are those of the earlier one, as recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from tradepost.domain import orders, reference
from tradepost.domain.context import MerchantCtx
from tradepost.domain.orders import NewAddress, OrderFilter, OrderRules, Shipment
from tradepost.domain.orders import failures as f
from tradepost.surfaces.merchant_v2 import vocabulary as v
from tradepost.surfaces.merchant_v2.failures import InvalidId, NotTrackingNumber, SpanReversed
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.surfaces.merchant_v2.views.common import SUCCESS, Success
from tradepost.surfaces.merchant_v2.views.orders import OrderItem, order_item
from tradepost.values import Page
from tradepost.wire.http_types import BaseUrl
from tradepost.wire.paging import Listing
from tradepost.wire.params import Boolean, Choice, Country, Doc, LookedUp, Moment, Text, Whole

# Orders are listed from the oldest on, so the end must be within reach; the reference gives no number.
MOST_START: Final = 10_000_000
_FOUND = (f.OrderNotFound, InvalidId)


@dataclass(frozen=True, slots=True)
class TrackingNumber:
    """Letters and digits and nothing else, in ASCII."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    most: ClassVar[int] = 64
    _pattern: ClassVar[re.Pattern[str]] = re.compile("[0-9A-Za-z]{1,64}", re.ASCII)

    def read(self, name: str, text: str) -> str:
        text = text.strip(" ")
        if not self._pattern.fullmatch(text):
            raise NotTrackingNumber(name=name, most=self.most)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9A-Za-z]{1,64}$"}


OrderId = Annotated[str, v.StrictId(), Doc("The order's id, 24 hex digits.")]
Start = Annotated[int, Whole(0, MOST_START), Doc("How many to pass over; 0 is the beginning.")]
Limit = Annotated[int, Whole(1, 500), Doc("How many orders a page has, 1 to 500.")]
Since = Annotated[
    datetime,
    Moment(),
    Doc("Only orders changed at or after this time: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, UTC."),
]
Upto = Annotated[
    datetime,
    Moment(),
    Doc("Only orders changed before this time: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, UTC."),
]
ExpressOnly = Annotated[bool, Boolean(), Doc("Whether only Wish Express orders are listed.")]
Provider = Annotated[
    str, LookedUp(100), Doc("The carrier, one of those of fulfillment/get-shipping-carriers, spelled like there.")
]
Tracking = Annotated[str, TrackingNumber(), Doc("The carrier's number of the parcel: letters and digits only.")]
Street = v.AddressLine(200)
Place = v.AddressLine(100)
ShipNote = Annotated[str, Text(2000), Doc("A note to yourself; nobody else reads it.")]


@api.read("/order", scope="orders:read", fails=_FOUND)
async def get_order(ctx: MerchantCtx, *, id: OrderId, base_url: BaseUrl) -> OrderItem:
    """Retrieve an order."""
    return order_item(await orders.find_order(ctx, id), ctx.now, base_url)


@api.read("/order/multi-get", scope="orders:read", fails=[SpanReversed])
async def list_orders(
    ctx: MerchantCtx,
    *,
    start: Start = 0,
    limit: Limit = 50,
    since: Since | None = None,
    upto: Upto | None = None,
    wish_express_only: ExpressOnly = False,
    show_original_shipping_detail: Annotated[
        bool, Boolean(), Doc("Whether the buyer's own address is told of orders that go to a consolidation centre.")
    ] = False,
    base_url: BaseUrl,
) -> Listing[OrderItem]:
    """List all orders that were changed in a span of time.

    In the order in which they were placed. Without a span all orders are listed.
    """
    if since and upto and upto <= since:
        raise SpanReversed(name="upto")
    page = Page(start, limit)
    found, more = await orders.list_orders(ctx, OrderFilter(since, upto, wish_express_only), page)
    shown = show_original_shipping_detail
    told = [order_item(order, ctx.now, base_url, show_original=shown) for order in found]
    return Listing(told, page, more)


@api.read("/order/get-fulfill", scope="orders:read")
async def list_to_fulfil(
    ctx: MerchantCtx,
    *,
    start: Start = 0,
    limit: Limit = 50,
    since: Since | None = None,
    wish_express_only: ExpressOnly = False,
    base_url: BaseUrl,
) -> Listing[OrderItem]:
    """List the orders that you have to fulfil.

    In the order in which they were placed, each with the time that is left.
    """
    page = Page(start, limit)
    wanted = OrderFilter(since, None, wish_express_only)
    found, more = await orders.list_to_fulfil(ctx, wanted, page)
    told = [order_item(order, ctx.now, base_url, show_original=False) for order in found]
    return Listing(told, page, more)


@api.write(
    "/order/fulfill-one",
    scope="orders:write",
    says="Your order is been processed right now!",
    fails=[
        *_FOUND,
        f.CarrierUnknown,
        f.OrderFulfilled,
        f.OrderRefunded,
        f.OrderUnderReview,
        f.ParcelNotForOrder,
        f.TrackingMissing,
        f.TrackingReused,
        NotTrackingNumber,
    ],
)
async def fulfil_order(
    ctx: MerchantCtx,
    *,
    id: OrderId,
    tracking_provider: Provider,
    tracking_number: Annotated[
        Tracking,
        Doc(
            "The carrier's number of the parcel: letters and digits only. Required for orders released from 15 "
            "January 2021 on."
        ),
    ]
    | None = None,
    ship_note: ShipNote | None = None,
    origin_country_code: Annotated[
        str, Country(reference.ISO_COUNTRIES), Doc("Where the parcel sets off: ISO 3166 alpha-2, such as CN.")
    ]
    | None = None,
) -> Success:
    """Fulfil an order.

    The order must be APPROVED, and is SHIPPED then. Several orders can go in one parcel, under one number, if they
    have one recipient and were released within 5 days.
    """
    shipment = Shipment(tracking_provider, tracking_number, ship_note, origin_country_code)
    await orders.fulfil_order(ctx, id, shipment)
    return SUCCESS


@api.write(
    "/order/modify-tracking",
    scope="orders:write",
    fails=[
        *_FOUND,
        f.CarrierUnknown,
        f.OrderNotShipped,
        f.ParcelNotForOrder,
        f.TrackingConfirmed,
        f.TrackingReused,
        NotTrackingNumber,
    ],
)
async def modify_tracking(
    ctx: MerchantCtx,
    *,
    id: OrderId,
    tracking_provider: Provider,
    tracking_number: Tracking,
    ship_note: Annotated[ShipNote, Doc("A note to yourself; the old one stays where this is left out.")]
    | None = None,
) -> Success:
    """Change how an order was shipped.

    The order must be SHIPPED, and its carrier must not have seen the parcel yet.
    """
    await orders.modify_tracking(ctx, id, Shipment(tracking_provider, tracking_number, ship_note))
    return SUCCESS


@api.write(
    "/order/refund",
    scope="orders:write",
    fails=[*_FOUND, f.OrderRefunded, f.ReasonNotAccepted, f.ReasonForUnfulfilled, f.ReasonNoteMissing],
)
async def refund_order(
    ctx: MerchantCtx,
    *,
    id: OrderId,
    reason_code: Annotated[
        str,
        Choice(tuple(str(code) for code in sorted(reference.REFUND_REASONS))),
        Doc("Why, by its code; -1 is another reason, which the note tells. An installation may accept only some."),
    ],
    reason_note: Annotated[str, Text(2000, strip=True), Doc("Why, in your own words; required with the code -1.")]
    | None = None,
) -> Success:
    """Refund an order.

    Whatever its state is, unless it is refunded already; it is REFUNDED then and must not be shipped.
    """
    rules = ctx.order_rules or OrderRules()
    await orders.refund_order(ctx, id, int(reason_code), reason_note, rules)
    return SUCCESS


@api.write("/order/change-shipping", scope="orders:write", fails=[*_FOUND, f.OrderOnItsWay, f.OrderRefunded])
async def change_shipping(
    ctx: MerchantCtx,
    *,
    id: OrderId,
    street_address1: Annotated[str, Street, Doc("The street and the number.")],
    street_address2: Annotated[str, Street, Doc("More about the street; none if left out.")] | None = None,
    city: Annotated[str, Place, Doc("The town.")],
    state: Annotated[str, Place, Doc("The state or province; none if left out.")] | None = None,
    zipcode: Annotated[str, v.AddressLine(20), Doc("The postal code.")],
    country: Annotated[str, Country(reference.ISO_COUNTRIES), Doc("The country: ISO 3166 alpha-2, such as US.")],
    phone_number: Annotated[str, v.AddressLine(40), Doc("The recipient's telephone; the old one if left out.")]
    | None = None,
) -> Success:
    """Change the shipping address of an order.

    As long as it is not shipped. The recipient stays, and so does what the buyer has paid.
    """
    new = NewAddress(street_address1, city, zipcode, country, street_address2, state, phone_number)
    await orders.change_address(ctx, id, new)
    return SUCCESS
