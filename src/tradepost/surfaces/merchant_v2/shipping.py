"""Where products are shipped to and for what price; the end of chapter *Product*."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from tradepost.domain import shipping
from tradepost.domain.context import MerchantCtx
from tradepost.domain.products import failures as f
from tradepost.domain.shipping import PlaceChanges, ShippingChanges
from tradepost.domain.warehouses import WarehouseNotFound
from tradepost.surfaces.merchant_v2 import places as p
from tradepost.surfaces.merchant_v2 import vocabulary as v
from tradepost.surfaces.merchant_v2.failures import InvalidId
from tradepost.surfaces.merchant_v2.products import AMOUNT_FAILURES
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.surfaces.merchant_v2.views.common import DONE, Nothing
from tradepost.surfaces.merchant_v2.views.shipping import (
    AllShippingItem,
    OlderShippingItem,
    ShippingSettings,
    all_shipping,
    country_shipping,
    many_shipping,
    shipping_settings,
)
from tradepost.values import NOT_GIVEN, NotGiven
from tradepost.wire.params import Boolean, Doc, Listed

_CHANGED = (
    f.ProductNotFound,
    f.ProductRemoved,
    InvalidId,
    WarehouseNotFound,
    shipping.ShipsWorldwide,
    shipping.CountryNotServed,
    shipping.ExpressWarehouseMissing,
    shipping.RegionTooDear,
    *AMOUNT_FAILURES,
)
_Warehouse = Annotated[
    v.WarehouseName,
    Doc(
        "The warehouse that it is said of, by its `warehouse_unit_id`. Without one it is STANDARD; what is said "
        "then of whether a country is shipped to, and of Wish Express, counts for the country's Express warehouse, "
        "too."
    ),
]


@dataclass(frozen=True, kw_only=True)
class PlaceToChange(PlaceChanges):
    """What is said of one country or region; whatever is left out stays as it is."""

    country: p.KnownPlace
    price: p.ShippingPrice | NotGiven = NOT_GIVEN
    localized_price: p.OwnShippingPrice | NotGiven = NOT_GIVEN
    localized_currency_code: v.CurrencyCode | NotGiven = NOT_GIVEN
    enabled: Annotated[bool, Boolean(), Doc("Whether the product can be bought there.")] | NotGiven = NOT_GIVEN
    wish_express: (
        Annotated[
            bool,
            Boolean(),
            Doc(
                "Whether the product takes part in Wish Express for the country; means nothing for a region. True "
                "copies the country's price to its Express warehouse and splits the stock with it, where nothing "
                "is set there yet."
            ),
        ]
        | NotGiven
    ) = NOT_GIVEN
    default_shipping_price: p.DefaultShippingPrice | NotGiven = NOT_GIVEN
    localized_default_shipping_price: p.OwnDefaultShippingPrice | NotGiven = NOT_GIVEN
    use_country_shipping: Annotated[
        bool, Boolean(), Doc("Whether a region costs what its country costs; then `price` does not count.")
    ] = False
    use_product_shipping: Annotated[
        bool,
        Boolean(),
        Doc("An older parameter: whether the variations say what the country costs; then `price` does not count."),
    ] = False
    warehouse_name: _Warehouse | None = None


@dataclass(frozen=True, kw_only=True)
class ShippingToChange(ShippingChanges):
    """What is said of many countries and regions; whatever is left out stays as it is."""

    country_prices: p.CountryShippingPrices = field(default_factory=dict)
    localized_country_prices: p.OwnCountryShippingPrices = field(default_factory=dict)
    localized_currency_code: v.CurrencyCode | NotGiven = NOT_GIVEN
    region_prices: p.RegionShippingPrices = field(default_factory=dict)
    localized_region_prices: p.OwnRegionShippingPrices = field(default_factory=dict)
    disabled_countries: Annotated[
        tuple[str, ...], p.Places(), Doc("Countries and regions where the product cannot be bought.")
    ] = ()
    enabled_countries: Annotated[
        tuple[str, ...], p.Places(), Doc("Countries and regions where the product can be bought.")
    ] = ()
    wish_express_add_countries: Annotated[
        tuple[str, ...],
        p.Places(regions=False),
        Doc("Countries for which the product takes part in Wish Express from now on."),
    ] = ()
    wish_express_remove_countries: Annotated[
        tuple[str, ...],
        p.Places(regions=False),
        Doc("Countries for which the product no longer takes part in Wish Express."),
    ] = ()
    regions_use_country_shipping: Annotated[
        tuple[str, ...],
        p.Places(countries=False),
        Doc("Regions that cost what their country costs; a price given for one of them does not count."),
    ] = ()
    use_product_shipping_countries: Annotated[
        tuple[str, ...],
        p.Places(regions=False),
        Doc("An older parameter: countries whose price the variations say; one given here does not count."),
    ] = ()
    default_shipping_price: p.DefaultShippingPrice | NotGiven = NOT_GIVEN
    localized_default_shipping_price: p.OwnDefaultShippingPrice | NotGiven = NOT_GIVEN
    warehouse_name: _Warehouse | None = None


@api.write("/product/update-shipping", scope="products:write", fails=_CHANGED)
async def update_shipping(ctx: MerchantCtx, *, ref: v.ChangedProductRef, changes: PlaceToChange) -> Nothing:
    """Edit the shipping price of a product.

    Says what shipping to one country or region costs, whether it is shipped to, and whether the product takes part
    in Wish Express there. Your shipping settings must have the country.
    """
    await shipping.update_place(ctx, ref.meant(), changes)
    return DONE


@api.write("/product/update-multi-shipping", scope="products:write", fails=_CHANGED)
async def update_multi_shipping(
    ctx: MerchantCtx,
    *,
    id: Annotated[str, v.StrictId(), Doc("The product's id, 24 hex digits.")],
    changes: ShippingToChange,
) -> Nothing:
    """Edit shipping prices of a product.

    Says it of many countries and regions at once. A place that stands in several of the four lists counts only in
    the first of these that has it: `disabled_countries`, `enabled_countries`, `wish_express_remove_countries`,
    `wish_express_add_countries`. Your shipping settings must have every country.
    """
    await shipping.update_many(ctx, id, changes)
    return DONE


@api.read(
    "/product/get-shipping",
    scope="products:read",
    fails=[f.ProductNotFound, shipping.ShipsWorldwide, shipping.CountryNotServed],
)
async def get_shipping(ctx: MerchantCtx, *, ref: v.ProductRef, country: p.KnownCountry) -> OlderShippingItem:
    """Get the shipping price of a product to a country.

    `DataV2` tells it for each of your warehouses that ship there; the rest is older and tells what one of them
    says.
    """
    product_id, found = await shipping.find_offers(ctx, ref.meant(), country)
    return country_shipping(product_id, found, ctx.actor)


@api.read("/product/get-all-shipping", scope="products:read", fails=[f.ProductNotFound])
async def get_all_shipping(ctx: MerchantCtx, *, ref: v.ProductRef) -> AllShippingItem:
    """Get all shipping prices of a product.

    To every country of your shipping settings, whether the product is enabled there or not.
    """
    return all_shipping(await shipping.list_offers(ctx, ref.meant()), ctx.actor)


@api.read(
    "/product/get-products-shipping", scope="products:read", fails=[f.ProductNotFound, shipping.ShipsWorldwide]
)
async def get_products_shipping(
    ctx: MerchantCtx,
    *,
    ids: Annotated[
        tuple[str, ...],
        Listed(",", most=shipping.MOST_PRODUCTS, item_most=200),
        Doc("Ids of products, at most 50; each is told once, in this order."),
    ],
) -> list[AllShippingItem]:
    """Get shipping prices of many products.

    To the countries where each of them is enabled. An id that is none of yours refuses the call.
    """
    return many_shipping(await shipping.list_offers_of_many(ctx, ids), ctx.actor)


@api.read("/product/get-shipping-setting", scope="products:read")
async def get_shipping_setting(ctx: MerchantCtx) -> ShippingSettings:
    """Get your shipping settings.

    The countries that you ship to, each with its price where no product says another.
    """
    return shipping_settings(await shipping.list_settings(ctx), ctx.actor)
