"""Changing many variations in one transaction: what a bulk update does with each of its packs.

Where it is about stock alone it does not take the products first, unlike a single change, because most of the time
would go into that: what keeps it from writing over a newer change is a condition in the very statement that writes.
Where it is about sale it takes them, like everybody, before it reads. Whoever set something notes the products as
changed in a later transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tradepost.domain.context import MerchantCtx
from tradepost.domain.products.product import KnownVariation
from tradepost.domain.products.rows import bulk as rows


async def next_revision(ctx: MerchantCtx) -> int:
    """The mark of this moment: every single change from now on has a higher one."""
    return await rows.next_revision(ctx.db)


async def find_variations(ctx: MerchantCtx, skus: Collection[str]) -> Mapping[str, KnownVariation]:
    """The live variations of these SKUs, by SKU."""
    return {variation.sku: variation for variation in await rows.find(ctx.db, ctx.actor.id, list(skus))}


async def hold_products(ctx: MerchantCtx, variations: Collection[KnownVariation]) -> None:
    """Take the products of these variations: what is read of them from now on holds until the end of it all."""
    await rows.hold_products(ctx.db, ctx.actor.id, list(variations))


async def find_newer(
    ctx: MerchantCtx, warehouse: str, revision: int, variations: Collection[KnownVariation]
) -> set[str]:
    """The ids of those variations whose stock in a warehouse or whose sale was changed after a revision."""
    warehouse_id = await rows.warehouse_id(ctx.db, ctx.actor.id, warehouse)
    return await rows.newer(ctx.db, ctx.actor.id, warehouse_id, revision, list(variations))


async def set_stock(
    ctx: MerchantCtx, warehouse: str, revision: int, changes: Collection[tuple[KnownVariation, int]]
) -> set[str]:
    """Set the stock of variations in one warehouse; each of them at most once.

    Gives the ids of those whose stock was changed after the revision, which stays.
    """
    warehouse_id = await rows.warehouse_id(ctx.db, ctx.actor.id, warehouse)
    return await rows.set_stock(ctx.db, ctx.actor.id, warehouse_id, revision, list(changes))


async def set_enabled(
    ctx: MerchantCtx, revision: int, changes: Collection[tuple[KnownVariation, bool]]
) -> set[str]:
    """Put variations on sale or take them off; each of them at most once.

    Gives the ids of those where that was changed after the revision, which stays.
    """
    return await rows.set_enabled(ctx.db, ctx.actor.id, revision, list(changes))


async def note_changes(ctx: MerchantCtx, product_ids: Collection[str]) -> None:
    """Let products count as changed now, after what was set of their variations."""
    await rows.touch(ctx.db, ctx.actor.id, list(product_ids), ctx.now)
