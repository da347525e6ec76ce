"""Products and variations on the wire; chapters *Product* and *Product Variation*."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from tradepost.domain import products as domain
from tradepost.domain.context import Merchant
from tradepost.domain.pictures import NO_PICTURE
from tradepost.surfaces.merchant_v2.views.leaves import (
    FlagText,
    NumberText,
    OptionalNumber,
    OptionalText,
    flag,
    image_url,
    maybe,
    maybe_flag,
    maybe_number,
    number,
)


class Tag(Struct, gc=False):
    """One tag of a product.

    `id` is the tag in lower case without anything but letters and digits, and without an s at its end. `name`
    is the tag as it was given.
    """

    id: str
    name: str


class TagItem(Struct, gc=False):
    """A tag in a list."""

    Tag: Tag


class CountryShipping(Struct, gc=False):
    """What shipping to one country costs.

    `country_code` is an ISO 3166 alpha-2 code. `price` is in US dollars, 999999 for merchants who are not
    paid in them. `localized_price` is in the merchant's own currency. `localized_currency_code` is that
    currency.
    """

    country_code: str
    price: OptionalNumber
    localized_price: OptionalNumber
    localized_currency_code: str


class CountryShippingItem(Struct, gc=False):
    """A country's shipping price in a list."""

    CountryShipping: CountryShipping


class Composition(Struct, gc=False):
    """What is in the goods.

    `has_liquid` says whether there is liquid in it. `has_battery` says whether there is a battery in it.
    `has_powder` says whether there is powder in it. `has_metal` says whether there is metal in it.
    """

    has_liquid: FlagText | UnsetType = UNSET
    has_battery: FlagText | UnsetType = UNSET
    has_powder: FlagText | UnsetType = UNSET
    has_metal: FlagText | UnsetType = UNSET


class LogisticsMetadata(Struct, gc=False):
    """What parcel services and customs want to know of a variation.

    `id` is the id of the variation. `product_id` is the id of its product. `Composition` tells what is in it.
    `declared_name` is what the customs are told it is. `declared_local_name` is the same in the local
    language. `pieces` is how many pieces belong to one item, a JSON number here. `length` is in cm. `width`
    is in cm. `height` is in cm. `weight` is in g. `declared_value` is what the customs are told it is worth,
    in US dollars. `hscode` is its code of the Harmonized System. `origin_country` is where it is made, ISO
    3166 alpha-2.
    """

    id: str
    product_id: str
    Composition: Composition
    declared_name: OptionalText = UNSET
    declared_local_name: OptionalText = UNSET
    pieces: int | UnsetType = UNSET
    length: OptionalNumber = UNSET
    width: OptionalNumber = UNSET
    height: OptionalNumber = UNSET
    weight: OptionalNumber = UNSET
    declared_value: OptionalNumber = UNSET
    hscode: OptionalText = UNSET
    origin_country: OptionalText = UNSET


class Variant(Struct, gc=False):
    """A SKU that is for sale. US dollar amounts read 999999 for merchants who are not paid in US dollars.

    `id` is 24 hex digits. `product_id` is the id of the product it belongs to. `sku` is the merchant's own
    identifier. `enabled` says whether it is for sale. `inventory` is the pieces in stock in the warehouse
    asked for. `price` is the price of one piece in US dollars. `shipping` is the shipping price in US
    dollars, null where no normal shipping is set. `msrp` is the reference price in US dollars, 0.0 where none
    is set. `localized_currency_code` is the merchant's own currency. `localized_price` is the price in it.
    `localized_shipping` is the shipping price in it. `localized_msrp` is the reference price in it.
    `removed_by_wish` says whether the marketplace took it down for good. `shipping_time` is a span of days
    that nothing follows from. `all_images` are all pictures of the product with | between them. `color` is
    its colour. `color_name` is the colour as buyers read it. `size` is its size. `condition` is the condition
    of the goods. `quantity_value` is how many units it has, for the price per unit. `main_image` is its own
    picture or else the product's, told only where a variation stands by itself. `LogisticsMetadata` is what
    was given for parcel services and customs.
    """

    id: str
    product_id: str
    sku: str
    enabled: FlagText
    inventory: NumberText
    price: NumberText
    shipping: NumberText | None
    msrp: NumberText
    localized_currency_code: str
    removed_by_wish: FlagText
    shipping_time: OptionalText
    all_images: str
    localized_price: OptionalNumber = UNSET
    localized_shipping: OptionalNumber = UNSET
    localized_msrp: OptionalNumber = UNSET
    color: OptionalText = UNSET
    color_name: OptionalText = UNSET
    size: OptionalText = UNSET
    condition: OptionalText = UNSET
    quantity_value: OptionalNumber = UNSET
    main_image: OptionalText = UNSET
    LogisticsMetadata: LogisticsMetadata | UnsetType = UNSET


class VariantItem(Struct, gc=False):
    """A variation by itself or in a list."""

    Variant: Variant


class Product(Struct, gc=False):
    """A product with all its variations, as seen from one warehouse.

    `id` is 24 hex digits. `name` is the name that buyers see. `description` is plain text. `parent_sku`
    is the merchant's own identifier. `number_saves` is how often buyers put it on a wish list.
    `number_sold` is how many were sold. `review_status` is pending, approved or rejected.
    `removed_by_merchant` says whether it was removed for good, as a JSON boolean. `enabled` says whether
    any of its variations is for sale. `is_promoted` says whether it is promoted. `tags` are the
    merchant's words for it. `auto_tags` are the marketplace's words for it. `main_image` is the URL of
    its main picture, of a grey square until that is here. `original_image_url` is the URL of its first
    main picture as it was given. `extra_images` are the URLs of its other pictures with | between them,
    as given until they are here. `date_uploaded` is the day it was added, MM-DD-YYYY.
    `last_updated` is when it or one of its variations last changed, MM-DD-YYYYTHH:MM:SS in UTC.
    `localized_currency_code` is the merchant's own currency. `country_shippings` are shipping prices by
    country. `variants` are its variations in the order they were added. `wish_express_country_codes` are
    the countries for which it takes part in Wish Express, left out where there are none. `category` is
    where the marketplace filed it. `default_shipping_price` is the shipping price of every country
    without its own, in US dollars. `localized_default_shipping_price` is the same in the merchant's own
    currency. `clean_image` is the URL of its clean picture. `demo_video_asset_url` is the URL of its
    video. `landing_page_url` is a page about it on the merchant's own site. `upc` is its GTIN.
    `requested_product_brand_id` is the id of its brand. `condition` is NEW, USED or REFURBISHED.
    `max_quantity` is the most pieces that one order may have. `reference_value` is how many units the
    price per unit is for. `unit` is the unit of these.
    """

    id: str
    name: str
    description: str
    parent_sku: str
    number_saves: NumberText
    number_sold: NumberText
    review_status: str
    removed_by_merchant: bool
    enabled: FlagText
    is_promoted: FlagText
    tags: list[TagItem]
    auto_tags: list[TagItem]
    main_image: str
    original_image_url: str
    extra_images: str
    date_uploaded: str
    last_updated: str
    localized_currency_code: str
    country_shippings: list[CountryShippingItem]
    variants: list[VariantItem]
    wish_express_country_codes: list[str] | UnsetType = UNSET
    category: OptionalText = UNSET
    default_shipping_price: OptionalNumber = UNSET
    localized_default_shipping_price: OptionalNumber = UNSET
    clean_image: OptionalText = UNSET
    demo_video_asset_url: OptionalText = UNSET
    landing_page_url: OptionalText = UNSET
    upc: OptionalText = UNSET
    requested_product_brand_id: OptionalText = UNSET
    condition: OptionalText = UNSET
    max_quantity: OptionalNumber = UNSET
    reference_value: OptionalNumber = UNSET
    unit: OptionalText = UNSET


class ProductItem(Struct, gc=False):
    """A product by itself or in a list."""

    Product: Product


def product_item(product: domain.Product, merchant: Merchant, base_url: str) -> ProductItem:
    """A product as its merchant sees it; URLs of ours begin with `base_url`."""
    amounts = _Amounts(merchant)
    images = _images(product.pictures, base_url)
    return ProductItem(
        Product(
            id=product.id,
            name=product.name,
            description=product.description,
            parent_sku=product.parent_sku,
            number_saves=str(product.number_saves),
            number_sold=str(product.number_sold),
            review_status=product.review_status,
            removed_by_merchant=product.removed,
            enabled=flag(product.enabled),
            is_promoted=flag(product.is_promoted),
            tags=_tags(product.tags),
            auto_tags=_tags(product.auto_tags),
            main_image=image_url(product.main_image or NO_PICTURE, base_url),
            original_image_url=image_url(product.original_image_url, base_url),
            extra_images=_images(product.extra_images, base_url),
            date_uploaded=_american_date(product.created_at),
            last_updated=_american_moment(product.updated_at),
            localized_currency_code=merchant.currency,
            country_shippings=[_country_item(country, amounts) for country in product.countries],
            variants=[_variant_item(v, product, amounts, images) for v in product.variations],
            wish_express_country_codes=product.express_countries or UNSET,
            category=maybe(product.category),
            default_shipping_price=amounts.maybe_usd(product.default_shipping, product.localized_default_shipping),
            localized_default_shipping_price=amounts.localized(
                product.default_shipping, product.localized_default_shipping
            ),
            clean_image=_maybe_image(product.clean_image, base_url),
            demo_video_asset_url=_maybe_image(product.demo_video_asset_url, base_url),
            landing_page_url=maybe(product.landing_page_url),
            upc=maybe(product.upc),
            requested_product_brand_id=maybe(product.requested_product_brand_id),
            condition=maybe(product.condition),
            max_quantity=UNSET if product.max_quantity is None else str(product.max_quantity),
            reference_value=maybe_number(product.reference_value),
            unit=maybe(product.unit),
        )
    )


def variant_item(
    variation: domain.Variation, product: domain.Product, merchant: Merchant, base_url: str
) -> VariantItem:
    """A variation by itself; only here its own picture (or the product's) is told."""
    item = _variant_item(variation, product, _Amounts(merchant), _images(product.pictures, base_url))
    item.Variant.main_image = image_url(variation.main_image or product.main_image or NO_PICTURE, base_url)
    return item


def variant_items(product: domain.Product, merchant: Merchant, base_url: str) -> list[VariantItem]:
    """All variations of a product for a list of variations."""
    return [variant_item(variation, product, merchant, base_url) for variation in product.variations]


def _maybe_image(image: str | None, base_url: str) -> str | UnsetType:
    return UNSET if image is None else image_url(image, base_url)


def _images(images: list[str], base_url: str) -> str:
    return "|".join([image_url(image, base_url) for image in images])


class _Amounts:
    """How this merchant's amounts read: US dollars that count or 999999, and his own currency."""

    __slots__ = ("currency", "in_usd", "own_is_usd")

    def __init__(self, merchant: Merchant) -> None:
        self.currency = merchant.currency
        self.in_usd = merchant.paid_in_usd
        self.own_is_usd = merchant.currency == "USD"

    def usd(self, amount: str | None) -> str:
        return number(amount) if self.in_usd and amount is not None else domain.UNPAID

    def maybe_usd(self, amount: str | None, localized: str | None) -> str | UnsetType:
        return UNSET if amount is None and localized is None else self.usd(amount)

    def localized(self, usd: str | None, localized: str | None) -> str | UnsetType:
        return maybe_number(usd if self.own_is_usd else localized)


def _variant_item(
    variation: domain.Variation, product: domain.Product, amounts: _Amounts, images: str
) -> VariantItem:
    shipping, msrp, color, own_is_usd = variation.shipping, variation.msrp, variation.color, amounts.own_is_usd
    told_color = UNSET if color is None else color
    own_shipping = variation.localized_shipping
    return VariantItem(
        Variant(
            id=variation.id,
            product_id=product.id,
            sku=variation.sku,
            enabled="True" if variation.enabled else "False",
            inventory=str(variation.inventory or 0),
            price=amounts.usd(variation.price),
            shipping=None if shipping is None and own_shipping is None else amounts.usd(shipping),
            msrp="0.0" if msrp is None and variation.localized_msrp is None else amounts.usd(msrp),
            localized_currency_code=amounts.currency,
            removed_by_wish="True" if variation.removed_by_wish else "False",
            shipping_time=maybe(variation.shipping_time),
            all_images=images,
            localized_price=maybe_number(variation.price if own_is_usd else variation.localized_price),
            localized_shipping=maybe_number(shipping if own_is_usd else own_shipping),
            localized_msrp=maybe_number(msrp if own_is_usd else variation.localized_msrp),
            color=told_color,
            color_name=told_color,
            size=maybe(variation.size),
            condition=maybe(product.condition),
            quantity_value=maybe_number(variation.quantity_value),
            LogisticsMetadata=UNSET
            if variation.logistics is None
            else _logistics(variation.logistics, variation.id, product.id),
        )
    )


def _logistics(known: domain.Logistics, variation_id: str, product_id: str) -> LogisticsMetadata:
    return LogisticsMetadata(
        id=variation_id,
        product_id=product_id,
        Composition=Composition(
            has_liquid=maybe_flag(known.has_liquid),
            has_battery=maybe_flag(known.has_battery),
            has_powder=maybe_flag(known.has_powder),
            has_metal=maybe_flag(known.has_metal),
        ),
        declared_name=maybe(known.declared_name),
        declared_local_name=maybe(known.declared_local_name),
        pieces=UNSET if known.pieces is None else known.pieces,
        length=maybe_number(known.length),
        width=maybe_number(known.width),
        height=maybe_number(known.height),
        weight=maybe_number(known.weight),
        declared_value=maybe_number(known.declared_value),
        hscode=maybe(known.hscode),
        origin_country=maybe(known.origin_country),
    )


def _country_item(country: domain.CountryPrice, amounts: _Amounts) -> CountryShippingItem:
    return CountryShippingItem(
        CountryShipping(
            country_code=country.country,
            price=amounts.maybe_usd(country.price, country.localized_price),
            localized_price=amounts.localized(country.price, country.localized_price),
            localized_currency_code=amounts.currency,
        )
    )


def _tags(names: list[str]) -> list[TagItem]:
    return [TagItem(Tag(domain.tag_id(name), name)) for name in names]


def _american_date(moment: datetime) -> str:
    # By hand, because strftime takes five times as long and is in every product.
    return f"{moment.month:02d}-{moment.day:02d}-{moment.year:04d}"


def _american_moment(moment: datetime) -> str:
    return f"{_american_date(moment)}T{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d}"
