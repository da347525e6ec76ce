"""Chapter *Warehouse*."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from tradepost.domain import warehouses
from tradepost.domain.context import MerchantCtx
from tradepost.surfaces.merchant_v2.surface import api


class MerchantWarehouse(Struct):
    """A warehouse; `warehouse_unit_id` is its name in other calls. Type 1 is standard shipping, 2 Express."""

    id: str
    warehouse_unit_id: str
    warehouse_type: str
    warehouse_type_name: str
    destination_countries: list[str] | UnsetType = UNSET


class MerchantWarehouseItem(Struct):
    """A warehouse in a list."""

    MerchantWarehouse: MerchantWarehouse


@api.read("/warehouse/get-all")
async def list_warehouses(ctx: MerchantCtx) -> list[MerchantWarehouseItem]:
    """List all warehouses.

    `destination_countries` is there for Express warehouses only, and names one country.
    """
    return [_item(warehouse) for warehouse in await warehouses.list_warehouses(ctx)]


def _item(warehouse: warehouses.Warehouse) -> MerchantWarehouseItem:
    return MerchantWarehouseItem(
        MerchantWarehouse(
            id=warehouse.id,
            warehouse_unit_id=warehouse.name,
            warehouse_type="2" if warehouse.is_express else "1",
            warehouse_type_name="EXPRESS" if warehouse.is_express else "STANDARD",
            destination_countries=[warehouse.country] if warehouse.country else UNSET,
        )
    )
