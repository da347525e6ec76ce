"""Reading and changing where products are shipped to, and the settings of the merchant behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from babel.numbers import get_currency_precision

from tradepost.domain import products, reference, warehouses
from tradepost.domain.context import Ctx, Merchant, MerchantCtx
from tradepost.domain.products import MOST_SHIPPING, Amounts, ProductRef, check_currency, settle
from tradepost.domain.products.failures import LocalizedMissing, ProductNotFound
from tradepost.domain.shipping import failures, rows
from tradepost.domain.shipping.changes import (
    DEFAULT,
    PRICE,
    Draft,
    PlaceChanges,
    ShippingChanges,
    say_of_many,
    say_of_place,
)
from tradepost.domain.shipping.shipping import (
    CountryOffers,
    CountrySetting,
    Price,
    ProductOffers,
    Shop,
    Terms,
    Way,
    offers_to,
    region_of,
    ways_to,
)
from tradepost.domain.warehouses import STANDARD, Warehouse, WarehouseNotFound
from tradepost.values import NOT_GIVEN, NotGiven

MOST_PRODUCTS: Final = 50
_MOST_LOCALIZED: Final = 9_999_999_999


async def find_offers(ctx: MerchantCtx, ref: ProductRef, country: str) -> tuple[str, CountryOffers]:
    """The id of a product, and how it is shipped to one country.

    Raises ProductNotFound, ShipsWorldwide, CountryNotServed.
    """
    shop, product_id, terms = await _find(ctx, ref)
    if shop.worldwide:
        raise failures.ShipsWorldwide
    return product_id, offers_to(shop, terms, [country])[0]


async def list_offers(ctx: MerchantCtx, ref: ProductRef) -> ProductOffers:
    """How a product is shipped to every country its merchant ships to; raises ProductNotFound."""
    shop, product_id, terms = await _find(ctx, ref)
    return ProductOffers(product_id, offers_to(shop, terms, shop.countries))


async def list_offers_of_many(ctx: MerchantCtx, ids: Iterable[str]) -> list[ProductOffers]:
    """The same for several products, each once, to the countries where each can be had.

    Raises ShipsWorldwide, and ProductNotFound for the first id without a product.
    """
    shop, found = await rows.by_ids(ctx.db, ctx.actor.id, list(dict.fromkeys(ids)))
    if shop.worldwide:
        raise failures.ShipsWorldwide
    countries = shop.countries
    listed = []
    for product_id, terms in found:
        if terms is None:
            raise ProductNotFound(id=product_id)
        offers = offers_to(shop, terms, countries)
        listed.append(ProductOffers(product_id, [to for to in offers if to.enabled]))
    return listed


async def find_ways(
    ctx: MerchantCtx, product_ids: Iterable[str], country: str, state: str | None
) -> Mapping[str, list[Way]]:
    """How products can be shipped to an address, by the product's id, the best way first."""
    shop, found = await rows.by_ids(ctx.db, ctx.actor.id, list(dict.fromkeys(product_ids)))
    region = region_of(country, state)
    return {product_id: ways_to(shop, terms, country, region) for product_id, terms in found if terms is not None}


async def update_place(ctx: MerchantCtx, ref: ProductRef, changes: PlaceChanges) -> None:
    """Say something of one country or region, and of the default price.

    Raises ProductNotFound, ProductRemoved, WarehouseNotFound, ShipsWorldwide, CountryNotServed,
    ExpressWarehouseMissing, RegionTooDear, and what `products` raises about amounts.
    """
    merchant = ctx.actor
    default, own_default = changes.default_shipping_price, changes.localized_default_shipping_price
    _check_currency(
        merchant,
        changes.localized_currency_code,
        [changes.price, default],
        [changes.localized_price, own_default],
    )
    price = _price(merchant, PRICE, changes.price, changes.localized_price)
    default_price = _price(merchant, DEFAULT, default, own_default)
    product_id = await products.hold_product(ctx, ref)
    draft = await _draft(ctx, product_id, changes.warehouse_name)
    if default_price is not None:
        draft.set_default(default_price)
    say_of_place(draft, changes, price)
    draft.check_regions(merchant)
    await _store(ctx, product_id, draft)


async def update_many(ctx: MerchantCtx, product_id: str, changes: ShippingChanges) -> None:
    """Say something of many countries and regions, and of the default price; raises what `update_place` does."""
    merchant = ctx.actor
    given: dict[str, Decimal] = {**changes.country_prices, **changes.region_prices}
    own: dict[str, Decimal] = {**changes.localized_country_prices, **changes.localized_region_prices}
    default, own_default = changes.default_shipping_price, changes.localized_default_shipping_price
    _check_currency(
        merchant,
        changes.localized_currency_code,
        [*given.values(), default],
        [*own.values(), own_default],
    )
    places = sorted(given.keys() | own.keys())
    priced = {
        place: _price(merchant, place, given.get(place, NOT_GIVEN), own.get(place, NOT_GIVEN)) for place in places
    }
    prices = {place: price for place, price in priced.items() if price is not None}
    default_price = _price(merchant, DEFAULT, default, own_default)
    await products.hold_product(ctx, ProductRef(id=product_id))
    draft = await _draft(ctx, product_id, changes.warehouse_name)
    if default_price is not None:
        draft.set_default(default_price)
    say_of_many(draft, changes, prices)
    draft.check_regions(merchant)
    await _store(ctx, product_id, draft)


async def _find(ctx: MerchantCtx, ref: ProductRef) -> tuple[Shop, str, Terms]:
    if ref.id is not None:
        shop, [(product_id, terms)] = await rows.by_ids(ctx.db, ctx.actor.id, [ref.id])
        if terms is not None:
            return shop, product_id, terms
    elif found := await rows.by_parent_sku(ctx.db, ctx.actor.id, ref.parent_sku or ""):
        shop, [(product_id, terms)] = found
        if terms is not None:
            return shop, product_id, terms
    raise ProductNotFound(id=ref.id)


async def _draft(ctx: MerchantCtx, product_id: str, warehouse_name: str | None) -> Draft:
    shop, [(_, terms)] = await rows.by_ids(ctx.db, ctx.actor.id, [product_id])
    return Draft(shop, terms or Terms(), warehouse_name)


async def _store(ctx: MerchantCtx, product_id: str, draft: Draft) -> None:
    changed = await rows.store(ctx.db, ctx.actor.id, product_id, draft.before, draft.terms)
    if draft.joined:
        joined = [depot.id for depot in draft.joined]
        changed = await products.split_stock(ctx, product_id, joined) or changed
    if changed:
        await products.touch_product(ctx, product_id)


def _check_currency(
    merchant: Merchant,
    currency: str | NotGiven,
    prices: Sequence[Decimal | NotGiven],
    localized: Sequence[Decimal | NotGiven],
) -> None:
    priced = any(price is not NOT_GIVEN for price in prices)
    check_currency(merchant, currency, *localized, required=priced)


def _price(merchant: Merchant, name: str, usd: Decimal | NotGiven, localized: Decimal | NotGiven) -> Price | None:
    """The price that was given, if one was; one without the amount that counts is refused."""
    amounts = settle(merchant, name, usd, localized, most=MOST_SHIPPING)
    if amounts.usd is NOT_GIVEN and amounts.localized is NOT_GIVEN:
        return None
    if merchant.paid_in_usd and amounts.usd is NOT_GIVEN:
        raise LocalizedMissing(name=name)
    return _as_price(amounts)


def _as_price(amounts: Amounts) -> Price:
    return Price(_text(amounts.usd), _text(amounts.localized))


def _text(amount: Decimal | NotGiven) -> str | None:
    return None if amount is NOT_GIVEN else f"{amount.normalize():f}"


# -- settings


async def open_warehouse(ctx: Ctx, merchant_id: str, country: str | None = None) -> Warehouse:
    """Open a merchant's STANDARD warehouse or, with a country, the Express one for it.

    STANDARD ships to every country there is, Express to its own, both at the prices of variations until the
    settings or a product say something else. Raises WarehouseTaken, CountryUnknown.
    """
    if country is not None and country not in reference.COUNTRIES:
        raise failures.CountryUnknown(country=country)
    opened = await warehouses.open_warehouse(ctx, merchant_id, country)
    countries = [country] if country else list(reference.COUNTRIES)
    await rows.set_settings(ctx.db, merchant_id, opened.name, countries, None)
    if country is None:
        await rows.set_worldwide(ctx.db, merchant_id, False)
    return opened


async def list_settings(ctx: MerchantCtx) -> list[CountrySetting]:
    """What the acting merchant ships to, by country: his STANDARD warehouse's setting where it has one."""
    if await rows.is_worldwide(ctx.db, ctx.actor.id):
        return [CountrySetting(STANDARD, country, None) for country in sorted(reference.COUNTRIES)]
    found: dict[str, CountrySetting] = {}
    for setting in await rows.settings(ctx.db, ctx.actor.id):
        found.setdefault(setting.country, setting)
    return list(found.values())


async def list_all_settings(ctx: MerchantCtx) -> tuple[bool, list[CountrySetting]]:
    """Whether the merchant ships worldwide, and the settings of all his warehouses."""
    return await rows.is_worldwide(ctx.db, ctx.actor.id), await rows.settings(ctx.db, ctx.actor.id)


async def set_country(
    ctx: MerchantCtx, warehouse_name: str, countries: Sequence[str], amount: Decimal | None
) -> None:
    """Ship to countries from a warehouse; without a price, in the currency he is paid in, variations say it.

    Raises CountryUnknown, PriceUnusable, WarehouseNotFound, CountryNotServed for an Express warehouse's others.
    """
    for country in countries:
        if country not in reference.COUNTRIES:
            raise failures.CountryUnknown(country=country)
    shop, _ = await rows.by_ids(ctx.db, ctx.actor.id, [""])
    depot = shop.depots.get(warehouse_name)
    if depot is None:
        raise WarehouseNotFound(name="warehouse_name", value=warehouse_name)
    for country in countries:
        if depot.express_country not in (None, country):
            raise failures.CountryNotServed(country=country, warehouse=warehouse_name)
    await rows.set_settings(ctx.db, ctx.actor.id, warehouse_name, countries, _setting(ctx.actor, amount))


def _setting(merchant: Merchant, amount: Decimal | None) -> Price | None:
    if amount is None:
        return None
    most = MOST_SHIPPING if merchant.paid_in_usd else _MOST_LOCALIZED
    places = 2 if merchant.paid_in_usd else get_currency_precision(merchant.currency)
    if not 0 <= amount <= most or amount != round(amount, places):
        raise failures.PriceUnusable(price=f"{amount:f}")
    text = _text(amount)
    return Price(text, None) if merchant.paid_in_usd else Price(None, text)


async def drop_country(ctx: MerchantCtx, warehouse_name: str, country: str) -> None:
    """Ship no longer to a country from a warehouse; what products say of it waits. Raises CountryNotServed."""
    if not await rows.delete_setting(ctx.db, ctx.actor.id, warehouse_name, country):
        raise failures.CountryNotServed(country=country, warehouse=warehouse_name)


async def set_worldwide(ctx: MerchantCtx, worldwide: bool) -> None:
    """Let the merchant ship everywhere at the prices of his variations, or by his settings."""
    await rows.set_worldwide(ctx.db, ctx.actor.id, worldwide)
