"""Writing products. Whoever changes a product or one of its variations locks the product's row first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from tradepost.domain.context import Rows
from tradepost.domain.products import failures
from tradepost.domain.products.product import REMOVED_MARK, ProductRef
from tradepost.values import Fact


@contextmanager
def taken(facts: Mapping[str, Fact]) -> Iterator[None]:
    """Turn the violation of a unique index into the fact that it stands for, by the name of the index."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        fact = facts.get(error.constraint_name or "")
        if fact is None:
            raise
        raise fact from None


@dataclass(frozen=True, slots=True)
class LockedProduct:
    """A product whose row this transaction holds, with what its rules ask for."""

    id: str
    parent_sku: str
    removed: bool
    main_image: str
    wanted_image: str | None
    extra_images: list[str]


_LOCK = """
    select id, parent_sku, removed_at is not null, main_image, wanted_image, extra_images
      from product where merchant_id = $1 and {which} for no key update
"""
_LOCK_BY_ID = _LOCK.format(which="id = $2")
_LOCK_BY_PARENT_SKU = _LOCK.format(which="parent_sku = $2 and removed_at is null")


async def lock(db: Rows, merchant_id: str, ref: ProductRef) -> LockedProduct | None:
    """Take the row of a product for this transaction."""
    statement, key = (_LOCK_BY_ID, ref.id) if ref.id is not None else (_LOCK_BY_PARENT_SKU, ref.parent_sku)
    row = await db.fetchrow(statement, merchant_id, key)
    return LockedProduct(*row) if row else None


async def insert(db: Rows, merchant_id: str, columns: Mapping[str, Any], now: datetime, *, said_by: str) -> None:
    """Add a product; raises ParentSkuTaken for the parameter `said_by` that the parent SKU came from."""
    all_columns = {"merchant_id": merchant_id, **columns, "created_at": now, "updated_at": now}
    marks = ", ".join(f"${at}" for at in range(1, len(all_columns) + 1))
    sku = columns["parent_sku"]
    with taken({"product_parent_sku": failures.ParentSkuTaken(name=said_by, sku=sku)}):
        await db.execute(f"insert into product ({', '.join(all_columns)}) values ({marks})", *all_columns.values())


async def insert_shipping(
    db: Rows,
    merchant_id: str,
    product_id: str,
    warehouse: str,
    default: tuple[Decimal | None, Decimal | None],
    countries: Iterable[tuple[str, Decimal | None, Decimal | None]],
) -> None:
    """Set what shipping from one warehouse costs: by default, and to those countries that it ships to."""
    await db.execute(
        """
        insert into product_shipping
               (merchant_id, product_id, warehouse_id, default_price, localized_default_price)
        select $1, $2, id, $4, $5 from warehouse where merchant_id = $1 and name = $3
        """,
        merchant_id,
        product_id,
        warehouse,
        *default,
    )
    codes, prices, localized = zip(*countries, strict=True)
    await db.execute(
        """
        insert into country_shipping (merchant_id, product_id, warehouse_id, country, price, localized_price)
        select $1, $2, w.id, c.country, c.price, c.localized_price
          from unnest($4::text[], $5::numeric[], $6::numeric[]) as c (country, price, localized_price)
          join warehouse w on w.merchant_id = $1 and w.name = $3
          join shipping_setting s on s.merchant_id = $1 and s.warehouse_id = w.id and s.country = c.country
        """,
        merchant_id,
        product_id,
        warehouse,
        list(codes),
        list(prices),
        list(localized),
    )


async def update(db: Rows, merchant_id: str, product_id: str, columns: Mapping[str, Any], now: datetime) -> None:
    """Change some columns of a product, and the time of its last change."""
    sets = "".join(f", {column} = ${at}" for at, column in enumerate(columns, start=4))
    await db.execute(
        f"update product set updated_at = greatest(updated_at, $3){sets} where merchant_id = $1 and id = $2",
        merchant_id,
        product_id,
        now,
        *columns.values(),
    )


async def change_parent_sku(db: Rows, merchant_id: str, product_id: str, parent_sku: str, now: datetime) -> None:
    """Give a product another parent SKU; raises ParentSkuTaken."""
    with taken({"product_parent_sku": failures.ParentSkuTaken(name="new_parent_sku", sku=parent_sku)}):
        await update(db, merchant_id, product_id, {"parent_sku": parent_sku}, now)


async def set_enabled(db: Rows, merchant_id: str, product_id: str, enabled: bool) -> None:
    """Enable or disable all variations of a product but those the marketplace removed."""
    await db.execute(
        """
        update variation set enabled = $3, enabled_rev = nextval('revision')
         where merchant_id = $1 and product_id = $2 and not removed_by_wish
        """,
        merchant_id,
        product_id,
        enabled,
    )


async def remove(db: Rows, merchant_id: str, product_id: str, now: datetime) -> None:
    """Remove a product with its variations, and rename their SKUs so that others can have them."""
    mark = REMOVED_MARK + product_id
    await db.execute(
        """
        update variation set removed_at = $3, enabled = false, sku = sku || $4
         where merchant_id = $1 and product_id = $2
        """,
        merchant_id,
        product_id,
        now,
        mark,
    )
    await db.execute(
        """
        update product set removed_at = $3, updated_at = greatest(updated_at, $3), parent_sku = parent_sku || $4
         where merchant_id = $1 and id = $2
        """,
        merchant_id,
        product_id,
        now,
        mark,
    )


async def exists(db: Rows, merchant_id: str, product_id: str) -> bool:
    """Whether a merchant has this product, removed or not."""
    return bool(
        await db.fetchval(
            "select exists (select from product where merchant_id = $1 and id = $2)", merchant_id, product_id
        )
    )


async def known(db: Rows, merchant_id: str, ids: Sequence[str]) -> set[str]:
    """Which of these products a merchant has, removed or not."""
    found = await db.fetch("select id from product where merchant_id = $1 and id = any($2)", merchant_id, ids)
    return {row["id"] for row in found}


async def known_variations(db: Rows, merchant_id: str, ids: Sequence[str]) -> set[str]:
    """Which of these variations a merchant has, removed or not."""
    found = await db.fetch("select id from variation where merchant_id = $1 and id = any($2)", merchant_id, ids)
    return {row["id"] for row in found}


async def sku_exists(db: Rows, merchant_id: str, sku: str) -> bool:
    """Whether a live variation has this SKU."""
    return bool(
        await db.fetchval(
            "select exists (select from variation where merchant_id = $1 and sku = $2 and removed_at is null)",
            merchant_id,
            sku,
        )
    )
