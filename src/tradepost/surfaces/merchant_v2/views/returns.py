"""The returns programme on the wire."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from tradepost.domain import products, returns
from tradepost.surfaces.merchant_v2.views.leaves import (
    FlagText,
    OptionalNumber,
    OptionalText,
    flag,
    maybe,
    maybe_number,
)

AddressValidState = Literal["VALID_USER_ADDRESS", "VALID_SUGGESTED_ADDRESS", "VALIDATING", "INVALID"]

_STATES: dict[returns.AddressState, AddressValidState] = {
    "valid": "VALID_USER_ADDRESS",
    "suggested": "VALID_SUGGESTED_ADDRESS",
    "validating": "VALIDATING",
    "invalid": "INVALID",
}


class MerchantReturnWarehouse(Struct):
    """Where parcels of one region come back to.

    `id` is 24 hex digits. `region` is the region that it is for. `ship_to` is whom parcels are addressed to.
    `street_address1` is the street and the number. `city` is the town. `state` is the state or province.
    `zipcode` is the postal code. `country` is an ISO 3166 alpha-2 code. `address_valid_state` says how the
    address stands: VALID_USER_ADDRESS is valid as you entered it, VALID_SUGGESTED_ADDRESS is valid and written
    as we suggest it, VALIDATING is not looked at yet, INVALID has to be edited. `warehouse_name` is its name.
    `phone_number` is its telephone. `email` is its e-mail address. `street_address2` is more about the street.
    """

    id: str
    region: str
    ship_to: str
    street_address1: str
    city: str
    state: str
    zipcode: str
    country: str
    address_valid_state: AddressValidState
    warehouse_name: OptionalText = UNSET
    phone_number: OptionalText = UNSET
    email: OptionalText = UNSET
    street_address2: OptionalText = UNSET


class MerchantReturnWarehouseItem(Struct):
    """A return warehouse in a list."""

    MerchantReturnWarehouse: MerchantReturnWarehouse


class NewMerchantReturnWarehouse(Struct):
    """A return warehouse that was just created; `id` is 24 hex digits."""

    id: str


class NewMerchantReturnWarehouseItem(Struct):
    """The return warehouse that was created."""

    MerchantReturnWarehouse: NewMerchantReturnWarehouse


class ProductReturnSetting(Struct):
    """Where a product is returned to in one region.

    `region` is the region. `is_active` says whether the product takes part there now. `warehouse_id` is the id
    of the return warehouse.
    """

    region: str
    is_active: FlagText
    warehouse_id: str


class ProductReturnSettingItem(Struct):
    """A return setting in a list."""

    ProductReturnSetting: ProductReturnSetting


class ProductVariationLogistics(Struct):
    """How large a product or one of its variations is.

    `id` is the id of the product. `variation_id` is the id of the variation, where one was asked for. `length`
    is in cm. `width` is in cm. `height` is in cm. `weight` is in g.
    """

    id: str
    variation_id: str | UnsetType = UNSET
    length: OptionalNumber = UNSET
    width: OptionalNumber = UNSET
    height: OptionalNumber = UNSET
    weight: OptionalNumber = UNSET


class ProductVariationLogisticsItem(Struct):
    """The dimensions asked for."""

    ProductVariationLogistics: ProductVariationLogistics


def return_warehouse_item(warehouse: returns.ReturnWarehouse) -> MerchantReturnWarehouseItem:
    """A return warehouse as its merchant sees it."""
    address = warehouse.address
    return MerchantReturnWarehouseItem(
        MerchantReturnWarehouse(
            id=warehouse.id,
            region=warehouse.region,
            ship_to=warehouse.ship_to,
            street_address1=address.street_address1,
            city=address.city,
            state=address.state,
            zipcode=address.zipcode,
            country=address.country,
            address_valid_state=_STATES[warehouse.address_state],
            warehouse_name=maybe(warehouse.name),
            phone_number=maybe(warehouse.phone_number),
            email=maybe(warehouse.email),
            street_address2=maybe(address.street_address2),
        )
    )


def return_setting_item(setting: returns.ReturnSetting) -> ProductReturnSettingItem:
    """The setting of one region."""
    return ProductReturnSettingItem(
        ProductReturnSetting(setting.region, flag(setting.is_active), setting.warehouse_id)
    )


def dimensions_item(
    product_id: str, variation_id: str | None, known: products.Dimensions
) -> ProductVariationLogisticsItem:
    """The dimensions of a product or a variation."""
    return ProductVariationLogisticsItem(
        ProductVariationLogistics(
            id=product_id,
            variation_id=maybe(variation_id),
            length=maybe_number(known.length),
            width=maybe_number(known.width),
            height=maybe_number(known.height),
            weight=maybe_number(known.weight),
        )
    )
