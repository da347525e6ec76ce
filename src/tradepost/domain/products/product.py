"""Products and variations as they are, and what it takes to make or change one.

Chapters *Product* and *Product Variation* of the merchant reference. Prices without `localized` are US dollars,
the others are in the merchant's own currency. What comes in is Decimal; what is read is the text of the number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

from tradepost.values import NOT_GIVEN, NotGiven

MOST_VARIATIONS: Final = 400
MOST_PICTURES: Final = 100
DEFAULT_SHIPPING_TIME: Final = "7-21"
REMOVED_MARK: Final = "-removed-"

Amount = str
"""A number as it is read: its exact decimal text without trailing zeros. Nobody computes with it on the way out,
and making a Decimal of each only to print it was a third of what a list cost."""


class Logistics(msgspec.Struct, frozen=True, gc=False):
    """What a parcel service and the customs want to know of a variation; None where it was not said."""

    length: Amount | None
    width: Amount | None
    height: Amount | None
    weight: Amount | None
    declared_name: str | None
    declared_local_name: str | None
    pieces: int | None
    declared_value: Amount | None
    hscode: str | None
    origin_country: str | None
    has_powder: bool | None
    has_liquid: bool | None
    has_battery: bool | None
    has_metal: bool | None


class Variation(msgspec.Struct, frozen=True, gc=False):
    """A SKU that is for sale; stock and shipping are those of one warehouse, None where nothing is set."""

    id: str
    sku: str
    color: str | None
    size: str | None
    price: Amount | None
    localized_price: Amount | None
    msrp: Amount | None
    localized_msrp: Amount | None
    quantity_value: Amount | None
    enabled: bool
    removed_by_wish: bool
    shipping_time: str | None
    main_image: str | None
    inventory: int | None
    shipping: Amount | None
    localized_shipping: Amount | None
    logistics: Logistics | None


class CountryPrice(msgspec.Struct, frozen=True, gc=False):
    """What shipping to one country costs."""

    country: str
    price: Amount | None
    localized_price: Amount | None


class Product(msgspec.Struct, frozen=True, gc=False):
    """A product with all its variations, as seen from one warehouse.

    Pictures that are here are paths of ours. The main one is "" where there is none yet; in lists those that are
    not here yet stand with the URL that they will come from.
    """

    id: str
    parent_sku: str
    name: str
    description: str
    category: str | None
    tags: list[str]
    auto_tags: list[str]
    review_status: str
    main_image: str
    original_image_url: str
    clean_image: str | None
    extra_images: list[str]
    demo_video_asset_url: str | None
    landing_page_url: str | None
    upc: str | None
    requested_product_brand_id: str | None
    condition: str | None
    max_quantity: int | None
    reference_value: Amount | None
    unit: str | None
    number_sold: int
    number_saves: int
    is_promoted: bool
    created_at: datetime
    updated_at: datetime
    removed: bool
    default_shipping: Amount | None
    localized_default_shipping: Amount | None
    countries: list[CountryPrice]
    express_countries: list[str]
    variations: list[Variation]

    @property
    def enabled(self) -> bool:
        """Whether anything of it is for sale."""
        return any(variation.enabled for variation in self.variations)

    @property
    def pictures(self) -> list[str]:
        """Every picture once: the main one, the extra ones, those of the variations."""
        own = [variation.main_image for variation in self.variations]
        return [image for image in dict.fromkeys([self.main_image, *self.extra_images, *own]) if image]


@dataclass(frozen=True, slots=True)
class Gallery:
    """The pictures of a product by themselves, in the order in which they are shown.

    `main` is the one that is shown, "" before there is any; `wanted` the one that is to take its place as soon as
    it is here. Those of `extra` that are not here yet stand with the URL, or the upload, that they come from.
    """

    main: str
    wanted: str | None
    extra: Sequence[str]


@dataclass(frozen=True, slots=True)
class ProductLine:
    """A product as it stands in an operator's list, with the SKUs of what is in it."""

    merchant_id: str
    id: str
    parent_sku: str
    name: str
    review_status: str
    category: str | None
    created_at: datetime
    updated_at: datetime
    skus: Sequence[str]


@dataclass(frozen=True, slots=True)
class StockCount:
    """How many places for stock a shop has with nothing left, with little left, and with more."""

    none: int
    low: int
    fine: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.none + self.low + self.fine


@dataclass(frozen=True, slots=True)
class ShopFilter:
    """Which products a shop's own list is about: `text` stands in the name or begins a SKU."""

    text: str | None = None
    review_status: str | None = None
    for_sale: bool | None = None


@dataclass(frozen=True, slots=True)
class ShopLine:
    """A product as it stands in its shop's own list; stock is that of the STANDARD warehouse.

    `sku`, `price` and `localized_price` are those of the first variation, prices also the lowest and the highest;
    `stock` is that of all variations, `sold_out` how many of them are for sale and have none.
    """

    id: str
    parent_sku: str
    name: str
    picture: str
    review_status: str
    number_sold: int
    updated_at: datetime
    variations: int
    for_sale: int
    sku: str
    lowest: Amount | None
    highest: Amount | None
    localized_lowest: Amount | None
    localized_highest: Amount | None
    stock: int
    sold_out: int


@dataclass(frozen=True, slots=True)
class ProductRef:
    """Which product is meant: by its id or, where that is None, by its parent SKU."""

    id: str | None = None
    parent_sku: str | None = None


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which products of a list are wanted: changed from `since` on and before `upto`."""

    since: datetime | None = None
    upto: datetime | None = None
    show_rejected: bool = False


@dataclass(frozen=True, slots=True)
class CatalogueFilter:
    """What a file of the catalogue holds: products changed from `since` on, the first `limit` of them by id."""

    since: datetime | None = None
    limit: int | None = None
    descending: bool = True
    show_rejected: bool = False
    warehouse: str = "STANDARD"

    @property
    def order(self) -> str:
        """The direction of the sort, as SQL has it."""
        return "desc" if self.descending else "asc"


@dataclass(frozen=True, kw_only=True)
class LogisticsChanges:
    """What a parcel service and the customs want to know of a variation: cm, g, US dollars."""

    length: Decimal | NotGiven = NOT_GIVEN
    width: Decimal | NotGiven = NOT_GIVEN
    height: Decimal | NotGiven = NOT_GIVEN
    weight: Decimal | NotGiven = NOT_GIVEN
    declared_name: str | NotGiven = NOT_GIVEN
    declared_local_name: str | NotGiven = NOT_GIVEN
    pieces: int | NotGiven = NOT_GIVEN
    declared_value: Decimal | NotGiven = NOT_GIVEN
    hscode: str | NotGiven = NOT_GIVEN
    origin_country: str | NotGiven = NOT_GIVEN
    has_powder: bool | NotGiven = NOT_GIVEN
    has_liquid: bool | NotGiven = NOT_GIVEN
    has_battery: bool | NotGiven = NOT_GIVEN
    has_metal: bool | NotGiven = NOT_GIVEN

    def logistics(self) -> dict[str, Any]:
        """The attributes that were given, by the name of their column."""
        return given(self, *LogisticsChanges.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True)
class NewProduct(LogisticsChanges):
    """A product to be, with its first variation."""

    name: str
    description: str
    sku: str
    inventory: int
    price: Decimal
    shipping: Decimal
    main_image: str
    tags: tuple[str, ...] = ()
    color: str | NotGiven = NOT_GIVEN
    condition: str | NotGiven = NOT_GIVEN
    size: str | NotGiven = NOT_GIVEN
    localized_price: Decimal | NotGiven = NOT_GIVEN
    localized_shipping: Decimal | NotGiven = NOT_GIVEN
    localized_currency_code: str | NotGiven = NOT_GIVEN
    country_shipping_prices: Mapping[str, Decimal] | NotGiven = NOT_GIVEN
    msrp: Decimal | NotGiven = NOT_GIVEN
    localized_msrp: Decimal | NotGiven = NOT_GIVEN
    shipping_time: str | NotGiven = NOT_GIVEN
    parent_sku: str | NotGiven = NOT_GIVEN
    requested_product_brand_id: str | NotGiven = NOT_GIVEN
    landing_page_url: str | NotGiven = NOT_GIVEN
    upc: str | NotGiven = NOT_GIVEN
    extra_images: tuple[str, ...] = ()
    clean_image: str | NotGiven = NOT_GIVEN
    max_quantity: int | NotGiven = NOT_GIVEN
    reference_value: Decimal | NotGiven = NOT_GIVEN
    quantity_value: Decimal | NotGiven = NOT_GIVEN
    unit: str | NotGiven | None = NOT_GIVEN
    demo_video_asset_url: str | NotGiven = NOT_GIVEN


@dataclass(frozen=True, kw_only=True)
class ProductChanges:
    """What is to change about a product; whatever was not given stays."""

    name: str | NotGiven = NOT_GIVEN
    description: str | NotGiven = NOT_GIVEN
    tags: tuple[str, ...] | NotGiven = NOT_GIVEN
    requested_product_brand_id: str | NotGiven = NOT_GIVEN
    landing_page_url: str | NotGiven = NOT_GIVEN
    upc: str | NotGiven = NOT_GIVEN
    main_image: str | NotGiven = NOT_GIVEN
    extra_images: tuple[str, ...] | NotGiven = NOT_GIVEN
    clean_image: str | NotGiven = NOT_GIVEN
    max_quantity: int | NotGiven = NOT_GIVEN
    condition: str | NotGiven = NOT_GIVEN
    reference_value: Decimal | NotGiven = NOT_GIVEN
    unit: str | NotGiven | None = NOT_GIVEN
    demo_video_asset_url: str | NotGiven = NOT_GIVEN


@dataclass(frozen=True, kw_only=True)
class NewVariation(LogisticsChanges):
    """A variation to be, for the product that has this parent SKU or a variation with this SKU."""

    parent_sku: str
    sku: str
    inventory: int
    price: Decimal
    color: str | NotGiven = NOT_GIVEN
    size: str | NotGiven = NOT_GIVEN
    localized_price: Decimal | NotGiven = NOT_GIVEN
    localized_currency_code: str | NotGiven = NOT_GIVEN
    msrp: Decimal | NotGiven = NOT_GIVEN
    localized_msrp: Decimal | NotGiven = NOT_GIVEN
    shipping_time: str | NotGiven = NOT_GIVEN
    main_image: str | NotGiven = NOT_GIVEN
    quantity_value: Decimal | NotGiven = NOT_GIVEN


@dataclass(frozen=True, kw_only=True)
class VariationChanges(LogisticsChanges):
    """What is to change about a variation; whatever was not given stays."""

    inventory: int | NotGiven = NOT_GIVEN
    price: Decimal | NotGiven = NOT_GIVEN
    localized_price: Decimal | NotGiven = NOT_GIVEN
    localized_currency_code: str | NotGiven = NOT_GIVEN
    enabled: bool | NotGiven = NOT_GIVEN
    size: str | NotGiven = NOT_GIVEN
    color: str | NotGiven = NOT_GIVEN
    msrp: Decimal | NotGiven = NOT_GIVEN
    localized_msrp: Decimal | NotGiven = NOT_GIVEN
    shipping_time: str | NotGiven = NOT_GIVEN
    main_image: str | NotGiven = NOT_GIVEN
    update_product_image: bool = True
    quantity_value: Decimal | NotGiven = NOT_GIVEN


class KnownVariation(msgspec.Struct, frozen=True, gc=False):
    """A live variation as a bulk update finds it."""

    sku: str
    product_id: str
    id: str
    removed_by_wish: bool


class Shelf(msgspec.Struct, frozen=True, gc=False):
    """The place of a variation in one warehouse, and what shipping costs from there where nothing else says it."""

    warehouse_id: str
    shipping: Decimal | None
    localized_shipping: Decimal | None


class Goods(msgspec.Struct, frozen=True, gc=False):
    """A live variation as it can be bought; its shelves by the name of the warehouse."""

    sku: str
    product_id: str
    variation_id: str
    name: str
    picture: str
    color: str | None
    size: str | None
    price: Decimal | None
    localized_price: Decimal | None
    for_sale: bool
    max_quantity: int | None
    shelves: Mapping[str, Shelf]


def given(changes: object, *names: str) -> dict[str, Any]:
    """Those of the named attributes that were given."""
    return {name: value for name in names if (value := getattr(changes, name)) is not NOT_GIVEN}


@lru_cache(maxsize=4096)
def tag_id(tag: str) -> str:
    """The key of a tag: letters and digits in lower case, without an s at the end (facts, section 6)."""
    return "".join(char for char in tag.lower() if char.isalnum()).removesuffix("s")
