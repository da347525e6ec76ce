"""The verbs of products. Every write is on behalf of the acting merchant, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tradepost.domain import pictures, warehouses
from tradepost.domain.context import Merchant, MerchantCtx
from tradepost.domain.pictures import NO_PICTURE
from tradepost.domain.products import failures
from tradepost.domain.products.money import (
    MOST_MSRP,
    MOST_PRICE,
    MOST_SHIPPING,
    Amount,
    Amounts,
    check_currency,
    price_columns,
    settle,
)
from tradepost.domain.products.operations.pictures import Named, is_change, name_pictures
from tradepost.domain.products.product import (
    DEFAULT_SHIPPING_TIME,
    MOST_PICTURES,
    ListFilter,
    NewProduct,
    Product,
    ProductChanges,
    ProductRef,
    given,
)
from tradepost.domain.products.rows import products as rows
from tradepost.domain.products.rows import reading, variations
from tradepost.values import NOT_GIVEN, Page

# What a new product is shipped to when nothing is said (facts, section 6).
DEFAULT_COUNTRY = "US"
LOCAL_PREFIX = "LOCAL_"


async def find_product(ctx: MerchantCtx, ref: ProductRef, warehouse_name: str | None = None) -> Product:
    """A product as seen from a warehouse (STANDARD for None); a removed one is found by its id only.

    Raises WarehouseNotFound, ProductNotFound.
    """
    warehouse = await warehouses.known_name(ctx, warehouse_name)
    if ref.id is not None:
        found = await reading.by_id(ctx.db, ctx.actor.id, warehouse, ref.id)
    else:
        found = await reading.by_parent_sku(ctx.db, ctx.actor.id, warehouse, ref.parent_sku or "")
    if found is None:
        raise failures.ProductNotFound(id=ref.id)
    return found


async def find_products(ctx: MerchantCtx, product_ids: Collection[str]) -> dict[str, Product]:
    """Products by their ids, removed or not, as seen from STANDARD; those that are not there are left out."""
    if not product_ids:
        return {}
    found = await reading.by_ids(ctx.db, ctx.actor.id, warehouses.STANDARD, list(product_ids))
    return {product.id: product for product in found}


async def list_products(
    ctx: MerchantCtx, wanted: ListFilter, cut: Page, warehouse_name: str | None = None
) -> tuple[list[Product], bool]:
    """One page of the live products, the last changed first (then the higher id), and whether there is more.

    Raises WarehouseNotFound.
    """
    warehouse = await warehouses.known_name(ctx, warehouse_name)
    return await reading.page(ctx.db, ctx.actor.id, warehouse, wanted, cut)


async def add_product(ctx: MerchantCtx, new: NewProduct) -> Product:
    """Add a product with its first variation to the STANDARD warehouse.

    Without a parent SKU the SKU stands in. Pictures that are not here yet are shown when they are. Raises SkuTaken,
    ParentSkuTaken, CleanImageUnknown, TooManyPictures, what `pictures` raises about those named, and what `money`
    raises about its amounts.
    """
    merchant = ctx.actor
    check_currency(
        merchant,
        new.localized_currency_code,
        new.localized_price,
        new.localized_shipping,
        new.localized_msrp,
        *_local_amounts(new),
        required=True,
    )
    price = settle(merchant, "price", new.price, new.localized_price, most=MOST_PRICE)
    shipping = settle(merchant, "shipping", new.shipping, new.localized_shipping, most=MOST_SHIPPING)
    msrp = settle(merchant, "msrp", new.msrp, new.localized_msrp, most=MOST_MSRP, required=False)
    countries = _countries(merchant, new, shipping)
    _check_pictures(new)
    product_id, variation_id = ctx.new_id(), ctx.new_id()
    named = await name_pictures(ctx, new)
    said_by = "parent_sku" if new.parent_sku else "sku"
    own_columns = {"id": product_id, **_product_columns(new, named)}
    await rows.insert(ctx.db, merchant.id, own_columns, ctx.now, said_by=said_by)
    await pictures.note_use(ctx, product_id, named.waiting)
    defaults = (_value(shipping.usd), _value(shipping.localized))
    await rows.insert_shipping(ctx.db, merchant.id, product_id, warehouses.STANDARD, defaults, countries)
    columns = {
        "id": variation_id,
        "product_id": product_id,
        "position": 1,
        **_variation_columns(new, price, msrp),
    }
    await variations.insert(ctx.db, merchant.id, columns, new.logistics())
    await variations.insert_stock(
        ctx.db, merchant.id, product_id, variation_id, warehouses.STANDARD, new.inventory, *defaults
    )
    return await find_product(ctx, ProductRef(id=product_id))


async def update_product(ctx: MerchantCtx, ref: ProductRef, changes: ProductChanges) -> None:
    """Change what was given of a product; tags and extra pictures are replaced as a whole.

    A clean picture that is none of the product's pictures is passed over, and an empty video URL deletes the
    video, both as the reference says. A main picture is shown until another one that was named is here. Raises
    ProductNotFound, ProductRemoved, TooManyPictures, and what `pictures` raises about those named.
    """
    named = await name_pictures(ctx, changes)
    product = await _lock(ctx, ref)
    columns = given(changes, *ProductChanges.__dataclass_fields__)
    if "tags" in columns:
        columns["tags"] = list(columns["tags"])
    if "extra_images" in columns:
        await _check_picture_count(ctx, product.id, len(columns["extra_images"]))
    _settle_pictures(columns, product, named)
    if columns:
        await rows.update(ctx.db, ctx.actor.id, product.id, columns, ctx.now)
    await pictures.note_use(ctx, product.id, named.waiting)


async def change_parent_sku(ctx: MerchantCtx, ref: ProductRef, new_parent_sku: str) -> None:
    """Give a product another parent SKU, one that no live product and no live variation of the merchant has.

    Raises ProductNotFound, ProductRemoved, ParentSkuTaken, SkuTaken.
    """
    product = await _lock(ctx, ref)
    if new_parent_sku == product.parent_sku:
        raise failures.ParentSkuTaken(name="new_parent_sku", sku=new_parent_sku)
    if await rows.sku_exists(ctx.db, ctx.actor.id, new_parent_sku):
        raise failures.SkuTaken(name="new_parent_sku", sku=new_parent_sku)
    await rows.change_parent_sku(ctx.db, ctx.actor.id, product.id, new_parent_sku, ctx.now)


async def enable_product(ctx: MerchantCtx, ref: ProductRef) -> None:
    """Put all variations of a product on sale but those the marketplace removed.

    Raises ProductNotFound, ProductRemoved.
    """
    await _set_enabled(ctx, ref, True)


async def disable_product(ctx: MerchantCtx, ref: ProductRef) -> None:
    """Take all variations of a product off sale; raises ProductNotFound, ProductRemoved."""
    await _set_enabled(ctx, ref, False)


async def remove_product(ctx: MerchantCtx, ref: ProductRef) -> None:
    """Remove a product for good and free its SKUs; raises ProductNotFound, ProductRemoved."""
    product = await _lock(ctx, ref)
    await rows.remove(ctx.db, ctx.actor.id, product.id, ctx.now)


async def remove_extra_images(ctx: MerchantCtx, ref: ProductRef) -> None:
    """Take all extra pictures off a product, its clean picture too where it was one of them.

    Raises ProductNotFound, ProductRemoved.
    """
    product = await _lock(ctx, ref)
    columns: dict[str, Any] = {"extra_images": []}
    found = await reading.by_id(ctx.db, ctx.actor.id, warehouses.STANDARD, product.id)
    if found and found.clean_image in product.extra_images and found.clean_image != product.main_image:
        columns["clean_image"] = None
    await rows.update(ctx.db, ctx.actor.id, product.id, columns, ctx.now)


async def require_product(ctx: MerchantCtx, product_id: str) -> None:
    """Nothing where the merchant has such a product, removed or not; raises ProductNotFound."""
    if not await rows.exists(ctx.db, ctx.actor.id, product_id):
        raise failures.ProductNotFound(id=product_id)


async def known_products(ctx: MerchantCtx, ids: Sequence[str]) -> set[str]:
    """Which of these ids are those of products of the merchant, removed or not."""
    return await rows.known(ctx.db, ctx.actor.id, ids) if ids else set()


async def known_variations(ctx: MerchantCtx, ids: Sequence[str]) -> set[str]:
    """Which of these ids are those of variations of the merchant, removed or not."""
    return await rows.known_variations(ctx.db, ctx.actor.id, ids) if ids else set()


async def hold_product(ctx: MerchantCtx, ref: ProductRef) -> str:
    """Take a product for this transaction, as everybody does who changes something about it; gives its id.

    Raises ProductNotFound, ProductRemoved.
    """
    return (await _lock(ctx, ref)).id


async def touch_product(ctx: MerchantCtx, product_id: str) -> None:
    """Let a product that is held count as changed now."""
    await rows.update(ctx.db, ctx.actor.id, product_id, {}, ctx.now)


async def _set_enabled(ctx: MerchantCtx, ref: ProductRef, enabled: bool) -> None:
    product = await _lock(ctx, ref)
    await rows.set_enabled(ctx.db, ctx.actor.id, product.id, enabled)
    await rows.update(ctx.db, ctx.actor.id, product.id, {}, ctx.now)


async def _lock(ctx: MerchantCtx, ref: ProductRef) -> rows.LockedProduct:
    product = await rows.lock(ctx.db, ctx.actor.id, ref)
    if product is None:
        raise failures.ProductNotFound(id=ref.id)
    if product.removed:
        raise failures.ProductRemoved(id=product.id)
    return product


def _value(amount: Any) -> Any:
    return None if amount is NOT_GIVEN else amount


def _check_pictures(new: NewProduct) -> None:
    if len(new.extra_images) > MOST_PICTURES:
        raise failures.TooManyPictures(name="extra_images", limit=MOST_PICTURES)
    if new.clean_image is not NOT_GIVEN and new.clean_image not in (new.main_image, *new.extra_images):
        raise failures.CleanImageUnknown
    if new.main_image == NO_PICTURE:
        raise pictures.PictureUnknown(url=new.main_image)


def _settle_pictures(columns: dict[str, Any], product: rows.LockedProduct, named: Named) -> None:
    """Put what stands for pictures in place of what was given, and leave out what is no change."""
    if "demo_video_asset_url" in columns:
        columns["demo_video_asset_url"] = named.video(columns["demo_video_asset_url"]) or None
    main_images = {product.main_image, product.wanted_image}
    given_image = columns.pop("main_image", NO_PICTURE)
    if given_image != NO_PICTURE:
        wanted = named.columns(given_image)
        if is_change(wanted, product.main_image, product.wanted_image):
            columns |= wanted
            main_images = {named.image(given_image)}
    if "extra_images" in columns:
        columns["extra_images"] = [named.image(image) for image in columns["extra_images"]]
    if "clean_image" in columns:
        columns["clean_image"] = named.image(columns["clean_image"])
        if columns["clean_image"] not in (*main_images, *columns.get("extra_images", product.extra_images)):
            del columns["clean_image"]


async def _check_picture_count(ctx: MerchantCtx, product_id: str, extra: int) -> None:
    others = await variations.siblings(ctx.db, ctx.actor.id, product_id, warehouses.STANDARD)
    if extra + others.pictures > MOST_PICTURES:
        raise failures.TooManyPictures(name="extra_images", limit=MOST_PICTURES)


def _product_columns(new: NewProduct, named: Named) -> dict[str, Any]:
    optional = given(
        new,
        "condition",
        "landing_page_url",
        "upc",
        "requested_product_brand_id",
        "max_quantity",
        "reference_value",
        "unit",
    )
    return {
        "parent_sku": new.parent_sku or new.sku,
        "name": new.name,
        "description": new.description,
        "tags": list(new.tags),
        "main_image": "",
        **named.columns(new.main_image),
        "original_image_url": new.main_image,
        "extra_images": [named.image(image) for image in new.extra_images],
        "clean_image": named.image(new.clean_image) if new.clean_image else None,
        "demo_video_asset_url": named.video(new.demo_video_asset_url) if new.demo_video_asset_url else None,
        **optional,
    }


def _variation_columns(new: NewProduct, price: Amounts, msrp: Amounts) -> dict[str, Any]:
    return {
        "sku": new.sku,
        **price_columns(price, msrp),
        "shipping_time": new.shipping_time or DEFAULT_SHIPPING_TIME,
        **given(new, "color", "size", "quantity_value"),
    }


def _given_countries(new: NewProduct) -> Mapping[str, Decimal]:
    return {} if new.country_shipping_prices is NOT_GIVEN else new.country_shipping_prices


def _local_amounts(new: NewProduct) -> list[Decimal]:
    prices = _given_countries(new)
    return [amount for key, amount in prices.items() if key.startswith(LOCAL_PREFIX)]


def _countries(
    merchant: Merchant, new: NewProduct, default: Amounts
) -> list[tuple[str, Decimal | None, Decimal | None]]:
    """The country prices of a new product; what was not said of a country is the product's default."""
    prices: Mapping[str, Amount] = _given_countries(new)
    codes = sorted({key.removeprefix(LOCAL_PREFIX) for key in prices}) or [DEFAULT_COUNTRY]
    found = []
    for code in codes:
        name = "country_shipping_prices"
        own = settle(
            merchant,
            name,
            prices.get(code, NOT_GIVEN),
            prices.get(LOCAL_PREFIX + code, NOT_GIVEN),
            most=MOST_SHIPPING,
            required=False,
            localized_name=name,
        )
        usd = default.usd if own.usd is NOT_GIVEN else own.usd
        localized = default.localized if own.localized is NOT_GIVEN else own.localized
        found.append((code, _value(usd), _value(localized)))
    return found
