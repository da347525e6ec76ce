"""Shipping on the wire: by country, by warehouse in it, by region in that.

A list of fifty products has thousands of entries, so what writes them is one plain loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from babel.numbers import get_currency_precision
from msgspec import UNSET, Struct, UnsetType

from tradepost.domain import products, reference
from tradepost.domain.context import Merchant
from tradepost.domain.shipping import CountryOffers, CountrySetting, Price, ProductOffers, RegionOffer
from tradepost.surfaces.merchant_v2.views.leaves import FlagText, flag
from tradepost.wire.answers import Ready

BY_VARIATION: Final = "Use Product Shipping Price"
NO_PRICE: Final = "None"
NO_CURRENCY: Final = "N/A"


class RegionalShipping(Struct, gc=False):
    """Shipping to a region from one warehouse.

    `state` is the region's name. `use_country_shipping` says whether it costs what its country costs. `price` is in
    US dollars, None where the country says it, 999999 for merchants who are not paid in them. `localized_price` is
    in the merchant's own currency, None where the country says it. `localized_currency_code` is that currency.
    `enabled` says whether it can be bought there. `state_code` is the region's code without its country's.
    """

    state: str
    use_country_shipping: FlagText
    price: str
    localized_price: str
    localized_currency_code: str
    enabled: FlagText
    state_code: str


class RegionalShippingItem(Struct, gc=False):
    """A region in a list."""

    RegionalShipping: RegionalShipping


class WarehouseShipping(Struct, gc=False):
    """Shipping to a country from one warehouse.

    `price_type` is wish_express for an Express warehouse and normal for STANDARD. `price` is in US dollars, 999999
    for merchants who are not paid in them, None where the variations say it. `localized_price` is in the merchant's
    own currency, empty where the variations say it. `localized_currency_code` is that
    currency. `warehouse_name` is the warehouse. `enabled` says whether it ships there. `use_product_shipping` says
    whether the variations say the price. `localized_shipping_price` is another name of `localized_price`, told
    where the answer is about all countries of one product. `regional_shippings` are all regions of the
    country, where it has some.
    """

    price_type: str
    price: str
    localized_price: str
    localized_currency_code: str
    warehouse_name: str
    enabled: FlagText
    use_product_shipping: FlagText
    localized_shipping_price: str | UnsetType = UNSET
    regional_shippings: list[RegionalShippingItem] | UnsetType = UNSET


class WarehouseShippingItem(Struct, gc=False):
    """A warehouse in a list."""

    WarehouseShipping: WarehouseShipping


class ProductCountryWarehouseShipping(Struct, gc=False):
    """Shipping of a product to a country.

    `wish_express` says whether an Express warehouse ships there. `warehouses` are all that can. `enabled` says
    whether any does. `id` is the product. `country_code` is an ISO 3166 alpha-2 code.
    """

    wish_express: FlagText
    warehouses: list[WarehouseShippingItem]
    enabled: FlagText
    id: str
    country_code: str


class CountryWarehousesItem(Struct, gc=False):
    """A country, or one in a list."""

    ProductCountryWarehouseShipping: ProductCountryWarehouseShipping


class ProductCountryShipping(Struct, gc=False):
    """The older form: what one warehouse says, STANDARD unless only Express ships there.

    `shipping_price` is in US dollars, 999999 for merchants who are not paid in them, and `Use Product Shipping
    Price` where the variations say it. `localized_shipping_price` is in the merchant's own currency, then empty.
    `localized_currency_code` is that currency. `country_code` is an ISO 3166 alpha-2 code. `wish_express` says
    whether an Express warehouse ships there. `enabled` says whether any warehouse does. `id` is the product.
    `use_product_shipping` says whether the variations say the price. `DataV2` is the newer form, where the answer
    is about one country.
    """

    shipping_price: str
    localized_shipping_price: str
    localized_currency_code: str
    country_code: str
    wish_express: FlagText
    enabled: FlagText
    id: str
    use_product_shipping: FlagText
    DataV2: CountryWarehousesItem | UnsetType = UNSET


class OlderShippingItem(Struct, gc=False):
    """A country in the older form."""

    ProductCountryShipping: ProductCountryShipping


class ProductCountryWarehouseAllShipping(Struct, gc=False):
    """Shipping of a product: `id` is the product, `countries` are the countries by code."""

    id: str
    countries: list[CountryWarehousesItem]


class AllWarehousesItem(Struct, gc=False):
    """Shipping of a product in the newer form."""

    ProductCountryWarehouseAllShipping: ProductCountryWarehouseAllShipping


class ProductCountryAllShipping(Struct, gc=False):
    """Shipping of a product to many countries.

    `id` is the product. `DataV2` is the newer form, with every warehouse. `shipping_prices` is the older one.
    """

    id: str
    DataV2: AllWarehousesItem
    shipping_prices: list[OlderShippingItem]


class AllShippingItem(Struct, gc=False):
    """Shipping of a product by itself or in a list."""

    ProductCountryAllShipping: ProductCountryAllShipping


class CountryShippingSetting(Struct, gc=False):
    """A country that the merchant ships to.

    `country_code` is an ISO 3166 alpha-2 code. `shipping_price` is the price where no product says another, or `Use
    Product Shipping Price`. `use_product_shipping` says whether the variations say it. `currency_code` is the
    currency of the price, N/A where there is none.
    """

    country_code: str
    shipping_price: str
    use_product_shipping: FlagText
    currency_code: str


class CountryShippingSettingItem(Struct, gc=False):
    """A setting in a list."""

    CountryShippingSetting: CountryShippingSetting


class ShippingSetting(Struct, gc=False):
    """A merchant's settings: `country_settings` are the countries he ships to, by code."""

    country_settings: list[CountryShippingSettingItem]


class ShippingSettings(Struct, gc=False):
    """The settings by themselves."""

    ShippingSetting: ShippingSetting


def country_shipping(product_id: str, to: CountryOffers, merchant: Merchant) -> OlderShippingItem:
    """Shipping of a product to one country, in both forms."""
    writer = _Writer(merchant)
    [newer], [older] = writer.countries(product_id, [to])
    older.ProductCountryShipping.DataV2 = newer
    return older


def all_shipping(product: ProductOffers, merchant: Merchant) -> AllShippingItem:
    """Shipping of a product to all countries, in both forms."""
    writer = _Writer(merchant, twice=True)
    return writer.item(product)


def many_shipping(found: Sequence[ProductOffers], merchant: Merchant) -> list[AllShippingItem]:
    """Shipping of many products, each in both forms."""
    writer = _Writer(merchant)
    return [writer.item(product) for product in found]


def shipping_settings(settings: Sequence[CountrySetting], merchant: Merchant) -> ShippingSettings:
    """A merchant's settings; prices have the decimals of their currency."""
    return ShippingSettings(ShippingSetting([_setting_item(setting, merchant) for setting in settings]))


def _setting_item(setting: CountrySetting, merchant: Merchant) -> CountryShippingSettingItem:
    price, currency = setting.price, merchant.payment_currency
    amount = None if price is None else price.usd if price.usd is not None else price.localized
    if amount is None:
        told = CountryShippingSetting(setting.country, BY_VARIATION, "True", NO_CURRENCY)
    else:
        text = f"{Decimal(amount):.{get_currency_precision(currency)}f}"
        told = CountryShippingSetting(setting.country, text, "False", currency)
    return CountryShippingSettingItem(told)


class _Writer:
    """Writes shipping as one merchant sees it."""

    __slots__ = ("_currency", "_in_usd", "_own_is_usd", "_regions", "_twice")

    def __init__(self, merchant: Merchant, twice: bool = False) -> None:
        """`twice` tells the own price under both its names."""
        self._currency = merchant.currency
        self._in_usd = merchant.paid_in_usd
        self._own_is_usd = merchant.currency == "USD"
        self._twice = twice
        self._regions: dict[int, Any] = {}

    def item(self, product: ProductOffers) -> AllShippingItem:
        """A product with its countries, in both forms."""
        newer, older = self.countries(product.product_id, product.countries)
        by_warehouse = AllWarehousesItem(ProductCountryWarehouseAllShipping(product.product_id, newer))
        return AllShippingItem(ProductCountryAllShipping(product.product_id, by_warehouse, older))

    def countries(
        self, product_id: str, countries: Sequence[CountryOffers]
    ) -> tuple[list[CountryWarehousesItem], list[OlderShippingItem]]:
        """The countries of a product: with every warehouse that serves them, and in the words of one of those."""
        newer, older = [], []
        currency, in_usd, own_is_usd, twice = self._currency, self._in_usd, self._own_is_usd, self._twice
        # Little is called in here: a list of fifty products comes to it three thousand times.
        for to in countries:
            warehouses, main = [], to.main
            main_usd, main_own, main_by_variation = BY_VARIATION, "", "True"
            for offer in to.offers:
                usd, own, by_variation = NO_PRICE, "", "True"
                if (price := offer.price) is not None:
                    by_variation, amount = "False", price.usd if in_usd else None
                    usd = products.UNPAID if amount is None else amount if "." in amount else amount + ".0"
                    own = usd if own_is_usd else _own(price, False, "")
                    if offer is main:
                        main_usd, main_own, main_by_variation = usd, own, by_variation
                told = WarehouseShipping(
                    "wish_express" if offer.is_express else "normal",
                    usd,
                    own,
                    currency,
                    offer.warehouse,
                    "True" if offer.enabled else "False",
                    by_variation,
                    own if twice else UNSET,
                    self._region_items(offer.regions) if offer.regions else UNSET,
                )
                warehouses.append(WarehouseShippingItem(told))
            express = "True" if to.wish_express else "False"
            enabled = "True" if to.enabled else "False"
            country = ProductCountryWarehouseShipping(express, warehouses, enabled, product_id, to.country)
            newer.append(CountryWarehousesItem(country))
            shipping = ProductCountryShipping(
                main_usd, main_own, currency, to.country, express, enabled, product_id, main_by_variation
            )
            older.append(OlderShippingItem(shipping))
        return newer, older

    def _region_items(self, regions: tuple[RegionOffer, ...]) -> Any:
        # They count by identity, because those of which nothing is said are one object for all products; whoever
        # calls keeps them all until everything is written.
        made = self._regions.get(id(regions))
        if made is None:
            made = self._regions[id(regions)] = _written(regions, self._currency, self._in_usd)
        return made


@lru_cache(maxsize=256)
def _written(regions: tuple[RegionOffer, ...], currency: str, in_usd: bool) -> Ready:
    """The regions of a country, ready for answers: those of which nothing is said stand in most of them."""
    return Ready([RegionalShippingItem(_region(region, currency, in_usd)) for region in regions])


def _region(offer: RegionOffer, currency: str, in_usd: bool) -> RegionalShipping:
    price = offer.price
    return RegionalShipping(
        reference.REGIONS[offer.region].name,
        flag(price is None),
        NO_PRICE if price is None else _usd(price, in_usd),
        NO_PRICE if price is None else _own(price, currency == "USD", NO_PRICE),
        currency,
        flag(offer.enabled),
        offer.region[3:],
    )


def _usd(price: Price, in_usd: bool) -> str:
    amount = price.usd
    if not in_usd or amount is None:
        return products.UNPAID
    return amount if "." in amount else amount + ".0"


def _own(price: Price, own_is_usd: bool, absent: str) -> str:
    amount = price.usd if own_is_usd else price.localized
    if amount is None:
        return absent
    return amount if "." in amount else amount + ".0"
