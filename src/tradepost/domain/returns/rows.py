"""The SQL of the returns programme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.returns.warehouse import (
    ADDRESS_FIELDS,
    VALIDATING,
    Address,
    NewReturnWarehouse,
    ReturnSetting,
    ReturnWarehouse,
    Verdict,
)

_SELECT = """
    select id, region, name, ship_to, phone_number, email,
           street_address1, street_address2, city, state, zipcode, country, address_state, revision
      from return_warehouse where merchant_id = $1
"""


def _warehouse(row: Any) -> ReturnWarehouse:
    columns = dict(row)
    address = Address(**{name: columns.pop(name) for name in ADDRESS_FIELDS})
    return ReturnWarehouse(**columns, address=address)


async def list_warehouses(db: Rows, merchant_id: str) -> list[ReturnWarehouse]:
    """All return warehouses of a merchant in the order they were created."""
    return [_warehouse(row) for row in await db.fetch(f"{_SELECT} order by position", merchant_id)]


async def find_warehouse(db: Rows, merchant_id: str, warehouse_id: str) -> ReturnWarehouse | None:
    """A return warehouse by its id."""
    row = await db.fetchrow(f"{_SELECT} and id = $2", merchant_id, warehouse_id)
    return _warehouse(row) if row else None


async def lock_warehouse(db: Rows, merchant_id: str, warehouse_id: str) -> ReturnWarehouse | None:
    """A return warehouse whose row is this transaction's from now on."""
    row = await db.fetchrow(f"{_SELECT} and id = $2 for update", merchant_id, warehouse_id)
    return _warehouse(row) if row else None


async def insert_warehouse(
    db: Rows, merchant_id: str, warehouse_id: str, new: NewReturnWarehouse, now: datetime, most: int
) -> bool:
    """Add a return warehouse in the next position; whether there was one, of at most so many."""
    columns = asdict(new)
    columns["name"] = columns.pop("warehouse_name")
    marks = "".join(f", ${at}" for at in range(5, len(columns) + 5))
    statement = f"""
        insert into return_warehouse (merchant_id, id, created_at, position, {", ".join(columns)})
        select $1, $2, $3, coalesce(max(position), 0) + 1{marks}
          from return_warehouse where merchant_id = $1 having coalesce(max(position), 0) < $4
        on conflict (merchant_id, position) do nothing
    """
    # Two calls at once take the same position. The second waits for the first and then tries the next one.
    while await db.execute(statement, merchant_id, warehouse_id, now, most, *columns.values()) == "INSERT 0 0":
        taken = await db.fetchval("select max(position) from return_warehouse where merchant_id = $1", merchant_id)
        if taken >= most:
            return False
    return True


async def update_warehouse(
    db: Rows, merchant_id: str, warehouse_id: str, columns: Mapping[str, Any], revision: int
) -> None:
    """Change some columns; under another revision its address is one to be validated."""
    named = {"name" if name == "warehouse_name" else name: value for name, value in columns.items()}
    sets = "".join(f", {name} = ${at}" for at, name in enumerate(named, start=5))
    await db.execute(
        f"""
        update return_warehouse
           set address_state = case when revision = $3 then address_state else $4 end, revision = $3{sets}
         where merchant_id = $1 and id = $2
        """,
        merchant_id,
        warehouse_id,
        revision,
        VALIDATING,
        *named.values(),
    )


async def settle(db: Rows, merchant_id: str, warehouse_id: str, revision: int, verdict: Verdict) -> None:
    """Write down a verdict about the address of this revision; nothing where it is not the latest."""
    suggested = asdict(verdict.suggestion) if verdict.suggestion else {}
    sets = "".join(f", {name} = ${at}" for at, name in enumerate(suggested, start=5))
    await db.execute(
        f"""
        update return_warehouse set address_state = $4{sets}
         where merchant_id = $1 and id = $2 and revision = $3
        """,
        merchant_id,
        warehouse_id,
        revision,
        verdict.state,
        *suggested.values(),
    )


async def list_settings(db: Rows, merchant_id: str, product_id: str) -> list[ReturnSetting]:
    """The settings of a product by region."""
    found = await db.fetch(
        """
        select region, warehouse_id, is_active from return_setting
         where merchant_id = $1 and product_id = $2 order by region
        """,
        merchant_id,
        product_id,
    )
    return [ReturnSetting(*row) for row in found]


async def enable_setting(
    db: Rows, merchant_id: str, product_id: str, region: str, warehouse_id: str, now: datetime
) -> None:
    """Switch returns in a region on, to this warehouse."""
    await db.execute(
        """
        insert into return_setting (merchant_id, product_id, region, warehouse_id, is_active, changed_at)
        values ($1, $2, $3, $4, true, $5)
        on conflict (merchant_id, product_id, region)
        do update set warehouse_id = excluded.warehouse_id, is_active = true, changed_at = excluded.changed_at
        """,
        merchant_id,
        product_id,
        region,
        warehouse_id,
        now,
    )


async def disable_setting(db: Rows, merchant_id: str, product_id: str, region: str, now: datetime) -> bool:
    """Switch returns in a region off; whether there is such a setting, on or off."""
    return bool(
        await db.fetchval(
            """
            update return_setting set is_active = false, changed_at = $4
             where merchant_id = $1 and product_id = $2 and region = $3 returning true
            """,
            merchant_id,
            product_id,
            region,
            now,
        )
    )
