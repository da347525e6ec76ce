"""What a merchant sees of all his products at once."""

from __future__ import annotations

from tradepost.domain.context import MerchantCtx
from tradepost.domain.products.product import ShopFilter, ShopLine, StockCount
from tradepost.domain.products.rows import shop as rows
from tradepost.values import Bookmark


async def page_shop(
    ctx: MerchantCtx, wanted: ShopFilter, after: Bookmark, limit: int
) -> tuple[list[ShopLine], bool]:
    """Some products of the acting merchant behind a place in the list, the last changed first."""
    return await rows.page(ctx.db, ctx.actor.id, wanted, after, limit)


async def count_stock(ctx: MerchantCtx) -> StockCount:
    """How the stock of the acting merchant stands."""
    return await rows.count_stock(ctx.db, ctx.actor.id)
