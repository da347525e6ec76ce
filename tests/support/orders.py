"""The orders of the world: of a lamp in two kinds of wood, which its shop has meanwhile removed from the catalogue.

So lists of products have none of what was done to sell something. Ids come from a source of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.calls import EXPRESS, ORDERS
from tradepost.domain import orders, products, shipping
from tradepost.domain.context import MerchantCtx
from tradepost.domain.orders import Address, Item, OrderRules, Purchase, RefundWish, Scan, Shipment
from tradepost.domain.products import NewProduct, NewVariation, ProductRef
from tradepost.domain.shipping import PlaceChanges
from tradepost.sandbox import scenes
from tradepost.sandbox.cast import Shopkeeper

OPENED = datetime(2021, 5, 10, 8, 0, tzinfo=UTC)
FIRST_ORDER = datetime(2021, 5, 17, 10, 30, tzinfo=UTC)
BUYER = "60a4d0c60000000000000001"
RULES = OrderRules()

CANADIAN = Address(
    recipient="Robin Example",
    street_address1="1 Rue Imaginaire",
    city="Montréal",
    country="CA",
    state_or_province="QC",
    zipcode="H2Y 1A1",
    phone_number="+1 514 555 0199",
)
CENTRE = Address(
    recipient="Consolidation Centre",
    street_address1="9 Harbour Road",
    street_address2="Gate 4",
    city="Toronto",
    country="CA",
    zipcode="M5V 1A1",
)
EXPRESS_ADDRESSES = {
    "US": Address(
        recipient="王小明",
        street_address1="555 Glacier St",
        street_address2="Apt 5",
        city="Juneau",
        country="US",
        state_or_province="AK",
        zipcode="99801",
        phone_number="555-555-5555",
    ),
    "DE": Address(
        recipient="Jörg Beispiel", street_address1="Am Hafen 1", city="Köln", country="DE", zipcode="50667"
    ),
}


async def sell(shop: MerchantCtx, keeper: Shopkeeper) -> None:
    """Everything that a merchant can have orders of, each by the operation that leads there."""
    who = keeper.key
    shop = replace(shop, now=OPENED, new_id=scenes.seeded_ids(int(ORDERS[who]["open"][-2:], 16) + 100))
    lamp = await _lamp(shop, keeper)
    ids = ORDERS[who]
    express = EXPRESS_ADDRESSES[EXPRESS[who]]

    async def buy(after: int, names: tuple[str, ...], *items: Item, **more: Any) -> None:
        at = replace(shop, now=FIRST_ORDER + timedelta(hours=after))
        at = replace(at, new_id=_these([at.new_id(), *(ids[name] for name in names)], at.new_id))
        await orders.place_order(at, Purchase(items=items, buyer_id=BUYER, **more), RULES)

    later = replace(shop, now=FIRST_ORDER + timedelta(hours=20))
    await buy(0, ("delivered",), Item("lamp-oak"), address=express)
    await orders.fulfil_order(later, ids["delivered"], Shipment("UPS", f"1ZDELIVERED{who.upper()}", "box 1", "CN"))
    scan = Scan("delivered", later.now, "Juneau")
    await orders.record_scan(replace(later, now=later.now + timedelta(hours=1)), f"1ZDELIVERED{who}", scan)
    await buy(1, ("open", "combined"), Item("lamp-oak", 2), Item("lamp-birch"), address=CANADIAN)
    await buy(2, ("shipped",), Item("lamp-oak", 3), address=express)
    await orders.fulfil_order(later, ids["shipped"], Shipment("USPS", f"TR1234{who.upper()}", "box 2"))
    await buy(3, ("refunded",), Item("lamp-birch", 2), address=CENTRE, original_address=CANADIAN)
    wish = RefundWish(orders.BY_CUSTOMER, "Customer cancelled the order")
    await orders.refund_for(later, ids["refunded"], wish)
    await buy(4, ("review",), Item("lamp-birch"), address=CANADIAN, under_review=True)
    await products.remove_product(later, ProductRef(id=lamp))


def _these(first: list[str], then: Callable[[], str]) -> Callable[[], str]:
    """Ids that were chosen, and others when they are used up."""
    return lambda: first.pop(0) if first else then()


async def _lamp(shop: MerchantCtx, keeper: Shopkeeper) -> str:
    own = shop.actor.currency != "USD"

    def localized(**amounts: str) -> dict[str, Any]:
        if not own:
            return {}
        told: dict[str, Any] = {f"localized_{name}": Decimal(text) * keeper.rate for name, text in amounts.items()}
        return {**told, "localized_currency_code": shop.actor.currency}

    lamp = await products.add_product(
        shop,
        NewProduct(
            name="Lamp",
            description="A lamp of wood.",
            sku="lamp-oak",
            parent_sku="lamp",
            inventory=40,
            price=Decimal("8.00"),
            shipping=Decimal("2.35"),
            main_image="https://pictures.example/lamp.jpg",
            color="oak",
            size="M",
            **localized(price="8.00", shipping="2.35"),
        ),
    )
    await products.add_variation(
        shop,
        NewVariation(
            parent_sku="lamp",
            sku="lamp-birch",
            color="birch",
            inventory=40,
            price=Decimal("6.99"),
            main_image="https://pictures.example/birch.jpg",
            **localized(price="6.99"),
        ),
    )
    join = PlaceChanges(country=EXPRESS[keeper.key], wish_express=True)
    await shipping.update_place(shop, ProductRef(id=lamp.id), join)
    return lamp.id
