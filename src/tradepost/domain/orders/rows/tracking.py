"""The SQL of tracking numbers and of what carriers saw. Numbers are compared in capitals."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.orders.order import Awaited, Scan


async def claim_number(
    db: Rows,
    merchant_id: str,
    number: str,
    recipient: str,
    released_at: datetime,
    apart: timedelta,
    awaited_at: datetime | None,
) -> tuple[datetime | None, datetime | None] | None:
    """Let an order travel under a number; None where the number is another parcel's.

    A number is free, or belongs to the same recipient and to orders that were released at most so far `apart`.
    Its carrier may have something to tell from `awaited_at` on; with None nobody asks him.

    Gives when a carrier saw the parcel, and when it was delivered. One statement, so that of two orders that want
    one number at the same moment the second sees the first.
    """
    row = await db.fetchrow(
        """
        insert into parcel_tracking as t (merchant_id, number, recipient, released_from, released_to, awaited_at)
        values ($1, $2, $3, $4, $4, $6)
        on conflict (merchant_id, number) do update set
            released_from = least(t.released_from, excluded.released_from),
            released_to = greatest(t.released_to, excluded.released_to),
            awaited_at = case when t.delivered_at is null then coalesce(t.awaited_at, excluded.awaited_at) end
         where t.recipient = excluded.recipient
           and greatest(t.released_to, excluded.released_to)
             - least(t.released_from, excluded.released_from) <= $5
        returning confirmed_at, delivered_at
        """,
        merchant_id,
        number,
        recipient,
        released_at,
        apart,
        awaited_at,
    )
    return (row[0], row[1]) if row else None


async def released_from(db: Rows, merchant_id: str, number: str) -> datetime | None:
    """When the first order of a parcel was released; None where no order travels under the number."""
    found: datetime | None = await db.fetchval(
        "select released_from from parcel_tracking where merchant_id = $1 and number = $2", merchant_id, number
    )
    return found


async def note_scan(
    db: Rows, merchant_id: str, scan_id: str, number: str, scan: Scan, now: datetime
) -> tuple[datetime, datetime | None] | None:
    """Write down what a carrier saw; gives when the parcel was first seen and when it was delivered.

    None where no order travels under the number.
    """
    row: Any = await db.fetchrow(
        """
        update parcel_tracking set
            confirmed_at = least(confirmed_at, $3),
            delivered_at = case when $4 then least(delivered_at, $3) else delivered_at end,
            awaited_at = case when $4 then null else awaited_at end
         where merchant_id = $1 and number = $2
        returning confirmed_at, delivered_at
        """,
        merchant_id,
        number,
        scan.scanned_at,
        scan.kind == "delivered",
    )
    if row is None:
        return None
    await db.execute(
        "insert into tracking_scan (merchant_id, id, number, kind, scanned_at, place, recorded_at) "
        "values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        merchant_id,
        scan_id,
        number,
        scan.kind,
        scan.scanned_at,
        scan.place,
        now,
    )
    return row[0], row[1]


async def known_scans(db: Rows, merchant_id: str, scan_ids: list[str]) -> set[str]:
    """Those of some scans that are written down already."""
    found = await db.fetch(
        "select id from tracking_scan where merchant_id = $1 and id = any($2)", merchant_id, scan_ids
    )
    return {row[0] for row in found}


async def tell_orders(
    db: Rows, merchant_id: str, number: str, confirmed_at: datetime, delivered_at: datetime | None, now: datetime
) -> list[tuple[str, bool, bool]]:
    """Let the orders of a parcel say how it stands; gives those that said something else before.

    With each whether it is confirmed only now, and whether it is delivered only now.
    """
    found = await db.fetch(
        """
        with before as (
            select id, confirmed_at, delivered_at from orders
             where merchant_id = $1 and upper(tracking_number) = $2 and shipped_at is not null
               and (confirmed_at is distinct from $3 or delivered_at is distinct from $4::timestamptz)
             order by id
               for no key update
        )
        update orders o set confirmed_at = $3, delivered_at = $4, updated_at = greatest(o.updated_at, $5)
          from before b
         where o.merchant_id = $1 and o.id = b.id
        returning o.id, b.confirmed_at is null, b.delivered_at is null and $4::timestamptz is not null
        """,
        merchant_id,
        number,
        confirmed_at,
        delivered_at,
        now,
    )
    return [(row[0], row[1], row[2]) for row in found]


async def scans(db: Rows, merchant_id: str, number: str) -> list[Scan]:
    """What carriers saw of a parcel, the earliest first."""
    found = await db.fetch(
        "select kind, scanned_at, place from tracking_scan where merchant_id = $1 and number = $2 "
        "order by scanned_at, id",
        merchant_id,
        number,
    )
    return [Scan(*row) for row in found]


async def awaited(db: Rows, now: datetime, limit: int) -> list[Awaited]:
    """Parcels of any merchant whose carrier may have something to tell, those first that have been due the longest.

    Each with its order that was sent off first; without one where none travels under the number any more.
    """
    found = await db.fetch(
        """
        select t.merchant_id, t.number, o.id, o.shipped_at, o.country, o.city
          from (
               select merchant_id, number, awaited_at from parcel_tracking where awaited_at <= $1
                order by awaited_at, merchant_id, number limit $2
          ) t
          left join lateral (
               select id, shipped_at, country, city from orders
                where merchant_id = t.merchant_id and upper(tracking_number) = t.number and shipped_at is not null
                order by shipped_at, id limit 1
          ) o on true
         order by t.awaited_at, t.merchant_id, t.number
        """,
        now,
        limit,
    )
    return [Awaited(*row) for row in found]


async def set_awaited(db: Rows, merchant_id: str, number: str, at: datetime | None) -> None:
    """Say when the carrier of a parcel may have something to tell next."""
    await db.execute(
        "update parcel_tracking set awaited_at = $3 where merchant_id = $1 and number = $2", merchant_id, number, at
    )
