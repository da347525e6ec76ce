"""Buying: what a storefront does when its buyer has paid.

The products are taken first, in the order of their ids, like by everybody who changes several. The stock is taken
by a statement with its own condition, because a bulk update about stock takes no product.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from tradepost.domain import outbox, products, shipping
from tradepost.domain.context import Merchant, MerchantCtx
from tradepost.domain.orders import failures, machine
from tradepost.domain.orders.order import (
    MOST_ITEMS,
    Address,
    Item,
    Money,
    OrderRules,
    Placed,
    Purchase,
    settle_money,
    unfit_at,
)
from tradepost.domain.orders.rows import writing as rows
from tradepost.domain.products import Goods
from tradepost.domain.reference import ISO_COUNTRIES
from tradepost.domain.shipping import Way

RELEASED_TOPIC: Final = "order_released"
MOST_PIECES: Final = 500_000
_ID: Final = re.compile("[0-9a-f]{24}", re.ASCII)
_LENGTHS: Final = {
    "recipient": 200,
    "street_address1": 200,
    "street_address2": 200,
    "street_address3": 200,
    "city": 100,
    "state_or_province": 100,
    "zipcode": 20,
    "phone_number": 40,
}


async def place_order(ctx: MerchantCtx, purchase: Purchase, rules: OrderRules) -> Placed:
    """Buy everything in a cart or nothing: one transaction with an order for each SKU.

    Express ships where it goes there and has the pieces, STANDARD otherwise. Raises CartUnusable, AddressUnusable,
    VariationNotFound, NotForSale, MoreThanAllowed, NotShippedThere, OutOfStock.
    """
    check_address(purchase.address)
    if purchase.original_address is not None:
        check_address(purchase.original_address, "original_address.")
    pieces = pieces_of(purchase)
    if purchase.buyer_id is not None and not _ID.fullmatch(purchase.buyer_id):
        raise failures.AddressUnusable(name="buyer_id")
    address = purchase.address
    goods = await products.find_goods(ctx, list(pieces))
    ways = await shipping.find_ways(
        ctx, [one.product_id for one in goods.values()], address.country, address.state_or_province
    )
    for sku, one in goods.items():
        check_item(one, Item(sku, pieces[sku]))
    await products.hold_goods(ctx, list(goods.values()))
    shared = shared_columns(ctx, purchase, len(pieces) > 1)
    order_ids = {sku: ctx.new_id() for sku in pieces}
    orders = []
    # Whoever takes stock of several variations takes it in this order.
    for sku in sorted(pieces, key=lambda sku: (goods[sku].product_id, goods[sku].variation_id)):
        one, wanted = goods[sku], Item(sku, pieces[sku])
        way, money = await _ship(ctx, one, wanted, ways[one.product_id], address.country, rules)
        orders.append(
            {"id": order_ids[sku], **shared, **order_columns(ctx, one, wanted, way, money, purchase.under_review)}
        )
    await rows.insert(ctx.db, ctx.actor.id, orders)
    sold: dict[str, int] = {}
    for sku, count in pieces.items():
        sold[goods[sku].product_id] = sold.get(goods[sku].product_id, 0) + count
    await products.count_sold(ctx, sold)
    if not purchase.under_review:
        for order_id in order_ids.values():
            await outbox.record_event(ctx, ctx.actor.id, RELEASED_TOPIC, {"order_id": order_id})
    return Placed(shared["transaction_id"], tuple(order_ids.values()))


def pieces_of(purchase: Purchase) -> Mapping[str, int]:
    """How many pieces of each SKU are bought; raises CartUnusable."""
    pieces: dict[str, int] = {}
    for item in purchase.items:
        pieces[item.sku] = pieces.get(item.sku, 0) + item.quantity
    if not 1 <= len(pieces) <= MOST_ITEMS or not all(1 <= item.quantity <= MOST_PIECES for item in purchase.items):
        raise failures.CartUnusable(limit=MOST_ITEMS)
    return pieces


def check_address(address: Address, place: str = "") -> None:
    """Raises AddressUnusable for something that is missing, too long, or not one line of text.

    `place` is where the address stands, and comes before the name that is told.
    """
    if address.country not in ISO_COUNTRIES:
        raise failures.AddressUnusable(name=f"{place}country")
    for name, most in _LENGTHS.items():
        text = getattr(address, name)
        required = name in ("recipient", "street_address1", "city")
        if (required and not text) or (text and (len(text) > most or unfit_at(text) is not None)):
            raise failures.AddressUnusable(name=f"{place}{name}")


def check_item(goods: Goods, item: Item) -> None:
    """Raises NotForSale, MoreThanAllowed."""
    if not goods.for_sale:
        raise failures.NotForSale(sku=goods.sku)
    limit = min(goods.max_quantity or MOST_PIECES, MOST_PIECES)
    if item.quantity > limit:
        raise failures.MoreThanAllowed(sku=goods.sku, limit=limit)


async def _ship(
    ctx: MerchantCtx, goods: Goods, item: Item, ways: list[Way], country: str, rules: OrderRules
) -> tuple[Way, Money]:
    """The first way that has the pieces, which are taken out of its stock, and what it costs."""
    priced = [(way, money) for way in ways if (money := price_of(ctx.actor, goods, way, rules))]
    if not priced:
        raise failures.NotShippedThere(sku=goods.sku, country=country)
    for way, money in priced:
        if await products.take_stock(ctx, goods, way.warehouse, item.quantity):
            return way, money
    raise failures.OutOfStock(sku=goods.sku)


def price_of(merchant: Merchant, goods: Goods, way: Way, rules: OrderRules) -> Money | None:
    """What one piece costs in the currency that the merchant is paid in; None where nothing says it."""
    shelf = goods.shelves.get(way.warehouse)
    if shelf is None:
        return None
    said = None
    if way.price is not None:
        said = way.price.usd if merchant.paid_in_usd else way.price.localized
    own = shelf.shipping if merchant.paid_in_usd else shelf.localized_shipping
    price = goods.price if merchant.paid_in_usd else goods.localized_price
    postage = own if said is None else Decimal(said)
    if price is None or postage is None:
        return None
    return settle_money(price, postage, rules.share, merchant.payment_currency)


def shared_columns(ctx: MerchantCtx, purchase: Purchase, is_combined: bool) -> dict[str, Any]:
    """What all orders of a transaction say."""
    address = purchase.address
    return {
        "transaction_id": ctx.new_id(),
        "buyer_id": purchase.buyer_id or ctx.new_id(),
        "is_combined": is_combined,
        "needs_confirmation": machine.needs_confirmation(address.country),
        "vat_required": purchase.vat_required,
        "currency": ctx.actor.payment_currency,
        "placed_at": ctx.now,
        "updated_at": ctx.now,
        "country": address.country,
        **{name: getattr(address, name) for name in _LENGTHS},
        "original_address": purchase.original_address,
        "fine_ids": [],
    }


def order_columns(
    ctx: MerchantCtx, goods: Goods, item: Item, way: Way, money: Money, under_review: bool
) -> dict[str, Any]:
    """What one order says beyond its transaction."""
    return {
        "product_id": goods.product_id,
        "variation_id": goods.variation_id,
        "warehouse_id": goods.shelves[way.warehouse].warehouse_id,
        "is_express": way.is_express,
        "sku": goods.sku,
        "product_name": goods.name,
        "picture": goods.picture,
        "color": goods.color,
        "size": goods.size,
        "quantity": item.quantity,
        "price": money.price,
        "cost": money.cost,
        "shipping": money.shipping,
        "shipping_cost": money.shipping_cost,
        **machine.start(under_review, way.is_express, ctx.now),
    }
