"""Opening and listing warehouses."""

from __future__ import annotations

from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.warehouses import rows
from tradepost.domain.warehouses.failures import WarehouseNotFound
from tradepost.domain.warehouses.warehouse import STANDARD, Warehouse, express_name


async def open_warehouse(ctx: Ctx, merchant_id: str, country: str | None = None) -> Warehouse:
    """Open the STANDARD warehouse of a merchant or, with a country, the Express one for it.

    Raises WarehouseTaken.
    """
    warehouse = Warehouse(ctx.new_id(), express_name(country) if country else STANDARD, country)
    await rows.insert_warehouse(ctx.db, merchant_id, warehouse, ctx.now)
    return warehouse


async def list_warehouses(ctx: MerchantCtx) -> list[Warehouse]:
    """All warehouses of the acting merchant, by name."""
    return await rows.list_warehouses(ctx.db, ctx.actor.id)


async def known_name(ctx: MerchantCtx, name: str | None) -> str:
    """The name of a warehouse the acting merchant has, STANDARD for None; raises WarehouseNotFound."""
    if name is None or name == STANDARD:
        return STANDARD  # every merchant has it, so nothing needs to be asked
    if not await rows.exists(ctx.db, ctx.actor.id, name):
        raise WarehouseNotFound(name="warehouse_name", value=name)
    return name
