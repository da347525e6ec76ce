"""The SQL of dimensions: those of products by themselves, and those of variations among their logistics."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tradepost.domain.context import Rows
from tradepost.domain.products.dimensions import MEASURES, Dimensions

# A product's own, or what all its variations share.
_OF_PRODUCT = f"""
    select {
    ", ".join(
        f"trim_scale(coalesce(max(d.{name}), "
        f"case when count(l.{name}) = count(v.id) and min(l.{name}) = max(l.{name}) then max(l.{name}) end))::text"
        for name in MEASURES
    )
}
      from product p
      left join product_dimensions d on d.merchant_id = p.merchant_id and d.product_id = p.id
      left join variation v on v.merchant_id = p.merchant_id and v.product_id = p.id
      left join variation_logistics l on l.merchant_id = p.merchant_id and l.product_id = p.id
                                     and l.variation_id = v.id
     where p.merchant_id = $1 and p.id = $2
     group by p.id
"""

_OF_VARIATIONS = f"""
    select v.sku, {", ".join(f"trim_scale(coalesce(l.{name}, d.{name}))::text as {name}" for name in MEASURES)}
      from variation v
      left join variation_logistics l on l.merchant_id = v.merchant_id and l.product_id = v.product_id
                                     and l.variation_id = v.id
      left join product_dimensions d on d.merchant_id = v.merchant_id and d.product_id = v.product_id
     where v.merchant_id = $1 and v.product_id = $2
"""


async def of_product(db: Rows, merchant_id: str, product_id: str) -> Dimensions | None:
    """The dimensions of a product, or None where there is no such product."""
    row = await db.fetchrow(_OF_PRODUCT, merchant_id, product_id)
    return Dimensions(*row) if row else None


async def of_variation(db: Rows, merchant_id: str, product_id: str, variation_id: str) -> Dimensions | None:
    """The dimensions of a variation, or None where the product has no such variation."""
    row = await db.fetchrow(f"{_OF_VARIATIONS} and v.id = $3", merchant_id, product_id, variation_id)
    return Dimensions(*row[1:]) if row else None


async def unmeasured(db: Rows, merchant_id: str, product_id: str) -> str | None:
    """The SKU of the first variation that lacks a dimension."""
    lacking = " or ".join(f"coalesce(l.{name}, d.{name}) is null" for name in MEASURES)
    found: str | None = await db.fetchval(
        f"{_OF_VARIATIONS} and ({lacking}) order by v.position limit 1", merchant_id, product_id
    )
    return found


async def set_of_product(db: Rows, merchant_id: str, product_id: str, columns: Mapping[str, Decimal]) -> None:
    """Set all dimensions of a product as such."""
    await db.execute(
        f"""
        insert into product_dimensions (merchant_id, product_id, {", ".join(columns)})
        values ($1, $2, $3, $4, $5, $6)
        on conflict (merchant_id, product_id)
        do update set {", ".join(f"{name} = excluded.{name}" for name in columns)}
        """,
        merchant_id,
        product_id,
        *columns.values(),
    )
