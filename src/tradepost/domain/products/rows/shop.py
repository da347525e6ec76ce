"""A shop's own list of its products, and how its stock stands: what people look at, in one statement each."""

from __future__ import annotations

from tradepost.domain.context import Rows
from tradepost.domain.products.product import ShopFilter, ShopLine, StockCount
from tradepost.values import Bookmark

LOW = 10
"""Fewer pieces than this are little."""

# The page is cut before the variations are looked at. A text is looked for as it stands, never as a pattern.
_LIST = """
    with standard as materialized (
        select id from warehouse where merchant_id = $1 and name = 'STANDARD'
    ), cut as materialized (
        select id, parent_sku, name, main_image, review_status, number_sold, updated_at
          from product p
         where merchant_id = $1 and removed_at is null and (updated_at, id) < ($2, $3)
           and ($4::text is null or review_status = $4)
           and ($5::text is null or strpos(lower(name), lower($5)) > 0 or starts_with(parent_sku, $5)
                or exists (select from variation v where v.merchant_id = $1 and v.product_id = p.id
                              and v.removed_at is null and starts_with(v.sku, $5)))
           {sale}
         order by updated_at desc, id desc limit $6
    )
    select cut.id, cut.parent_sku, cut.name, cut.main_image, cut.review_status, cut.number_sold, cut.updated_at,
           own.*
      from cut
     cross join lateral (
        select count(*), count(*) filter (where v.enabled), coalesce((array_agg(v.sku order by v.position))[1], ''),
               trim_scale(min(v.price))::text, trim_scale(max(v.price))::text,
               trim_scale(min(v.localized_price))::text, trim_scale(max(v.localized_price))::text,
               coalesce(sum(s.inventory), 0)::bigint,
               count(*) filter (where v.enabled and coalesce(s.inventory, 0) = 0)
          from variation v
          left join stock s on s.merchant_id = $1 and s.product_id = cut.id and s.variation_id = v.id
                           and s.warehouse_id = (select id from standard)
         where v.merchant_id = $1 and v.product_id = cut.id and v.removed_at is null
     ) own
     order by cut.updated_at desc, cut.id desc
"""
_ENABLED = "exists (select from variation v where v.merchant_id = $1 and v.product_id = p.id and v.enabled)"
_LISTS = {
    None: _LIST.format(sale=""),
    True: _LIST.format(sale=f"and {_ENABLED}"),
    False: _LIST.format(sale=f"and not {_ENABLED}"),
}


async def page(
    db: Rows, merchant_id: str, wanted: ShopFilter, after: Bookmark, limit: int
) -> tuple[list[ShopLine], bool]:
    """Some live products behind a place in the list, the last changed first, and whether there are more."""
    found = await db.fetch(
        _LISTS[wanted.for_sale], merchant_id, after.at, after.id, wanted.review_status, wanted.text, limit + 1
    )
    return [ShopLine(*row) for row in found[:limit]], len(found) > limit


async def count_stock(db: Rows, merchant_id: str) -> StockCount:
    """How the stock of all warehouses stands."""
    row = await db.fetchrow(
        "select count(*) filter (where inventory = 0), count(*) filter (where inventory > 0 and inventory < $2), "
        "count(*) filter (where inventory >= $2) from stock where merchant_id = $1",
        merchant_id,
        LOW,
    )
    return StockCount(*row)
