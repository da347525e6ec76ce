"""The SQL of who sends parcels for which shops."""

from __future__ import annotations

from datetime import datetime

from tradepost.domain.context import Rows


async def bind(db: Rows, account_id: str, shop_id: str, now: datetime) -> None:
    """Let a user send for a shop; nothing where he does so already."""
    await db.execute(
        "insert into sender_shop (account_id, shop_id, bound_at) values ($1, $2, $3) on conflict do nothing",
        account_id,
        shop_id,
        now,
    )


async def unbind(db: Rows, account_id: str, shop_id: str) -> None:
    """Let a user no longer send for a shop."""
    await db.execute("delete from sender_shop where account_id = $1 and shop_id = $2", account_id, shop_id)


async def list_shops(db: Rows, account_id: str) -> list[str]:
    """The ids of the shops that a user sends for."""
    found = await db.fetch("select shop_id from sender_shop where account_id = $1 order by shop_id", account_id)
    return [row[0] for row in found]


async def parcel_of_order(db: Rows, number: str, order_id: str) -> tuple[str, str] | None:
    """Whose parcel, and which, has a number and an order of the shop that this connection is bound to."""
    row = await db.fetchrow("select account_id, parcel_id from parcel_of_order($1, $2)", number, order_id)
    return (row[0], row[1]) if row else None
