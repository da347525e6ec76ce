"""`tradepost product`: what the marketplace does about products, by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from tradepost.domain import products
from tradepost.domain.context import Ctx
from tradepost.domain.products import ProductLine
from tradepost.surfaces.cli.accounts import MerchantId, run, run_for
from tradepost.values import FIRST, LAST

SHOWN = 200

group = typer.Typer(help="Products of shops, and their review.", no_args_is_help=True)

ProductId = Annotated[str, typer.Argument(help="Id of the product.")]


@group.command("list")
def list_products(
    merchant_id: Annotated[
        str | None, typer.Argument(help="Id of the shop; all that await their review if left out.")
    ] = None,
) -> None:
    """Show the latest products of a shop, or those of all shops that await their review, the oldest first."""

    async def pending(ctx: Ctx) -> list[ProductLine]:
        return (await products.pending_products(ctx, FIRST, SHOWN))[0]

    if merchant_id is None:
        found = run(pending)
    else:
        found = run_for(merchant_id, lambda ctx: products.page_products(ctx, LAST, SHOWN))[0]
    for one in found:
        print(f"{one.merchant_id}  {one.id}  {one.review_status:<8}  {one.parent_sku}  {' '.join(one.skus)}")


@group.command("approve")
def approve_product(
    merchant_id: MerchantId,
    product_id: ProductId,
    category: Annotated[str | None, typer.Option(help="What to file it under; as it was if left out.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Tags of the marketplace's own; repeat it; as they were if left out.")
    ] = None,
) -> None:
    """Let a product pass its review."""
    run_for(
        merchant_id,
        lambda ctx: products.review_product(ctx, product_id, "approved", category, tag),
        "review_product",
        product_id=product_id[:64],
        verdict="approved",
    )
    print("approved")


@group.command("reject")
def reject_product(
    merchant_id: MerchantId,
    product_id: ProductId,
    reason: Annotated[str, typer.Argument(help="Why, in words that the shop reads.")],
) -> None:
    """Let a product not pass its review, which takes it off sale, and tell its merchant why."""
    run_for(
        merchant_id,
        lambda ctx: products.review_product(ctx, product_id, "rejected", reason=reason),
        "review_product",
        product_id=product_id[:64],
        verdict="rejected",
    )
    print("rejected")


@group.command("remove-variation")
def remove_variation(
    merchant_id: MerchantId, sku: Annotated[str, typer.Argument(help="The SKU of the variation.")]
) -> None:
    """Take a variation off sale for good, and tell its merchant."""
    run_for(merchant_id, lambda ctx: products.take_down_variation(ctx, sku), "remove_variation", sku=sku[:64])
    print("removed")
