"""Changing stock and sale of many variations at once; whatever was changed later than asked for stays.

Every write of this kind bears the revision of the update that it belongs to, and takes place only where there is
no higher one. So the rows that bear it afterwards are those that were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.products.product import KnownVariation

# So that a pack costs what a pack is worth, whatever the size of the catalogue, which the planner likes to read
# as a whole. Holds until the end of the transaction.
_BY_INDEX = """
    select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
           set_config('enable_seqscan', 'off', true)
"""

_FIND = """
    select sku, product_id, id, removed_by_wish from variation
     where merchant_id = $1 and sku = any($2) and removed_at is null
"""


async def warehouse_id(db: Rows, merchant_id: str, name: str) -> str:
    """The id of a warehouse that the merchant has."""
    found: str = await db.fetchval(
        "select id from warehouse where merchant_id = $1 and name = $2", merchant_id, name
    )
    return found


async def find(db: Rows, merchant_id: str, skus: Sequence[str]) -> list[KnownVariation]:
    """The live variations of these SKUs."""
    await db.execute(_BY_INDEX)
    return [KnownVariation(*row) for row in await db.fetch(_FIND, merchant_id, skus)]


async def hold_products(db: Rows, merchant_id: str, variations: Sequence[KnownVariation]) -> None:
    """Take the products of these variations for this transaction, as every single change does first."""
    await db.execute(
        """
        select id from product where merchant_id = $1 and id = any($2) and removed_at is null
         order by id
           for no key update
        """,
        merchant_id,
        list({variation.product_id for variation in variations}),
    )


async def newer(
    db: Rows, merchant_id: str, warehouse: str, revision: int, variations: Sequence[KnownVariation]
) -> set[str]:
    """The ids of those variations whose stock or sale was changed after a revision."""
    found = await db.fetch(
        """
        select v.id from unnest($4::text[], $5::text[]) as u (product_id, id)
          join variation v on v.merchant_id = $1 and v.product_id = u.product_id and v.id = u.id
          left join stock s on s.merchant_id = $1 and s.product_id = u.product_id and s.warehouse_id = $2
                           and s.variation_id = u.id
         where v.enabled_rev > $3 or s.rev > $3
        """,
        merchant_id,
        warehouse,
        revision,
        *_ids(variations),
    )
    return {row["id"] for row in found}


async def set_stock(
    db: Rows, merchant_id: str, warehouse: str, revision: int, changes: Sequence[tuple[KnownVariation, int]]
) -> set[str]:
    """Set the stock of variations in one warehouse; gives the ids of those whose stock is newer and stays."""
    # In the order in which an order of several things takes them, so that the two never wait for each other.
    changes = sorted(changes, key=lambda change: (change[0].product_id, change[0].id))
    arguments = (
        merchant_id,
        warehouse,
        revision,
        *_ids([variation for variation, _ in changes]),
        [inventory for _, inventory in changes],
    )
    done = await db.execute(
        """
        update stock s set inventory = u.inventory, rev = $3
          from unnest($4::text[], $5::text[], $6::integer[]) as u (product_id, variation_id, inventory)
         where s.merchant_id = $1 and s.warehouse_id = $2 and s.product_id = u.product_id
           and s.variation_id = u.variation_id and s.rev <= $3
        """,
        *arguments,
    )
    if _count(done) == len(changes):
        return set()
    # The others are newer, or not in this warehouse yet.
    await db.execute(
        """
        insert into stock (merchant_id, warehouse_id, rev, product_id, variation_id, inventory)
        select $1, $2, $3, * from unnest($4::text[], $5::text[], $6::integer[])
            on conflict do nothing
        """,
        *arguments,
    )
    found = await db.fetch(
        """
        select s.variation_id from unnest($4::text[], $5::text[]) as u (product_id, variation_id)
          join stock s on s.merchant_id = $1 and s.warehouse_id = $2 and s.product_id = u.product_id
                      and s.variation_id = u.variation_id
         where s.rev > $3
        """,
        *arguments[:-1],
    )
    return {row["variation_id"] for row in found}


async def set_enabled(
    db: Rows, merchant_id: str, revision: int, changes: Sequence[tuple[KnownVariation, bool]]
) -> set[str]:
    """Put variations on sale or take them off; gives the ids of those where that was changed since, and stays."""
    ids = _ids([variation for variation, _ in changes])
    done = await db.execute(
        """
        update variation v set enabled = u.enabled, enabled_rev = $2
          from unnest($3::text[], $4::text[], $5::boolean[]) as u (product_id, id, enabled)
         where v.merchant_id = $1 and v.product_id = u.product_id and v.id = u.id and v.enabled_rev <= $2
        """,
        merchant_id,
        revision,
        *ids,
        [enabled for _, enabled in changes],
    )
    if _count(done) == len(changes):
        return set()
    found = await db.fetch(
        """
        select v.id from unnest($3::text[], $4::text[]) as u (product_id, id)
          join variation v on v.merchant_id = $1 and v.product_id = u.product_id and v.id = u.id
         where v.enabled_rev > $2
        """,
        merchant_id,
        revision,
        *ids,
    )
    return {row["id"] for row in found}


async def touch(db: Rows, merchant_id: str, product_ids: Sequence[str], now: datetime) -> None:
    """Note that products were changed; they are taken in the order of their ids."""
    await db.execute(_BY_INDEX)
    await db.execute(
        "select id from product where merchant_id = $1 and id = any($2) order by id for no key update",
        merchant_id,
        product_ids,
    )
    await db.execute(
        "update product set updated_at = greatest(updated_at, $3) where merchant_id = $1 and id = any($2)",
        merchant_id,
        product_ids,
        now,
    )


async def next_revision(db: Rows) -> int:
    """A number that every later single change exceeds."""
    return int(await db.fetchval("select nextval('revision')"))


def _ids(variations: Sequence[KnownVariation]) -> tuple[list[str], list[str]]:
    return [variation.product_id for variation in variations], [variation.id for variation in variations]


def _count(command_tag: Any) -> int:
    return int(command_tag.rpartition(" ")[2])
