"""Chapter *Products*: what awaits its review, and what is taken off sale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from msgspec import Struct

from tradepost.domain import merchants, operators, products
from tradepost.domain.context import OperatorCtx
from tradepost.domain.inbox.failures import TextUnusable
from tradepost.domain.merchants import MerchantUnknown
from tradepost.domain.products import Verdict
from tradepost.domain.products.failures import ProductNotFound, ProductRemoved, VariationNotFound
from tradepost.surfaces.operator_v1 import vocabulary as v
from tradepost.surfaces.operator_v1.failures import ReasonMissing
from tradepost.surfaces.operator_v1.surface import api
from tradepost.values import FIRST, LAST
from tradepost.wire.bodies import Many, StrictObject
from tradepost.wire.params import Choice, Doc, Key, Text

Label = Annotated[str, Text(200, strip=True)]
VERDICTS = ("approved", "rejected", "pending")


class Product(Struct, gc=False):
    """A product.

    `review_status` is `pending`, `approved` or `rejected`. `skus` are those of its variations.
    """

    id: str
    merchant_id: str
    parent_sku: str
    name: str
    review_status: str
    category: str | None
    created_at: str
    updated_at: str
    skus: list[str]


class Products(Struct, gc=False):
    """A page of products. `next` is what `after` is for the next page, null where there is none."""

    products: list[Product]
    next: str | None


class Reviewed(Struct, gc=False):
    """What the review came to."""

    product_id: str
    review_status: str


class Removed(Struct, gc=False):
    """What was taken off sale."""

    merchant_id: str
    sku: str


@dataclass(frozen=True, kw_only=True)
class ProductToReview:
    """What the review of a product came to."""

    merchant_id: v.MerchantId
    product_id: Annotated[str, v.Id(), Doc("The id of the product.")]
    verdict: Annotated[str, Choice(VERDICTS), Doc("What it came to; `pending` puts it back into the queue.")]
    reason: Annotated[v.Words, Doc("Why, in words that the merchant reads; a rejection needs one.")] | None = None
    category: Annotated[Label, Doc("What to file it under; as it was if left out.")] | None = None
    auto_tags: (
        Annotated[
            tuple[str, ...],
            Text(200, strip=True),
            Many(0, 10),
            Doc("Tags of the marketplace's own; as they were if left out."),
        ]
        | None
    ) = None


@dataclass(frozen=True, kw_only=True)
class VariationToRemove:
    """What is taken off sale."""

    merchant_id: v.MerchantId
    sku: Annotated[str, Key(100), Doc("The SKU of the variation.")]


@api.read("/products", scope="products:read", fails=[MerchantUnknown])
async def list_products(
    ctx: OperatorCtx, *, merchant_id: v.MerchantId, after: v.After = LAST, limit: v.Limit = v.DEFAULT_LIMIT
) -> Products:
    """List products of a merchant.

    The last changed first, without those that he removed.
    """
    found, more = await products.page_products(await merchants.act_for(ctx, merchant_id), after, limit)
    return Products(_told(found), v.next_page(more, [(one.updated_at, one.id) for one in found]))


@api.read("/products/pending", scope="products:read")
async def list_pending_products(
    ctx: OperatorCtx, *, after: v.After = FIRST, limit: v.Limit = v.DEFAULT_LIMIT
) -> Products:
    """List products that await their review.

    Of all merchants, the oldest first.
    """
    found, more = await products.pending_products(ctx, after, limit)
    return Products(_told(found), v.next_page(more, [(one.created_at, one.id) for one in found]))


@api.write(
    "/products/review",
    scope="products:write",
    fails=[MerchantUnknown, ProductNotFound, ProductRemoved, ReasonMissing, TextUnusable],
)
async def review_product(
    ctx: OperatorCtx, *, review: Annotated[ProductToReview, StrictObject(ProductToReview), Doc("The review.")]
) -> Reviewed:
    """Review a product.

    What is rejected is not for sale, and its merchant is told why. A verdict may be given again, and changed.
    """
    if review.verdict == "rejected" and review.reason is None:
        raise ReasonMissing(name="reason", verdict=review.verdict)
    acting = await merchants.act_for(ctx, review.merchant_id)
    verdict = cast(Verdict, review.verdict)
    await products.review_product(
        acting, review.product_id, verdict, review.category, review.auto_tags, review.reason
    )
    about = {"product_id": review.product_id, "verdict": verdict}
    await operators.record_act(ctx, "review_product", review.merchant_id, about)
    return Reviewed(review.product_id, verdict)


@api.write("/products/remove-variation", scope="products:write", fails=[MerchantUnknown, VariationNotFound])
async def remove_variation(
    ctx: OperatorCtx, *, wish: Annotated[VariationToRemove, StrictObject(VariationToRemove), Doc("Which one.")]
) -> Removed:
    """Remove a variation.

    It is off sale for good, and its merchant is told; orders of it stay as they are.
    """
    await products.take_down_variation(await merchants.act_for(ctx, wish.merchant_id), wish.sku)
    await operators.record_act(ctx, "remove_variation", wish.merchant_id, {"sku": wish.sku})
    return Removed(wish.merchant_id, wish.sku)


def _told(found: list[products.ProductLine]) -> list[Product]:
    return [
        Product(
            id=one.id,
            merchant_id=one.merchant_id,
            parent_sku=one.parent_sku,
            name=one.name,
            review_status=one.review_status,
            category=one.category,
            created_at=v.moment(one.created_at),
            updated_at=v.moment(one.updated_at),
            skus=list(one.skus),
        )
        for one in found
    ]
