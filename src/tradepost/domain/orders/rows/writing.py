"""Writing orders and what was refunded of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from tradepost.domain.context import Rows
from tradepost.domain.orders.order import Order, RefundWish


async def insert(db: Rows, merchant_id: str, orders: Sequence[Mapping[str, Any]]) -> None:
    """Add orders that all say the same columns, in one statement."""
    columns = ", ".join(orders[0])
    await db.execute(
        f"""
        insert into orders (merchant_id, {columns})
        select $1, {columns} from jsonb_populate_recordset(null::orders, $2::jsonb)
        """,
        merchant_id,
        msgspec.json.encode(orders, enc_hook=str).decode(),
    )


async def update(db: Rows, merchant_id: str, order_id: str, columns: Mapping[str, Any], now: datetime) -> None:
    """Change some columns of an order, and the time of its last change."""
    sets = "".join(f", {column} = ${at}" for at, column in enumerate(columns, start=4))
    await db.execute(
        f"update orders set updated_at = greatest(updated_at, $3){sets} where merchant_id = $1 and id = $2",
        merchant_id,
        order_id,
        now,
        *columns.values(),
    )


async def insert_refund(db: Rows, merchant_id: str, order: Order, wish: RefundWish, now: datetime) -> None:
    """Write down that everything the buyer paid was given back, and the merchant's part of it."""
    amount = order.quantity * (Decimal(order.price) + Decimal(order.shipping))
    await db.execute(
        """
        insert into order_refund (merchant_id, order_id, number, refunded_at, amount, responsible_amount,
                                  responsibility, reason_code, reason, note)
        select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8, $9
          from order_refund where merchant_id = $1 and order_id = $2
        """,
        merchant_id,
        order.id,
        now,
        amount,
        order.borne(wish.responsibility),
        wish.responsibility,
        wish.reason_code,
        wish.reason,
        wish.note,
    )


async def name_fine(db: Rows, merchant_id: str, order_ids: Collection[str], fine_id: str, now: datetime) -> None:
    """Put a fine onto the list of those orders that do not have it there."""
    await db.execute(_NAME_FINE, merchant_id, list(order_ids), fine_id, now)


async def unname_fine(db: Rows, merchant_id: str, order_ids: Collection[str], fine_id: str, now: datetime) -> None:
    """Take a fine off the list of those orders that have it there."""
    await db.execute(_UNNAME_FINE, merchant_id, list(order_ids), fine_id, now)


def _refining(condition: str, becomes: str) -> str:
    # Orders are taken in the order of their ids, like by everybody who takes several.
    return f"""
    with taken as (
        select id from orders where merchant_id = $1 and id = any ($2) and {condition}
         order by id for no key update
    )
    update orders o set fine_ids = {becomes}, updated_at = greatest(o.updated_at, $4)
      from taken where o.merchant_id = $1 and o.id = taken.id
    """


_NAME_FINE = _refining("not ($3 = any (fine_ids))", "o.fine_ids || $3::text")
_UNNAME_FINE = _refining("$3 = any (fine_ids)", "array_remove(o.fine_ids, $3)")
