"""The SQL of warehouses."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from tradepost.domain.context import Rows
from tradepost.domain.warehouses.failures import WarehouseTaken
from tradepost.domain.warehouses.warehouse import Warehouse


async def insert_warehouse(db: Rows, merchant_id: str, warehouse: Warehouse, now: datetime) -> None:
    """Add a warehouse; raises WarehouseTaken."""
    try:
        await db.execute(
            "insert into warehouse (merchant_id, id, name, kind, country, created_at) "
            "values ($1, $2, $3, $4, $5, $6)",
            merchant_id,
            warehouse.id,
            warehouse.name,
            2 if warehouse.is_express else 1,
            warehouse.country,
            now,
        )
    except asyncpg.UniqueViolationError:
        raise WarehouseTaken(value=warehouse.name) from None


async def list_warehouses(db: Rows, merchant_id: str) -> list[Warehouse]:
    """All warehouses of a merchant by name."""
    found = await db.fetch(
        "select id, name, country from warehouse where merchant_id = $1 order by name", merchant_id
    )
    return [Warehouse(*row) for row in found]


async def exists(db: Rows, merchant_id: str, name: str) -> bool:
    """Whether a merchant has a warehouse of this name."""
    return bool(
        await db.fetchval(
            "select exists (select from warehouse where merchant_id = $1 and name = $2)", merchant_id, name
        )
    )
