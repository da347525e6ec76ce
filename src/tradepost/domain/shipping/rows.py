"""The SQL of shipping. What is read is read in one statement, so that it is one consistent moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from tradepost.domain.context import Rows
from tradepost.domain.shipping.shipping import (
    CountrySetting,
    CountryTerms,
    Depot,
    Price,
    RegionTerms,
    Shop,
    Terms,
)

Said = TypeVar("Said", CountryTerms, RegionTerms)

# The settings come once, with the first product, however many are asked for.
_READ = """
    select case when k.place = 1 then exists (select from shipping_mode where merchant_id = $1 and worldwide) end,
           case when k.place = 1 then array(
               select row(w.id, w.name, w.country, s.country, trim_scale(s.price)::text,
                          trim_scale(s.localized_price)::text)
                 from warehouse w
                 left join shipping_setting s on s.merchant_id = w.merchant_id and s.warehouse_id = w.id
                where w.merchant_id = $1 order by w.name, s.country
           ) end,
           k.id, p.id is not null,
           array(
               select row(d.warehouse_id, trim_scale(d.default_price)::text,
                          trim_scale(d.localized_default_price)::text)
                 from product_shipping d where d.merchant_id = p.merchant_id and d.product_id = p.id
           ),
           array(
               select row(c.warehouse_id, c.country, trim_scale(c.price)::text,
                          trim_scale(c.localized_price)::text, c.use_product, c.enabled)
                 from country_shipping c where c.merchant_id = p.merchant_id and c.product_id = p.id
           ),
           array(
               select row(r.warehouse_id, r.region, trim_scale(r.price)::text,
                          trim_scale(r.localized_price)::text, r.enabled)
                 from region_shipping r where r.merchant_id = p.merchant_id and r.product_id = p.id
           )
"""
_BY_IDS = f"""
    {_READ}
      from unnest($2::text[]) with ordinality as k (id, place)
      left join product p on p.merchant_id = $1 and p.id = k.id
     order by k.place
"""
_BY_PARENT_SKU = f"""
    {_READ}
      from (select id, 1 as place from product
             where merchant_id = $1 and parent_sku = $2 and removed_at is null) k
      join product p on p.merchant_id = $1 and p.id = k.id
"""


async def by_ids(db: Rows, merchant_id: str, ids: Sequence[str]) -> tuple[Shop, list[tuple[str, Terms | None]]]:
    """The settings of a merchant, and for each id what was said of the product, None where there is none."""
    return _read(await db.fetch(_BY_IDS, merchant_id, ids))


async def by_parent_sku(
    db: Rows, merchant_id: str, parent_sku: str
) -> tuple[Shop, list[tuple[str, Terms | None]]] | None:
    """The same for the live product of a parent SKU, if there is one."""
    found = await db.fetch(_BY_PARENT_SKU, merchant_id, parent_sku)
    return _read(found) if found else None


def _read(found: list[Any]) -> tuple[Shop, list[tuple[str, Terms | None]]]:
    return _shop(*found[0][:2]), [(row[2], _terms(*row[4:]) if row[3] else None) for row in found]


def _shop(worldwide: bool, settings: list[Any]) -> Shop:
    depots: dict[str, Depot] = {}
    countries: dict[str, dict[str, Price | None]] = {}
    for warehouse_id, name, express_country, country, usd, localized in settings:
        if name not in depots:
            countries[name] = {}
            depots[name] = Depot(warehouse_id, name, express_country, countries[name], express_country is not None)
        if country is not None:
            countries[name][country] = _price(usd, localized)
    return Shop(worldwide, depots)


def _price(usd: str | None, localized: str | None) -> Price | None:
    return None if usd is None and localized is None else Price(usd, localized)


def _terms(defaults: list[Any], countries: list[Any], regions: list[Any]) -> Terms:
    terms = Terms()
    for warehouse_id, usd, localized in defaults:
        if (price := _price(usd, localized)) is not None:
            terms.defaults[warehouse_id] = price
    said = terms.countries
    for warehouse_id, country, usd, localized, by_variation, enabled in countries:
        # Spelled out, because a list of fifty products has thousands of these.
        price = None if usd is None and localized is None else Price(usd, localized)
        if warehouse_id not in said:
            said[warehouse_id] = {}
        said[warehouse_id][country] = CountryTerms(price, by_variation, enabled)
    for warehouse_id, region, usd, localized, enabled in regions:
        terms.regions.setdefault(warehouse_id, {})[region] = RegionTerms(_price(usd, localized), enabled)
    return terms


async def store(db: Rows, merchant_id: str, product_id: str, before: Terms, after: Terms) -> bool:
    """Write what has changed of a product's terms; whether anything has."""
    defaults = [(key, price) for key, price in after.defaults.items() if before.defaults.get(key) != price]
    countries = _changed(before.countries, after.countries)
    regions = _changed(before.regions, after.regions)
    if defaults:
        await db.execute(
            """
            insert into product_shipping
                   (merchant_id, product_id, warehouse_id, default_price, localized_default_price)
            select $1, $2, u.* from unnest($3::text[], $4::numeric[], $5::numeric[]) as u
            on conflict (merchant_id, product_id, warehouse_id) do update set
                default_price = excluded.default_price,
                localized_default_price = excluded.localized_default_price
            """,
            merchant_id,
            product_id,
            [warehouse_id for warehouse_id, _ in defaults],
            *_amounts([price for _, price in defaults]),
        )
    if countries:
        await _store_countries(db, merchant_id, product_id, countries)
    if regions:
        await db.execute(
            """
            insert into region_shipping
                   (merchant_id, product_id, warehouse_id, region, price, localized_price, enabled)
            select $1, $2, u.* from unnest($3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::boolean[]) as u
            on conflict (merchant_id, product_id, warehouse_id, region) do update set
                price = excluded.price, localized_price = excluded.localized_price, enabled = excluded.enabled
            """,
            merchant_id,
            product_id,
            [warehouse_id for (warehouse_id, _), _ in regions],
            [region for (_, region), _ in regions],
            *_amounts([said.price for _, said in regions]),
            [said.enabled for _, said in regions],
        )
    return bool(defaults or countries or regions)


def _changed(
    before: Mapping[str, Mapping[str, Said]], after: Mapping[str, Mapping[str, Said]]
) -> list[tuple[tuple[str, str], Said]]:
    """What is said otherwise now, by warehouse and place."""
    return [
        ((warehouse_id, place), said)
        for warehouse_id, places in after.items()
        for place, said in places.items()
        if before.get(warehouse_id, {}).get(place) != said
    ]


async def _store_countries(
    db: Rows, merchant_id: str, product_id: str, countries: Sequence[tuple[tuple[str, str], CountryTerms]]
) -> None:
    await db.execute(
        """
        insert into country_shipping
               (merchant_id, product_id, warehouse_id, country, price, localized_price, use_product, enabled)
        select $1, $2, u.*
          from unnest($3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::boolean[], $8::boolean[]) as u
        on conflict (merchant_id, product_id, warehouse_id, country) do update set
            price = excluded.price, localized_price = excluded.localized_price,
            use_product = excluded.use_product, enabled = excluded.enabled
        """,
        merchant_id,
        product_id,
        [warehouse_id for (warehouse_id, _), _ in countries],
        [country for (_, country), _ in countries],
        *_amounts([said.price for _, said in countries]),
        [said.by_variation for _, said in countries],
        [said.enabled for _, said in countries],
    )


def _amounts(prices: Sequence[Price | None]) -> tuple[list[Decimal | None], list[Decimal | None]]:
    usd = [Decimal(price.usd) if price and price.usd is not None else None for price in prices]
    own = [Decimal(price.localized) if price and price.localized is not None else None for price in prices]
    return usd, own


_SETTINGS = """
    select w.name, s.country, trim_scale(s.price)::text, trim_scale(s.localized_price)::text
      from shipping_setting s
      join warehouse w on w.merchant_id = s.merchant_id and w.id = s.warehouse_id
     where s.merchant_id = $1
     order by s.country, w.name desc
"""


async def settings(db: Rows, merchant_id: str) -> list[CountrySetting]:
    """A merchant's settings by country, those of STANDARD before those of Express."""
    found = await db.fetch(_SETTINGS, merchant_id)
    return [CountrySetting(row[0], row[1], _price(row[2], row[3])) for row in found]


async def is_worldwide(db: Rows, merchant_id: str) -> bool:
    """Whether a merchant ships everywhere at the prices of his variations."""
    found = await db.fetchval("select worldwide from shipping_mode where merchant_id = $1", merchant_id)
    return bool(found)


async def set_worldwide(db: Rows, merchant_id: str, worldwide: bool) -> None:
    """Let a merchant ship everywhere at the prices of his variations, or to the countries of his settings."""
    await db.execute(
        "insert into shipping_mode (merchant_id, worldwide) values ($1, $2) "
        "on conflict (merchant_id) do update set worldwide = excluded.worldwide",
        merchant_id,
        worldwide,
    )


async def set_settings(
    db: Rows, merchant_id: str, warehouse: str, countries: Sequence[str], price: Price | None
) -> bool:
    """Ship to countries from a warehouse, at one price; whether there is the warehouse."""
    usd, own = _amounts([price])
    done = await db.execute(
        """
        insert into shipping_setting (merchant_id, warehouse_id, country, price, localized_price)
        select $1, w.id, u.country, $4, $5 from warehouse w, unnest($3::text[]) as u (country)
         where w.merchant_id = $1 and w.name = $2
        on conflict (merchant_id, warehouse_id, country) do update set
            price = excluded.price, localized_price = excluded.localized_price
        """,
        merchant_id,
        warehouse,
        countries,
        usd[0],
        own[0],
    )
    return not done.endswith(" 0")


async def delete_setting(db: Rows, merchant_id: str, warehouse: str, country: str) -> bool:
    """Ship no longer to a country from a warehouse; whether it was shipped to before."""
    done = await db.execute(
        """
        delete from shipping_setting s using warehouse w
         where s.merchant_id = $1 and w.merchant_id = $1 and w.name = $2 and s.warehouse_id = w.id
           and s.country = $3
        """,
        merchant_id,
        warehouse,
        country,
    )
    return not done.endswith(" 0")
