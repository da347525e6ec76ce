"""What the marketplace does to a merchant's products: the reviewer's verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from tradepost.domain import inbox
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.products import failures
from tradepost.domain.products.product import ProductLine, ProductRef
from tradepost.domain.products.rows import products as rows
from tradepost.domain.products.rows import reading, variations
from tradepost.values import Bookmark

Verdict = Literal["pending", "approved", "rejected"]
REJECTED_TOPIC: Final = "product_rejected"
REMOVED_TOPIC: Final = "variation_removed"
MOST_REASON: Final = 2_000
MOST_LABEL: Final = 200


async def review_product(
    ctx: MerchantCtx,
    product_id: str,
    verdict: Verdict,
    category: str | None = None,
    auto_tags: Sequence[str] | None = None,
    reason: str | None = None,
) -> None:
    """Say what the review found, file the product under a category, and give it tags of the marketplace's own.

    What is left out stays as it was. Any verdict may be given again, and changed. A merchant whose product is
    rejected is told, with the reason; what is rejected is not for sale, and not in lists that do not ask for it.
    Raises ProductNotFound, ProductRemoved, TextUnusable.
    """
    told = None if reason is None else inbox.checked_text("reason", reason, MOST_REASON)
    product = await rows.lock(ctx.db, ctx.actor.id, ProductRef(id=product_id))
    if product is None:
        raise failures.ProductNotFound(id=product_id)
    if product.removed:
        raise failures.ProductRemoved(id=product_id)
    columns: dict[str, object] = {"review_status": verdict}
    if category is not None:
        columns["category"] = inbox.checked_text("category", category, MOST_LABEL)
    if auto_tags is not None:
        columns["auto_tags"] = [inbox.checked_text("auto_tags", tag, MOST_LABEL) for tag in auto_tags]
    await rows.update(ctx.db, ctx.actor.id, product.id, columns, ctx.now)
    if verdict == "rejected":
        about = {"product_id": product.id, "parent_sku": product.parent_sku}
        await inbox.notify(ctx, ctx.actor.id, REJECTED_TOPIC, about if told is None else about | {"reason": told})


async def page_products(ctx: MerchantCtx, after: Bookmark, limit: int) -> tuple[list[ProductLine], bool]:
    """Some live products of a shop behind a place in the list, the last changed first; whether there are more."""
    return await reading.lines(ctx.db, ctx.actor.id, after, limit)


async def pending_products(ctx: Ctx, after: Bookmark, limit: int) -> tuple[list[ProductLine], bool]:
    """Some live products of any shop that await their review, the oldest first, and whether there are more."""
    return await reading.pending(ctx.db, after, limit)


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
