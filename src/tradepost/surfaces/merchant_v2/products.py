"""Chapter *Product*: adding, reading, changing and removing products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tradepost.domain import products
from tradepost.domain.context import MerchantCtx
from tradepost.domain.pictures import PictureExpired, TooManyWaiting
from tradepost.domain.products import ListFilter, NewProduct, ProductChanges
from tradepost.domain.products import failures as f
from tradepost.domain.warehouses import WarehouseNotFound
from tradepost.surfaces.merchant_v2 import vocabulary as v
from tradepost.surfaces.merchant_v2.failures import (
    ImageUnreachable,
    InvalidId,
    MainImageMissing,
    NewImageUnreachable,
    SpanReversed,
    VideoHostRefused,
)
from tradepost.surfaces.merchant_v2.images import naming, own_paths
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.surfaces.merchant_v2.views.common import DONE, Nothing
from tradepost.surfaces.merchant_v2.views.product import ProductItem, product_item
from tradepost.values import NOT_GIVEN, NotGiven, Page
from tradepost.wire.endpoint import WhenMissing
from tradepost.wire.http_types import BaseUrl
from tradepost.wire.paging import Listing
from tradepost.wire.params import Doc, Whole

_CHANGED = (f.ProductNotFound, f.ProductRemoved, InvalidId)
PICTURE_FAILURES = (PictureExpired, TooManyWaiting)
AMOUNT_FAILURES = (f.LocalizedMissing, f.CurrencyMismatch, f.TooPrecise, f.AmountsDiffer, f.AboveLimit)


@dataclass(frozen=True, kw_only=True)
class ProductToAdd(v.LogisticsParams, NewProduct):
    """The parameters of a new product and its first variation."""

    name: v.Name
    description: v.Description
    tags: v.Tags = ()
    sku: v.Sku
    color: v.Color | NotGiven = NOT_GIVEN
    condition: v.Condition | NotGiven = NOT_GIVEN
    size: v.Size | NotGiven = NOT_GIVEN
    inventory: v.Inventory
    price: v.Price
    localized_price: v.LocalizedPrice | NotGiven = NOT_GIVEN
    shipping: v.Shipping
    localized_shipping: v.LocalizedShipping | NotGiven = NOT_GIVEN
    localized_currency_code: v.CurrencyCode | NotGiven = NOT_GIVEN
    country_shipping_prices: v.CountryPrices | NotGiven = NOT_GIVEN
    msrp: v.Msrp | NotGiven = NOT_GIVEN
    localized_msrp: v.LocalizedMsrp | NotGiven = NOT_GIVEN
    shipping_time: v.ShippingTime | NotGiven = NOT_GIVEN
    main_image: Annotated[v.NewMainImage, WhenMissing(MainImageMissing)]
    parent_sku: (
        Annotated[v.ParentSku, Doc("Your own identifier of the product; without it the SKU stands in.")] | NotGiven
    ) = NOT_GIVEN
    requested_product_brand_id: v.BrandId | NotGiven = NOT_GIVEN
    landing_page_url: v.LandingPage | NotGiven = NOT_GIVEN
    upc: v.Upc | NotGiven = NOT_GIVEN
    extra_images: v.NewExtraImages = ()
    clean_image: v.NewCleanImage | NotGiven = NOT_GIVEN
    max_quantity: v.MaxQuantity | NotGiven = NOT_GIVEN
    reference_value: v.ReferenceValue | NotGiven = NOT_GIVEN
    quantity_value: v.QuantityValue | NotGiven = NOT_GIVEN
    unit: v.Unit | NotGiven = NOT_GIVEN
    demo_video_asset_url: v.NewVideo | NotGiven = NOT_GIVEN


@dataclass(frozen=True, kw_only=True)
class ProductToChange(ProductChanges):
    """The parameters of a product that can change; whatever is left out stays as it is."""

    name: v.Name | NotGiven = NOT_GIVEN
    description: v.Description | NotGiven = NOT_GIVEN
    tags: Annotated[v.Tags, Doc("All tags of the product, separated by commas; they replace those there are.")] | (
        NotGiven
    ) = NOT_GIVEN
    requested_product_brand_id: v.BrandId | NotGiven = NOT_GIVEN
    landing_page_url: v.LandingPage | NotGiven = NOT_GIVEN
    upc: v.Upc | NotGiven = NOT_GIVEN
    main_image: v.MainImage | NotGiven = NOT_GIVEN
    extra_images: v.ExtraImages | NotGiven = NOT_GIVEN
    clean_image: v.CleanImage | NotGiven = NOT_GIVEN
    max_quantity: v.MaxQuantity | NotGiven = NOT_GIVEN
    condition: v.Condition | NotGiven = NOT_GIVEN
    reference_value: v.ReferenceValue | NotGiven = NOT_GIVEN
    unit: v.Unit | NotGiven = NOT_GIVEN
    demo_video_asset_url: v.VideoOrNone | NotGiven = NOT_GIVEN


@api.write(
    "/product/add",
    scope="products:write",
    fails=[
        f.SkuTaken,
        f.ParentSkuTaken,
        f.CleanImageUnknown,
        f.TooManyPictures,
        MainImageMissing,
        NewImageUnreachable,
        VideoHostRefused,
        *PICTURE_FAILURES,
        *AMOUNT_FAILURES,
    ],
)
async def add_product(ctx: MerchantCtx, *, new: ProductToAdd, base_url: BaseUrl) -> ProductItem:
    """Create a product.

    The product comes with its first variation, whose SKU must be new among your variations. Answers with the
    product as it is kept, its id included. Pictures are named by URL; they are fetched, made anew and kept, usually
    within seconds, and from then on shown under URLs of ours.
    """
    with naming(base_url, NewImageUnreachable):
        return product_item(await products.add_product(ctx, own_paths(new, base_url)), ctx.actor, base_url)


@api.read("/product", scope="products:read", fails=[f.ProductNotFound, WarehouseNotFound])
async def get_product(
    ctx: MerchantCtx, *, ref: v.ProductRef, warehouse_name: v.WarehouseName | None = None, base_url: BaseUrl
) -> ProductItem:
    """Retrieve a product.

    Give its id or its parent SKU. A removed product is found by its id only.
    """
    return product_item(await products.find_product(ctx, ref.meant(), warehouse_name), ctx.actor, base_url)


@api.write(
    "/product/update",
    scope="products:write",
    fails=[*_CHANGED, f.TooManyPictures, ImageUnreachable, VideoHostRefused, *PICTURE_FAILURES],
)
async def update_product(
    ctx: MerchantCtx, *, ref: v.ChangedProductRef, changes: ProductToChange, base_url: BaseUrl
) -> Nothing:
    """Update a product.

    Changes what is given and leaves the rest; nothing about its variations can be changed here. Another main
    picture is shown as soon as it is fetched, and the one there was until then.
    """
    with naming(base_url):
        await products.update_product(ctx, ref.meant(), own_paths(changes, base_url))
    return DONE


@api.write("/product/change-sku", scope="products:write", fails=[*_CHANGED, f.SkuTaken, f.ParentSkuTaken])
async def change_parent_sku(
    ctx: MerchantCtx,
    *,
    ref: v.ChangedProductRef,
    new_parent_sku: Annotated[
        v.ParentSku, Doc("The new parent SKU; no product and no variation of yours may have it.")
    ],
) -> Nothing:
    """Change a product's parent SKU."""
    await products.change_parent_sku(ctx, ref.meant(), new_parent_sku)
    return DONE


@api.write("/product/enable", scope="products:write", fails=_CHANGED)
async def enable_product(ctx: MerchantCtx, *, ref: v.ChangedProductRef) -> Nothing:
    """Enable a product.

    All its variations go on sale, except those that the marketplace removed.
    """
    await products.enable_product(ctx, ref.meant())
    return DONE


@api.write("/product/disable", scope="products:write", fails=_CHANGED)
async def disable_product(ctx: MerchantCtx, *, ref: v.ChangedProductRef) -> Nothing:
    """Disable a product.

    All its variations go off sale.
    """
    await products.disable_product(ctx, ref.meant())
    return DONE


@api.write("/product/remove", scope="products:write", fails=_CHANGED)
async def remove_product(ctx: MerchantCtx, *, ref: v.ChangedProductRef) -> Nothing:
    """Remove a product.

    This cannot be undone. The product leaves all lists, and its SKUs can be used again.
    """
    await products.remove_product(ctx, ref.meant())
    return DONE


@api.read("/product/multi-get", scope="products:read", fails=[WarehouseNotFound, SpanReversed])
async def list_products(
    ctx: MerchantCtx,
    *,
    start: v.Start = 0,
    limit: Annotated[int, Whole(1, 250), Doc("How many products a page has, 1 to 250.")] = 50,
    since: v.Since | None = None,
    upto: v.Upto | None = None,
    show_rejected: v.ShowRejected = False,
    warehouse_name: v.WarehouseName | None = None,
    base_url: BaseUrl,
) -> Listing[ProductItem]:
    """List all products.

    The last changed come first, then the higher id. Removed products are never listed.
    """
    if since and upto and upto <= since:
        raise SpanReversed(name="upto")
    page = Page(start, limit)
    found, more = await products.list_products(ctx, ListFilter(since, upto, show_rejected), page, warehouse_name)
    return Listing([product_item(product, ctx.actor, base_url) for product in found], page, more)


@api.write("/product/remove-extra-images", scope="products:write", fails=_CHANGED)
async def remove_extra_images(ctx: MerchantCtx, *, ref: v.ChangedProductRef) -> Nothing:
    """Remove the extra images of a product.

    The main picture and the pictures of variations stay.
    """
    await products.remove_extra_images(ctx, ref.meant())
    return DONE
