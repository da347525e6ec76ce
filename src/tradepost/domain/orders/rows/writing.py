"""Writing orders and what was refunded of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        select $1, $2, coalesce(max(number), 0) + 1, $3, $4, round($5::numeric * $6::integer / 100, 2),
               $6, $7, $8, $9
          from order_refund where merchant_id = $1 and order_id = $2
        """,
        merchant_id,
        order.id,
        now,
        amount,
        Decimal(order.total),
        wish.responsibility,
        wish.reason_code,
        wish.reason,
        wish.note,
    )
