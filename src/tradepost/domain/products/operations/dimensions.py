"""Setting and finding the dimensions of products and variations, by their ids."""

from __future__ import annotations

from dataclasses import asdict

from tradepost.domain.context import MerchantCtx
from tradepost.domain.products import failures
from tradepost.domain.products.dimensions import Dimensions, NewDimensions
from tradepost.domain.products.operations.product import hold_product
from tradepost.domain.products.product import ProductRef
from tradepost.domain.products.rows import dimensions as rows
from tradepost.domain.products.rows import products, variations


async def set_dimensions(
    ctx: MerchantCtx, product_id: str, variation_id: str | None, measured: NewDimensions
) -> None:
    """Set the dimensions of a variation or, without one, of a product as such.

    Raises ProductNotFound, ProductRemoved, VariationIdNotFound.
    """
    await hold_product(ctx, ProductRef(id=product_id))
    columns = asdict(measured)
    if variation_id is None:
        await rows.set_of_product(ctx.db, ctx.actor.id, product_id, columns)
        return
    if await rows.of_variation(ctx.db, ctx.actor.id, product_id, variation_id) is None:
        raise failures.VariationIdNotFound(id=variation_id)
    await variations.set_logistics(ctx.db, ctx.actor.id, product_id, variation_id, columns)
    await products.update(ctx.db, ctx.actor.id, product_id, {}, ctx.now)


async def find_dimensions(ctx: MerchantCtx, product_id: str, variation_id: str | None = None) -> Dimensions:
    """The dimensions of a variation or, without one, of a product; raises ProductNotFound, VariationIdNotFound."""
    found = await rows.of_product(ctx.db, ctx.actor.id, product_id)
    if found is None:
        raise failures.ProductNotFound(id=product_id)
    if variation_id is not None:
        found = await rows.of_variation(ctx.db, ctx.actor.id, product_id, variation_id)
        if found is None:
            raise failures.VariationIdNotFound(id=variation_id)
    return found


async def find_unmeasured(ctx: MerchantCtx, product_id: str) -> str | None:
    """The SKU of the first variation that lacks a dimension, as its product does; None where all is there."""
    return await rows.unmeasured(ctx.db, ctx.actor.id, product_id)
