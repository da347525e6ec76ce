"""The verbs of variations. Each change counts as a change of the product, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tradepost.domain import pictures, warehouses
from tradepost.domain.context import MerchantCtx
from tradepost.domain.pictures import NO_PICTURE
from tradepost.domain.products import failures
from tradepost.domain.products.money import MOST_MSRP, MOST_PRICE, check_currency, price_columns, settle
from tradepost.domain.products.operations.pictures import is_change, name_pictures
from tradepost.domain.products.product import (
    DEFAULT_SHIPPING_TIME,
    MOST_PICTURES,
    MOST_VARIATIONS,
    NewVariation,
    Product,
    ProductRef,
    Variation,
    VariationChanges,
    given,
)
from tradepost.domain.products.rows import products, reading
from tradepost.domain.products.rows import variations as rows
from tradepost.values import NOT_GIVEN


async def find_variation(
    ctx: MerchantCtx, sku: str, warehouse_name: str | None = None
) -> tuple[Product, Variation]:
    """A live variation and the product it belongs to; raises WarehouseNotFound, VariationNotFound."""
    warehouse = await warehouses.known_name(ctx, warehouse_name)
    product = await reading.by_sku(ctx.db, ctx.actor.id, warehouse, sku)
    if product is None:
        raise failures.VariationNotFound(sku=sku)
    return product, next(variation for variation in product.variations if variation.sku == sku)


async def add_variation(ctx: MerchantCtx, new: NewVariation) -> tuple[Product, Variation]:
    """Add a variation to a product, at the product's default shipping price.

    Raises ParentNotFound, NeitherColorNorSize, ColorAndSizeTaken, SkuTaken, TooManyVariations,
    TooManyPictures, what `pictures` raises about those named, and what `money` raises about its amounts.
    """
    merchant = ctx.actor
    if not new.color and not new.size:
        raise failures.NeitherColorNorSize
    check_currency(merchant, new.localized_currency_code, new.localized_price, new.localized_msrp, required=True)
    price = settle(merchant, "price", new.price, new.localized_price, most=MOST_PRICE)
    msrp = settle(merchant, "msrp", new.msrp, new.localized_msrp, most=MOST_MSRP, required=False)
    named = await name_pictures(ctx, new)
    has_image = bool(new.main_image) and new.main_image != NO_PICTURE
    product = await _lock_parent(ctx, new.parent_sku)
    siblings = await rows.siblings(ctx.db, merchant.id, product.id, warehouses.STANDARD)
    if siblings.count >= MOST_VARIATIONS:
        raise failures.TooManyVariations(limit=MOST_VARIATIONS)
    if has_image and len(product.extra_images) + siblings.pictures >= MOST_PICTURES:
        raise failures.TooManyPictures(name="main_image", limit=MOST_PICTURES)
    variation_id = ctx.new_id()
    columns = {
        "id": variation_id,
        "product_id": product.id,
        "position": siblings.count + 1,
        "sku": new.sku,
        "shipping_time": new.shipping_time or DEFAULT_SHIPPING_TIME,
        **price_columns(price, msrp),
        **given(new, "color", "size", "quantity_value"),
        **(named.columns(new.main_image) if has_image else {}),
    }
    await rows.insert(ctx.db, merchant.id, columns, new.logistics())
    await pictures.note_use(ctx, product.id, named.waiting)
    await rows.insert_stock(
        ctx.db,
        merchant.id,
        product.id,
        variation_id,
        warehouses.STANDARD,
        new.inventory,
        siblings.default_shipping,
        siblings.localized_default_shipping,
    )
    await products.update(ctx.db, merchant.id, product.id, {}, ctx.now)
    return await find_variation(ctx, new.sku)


async def update_variation(
    ctx: MerchantCtx, sku: str, changes: VariationChanges, warehouse_name: str | None = None
) -> None:
    """Change what was given of a variation; stock changes in one warehouse, everything else everywhere.

    Raises VariationNotFound, WarehouseNotFound, VariationRemovedByWish, ColorAndSizeTaken, TooManyPictures, what
    `pictures` raises about those named, and what `money` raises about its amounts.
    """
    merchant = ctx.actor
    warehouse = await warehouses.known_name(ctx, warehouse_name)
    check_currency(
        merchant,
        changes.localized_currency_code,
        changes.localized_price,
        changes.localized_msrp,
        required=False,
    )
    price = settle(merchant, "price", changes.price, changes.localized_price, most=MOST_PRICE)
    msrp = settle(merchant, "msrp", changes.msrp, changes.localized_msrp, most=MOST_MSRP, required=False)
    named = await name_pictures(ctx, changes)
    variation = await _lock(ctx, sku)
    if changes.enabled and variation.removed_by_wish:
        raise failures.VariationRemovedByWish(sku=sku)
    columns = {
        **price_columns(price, msrp),
        **given(changes, "enabled", "size", "color", "shipping_time", "quantity_value"),
    }
    of_product: dict[str, Any] = {}
    if changes.main_image and changes.main_image != NO_PICTURE:
        own, of_product = await _image_columns(ctx, variation, changes, named.columns(changes.main_image))
        columns |= own
        await pictures.note_use(ctx, variation.product_id, named.waiting)
    if columns:
        await rows.update(ctx.db, merchant.id, variation, sku, columns)
    await rows.set_logistics(ctx.db, merchant.id, variation.product_id, variation.id, changes.logistics())
    if changes.inventory is not NOT_GIVEN:
        await rows.set_inventory(ctx.db, merchant.id, sku, warehouse, changes.inventory, ctx.now)
    if columns or of_product or changes.logistics():
        await products.update(ctx.db, merchant.id, variation.product_id, of_product, ctx.now)


async def change_sku(ctx: MerchantCtx, sku: str, new_sku: str) -> None:
    """Give a variation another SKU, one that no live variation of the merchant has.

    Raises VariationNotFound, SkuTaken.
    """
    variation = await _lock(ctx, sku)
    if new_sku == sku:
        raise failures.SkuTaken(name="new_sku", sku=new_sku)
    await rows.change_sku(ctx.db, ctx.actor.id, variation, new_sku)
    await products.update(ctx.db, ctx.actor.id, variation.product_id, {}, ctx.now)


async def enable_variation(ctx: MerchantCtx, sku: str) -> None:
    """Put a variation on sale; raises VariationNotFound, VariationRemovedByWish."""
    await update_variation(ctx, sku, VariationChanges(enabled=True))


async def disable_variation(ctx: MerchantCtx, sku: str) -> None:
    """Take a variation off sale; raises VariationNotFound."""
    await update_variation(ctx, sku, VariationChanges(enabled=False))


async def split_stock(ctx: MerchantCtx, product_id: str, warehouse_ids: Sequence[str]) -> bool:
    """Share the STANDARD stock of a held product equally with warehouses that have none of a variation yet.

    Gives whether there was any to share.

    What does not divide stays in STANDARD. Stock that a warehouse has already, if only 0 pieces, stays as it is.
    """
    return await rows.split_stock(ctx.db, ctx.actor.id, product_id, warehouses.STANDARD, warehouse_ids)


async def update_inventory(ctx: MerchantCtx, sku: str, inventory: int, warehouse_name: str | None = None) -> None:
    """Set the stock of a variation in a warehouse (STANDARD for None), in one statement.

    Raises VariationNotFound, WarehouseNotFound.
    """
    warehouse = warehouse_name or warehouses.STANDARD
    found, known, done = await rows.set_inventory(ctx.db, ctx.actor.id, sku, warehouse, inventory, ctx.now)
    if found and not known:
        raise warehouses.WarehouseNotFound(name="warehouse_name", value=warehouse)
    if not done:
        raise failures.VariationNotFound(sku=sku)


async def _lock(ctx: MerchantCtx, sku: str) -> rows.LockedVariation:
    variation = await rows.lock(ctx.db, ctx.actor.id, sku)
    if variation is None:
        raise failures.VariationNotFound(sku=sku)
    return variation


async def _lock_parent(ctx: MerchantCtx, parent_sku: str) -> products.LockedProduct:
    """The product with this parent SKU or, as the reference allows, with a variation of this SKU."""
    product = await products.lock(ctx.db, ctx.actor.id, ProductRef(parent_sku=parent_sku))
    if product is None:
        product_id = await rows.product_of(ctx.db, ctx.actor.id, parent_sku)
        if product_id is not None:
            product = await products.lock(ctx.db, ctx.actor.id, ProductRef(id=product_id))
    if product is None or product.removed:
        raise failures.ParentNotFound(parent_sku=parent_sku)
    return product


async def _image_columns(
    ctx: MerchantCtx, variation: rows.LockedVariation, changes: VariationChanges, image: Mapping[str, str | None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a picture changes about the variation, and about its product.

    Connectors read a variation, change its stock and send all of it back: the picture it shows is no change.
    """
    if not is_change(image, variation.shown_image, variation.wanted_image):
        return {}, {}
    if changes.update_product_image:
        # The picture becomes the product's, and this variation shows the product's picture.
        is_new = is_change(image, variation.product_image, variation.wanted_product_image)
        return {"main_image": None, "wanted_image": None}, dict(image) if is_new else {}
    await _check_picture_count(ctx, variation)
    return dict(image), {}


async def _check_picture_count(ctx: MerchantCtx, variation: rows.LockedVariation) -> None:
    if variation.main_image is not None or variation.wanted_image is not None:
        return  # one picture goes and one comes
    product = await products.lock(ctx.db, ctx.actor.id, ProductRef(id=variation.product_id))
    siblings = await rows.siblings(ctx.db, ctx.actor.id, variation.product_id, warehouses.STANDARD)
    if product and len(product.extra_images) + siblings.pictures >= MOST_PICTURES:
        raise failures.TooManyPictures(name="main_image", limit=MOST_PICTURES)
