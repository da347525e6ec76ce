"""What the marketplace does to a merchant's products: the reviewer's verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from tradepost.domain import inbox
from tradepost.domain.context import MerchantCtx
from tradepost.domain.products import failures
from tradepost.domain.products.product import ProductRef
from tradepost.domain.products.rows import products as rows
from tradepost.domain.products.rows import variations

Verdict = Literal["pending", "approved", "rejected"]
REJECTED_TOPIC: Final = "product_rejected"
REMOVED_TOPIC: Final = "variation_removed"


async def review_product(
    ctx: MerchantCtx, product_id: str, verdict: Verdict, category: str | None = None, auto_tags: Sequence[str] = ()
) -> None:
    """Say what the review found, file the product under a category, and add tags of the marketplace's own.

    A merchant whose product is rejected is told. Raises ProductNotFound.
    """
    product = await rows.lock(ctx.db, ctx.actor.id, ProductRef(id=product_id))
    if product is None:
        raise failures.ProductNotFound(id=product_id)
    columns = {"review_status": verdict, "category": category, "auto_tags": list(auto_tags)}
    await rows.update(ctx.db, ctx.actor.id, product.id, columns, ctx.now)
    if verdict == "rejected":
        about = {"product_id": product.id, "parent_sku": product.parent_sku}
        await inbox.notify(ctx, ctx.actor.id, REJECTED_TOPIC, about)


async def take_down_variation(ctx: MerchantCtx, sku: str) -> None:
    """Take a variation off sale for good, in the name of the marketplace, and tell its merchant.

    Raises VariationNotFound.
    """
    variation = await variations.lock(ctx.db, ctx.actor.id, sku)
    if variation is None:
        raise failures.VariationNotFound(sku=sku)
    await variations.update(ctx.db, ctx.actor.id, variation, sku, {"enabled": False, "removed_by_wish": True})
    await rows.update(ctx.db, ctx.actor.id, variation.product_id, {}, ctx.now)
    about = {"product_id": variation.product_id, "sku": sku}
    await inbox.notify(ctx, ctx.actor.id, REMOVED_TOPIC, about)
