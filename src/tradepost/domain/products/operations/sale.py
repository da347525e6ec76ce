"""What an order does to the catalogue. It takes the products first, like everybody who changes something of them.

What is read before that may change until then; taking stock looks once more at whatever must not.

A sale changes stock and how much was sold. It is no change by the merchant: the product's last change stays when it
was, or lists would be in another order after each sale.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tradepost.domain.context import MerchantCtx
from tradepost.domain.products import failures
from tradepost.domain.products.product import Goods
from tradepost.domain.products.rows import sale as rows


async def find_goods(ctx: MerchantCtx, skus: Collection[str]) -> Mapping[str, Goods]:
    """What is sold under these SKUs, by SKU; raises VariationNotFound for the first that nothing live has."""
    found = {goods.sku: goods for goods in await rows.goods(ctx.db, ctx.actor.id, skus)}
    for sku in skus:
        if sku not in found:
            raise failures.VariationNotFound(sku=sku)
    return found


async def hold_goods(ctx: MerchantCtx, goods: Collection[Goods]) -> None:
    """Take the products of these goods for this transaction."""
    await rows.hold(ctx.db, ctx.actor.id, {one.product_id for one in goods})


async def take_stock(ctx: MerchantCtx, goods: Goods, warehouse: str, pieces: int) -> bool:
    """Take pieces of held goods out of the stock of a warehouse; whether there were as many, and for sale."""
    shelf = goods.shelves.get(warehouse)
    return shelf is not None and await rows.take(
        ctx.db, ctx.actor.id, goods.product_id, goods.variation_id, shelf.warehouse_id, pieces
    )


async def count_sold(ctx: MerchantCtx, sold: Mapping[str, int]) -> None:
    """Count pieces as sold, by the id of the product, all of which are held."""
    await rows.count_sold(ctx.db, ctx.actor.id, sold)
