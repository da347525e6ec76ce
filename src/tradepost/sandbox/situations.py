"""Situations: small states of a shop that a connector has to cope with, made at a word by what leads there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from tradepost.domain import orders, products, reference, shipping, tickets, warehouses
from tradepost.domain.context import MerchantCtx
from tradepost.domain.failure import Failure
from tradepost.domain.orders import Item, OrderRules, Placed, Purchase, RefundWish, Scan, Shipment
from tradepost.domain.orders.order import TIME_TO_FULFIL
from tradepost.domain.products import ListFilter, ProductRef
from tradepost.domain.shipping import PlaceChanges
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


class NoExpressWarehouse(Failure):
    """The shop has no Express warehouse for a country that somebody in this world lives in."""

    merchant_id: str


class NothingInStock(Failure):
    """The shop has no two reviewed variations of which five pieces are in stock."""

    merchant_id: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A situation by its name: what can be seen in it, and what leads there, which tells the ids of it."""

    name: str
    shows: str
    play: Callable[[MerchantCtx, OrderRules], Awaitable[Ids]]


async def stocked_skus(shop: MerchantCtx) -> list[str]:
    """The variations of the shop's first products of which there are some pieces to be bought."""
    listed, _ = await products.list_products(shop, ListFilter(None, None, True), Page(0, _PRODUCTS))
    return sorted(
        one.sku
        for product in listed
        if product.review_status == "approved"
        for one in product.variations
        if one.enabled and (one.inventory or 0) >= _ENOUGH
    )


async def skus_in_stock(shop: MerchantCtx) -> list[str]:
    """Two of them or more; raises NothingInStock."""
    found = await stocked_skus(shop)
    if len(found) < 2:
        raise NothingInStock(merchant_id=shop.actor.id)
    return found


async def _buy(
    shop: MerchantCtx, rules: OrderRules, ago: timedelta = AN_HOUR, pieces: int = 1, review: bool = False
) -> Placed:
    skus = (await skus_in_stock(shop))[:pieces]
    purchase = Purchase(
        address=BUYER.address, items=tuple(Item(sku) for sku in skus), buyer_id=shop.new_id(), under_review=review
    )
    return await orders.place_order(replace(shop, now=shop.now - ago), purchase, rules)


async def _open(shop: MerchantCtx, rules: OrderRules) -> Ids:
    return {"order_id": (await _buy(shop, rules)).order_ids[0]}


async def _late(shop: MerchantCtx, rules: OrderRules) -> Ids:
    return {"order_id": (await _buy(shop, rules, TIME_TO_FULFIL - AN_HOUR)).order_ids[0]}


async def _express(shop: MerchantCtx, rules: OrderRules) -> Ids:
    """The product joins Express where it has not, and has some pieces there."""
    sku = (await skus_in_stock(shop))[0]
    homes = {home.country: home.name for home in await warehouses.list_warehouses(shop) if home.country}
    person = next((one for one in PEOPLE if one.address.country in homes), None)
    if person is None:
        raise NoExpressWarehouse(merchant_id=shop.actor.id)
    country = person.address.country
    product_id = (await products.find_goods(shop, [sku]))[sku].product_id
    early = replace(shop, now=shop.now - AN_HOUR)
    places = [PlaceChanges(country=country, wish_express=True)]
    if (region := f"{country}_{person.address.state_or_province}") in reference.REGIONS:
        # Express goes to no region that nothing is said of.
        places.append(PlaceChanges(country=region, enabled=True, warehouse_name=homes[country]))
    for place in places:
        await shipping.update_place(early, ProductRef(id=product_id), place)
    await products.update_inventory(early, sku, _ENOUGH, homes[country])
    purchase = Purchase(address=person.address, items=(Item(sku),), buyer_id=shop.new_id())
    order_id = (await orders.place_order(early, purchase, rules)).order_ids[0]
    order = await orders.find_order(shop, order_id)
    assert order.deliver_by is not None
    return {"order_id": order_id, "warehouse": homes[country], "deliver_by": order.deliver_by.isoformat()}


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
    sku = (await skus_in_stock(shop))[0]
    await products.update_inventory(shop, sku, 0)
    return {"sku": sku}


SCENES: Final = {
    scene.name: scene
    for scene in (
        Scene("open-order", "An order of an hour ago that waits to be shipped.", _open),
        Scene("late-order", "An order that is refunded in an hour unless it is shipped.", _late),
        Scene("express-order", "An order from an Express warehouse, which its buyer must have by a day.", _express),
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

    Raises SceneUnknown, NothingInStock, NoExpressWarehouse.
    """
    scene = SCENES.get(name)
    if scene is None:
        raise SceneUnknown(name=name[:64])
    return await scene.play(shop, rules)
