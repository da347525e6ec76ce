"""Where a merchant keeps his stock: STANDARD, and one Express warehouse per country."""

from tradepost.domain.warehouses.failures import WarehouseNotFound, WarehouseTaken
from tradepost.domain.warehouses.operations import known_name, list_warehouses, open_warehouse
from tradepost.domain.warehouses.warehouse import STANDARD, Warehouse

__all__ = [
    "STANDARD",
    "Warehouse",
    "WarehouseNotFound",
    "WarehouseTaken",
    "known_name",
    "list_warehouses",
    "open_warehouse",
]
