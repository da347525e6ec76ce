"""Reading whole products, each in one statement, so that what is read is one consistent moment.

A product comes as one row with its countries and variations as arrays of records. Stock and shipping are those
of one warehouse, joined by its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.products.product import CountryPrice, ListFilter, Logistics, Product, ProductLine, Variation
from tradepost.values import Bookmark, Page

_EVER = datetime(1, 1, 2, tzinfo=UTC)
_NEVER = datetime(9999, 12, 30, tzinfo=UTC)

_COLUMNS = """
    p.id, p.parent_sku, p.name, p.description, p.category, p.tags, p.auto_tags, p.review_status,
    p.main_image, p.original_image_url, p.clean_image, p.extra_images, p.demo_video_asset_url,
    p.landing_page_url, p.upc, p.requested_product_brand_id, p.condition, p.max_quantity,
    trim_scale(p.reference_value)::text, p.unit, p.number_sold, p.number_saves, p.is_promoted,
    p.created_at, p.updated_at, p.removed_at is not null,
    trim_scale(ps.default_price)::text, trim_scale(ps.localized_default_price)::text,
    array(
        select case when c.use_product or c.price is not null or c.localized_price is not null
                    then row(c.country, trim_scale(c.price)::text, trim_scale(c.localized_price)::text)
                    when ps.default_price is not null or ps.localized_default_price is not null
                    then row(c.country, trim_scale(ps.default_price)::text,
                             trim_scale(ps.localized_default_price)::text)
                    else row(c.country, trim_scale(g.price)::text, trim_scale(g.localized_price)::text) end
          from country_shipping c
          join shipping_setting g on g.merchant_id = c.merchant_id and g.warehouse_id = c.warehouse_id
                                 and g.country = c.country
         where c.merchant_id = p.merchant_id and c.product_id = p.id and c.warehouse_id = w.id and c.enabled
         order by c.country
    ),
    array(
        select e.country
          from country_shipping c
          join warehouse e on e.merchant_id = c.merchant_id and e.id = c.warehouse_id and e.country = c.country
          join shipping_setting g on g.merchant_id = c.merchant_id and g.warehouse_id = c.warehouse_id
                                 and g.country = c.country
         where c.merchant_id = p.merchant_id and c.product_id = p.id and c.enabled
         order by e.country
    ),
    array(
        select row(v.id, v.sku, v.color, v.size, trim_scale(v.price)::text, trim_scale(v.localized_price)::text,
                   trim_scale(v.msrp)::text, trim_scale(v.localized_msrp)::text,
                   trim_scale(v.quantity_value)::text, v.enabled, v.removed_by_wish, v.shipping_time,
                   v.main_image, s.inventory, trim_scale(s.shipping)::text,
                   trim_scale(s.localized_shipping)::text,
                   case when l.variation_id is not null then row(
                       trim_scale(l.length)::text, trim_scale(l.width)::text, trim_scale(l.height)::text,
                       trim_scale(l.weight)::text, l.declared_name, l.declared_local_name, l.pieces,
                       trim_scale(l.declared_value)::text, l.hscode, l.origin_country,
                       l.has_powder, l.has_liquid, l.has_battery, l.has_metal) end)
          from variation v
          left join stock s on s.merchant_id = p.merchant_id and s.product_id = p.id
                           and s.warehouse_id = w.id and s.variation_id = v.id
          left join variation_logistics l on l.merchant_id = p.merchant_id and l.product_id = p.id
                                         and l.variation_id = v.id
         where v.merchant_id = p.merchant_id and v.product_id = p.id
         order by v.position
    )
"""

_WAREHOUSE = """
    join warehouse w on w.merchant_id = p.merchant_id and w.name = $2
    left join product_shipping ps on ps.merchant_id = p.merchant_id and ps.product_id = p.id
                                 and ps.warehouse_id = w.id
"""

_BY_ID = f"select {_COLUMNS} from product p {_WAREHOUSE} where p.merchant_id = $1 and p.id = $3"

_BY_PARENT_SKU = f"""
    select {_COLUMNS} from product p {_WAREHOUSE}
     where p.merchant_id = $1 and p.parent_sku = $3 and p.removed_at is null
"""

_BY_SKU = f"""
    select {_COLUMNS} from product p {_WAREHOUSE}
     where p.merchant_id = $1 and p.id = (
           select product_id from variation where merchant_id = $1 and sku = $3 and removed_at is null)
"""

_BY_IDS = f"select {_COLUMNS} from product p {_WAREHOUSE} where p.merchant_id = $1 and p.id = any ($3)"

# The page is cut before anything is joined, so a deep page costs index entries and no more.
_PAGE = f"""
    select {_COLUMNS}
      from (
           select id from product
            where merchant_id = $1 and removed_at is null
              and ($3 or review_status <> 'rejected')
              and updated_at >= $4 and updated_at < $5
            order by updated_at desc, id desc
            limit $6 offset $7
      ) cut
      join product p on p.merchant_id = $1 and p.id = cut.id
      {_WAREHOUSE}
     order by p.updated_at desc, p.id desc
"""


def _product(row: Any) -> Product:
    *columns, countries, express, variations = row
    columns.append([CountryPrice(*record) for record in countries])
    columns.append(express)
    columns.append([_variation(*record) for record in variations])
    return Product(*columns)


def _variation(*columns: Any) -> Variation:
    *others, logistics = columns
    others.append(Logistics(*logistics) if logistics is not None else None)
    return Variation(*others)


async def by_id(db: Rows, merchant_id: str, warehouse: str, product_id: str) -> Product | None:
    """A product by its id, removed or not."""
    row = await db.fetchrow(_BY_ID, merchant_id, warehouse, product_id)
    return _product(row) if row else None


async def by_ids(db: Rows, merchant_id: str, warehouse: str, product_ids: Sequence[str]) -> list[Product]:
    """Products by their ids, removed or not, in no order."""
    return [_product(row) for row in await db.fetch(_BY_IDS, merchant_id, warehouse, list(product_ids))]


async def by_parent_sku(db: Rows, merchant_id: str, warehouse: str, parent_sku: str) -> Product | None:
    """A live product by its parent SKU."""
    row = await db.fetchrow(_BY_PARENT_SKU, merchant_id, warehouse, parent_sku)
    return _product(row) if row else None


async def by_sku(db: Rows, merchant_id: str, warehouse: str, sku: str) -> Product | None:
    """The live product that has a variation of this SKU."""
    row = await db.fetchrow(_BY_SKU, merchant_id, warehouse, sku)
    return _product(row) if row else None


async def page(
    db: Rows, merchant_id: str, warehouse: str, wanted: ListFilter, cut: Page
) -> tuple[list[Product], bool]:
    """One page of the live products, the last changed first, and whether there is more."""
    found = await db.fetch(
        _PAGE,
        merchant_id,
        warehouse,
        wanted.show_rejected,
        wanted.since or _EVER,
        wanted.upto or _NEVER,
        cut.limit + 1,
        cut.start,
    )
    return [_product(row) for row in found[: cut.limit]], len(found) > cut.limit


# -- lists for operators

_LINE = """
    select p.merchant_id, p.id, p.parent_sku, p.name, p.review_status, p.category, p.created_at, p.updated_at,
           array(select v.sku from variation v
                  where v.merchant_id = p.merchant_id and v.product_id = p.id order by v.position)
      from product p
"""


async def lines(db: Rows, merchant_id: str, after: Bookmark, limit: int) -> tuple[list[ProductLine], bool]:
    """Some live products of a merchant, the last changed first, and whether there are more."""
    found = await db.fetch(
        f"{_LINE} where p.merchant_id = $1 and p.removed_at is null and (p.updated_at, p.id) < ($2, $3) "
        "order by p.updated_at desc, p.id desc limit $4",
        merchant_id,
        after.at,
        after.id,
        limit + 1,
    )
    return [ProductLine(*row) for row in found[:limit]], len(found) > limit


async def pending(db: Rows, after: Bookmark, limit: int) -> tuple[list[ProductLine], bool]:
    """Some live products of all merchants that await their review, the oldest first, and whether there are more."""
    found = await db.fetch(
        f"{_LINE} where p.review_status = 'pending' and p.removed_at is null and (p.created_at, p.id) > ($1, $2) "
        "order by p.created_at, p.id limit $3",
        after.at,
        after.id,
        limit + 1,
    )
    return [ProductLine(*row) for row in found[:limit]], len(found) > limit
