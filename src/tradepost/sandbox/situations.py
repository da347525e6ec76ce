"""Situations: small states of a shop that a connector has to cope with, made at a word by what leads there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from tradepost.domain import orders, products, tickets
from tradepost.domain.context import MerchantCtx
from tradepost.domain.failure import Failure
from tradepost.domain.orders import Item, OrderRules, Placed, Purchase, RefundWish, Scan, Shipment
from tradepost.domain.orders.order import TIME_TO_FULFIL
from tradepost.domain.products import ListFilter
from tradepost.domain.tickets import Buyer, NewReply, NewTicket
from tradepost.sandbox.traffic import PEOPLE
from tradepost.values import Page

Ids = Mapping[str, str]
BUYER: Final = PEOPLE[0]
AN_HOUR: Final = timedelta(hours=1)
_ENOUGH: Final = 5
_PRODUCTS: Final = 50


class SceneUnknown(Failure):
    """There is no scene of this name."""

    name: str


class NothingInStock(Failure):
    """The shop has no two reviewed variations of which five pieces are in stock."""

    merchant_id: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A situation by its name: what can be seen in it, and what leads there, which tells the ids of it."""

    name: str
    shows: str
    play: Callable[[MerchantCtx, OrderRules], Awaitable[Ids]]


async def _skus(shop: MerchantCtx) -> list[str]:
    """Two variations that can be bought."""
    listed, _ = await products.list_products(shop, ListFilter(None, None, True), Page(0, _PRODUCTS))
    found = sorted(
        one.sku
        for product in listed
        if product.review_status == "approved"
        for one in product.variations
        if one.enabled and (one.inventory or 0) >= _ENOUGH
    )
    if len(found) < 2:
        raise NothingInStock(merchant_id=shop.actor.id)
    return found[:2]


async def _buy(
    shop: MerchantCtx, rules: OrderRules, ago: timedelta = AN_HOUR, pieces: int = 1, review: bool = False
) -> Placed:
    skus = (await _skus(shop))[:pieces]
    purchase = Purchase(
        address=BUYER.address, items=tuple(Item(sku) for sku in skus), buyer_id=shop.new_id(), under_review=review
    )
    return await orders.place_order(replace(shop, now=shop.now - ago), purchase, rules)


async def _open(shop: MerchantCtx, rules: OrderRules) -> Ids:
    return {"order_id": (await _buy(shop, rules)).order_ids[0]}


async def _late(shop: MerchantCtx, rules: OrderRules) -> Ids:
    return {"order_id": (await _buy(shop, rules, TIME_TO_FULFIL - AN_HOUR)).order_ids[0]}


async def _review(shop: MerchantCtx, rules: OrderRules) -> Ids:
    return {"order_id": (await _buy(shop, rules, review=True)).order_ids[0]}


async def _combined(shop: MerchantCtx, rules: OrderRules) -> Ids:
    placed = await _buy(shop, rules, pieces=2)
    first, second = placed.order_ids
    return {"transaction_id": placed.transaction_id, "order_id": first, "second_order_id": second}


async def _shipped(shop: MerchantCtx, rules: OrderRules) -> Ids:
    order_id = (await _buy(shop, rules, timedelta(days=12))).order_ids[0]
    number = f"1Z{shop.new_id()[:16].upper()}"
    sent = replace(shop, now=shop.now - timedelta(days=10))
    await orders.fulfil_order(sent, order_id, Shipment("UPS", number, None, "CN"))
    return {"order_id": order_id, "tracking_number": number}


async def _delivered(shop: MerchantCtx, rules: OrderRules) -> Ids:
    ids = await _shipped(shop, rules)
    for days, kind in ((9, "accepted"), (6, "in_transit"), (1, "delivered")):
        at = replace(shop, now=shop.now - timedelta(days=days))
        await orders.record_scan(at, ids["tracking_number"], Scan(kind, at.now, BUYER.address.city))
    return ids


async def _refunded(shop: MerchantCtx, rules: OrderRules) -> Ids:
    ids = await _open(shop, rules)
    wish = RefundWish(orders.BY_CUSTOMER, "Customer cancelled the order", responsibility=0)
    await orders.refund_for(shop, ids["order_id"], wish)
    return ids


async def _ticket(shop: MerchantCtx, rules: OrderRules) -> Ids:
    ids = await _shipped(shop, rules)
    asked = NewTicket(
        kind=tickets.POST_PURCHASE,
        buyer=Buyer(shop.new_id(), BUYER.name, shop.now - timedelta(days=400), BUYER.locale),
        subject="Where is my order?",
        label="Shipping Status or ETA Inquiry",
        order_ids=[ids["order_id"]],
        first=NewReply(message="It should have been here a week ago."),
    )
    return {**ids, "ticket_id": await tickets.open_ticket(shop, asked)}


async def _sold_out(shop: MerchantCtx, rules: OrderRules) -> Ids:
    sku = (await _skus(shop))[0]
    await products.update_inventory(shop, sku, 0)
    return {"sku": sku}


SCENES: Final = {
    scene.name: scene
    for scene in (
        Scene("open-order", "An order of an hour ago that waits to be shipped.", _open),
        Scene("late-order", "An order that is refunded in an hour unless it is shipped.", _late),
        Scene("order-under-review", "An order that may not be shipped yet; `order release` ends that.", _review),
        Scene("combined-order", "Two orders of one purchase, to one address.", _combined),
        Scene("shipped-order", "An order that left ten days ago and that no carrier has seen.", _shipped),
        Scene("delivered-order", "An order that its buyer has, with all its scans.", _delivered),
        Scene("refunded-order", "An order that its buyer cancelled before it was shipped.", _refunded),
        Scene("out-of-stock", "A variation of a reviewed product of which nothing is left.", _sold_out),
        Scene("ticket-awaiting-merchant", "A buyer who asks where his order is, and waits for an answer.", _ticket),
    )
}


async def play_scene(shop: MerchantCtx, rules: OrderRules, name: str) -> Ids:
    """Let a situation come about in a shop; gives the ids of what it is about.

    Raises SceneUnknown, NothingInStock.
    """
    scene = SCENES.get(name)
    if scene is None:
        raise SceneUnknown(name=name[:64])
    return await scene.play(shop, rules)
