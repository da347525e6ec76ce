"""The SQL of bulk updates: their packs and what became of them."""

from __future__ import annotations

from typing import Any

from tradepost.domain.bulk_updates.update import Applied, Failed, Pack, pack_failed, unpack_failed, unpack_rows
from tradepost.domain.context import Rows


async def insert_pack(db: Rows, merchant_id: str, job_id: str, number: int, pack: Pack) -> None:
    """Keep a pack of rows until its turn comes."""
    await db.execute(
        "insert into bulk_pack (merchant_id, job_id, number, first_row, rows) values ($1, $2, $3, $4, $5)",
        merchant_id,
        job_id,
        number,
        pack.first_row,
        pack.rows,
    )


async def find_pack(db: Rows, merchant_id: str, job_id: str, number: int) -> Pack:
    """The pack whose turn it is."""
    row = await db.fetchrow(
        "select first_row, rows from bulk_pack where merchant_id = $1 and job_id = $2 and number = $3",
        merchant_id,
        job_id,
        number,
    )
    return Pack(*row)


async def note_applied(db: Rows, merchant_id: str, job_id: str, number: int, applied: Applied) -> bool:
    """Note what became of a pack; False where that was noted already."""
    done = await db.fetchval(
        """
        update bulk_pack set applied = true, succeeded_before = $4, succeeded = $5, failed_before = $6, failed = $7,
               failures = $8, changed_products = $9
         where merchant_id = $1 and job_id = $2 and number = $3 and not applied
        returning true
        """,
        merchant_id,
        job_id,
        number,
        applied.succeeded_before,
        applied.succeeded,
        applied.failed_before,
        len(applied.failed),
        pack_failed(applied.failed),
        applied.changed_products,
    )
    return bool(done)


async def changed_products(db: Rows, merchant_id: str, job_id: str, start: int, limit: int) -> list[str]:
    """A stretch of the ids, in their order, of the products whose variations an update has changed so far."""
    found = await db.fetch(
        """
        select distinct unnest(changed_products) as id from bulk_pack
         where merchant_id = $1 and job_id = $2 and applied
         order by id offset $3 limit $4
        """,
        merchant_id,
        job_id,
        start,
        limit,
    )
    return [row["id"] for row in found]


async def successes(db: Rows, merchant_id: str, job_id: str, start: int, limit: int) -> list[str]:
    """A stretch of the SKUs whose rows were applied, in the order of the rows."""
    found = await db.fetch(
        """
        select first_row, rows, failures, succeeded_before from bulk_pack
         where merchant_id = $1 and job_id = $2 and applied
           and succeeded_before < $4 and succeeded_before + succeeded > $3
         order by number
        """,
        merchant_id,
        job_id,
        start,
        start + limit,
    )
    skus: list[str] = []
    for row in found:
        failed = {failed.row for failed in unpack_failed(row["failures"])}
        skus += [
            sent.sku
            for number, sent in enumerate(unpack_rows(row["rows"]), row["first_row"])
            if number not in failed
        ]
    return _cut(skus, found, "succeeded_before", start, limit)


async def failures(db: Rows, merchant_id: str, job_id: str, start: int, limit: int) -> list[Failed]:
    """A stretch of the rows that were not applied, in their order."""
    found = await db.fetch(
        """
        select failures, failed_before from bulk_pack
         where merchant_id = $1 and job_id = $2 and applied
           and failed_before < $4 and failed_before + failed > $3
         order by number
        """,
        merchant_id,
        job_id,
        start,
        start + limit,
    )
    failed = [one for row in found for one in unpack_failed(row["failures"])]
    return _cut(failed, found, "failed_before", start, limit)


def _cut(items: list[Any], found: list[Any], before: str, start: int, limit: int) -> list[Any]:
    """The asked stretch out of whole packs, the first of which begins after so many items."""
    if not found:
        return []
    skipped = start - found[0][before]
    return items[skipped : skipped + limit]
