"""Writing down many orders of the past with all that belongs to them, one statement per table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from tradepost.domain.context import Rows
from tradepost.domain.orders.failures import TrackingReused
from tradepost.domain.orders.order import RefundWish, Scan
from tradepost.domain.orders.rows.writing import insert


class Records:
    """The rows of some orders, as they are collected."""

    def __init__(self) -> None:
        self.orders: list[Mapping[str, Any]] = []
        self.parcels: list[tuple[Any, ...]] = []
        self.scans: list[tuple[Any, ...]] = []
        self.refunds: list[tuple[Any, ...]] = []

    def parcel(
        self,
        number: str,
        recipient: str,
        released_at: datetime,
        confirmed_at: datetime | None,
        delivered_at: datetime | None,
    ) -> None:
        """A parcel under a number that is nobody else's."""
        self.parcels.append((number, recipient, released_at, confirmed_at, delivered_at))

    def scan(self, scan_id: str, number: str, scan: Scan) -> None:
        """What a carrier saw of it."""
        self.scans.append((scan_id, number, scan.kind, scan.scanned_at, scan.place))

    def refund(self, order_id: str, wish: RefundWish, at: datetime, paid: Decimal, part: Decimal) -> None:
        """What was given back of an order: all that was paid, and the merchant's part of it."""
        words = (wish.responsibility, wish.reason_code, wish.reason, wish.note)
        self.refunds.append((order_id, at, paid, part, *words))


async def insert_all(db: Rows, merchant_id: str, records: Records, now: datetime) -> None:
    """Add them all; raises TrackingReused."""
    await insert(db, merchant_id, records.orders)
    try:
        await _insert_parcels(db, merchant_id, records.parcels)
    except asyncpg.UniqueViolationError:
        raise TrackingReused(tracking_number=records.parcels[0][0]) from None
    await db.execute(
        """
        insert into tracking_scan (merchant_id, id, number, kind, scanned_at, place, recorded_at)
        select $1, t.*, $7 from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[]) as t
        """,
        merchant_id,
        *_columns(records.scans, 5),
        now,
    )
    await db.execute(
        """
        insert into order_refund (merchant_id, order_id, number, refunded_at, amount, responsible_amount,
                                  responsibility, reason_code, reason, note)
        select $1, t.order_id, 1, t.at, t.paid, t.part, t.percent, t.code, t.reason, t.note
          from unnest($2::text[], $3::timestamptz[], $4::numeric[], $5::numeric[], $6::integer[], $7::integer[],
                      $8::text[], $9::text[]) as t (order_id, at, paid, part, percent, code, reason, note)
        """,
        merchant_id,
        *_columns(records.refunds, 8),
    )


async def _insert_parcels(db: Rows, merchant_id: str, parcels: Sequence[tuple[Any, ...]]) -> None:
    await db.execute(
        """
        insert into parcel_tracking (merchant_id, number, recipient, released_from, released_to, confirmed_at,
                                     delivered_at)
        select $1, t.number, t.recipient, t.released_at, t.released_at, t.confirmed_at, t.delivered_at
          from unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])
            as t (number, recipient, released_at, confirmed_at, delivered_at)
        """,
        merchant_id,
        *_columns(parcels, 5),
    )


def _columns(table: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """The columns of some rows, as many as there are even of no rows."""
    return [list(column) for column in zip(*table, strict=True)] if table else [[] for _ in range(width)]
