"""Chapter *Fulfillment*: which carriers there are, and which confirm delivery where that is required."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from tradepost.domain import reference
from tradepost.domain.context import MerchantCtx
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.wire.params import Country, Doc

# Where to read what a carrier asks of parcels with confirmed delivery.
EXTRA_INFO = {"WishPost": "https://merchant.wish.com/documentation/v2/qualifiedcarriers"}


class ShippingCarriers(Struct):
    """The names of all accepted carriers."""

    shipping_carriers: list[str]


class ConfirmedDeliveryCountries(Struct):
    """Country codes."""

    countries: list[str]


class ConfirmedDeliveryCarriers(Struct):
    """Carriers for one country, and a link by carrier where there is more to know."""

    carriers: list[str]
    extra_info: dict[str, str]


@api.read("/fulfillment/get-shipping-carriers", "/get-shipping-carriers")
async def get_shipping_carriers(ctx: MerchantCtx) -> ShippingCarriers:
    """List the accepted shipping providers."""
    return ShippingCarriers(list(reference.CARRIERS))


@api.read(
    "/fulfillment/get-confirmed-delivery-countries",
    "/order/get-confirmed-delivery-countries",
    scope="orders:read",
    method="POST",
)
async def get_confirmed_delivery_countries(ctx: MerchantCtx) -> ConfirmedDeliveryCountries:
    """List the countries that require confirmed delivery."""
    return ConfirmedDeliveryCountries(list(reference.CONFIRMED_DELIVERY))


@api.read(
    "/fulfillment/get-confirmed-delivery-shipping-carriers-for-country",
    "/order/get-confirmed-delivery-shipping-carriers-for-country",
    scope="orders:read",
    method="POST",
)
async def get_confirmed_delivery_carriers(
    ctx: MerchantCtx,
    *,
    country_code: Annotated[
        str, Country(reference.ISO_COUNTRIES), Doc("The country to ship to: ISO 3166 alpha-2, such as US.")
    ],
) -> ConfirmedDeliveryCarriers:
    """List the carriers that confirm delivery in a country.

    Empty for a country that does not require it.
    """
    carriers = reference.CONFIRMED_DELIVERY.get(country_code, ())
    return ConfirmedDeliveryCarriers(
        list(carriers), {name: link for name, link in EXTRA_INFO.items() if name in carriers}
    )
