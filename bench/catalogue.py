"""Fills an installation with a catalogue of any size, by SQL, as the platform's role.

Two shops share the variations half and half: `wide` has ten to a product, `narrow` five. A third one, `far`, has
a thousand products with a shipping price of their own for every country. Ids and SKUs are
hashes, so they come in no order, like those of real use, and are the same in every run.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from tradepost.domain import access, merchants
from tradepost.domain.merchants import NewMerchant
from tradepost.opening import SUPERUSER, connect_arguments, operator
from tradepost.settings import Settings
from tradepost.storage import migrate
from tradepost.storage.database import PLATFORM_ROLE
from tradepost.surfaces.merchant_v2.surface import SCOPES

WIDE: Final = 10
NARROW: Final = 5
FAR_PRODUCTS: Final = 1_000
MOST_KEYS: Final = 50_000
_TABLES = ("product", "product_shipping", "country_shipping", "variation", "variation_logistics", "stock")

# $1 merchant, $2 products, $3 variations to a product.
_FILL = (
    """
    insert into product
           (merchant_id, id, parent_sku, name, description, category, tags, auto_tags, review_status, main_image,
            original_image_url, extra_images, condition, number_sold, number_saves, created_at, updated_at)
    select $1, left(md5($1 || '/product/' || n), 24), upper(left(md5($1 || '/parent/' || n), 16)),
           'Wooden Train ' || n, repeat('Made with care, ships within three days. ', 6), 'Toys',
           array['toys', 'wood', 'children'], array['toys'],
           case when n % 10 = 0 then 'pending' else 'approved' end,
           'https://pictures.example/' || n || '.jpg', 'https://pictures.example/' || n || '.jpg',
           array['https://pictures.example/' || n || '-back.jpg', 'https://pictures.example/' || n || '-box.jpg'],
           'NEW', n % 500, n % 90, now() - interval '1 year',
           now() - make_interval(secs => ('x' || left(md5($1 || '/time/' || n), 6))::bit(24)::integer / 2)
      from generate_series(1, $2::integer) as n
     where $3 > 0
    """,
    """
    insert into product_shipping (merchant_id, product_id, warehouse_id, default_price)
    select $1, left(md5($1 || '/product/' || n), 24), w.id, 2.5
      from generate_series(1, $2::integer) as n, warehouse w
     where w.merchant_id = $1 and w.name = 'STANDARD' and $3 > 0
    """,
    """
    insert into country_shipping (merchant_id, product_id, warehouse_id, country, price)
    select $1, left(md5($1 || '/product/' || n), 24), w.id, c.country, c.price
      from generate_series(1, $2::integer) as n, warehouse w,
           (values ('CA', 4.99), ('US', 3.99)) as c (country, price)
     where w.merchant_id = $1 and w.name = 'STANDARD' and $3 > 0
    """,
    """
    insert into variation
           (merchant_id, id, product_id, position, sku, color, size, price, msrp, shipping_time)
    select $1, left(md5($1 || '/variation/' || n || '/' || v), 24), left(md5($1 || '/product/' || n), 24), v,
           upper(left(md5($1 || '/sku/' || n || '/' || v), 16)),
           (array['red', 'blue', 'green', 'black', 'white'])[1 + v % 5], (array['S', 'M', 'L'])[1 + v / 5],
           10 + n % 90 + v * 0.25, 49.9, '5-10'
      from generate_series(1, $2::integer) as n, generate_series(1, $3::integer) as v
    """,
    """
    insert into variation_logistics
           (merchant_id, product_id, variation_id, length, width, height, weight, declared_name, pieces,
            declared_value, hscode, origin_country, has_powder, has_liquid, has_battery, has_metal)
    select $1, left(md5($1 || '/product/' || n), 24), left(md5($1 || '/variation/' || n || '/' || v), 24),
           12, 23.5, 4, 250, 'Train', 1, 9.9, '9503007000', 'CN', false, false, false, true
      from generate_series(2, $2::integer, 2) as n, generate_series(1, $3::integer) as v
    """,
    """
    insert into stock (merchant_id, product_id, variation_id, warehouse_id, inventory, shipping)
    select $1, left(md5($1 || '/product/' || n), 24), left(md5($1 || '/variation/' || n || '/' || v), 24),
           w.id, (n * 7 + v) % 500, 2.5
      from generate_series(1, $2::integer) as n, generate_series(1, $3::integer) as v, warehouse w
     where w.merchant_id = $1 and w.name = 'STANDARD'
    """,
)

# $1 merchant. Prices differ from product to product and from country to country, as those of real use do.
_SHIP_EVERYWHERE = """
    insert into country_shipping (merchant_id, product_id, warehouse_id, country, price)
    select s.merchant_id, p.id, s.warehouse_id, s.country,
           ('x' || left(md5(p.id || s.country), 4))::bit(16)::integer % 2000 / 100.0
      from shipping_setting s join product p on p.merchant_id = s.merchant_id
     where s.merchant_id = $1
    on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant with a catalogue: what it takes to call in his name, and keys that exist, in random order."""

    id: str
    token: str
    products: int
    product_ids: Sequence[str]
    skus: Sequence[str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What an installation was filled with."""

    variations: int
    wide: Shop
    narrow: Shop
    far: Shop


async def fill(settings: Settings, variations: int) -> Catalogue:
    """Fill an installation with so many variations, half in each shop."""
    half = variations // 2
    shops = [await _open_shop(settings, name) for name in ("wide", "narrow", "far")]
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        **connect_arguments(settings, PLATFORM_ROLE), server_settings={"search_path": migrate.SCHEMA}
    )
    try:
        wide = await _stock(connection, *shops[0], half // WIDE, WIDE)
        narrow = await _stock(connection, *shops[1], half // NARROW, NARROW)
        far = await _stock(connection, *shops[2], FAR_PRODUCTS, 1)
        await connection.execute(_SHIP_EVERYWHERE, far.id)
    finally:
        await connection.close()
    await _settle(settings)
    return Catalogue(variations, wide, narrow, far)


async def fill_one(settings: Settings, variations: int) -> tuple[Shop, Shop]:
    """Fill an installation with one shop of so many variations, and a small one beside it."""
    large, small = [await _open_shop(settings, name) for name in ("wide", "narrow")]
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        **connect_arguments(settings, PLATFORM_ROLE), server_settings={"search_path": migrate.SCHEMA}
    )
    try:
        shops = (
            await _stock(connection, *large, variations // WIDE, WIDE),
            await _stock(connection, *small, 500, NARROW),
        )
    finally:
        await connection.close()
    await _settle(settings)
    return shops


async def _open_shop(settings: Settings, name: str) -> tuple[str, str]:
    async with operator(settings) as ctx:
        new = NewMerchant(f"Bench {name}", f"{name}@bench.example", access.new_secret())
        merchant_id = await merchants.add_merchant(ctx, new)
        app_id, _ = await access.add_app(ctx, "merchant", access.NewApp(f"Bench {name}"))
        return merchant_id, await access.issue_token(ctx, "merchant", merchant_id, app_id, tuple(SCOPES))


async def _stock(
    connection: asyncpg.Connection[Any], merchant_id: str, token: str, products: int, each: int
) -> Shop:
    async with connection.transaction():
        for statement in _FILL:
            await connection.execute(statement, merchant_id, products, each)
    found = await connection.fetch(
        "select p.id, v.sku from product p "
        "join variation v on v.merchant_id = p.merchant_id and v.product_id = p.id and v.position = 1 "
        "where p.merchant_id = $1 order by p.id limit $2",
        merchant_id,
        MOST_KEYS,
    )
    keys = [(row["id"], row["sku"]) for row in found]
    random.Random(products).shuffle(keys)
    return Shop(merchant_id, token, products, [key[0] for key in keys], [key[1] for key in keys])


async def _settle(settings: Settings) -> None:
    """Statistics, visibility and a checkpoint's worth of writing now, so that none of it happens in a round."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        **connect_arguments(settings, SUPERUSER), server_settings={"search_path": migrate.SCHEMA}
    )
    try:
        for table in _TABLES:
            await connection.execute(f"vacuum (analyze) {table}")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
