"""The returns programme: where parcels come back to, and which products take part in which region."""

from tradepost.domain.returns.operations import (
    KIND,
    UNVALIDATED_TOPIC,
    address_to_validate,
    create_warehouse,
    disable_region,
    edit_warehouse,
    enroll_product,
    list_settings,
    list_warehouses,
    report_parked,
    settle_address,
)
from tradepost.domain.returns.warehouse import (
    MOST_WAREHOUSES,
    Address,
    AddressState,
    AddressValidator,
    NewReturnWarehouse,
    ReturnSetting,
    ReturnWarehouse,
    ReturnWarehouseChanges,
    Verdict,
)

__all__ = [
    "KIND",
    "MOST_WAREHOUSES",
    "UNVALIDATED_TOPIC",
    "Address",
    "AddressState",
    "AddressValidator",
    "NewReturnWarehouse",
    "ReturnSetting",
    "ReturnWarehouse",
    "ReturnWarehouseChanges",
    "Verdict",
    "address_to_validate",
    "create_warehouse",
    "disable_region",
    "edit_warehouse",
    "enroll_product",
    "list_settings",
    "list_warehouses",
    "report_parked",
    "settle_address",
]
