"""Chapter *Product Variation*: adding, reading and changing the SKUs of products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tradepost.domain import products
from tradepost.domain.context import MerchantCtx
from tradepost.domain.products import ListFilter, NewVariation, VariationChanges
from tradepost.domain.products import failures as f
from tradepost.domain.warehouses import WarehouseNotFound
from tradepost.surfaces.merchant_v2 import vocabulary as v
from tradepost.surfaces.merchant_v2.failures import ImageUnreachable
from tradepost.surfaces.merchant_v2.images import naming, own_paths
from tradepost.surfaces.merchant_v2.products import AMOUNT_FAILURES, PICTURE_FAILURES
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.surfaces.merchant_v2.views.common import DONE, Nothing
from tradepost.surfaces.merchant_v2.views.product import VariantItem, variant_item, variant_items
from tradepost.values import NOT_GIVEN, NotGiven, Page
from tradepost.wire.http_types import BaseUrl
from tradepost.wire.paging import Listing
from tradepost.wire.params import Boolean, Doc, Whole


@dataclass(frozen=True, kw_only=True)
class VariationToAdd(v.LogisticsParams, NewVariation):
    """The parameters of a new variation."""

    parent_sku: Annotated[
        v.KnownParentSku,
        Doc("The parent SKU of the product it belongs to, or the SKU of another variation of that product."),
    ]
    sku: v.Sku
    color: v.Color | NotGiven = NOT_GIVEN
    size: v.Size | NotGiven = NOT_GIVEN
    inventory: v.Inventory
    price: v.Price
    localized_price: v.LocalizedPrice | NotGiven = NOT_GIVEN
    localized_currency_code: v.CurrencyCode | NotGiven = NOT_GIVEN
    msrp: v.Msrp | NotGiven = NOT_GIVEN
    localized_msrp: v.LocalizedMsrp | NotGiven = NOT_GIVEN
    shipping_time: v.ShippingTime | NotGiven = NOT_GIVEN
    main_image: v.MainImage | NotGiven = NOT_GIVEN
    quantity_value: v.QuantityValue | NotGiven = NOT_GIVEN


@dataclass(frozen=True, kw_only=True)
class VariationToChange(v.LogisticsParams, VariationChanges):
    """The parameters of a variation that can change; whatever is left out stays as it is."""

    inventory: v.Inventory | NotGiven = NOT_GIVEN
    price: v.Price | NotGiven = NOT_GIVEN
    localized_price: v.LocalizedPrice | NotGiven = NOT_GIVEN
    localized_currency_code: v.CurrencyCode | NotGiven = NOT_GIVEN
    enabled: Annotated[bool, Boolean(), Doc("Whether it is for sale.")] | NotGiven = NOT_GIVEN
    size: v.Size | NotGiven = NOT_GIVEN
    color: v.Color | NotGiven = NOT_GIVEN
    msrp: v.Msrp | NotGiven = NOT_GIVEN
    localized_msrp: v.LocalizedMsrp | NotGiven = NOT_GIVEN
    shipping_time: v.ShippingTime | NotGiven = NOT_GIVEN
    main_image: v.MainImage | NotGiven = NOT_GIVEN
    update_product_image: Annotated[
        bool,
        Boolean(),
        Doc("Whether `main_image` becomes the picture of the product, too; true if left out."),
    ] = True
    quantity_value: v.QuantityValue | NotGiven = NOT_GIVEN


@api.write(
    "/variant/add",
    scope="products:write",
    fails=[
        f.ParentNotFound,
        f.NeitherColorNorSize,
        f.ColorAndSizeTaken,
        f.SkuTaken,
        f.TooManyVariations,
        f.TooManyPictures,
        ImageUnreachable,
        *PICTURE_FAILURES,
        *AMOUNT_FAILURES,
    ],
)
async def add_variation(ctx: MerchantCtx, *, new: VariationToAdd, base_url: BaseUrl) -> VariantItem:
    """Create a product variation.

    It needs a colour or a size, and the pair must be new in its product. It ships at the product's default
    price or, where there is none, at the highest price of the product's active variations. A product has at
    most 400 variations.
    """
    with naming(base_url):
        product, variation = await products.add_variation(ctx, own_paths(new, base_url))
    return variant_item(variation, product, ctx.actor, base_url)


@api.read("/variant", scope="products:read", fails=[f.VariationNotFound, WarehouseNotFound])
async def get_variation(
    ctx: MerchantCtx, *, sku: v.KnownSku, warehouse_name: v.WarehouseName | None = None, base_url: BaseUrl
) -> VariantItem:
    """Retrieve a product variation."""
    product, variation = await products.find_variation(ctx, sku, warehouse_name)
    return variant_item(variation, product, ctx.actor, base_url)


@api.write(
    "/variant/update",
    scope="products:write",
    fails=[
        f.VariationNotFound,
        WarehouseNotFound,
        f.VariationRemovedByWish,
        f.ColorAndSizeTaken,
        f.TooManyPictures,
        ImageUnreachable,
        *PICTURE_FAILURES,
        *AMOUNT_FAILURES,
    ],
)
async def update_variation(
    ctx: MerchantCtx,
    *,
    sku: v.KnownSku,
    changes: VariationToChange,
    warehouse_name: v.WarehouseName | None = None,
    base_url: BaseUrl,
) -> Nothing:
    """Update a product variation.

    Changes what is given and leaves the rest. The stock changes in one warehouse, everything else in all.
    """
    with naming(base_url):
        await products.update_variation(ctx, sku, own_paths(changes, base_url), warehouse_name)
    return DONE


@api.write("/variant/change-sku", scope="products:write", fails=[f.VariationNotFound, f.SkuTaken])
async def change_sku(
    ctx: MerchantCtx,
    *,
    sku: v.KnownSku,
    new_sku: Annotated[v.Sku, Doc("The new SKU; none of your variations may have it.")],
) -> Nothing:
    """Change a product variation's SKU."""
    await products.change_sku(ctx, sku, new_sku)
    return DONE


@api.write("/variant/enable", scope="products:write", fails=[f.VariationNotFound, f.VariationRemovedByWish])
async def enable_variation(ctx: MerchantCtx, *, sku: v.KnownSku) -> Nothing:
    """Enable a product variation.

    One that the marketplace removed stays off sale.
    """
    await products.enable_variation(ctx, sku)
    return DONE


@api.write("/variant/disable", scope="products:write", fails=[f.VariationNotFound])
async def disable_variation(ctx: MerchantCtx, *, sku: v.KnownSku) -> Nothing:
    """Disable a product variation."""
    await products.disable_variation(ctx, sku)
    return DONE


@api.write(
    "/variant/update-inventory",
    scope="products:write",
    fails=[f.VariationNotFound, WarehouseNotFound],
    one_statement=True,
)
async def update_inventory(
    ctx: MerchantCtx,
    *,
    sku: v.KnownSku,
    inventory: v.Inventory,
    warehouse_name: v.WarehouseName | None = None,
) -> Nothing:
    """Update the inventory of a product variation."""
    await products.update_inventory(ctx, sku, inventory, warehouse_name)
    return DONE


@api.read("/variant/multi-get", scope="products:read", fails=[WarehouseNotFound])
async def list_variations(
    ctx: MerchantCtx,
    *,
    start: v.Start = 0,
    limit: Annotated[
        int, Whole(1, 500), Doc("How many products a page has, 1 to 500; all their variations come.")
    ] = 50,
    warehouse_name: v.WarehouseName | None = None,
    base_url: BaseUrl,
) -> Listing[VariantItem]:
    """List all product variations.

    Pages are cut by products, the last changed first; each product's variations stand together.
    """
    page = Page(start, limit)
    found, more = await products.list_products(ctx, ListFilter(show_rejected=True), page, warehouse_name)
    items = [item for product in found for item in variant_items(product, ctx.actor, base_url)]
    return Listing(items, page, more)
