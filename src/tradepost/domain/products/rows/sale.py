"""What buying something asks of the catalogue: what is sold, and taking it out of stock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.products.product import Goods, Shelf

# In the order of their ids, like every writer of several products.
_HOLD = "select id from product where merchant_id = $1 and id = any($2) order by id for no key update"
_GOODS = """
    select v.sku, v.product_id, v.id, p.name,
           coalesce(v.main_image, v.wanted_image, nullif(p.main_image, ''), p.wanted_image, ''), v.color, v.size,
           v.price, v.localized_price, v.enabled and p.review_status <> 'rejected', p.max_quantity,
           array(
               select row(w.name, w.id, s.shipping, s.localized_shipping)
                 from stock s
                 join warehouse w on w.merchant_id = s.merchant_id and w.id = s.warehouse_id
                where s.merchant_id = $1 and s.product_id = v.product_id and s.variation_id = v.id
           )
      from variation v
      join product p on p.merchant_id = v.merchant_id and p.id = v.product_id and p.removed_at is null
     where v.merchant_id = $1 and v.sku = any($2) and v.removed_at is null
"""


async def hold(db: Rows, merchant_id: str, product_ids: Collection[str]) -> None:
    """Take products for this transaction."""
    await db.execute(_HOLD, merchant_id, list(product_ids))


async def goods(db: Rows, merchant_id: str, skus: Collection[str]) -> list[Goods]:
    """What is sold under these SKUs."""
    return [_goods(*row) for row in await db.fetch(_GOODS, merchant_id, list(skus))]


def _goods(*columns: Any) -> Goods:
    *told, shelves = columns
    told.append({name: Shelf(*shelf) for name, *shelf in shelves})
    return Goods(*told)


async def take(
    db: Rows, merchant_id: str, product_id: str, variation_id: str, warehouse_id: str, pieces: int
) -> bool:
    """Take pieces out of stock if there are as many and they are still for sale; whether that was so.

    The conditions stand in the statement that writes, so nobody can sell the same piece in between. The revision
    stays: what is sold is no stock level that a merchant has set.
    """
    done = await db.execute(
        """
        update stock set inventory = inventory - $5
         where merchant_id = $1 and product_id = $2 and variation_id = $3 and warehouse_id = $4
           and inventory >= $5
           and exists (select from variation where merchant_id = $1 and product_id = $2 and id = $3 and enabled)
           and exists (select from product where merchant_id = $1 and id = $2 and review_status <> 'rejected')
        """,
        merchant_id,
        product_id,
        variation_id,
        warehouse_id,
        pieces,
    )
    return bool(done == "UPDATE 1")


async def count_sold(db: Rows, merchant_id: str, sold: Mapping[str, int]) -> None:
    """Count pieces of products as sold."""
    await db.execute(
        """
        update product p set number_sold = p.number_sold + s.pieces
          from unnest($2::text[], $3::integer[]) as s (product_id, pieces)
         where p.merchant_id = $1 and p.id = s.product_id
        """,
        merchant_id,
        list(sold),
        list(sold.values()),
    )
