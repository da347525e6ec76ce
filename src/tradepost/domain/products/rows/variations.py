"""Writing variations, their logistics attributes and their stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.products import failures
from tradepost.domain.products.rows.products import taken
from tradepost.values import Fact


@dataclass(frozen=True, slots=True)
class LockedVariation:
    """A variation whose product's row this transaction holds."""

    id: str
    product_id: str
    color: str | None
    size: str | None
    main_image: str | None
    wanted_image: str | None
    removed_by_wish: bool
    product_image: str
    wanted_product_image: str | None

    @property
    def shown_image(self) -> str:
        """The picture that buyers see."""
        return self.main_image or self.product_image


@dataclass(frozen=True, slots=True)
class Siblings:
    """What a product's variations are together, for the rules that count them."""

    count: int
    pictures: int
    default_shipping: Decimal | None
    localized_default_shipping: Decimal | None


# The product's row is locked in a statement of its own: the lock of a join would take the rows as the join
# met them, in any order, and two writers could wait for each other.
_PRODUCT_OF = "select product_id from variation where merchant_id = $1 and sku = $2 and removed_at is null"
_LOCK_PRODUCT = """
    select main_image, wanted_image
      from product where merchant_id = $1 and id = $2 and removed_at is null for no key update
"""
_LOCK_VARIATION = """
    select id, product_id, color, size, main_image, wanted_image, removed_by_wish
      from variation where merchant_id = $1 and sku = $2 and product_id = $3 and removed_at is null
       for no key update
"""


async def lock(db: Rows, merchant_id: str, sku: str) -> LockedVariation | None:
    """Take a live variation and its product for this transaction."""
    product_id = await db.fetchval(_PRODUCT_OF, merchant_id, sku)
    images = product_id and await db.fetchrow(_LOCK_PRODUCT, merchant_id, product_id)
    if not images:
        return None
    row = await db.fetchrow(_LOCK_VARIATION, merchant_id, sku, product_id)
    return LockedVariation(**row, product_image=images[0], wanted_product_image=images[1]) if row else None


async def product_of(db: Rows, merchant_id: str, sku: str) -> str | None:
    """The id of the live product that has a variation of this SKU."""
    found: str | None = await db.fetchval(_PRODUCT_OF, merchant_id, sku)
    return found


async def siblings(db: Rows, merchant_id: str, product_id: str, warehouse: str) -> Siblings:
    """Count a product's variations and their pictures, and find what shipping a new one would cost."""
    row = await db.fetchrow(
        """
        select count(*), count(coalesce(v.wanted_image, v.main_image)),
               coalesce(max(ps.default_price), max(s.shipping) filter (where v.enabled)),
               coalesce(max(ps.localized_default_price), max(s.localized_shipping) filter (where v.enabled))
          from variation v
          join warehouse w on w.merchant_id = v.merchant_id and w.name = $3
          left join product_shipping ps on ps.merchant_id = v.merchant_id and ps.product_id = v.product_id
                                       and ps.warehouse_id = w.id
          left join stock s on s.merchant_id = v.merchant_id and s.product_id = v.product_id
                           and s.warehouse_id = w.id and s.variation_id = v.id
         where v.merchant_id = $1 and v.product_id = $2
        """,
        merchant_id,
        product_id,
        warehouse,
    )
    return Siblings(*row)


def _taken_facts(sku: str, color: str | None, size: str | None) -> dict[str, Fact]:
    return {
        "variation_sku": failures.SkuTaken(name="sku", sku=sku),
        "variation_color_size": failures.ColorAndSizeTaken(color=color or "", size=size or ""),
    }


async def insert(db: Rows, merchant_id: str, columns: Mapping[str, Any], logistics: Mapping[str, Any]) -> None:
    """Add a variation; raises SkuTaken, ColorAndSizeTaken."""
    all_columns = {"merchant_id": merchant_id, **columns}
    marks = ", ".join(f"${at}" for at in range(1, len(all_columns) + 1))
    with taken(_taken_facts(columns["sku"], columns.get("color"), columns.get("size"))):
        await db.execute(
            f"insert into variation ({', '.join(all_columns)}) values ({marks})", *all_columns.values()
        )
    await set_logistics(db, merchant_id, columns["product_id"], columns["id"], logistics)


async def update(
    db: Rows, merchant_id: str, variation: LockedVariation, sku: str, columns: Mapping[str, Any]
) -> None:
    """Change some columns of a variation; raises ColorAndSizeTaken."""
    sets = ", ".join(f"{column} = ${at}" for at, column in enumerate(columns, start=4))
    if "enabled" in columns:
        sets += ", enabled_rev = nextval('revision')"
    color = columns.get("color", variation.color)
    size = columns.get("size", variation.size)
    with taken(_taken_facts(sku, color, size)):
        await db.execute(
            f"update variation set {sets} where merchant_id = $1 and product_id = $2 and id = $3",
            merchant_id,
            variation.product_id,
            variation.id,
            *columns.values(),
        )


async def change_sku(db: Rows, merchant_id: str, variation: LockedVariation, sku: str) -> None:
    """Give a variation another SKU; raises SkuTaken."""
    with taken({"variation_sku": failures.SkuTaken(name="new_sku", sku=sku)}):
        await db.execute(
            "update variation set sku = $4 where merchant_id = $1 and product_id = $2 and id = $3",
            merchant_id,
            variation.product_id,
            variation.id,
            sku,
        )


async def set_logistics(
    db: Rows, merchant_id: str, product_id: str, variation_id: str, columns: Mapping[str, Any]
) -> None:
    """Set some of the logistics attributes of a variation and leave the others."""
    if not columns:
        return
    names = list(columns)
    marks = ", ".join(f"${at}" for at in range(4, len(names) + 4))
    sets = ", ".join(f"{name} = excluded.{name}" for name in names)
    await db.execute(
        f"""
        insert into variation_logistics (merchant_id, product_id, variation_id, {", ".join(names)})
        values ($1, $2, $3, {marks})
        on conflict (merchant_id, product_id, variation_id) do update set {sets}
        """,
        merchant_id,
        product_id,
        variation_id,
        *columns.values(),
    )


async def insert_stock(
    db: Rows,
    merchant_id: str,
    product_id: str,
    variation_id: str,
    warehouse: str,
    inventory: int,
    shipping: Decimal | None,
    localized_shipping: Decimal | None,
) -> None:
    """Put the first stock of a new variation into a warehouse."""
    await db.execute(
        """
        insert into stock
               (merchant_id, product_id, variation_id, warehouse_id, inventory, shipping, localized_shipping)
        select $1, $2, $3, id, $5, $6, $7 from warehouse where merchant_id = $1 and name = $4
        """,
        merchant_id,
        product_id,
        variation_id,
        warehouse,
        inventory,
        shipping,
        localized_shipping,
    )


async def split_stock(db: Rows, merchant_id: str, product_id: str, warehouse: str, others: Sequence[str]) -> bool:
    """Share the stock of a product in one warehouse equally with those others that have none of a variation.

    Gives whether any other had none.
    """
    done = await db.execute(
        """
        with lacking as (
            select s.variation_id, o.id as warehouse_id, s.warehouse_id as from_id, s.inventory, s.shipping,
                   s.localized_shipping, s.inventory / (1 + count(*) over (partition by s.variation_id)) as share
              from stock s
              join warehouse w on w.merchant_id = s.merchant_id and w.id = s.warehouse_id and w.name = $3
             cross join unnest($4::text[]) as o (id)
             where s.merchant_id = $1 and s.product_id = $2
               and not exists (select from stock t where t.merchant_id = $1 and t.product_id = $2
                                  and t.warehouse_id = o.id and t.variation_id = s.variation_id)
        ), given as (
            insert into stock (merchant_id, product_id, warehouse_id, variation_id, inventory, shipping,
                               localized_shipping)
            select $1, $2, warehouse_id, variation_id, share, shipping, localized_shipping from lacking
            returning variation_id, inventory
        )
        update stock s set inventory = s.inventory - g.pieces, rev = nextval('revision')
          from (select variation_id, sum(inventory) as pieces from given group by variation_id) g, warehouse w
         where s.merchant_id = $1 and s.product_id = $2 and s.variation_id = g.variation_id
           and w.merchant_id = $1 and w.name = $3 and s.warehouse_id = w.id
        """,
        merchant_id,
        product_id,
        warehouse,
        others,
    )
    return not done.endswith(" 0")


# One statement, and the product's row first, like every other writer. Without the warehouse nothing changes.
_SET_INVENTORY = """
    with v as (
        select id, product_id from variation where merchant_id = $1 and sku = $2 and removed_at is null
    ), w as (
        select id from warehouse where merchant_id = $1 and name = $3
    ), p as (
        update product set updated_at = greatest(updated_at, $5)
          from v, w where merchant_id = $1 and product.id = v.product_id and removed_at is null
        returning product.id
    ), s as (
        insert into stock (merchant_id, product_id, warehouse_id, variation_id, inventory)
        select $1, v.product_id, w.id, v.id, $4 from v, w, p
        on conflict (merchant_id, product_id, warehouse_id, variation_id)
        do update set inventory = excluded.inventory, rev = nextval('revision')
        returning true
    )
    select exists (select from v), exists (select from w), exists (select from s)
"""


async def set_inventory(
    db: Rows, merchant_id: str, sku: str, warehouse: str, inventory: int, now: datetime
) -> tuple[bool, bool, bool]:
    """Set the stock of a variation in a warehouse; whether there is the SKU, the warehouse, and it is done.

    Where both are there and it is not done, the product was removed at the same moment.
    """
    row = await db.fetchrow(_SET_INVENTORY, merchant_id, sku, warehouse, inventory, now)
    return row[0], row[1], row[2]
