"""Chapter *Orders*: what buyers buy, and their money back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tradepost.domain import merchants, operators, orders, reference
from tradepost.domain.context import OperatorCtx
from tradepost.domain.inbox.failures import TextUnusable
from tradepost.domain.merchants import MerchantUnknown
from tradepost.domain.orders import Item, OrderRules, Purchase, RefundWish
from tradepost.domain.orders import failures as f
from tradepost.domain.products.failures import VariationNotFound
from tradepost.surfaces.operator_v1 import vocabulary as v
from tradepost.surfaces.operator_v1.order_views import Order, Orders, OrderState, PlacedOrders, order
from tradepost.surfaces.operator_v1.surface import api
from tradepost.values import LAST
from tradepost.wire.bodies import Many, StrictObject
from tradepost.wire.params import Boolean, Choice, Country, Doc, Key, LookedUp, Whole

_FOUND = (MerchantUnknown, f.OrderNotFound)
BY = (orders.BY_CUSTOMER, orders.BY_WISH, orders.BY_WISH_FOR_MERCHANT)


@dataclass(frozen=True, kw_only=True)
class ItemToBuy:
    """So many pieces of one SKU."""

    sku: Annotated[str, Key(100), Doc("The SKU of the variation.")]
    quantity: Annotated[int, Whole(1, 500_000), Doc("How many pieces.")] = 1


@dataclass(frozen=True, kw_only=True)
class AddressToShipTo:
    """Where the parcel goes."""

    recipient: Annotated[str, LookedUp(200), Doc("Who gets it.")]
    street_address1: Annotated[str, LookedUp(200), Doc("The street and the number.")]
    city: Annotated[str, LookedUp(100), Doc("The town.")]
    country: Annotated[str, Country(reference.ISO_COUNTRIES), Doc("The country: ISO 3166 alpha-2, such as US.")]
    street_address2: Annotated[str, LookedUp(200), Doc("More about the street.")] | None = None
    street_address3: Annotated[str, LookedUp(200), Doc("Even more about the street.")] | None = None
    state_or_province: Annotated[str, LookedUp(100), Doc("The state or province.")] | None = None
    zipcode: Annotated[str, LookedUp(20), Doc("The postal code.")] | None = None
    phone_number: Annotated[str, LookedUp(40), Doc("The recipient's telephone.")] | None = None


@dataclass(frozen=True, kw_only=True)
class OrderToPlace:
    """A cart that was paid for."""

    merchant_id: v.MerchantId
    items: Annotated[tuple[ItemToBuy, ...], Many(1, 100), Doc("What is bought, all of it from one merchant.")]
    address: Annotated[AddressToShipTo, Doc("Where it goes.")]
    buyer_id: Annotated[str, v.Id(), Doc("The id of a buyer who ordered before; a new one if left out.")] | None = (
        None
    )
    under_review: Annotated[
        bool, Boolean(), Doc("Whether it waits for `orders/release` before the merchant may ship it.")
    ] = False
    vat_required: Annotated[bool, Boolean(), Doc("Whether value added tax is due where it goes.")] = False
    original_address: (
        Annotated[AddressToShipTo, Doc("Where the buyer is, if `address` is a centre that sends the parcel on.")]
        | None
    ) = None

    def told(self) -> Purchase:
        """The purchase for the domain."""
        home = None if self.original_address is None else orders.Address(**vars(self.original_address))
        return Purchase(
            address=orders.Address(**vars(self.address)),
            items=[Item(item.sku, item.quantity) for item in self.items],
            buyer_id=self.buyer_id,
            under_review=self.under_review,
            vat_required=self.vat_required,
            original_address=home,
        )


@dataclass(frozen=True, kw_only=True)
class OrderToChange:
    """Which order something is done to."""

    merchant_id: v.MerchantId
    order_id: v.OrderId


@dataclass(frozen=True, kw_only=True)
class OrderToRefund(OrderToChange):
    """Which order is refunded, for whom and why."""

    reason: v.Words
    by: Annotated[
        str, Choice(BY), Doc("In whose name: the buyer's, the marketplace's, or its own for the merchant.")
    ] = orders.BY_WISH
    responsibility: Annotated[int, Whole(0, 100), Doc("The merchant's part of it in percent.")] = 100


@api.read("/orders", scope="orders:read", fails=[MerchantUnknown])
async def list_orders(
    ctx: OperatorCtx,
    *,
    merchant_id: v.MerchantId,
    transaction_id: Annotated[str, v.Id(), Doc("Only those of this purchase.")] | None = None,
    tracking_number: Annotated[v.Number, Doc("Only those that travel under this number, in any case.")]
    | None = None,
    after: v.After = LAST,
    limit: v.Limit = v.DEFAULT_LIMIT,
) -> Orders:
    """List orders of a merchant.

    The last placed first.
    """
    acting = await merchants.act_for(ctx, merchant_id)
    found, more = await orders.page_orders(
        acting, after, limit, transaction_id=transaction_id, tracking_number=tracking_number
    )
    places = [(one.placed_at, one.id) for one in found]
    return Orders([order(merchant_id, one) for one in found], v.next_page(more, places))


@api.read("/orders/get", scope="orders:read", fails=_FOUND)
async def get_order(ctx: OperatorCtx, *, merchant_id: v.MerchantId, order_id: v.OrderId) -> Order:
    """Get an order."""
    return order(merchant_id, await orders.find_order(await merchants.act_for(ctx, merchant_id), order_id))


@api.write(
    "/orders/place",
    scope="orders:write",
    fails=[
        MerchantUnknown,
        VariationNotFound,
        f.AddressUnusable,
        f.MoreThanAllowed,
        f.NotForSale,
        f.NotShippedThere,
        f.OutOfStock,
    ],
)
async def place_order(
    ctx: OperatorCtx, *, cart: Annotated[OrderToPlace, StrictObject(OrderToPlace), Doc("What is bought.")]
) -> PlacedOrders:
    """Place an order.

    For a buyer who has paid: everything in the cart or nothing. Each SKU becomes an order with its price and stock
    of this moment; together they are one transaction. Pieces of one SKU that stand in the cart twice are one order.
    """
    acting = await merchants.act_for(ctx, cart.merchant_id)
    placed = await orders.place_order(acting, cart.told(), ctx.order_rules or OrderRules())
    about = {"transaction_id": placed.transaction_id, "order_ids": placed.order_ids}
    await operators.record_act(ctx, "place_order", cart.merchant_id, about)
    found = await orders.find_orders(acting, placed.order_ids)
    told = [order(cart.merchant_id, found[order_id]) for order_id in placed.order_ids]
    return PlacedOrders(placed.transaction_id, told)


@api.write("/orders/release", scope="orders:write", fails=[*_FOUND, f.OrderNotUnderReview])
async def release_order(
    ctx: OperatorCtx, *, wish: Annotated[OrderToChange, StrictObject(OrderToChange), Doc("Which order.")]
) -> OrderState:
    """Release an order.

    Its review is over: the merchant may ship it from now on, and has his five days.
    """
    await orders.release_order(await merchants.act_for(ctx, wish.merchant_id), wish.order_id)
    return await _done(ctx, "release_order", wish)


@api.write("/orders/refund", scope="orders:write", fails=[*_FOUND, TextUnusable, f.OrderRefunded])
async def refund_order(
    ctx: OperatorCtx, *, wish: Annotated[OrderToRefund, StrictObject(OrderToRefund), Doc("Which order, and why.")]
) -> OrderState:
    """Refund an order.

    In the name of its buyer or of the marketplace, whatever its state is; its merchant is told.
    """
    refund = RefundWish(wish.by, wish.reason, responsibility=wish.responsibility)
    await orders.refund_for(await merchants.act_for(ctx, wish.merchant_id), wish.order_id, refund)
    return await _done(ctx, "refund_order", wish)


@api.write(
    "/orders/cancel-tracking",
    scope="orders:write",
    fails=[*_FOUND, f.OrderNotShipped, f.TrackingConfirmed, f.TrackingTooOld],
)
async def cancel_tracking(
    ctx: OperatorCtx, *, wish: Annotated[OrderToChange, StrictObject(OrderToChange), Doc("Which order.")]
) -> OrderState:
    """Let an order be shipped again.

    One that was marked as shipped and did not leave after all: within 25 days, and until its carrier has seen it.
    """
    await orders.cancel_tracking(await merchants.act_for(ctx, wish.merchant_id), wish.order_id)
    return await _done(ctx, "cancel_tracking", wish)


async def _done(ctx: OperatorCtx, verb: str, wish: OrderToChange) -> OrderState:
    await operators.record_act(ctx, verb, wish.merchant_id, {"order_id": wish.order_id})
    acting = await merchants.act_for(ctx, wish.merchant_id)
    return OrderState(wish.order_id, (await orders.find_order(acting, wish.order_id)).state)
