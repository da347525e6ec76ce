"""Chapter *Wish Returns Program*: where parcels come back to, and which products take part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Final

from tradepost.domain import products, reference, returns
from tradepost.domain.context import MerchantCtx
from tradepost.domain.jobs import TooManyJobs
from tradepost.domain.products import failures as p
from tradepost.domain.returns import NewReturnWarehouse, ReturnWarehouseChanges
from tradepost.domain.returns import failures as f
from tradepost.surfaces.merchant_v2 import vocabulary as v
from tradepost.surfaces.merchant_v2.failures import InvalidId, NotEmail, NotPhone
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.surfaces.merchant_v2.views.common import DONE, Nothing
from tradepost.surfaces.merchant_v2.views.returns import (
    MerchantReturnWarehouseItem,
    NewMerchantReturnWarehouse,
    NewMerchantReturnWarehouseItem,
    ProductReturnSettingItem,
    ProductVariationLogisticsItem,
    dimensions_item,
    return_setting_item,
    return_warehouse_item,
)
from tradepost.values import NOT_GIVEN, NotGiven
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.params import Choice, Country, Doc, Key, Number

# The reference's own number; counted apart from other calls.
ENROLL_LIMIT: Final = RateLimit(group="enroll", level="app_user", limit=500, seconds=60)


@dataclass(frozen=True, slots=True)
class Email(Key):
    """An e-mail address by its form: something, one @, a name with a dot; nobody writes to it."""

    _pattern: ClassVar[re.Pattern[str]] = re.compile(r"[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+")

    def read(self, name: str, text: str) -> str:
        text = Key.read(self, name, text)
        if not self._pattern.fullmatch(text):
            raise NotEmail(name=name)
        return text


@dataclass(frozen=True, slots=True)
class Phone(Key):
    """A telephone number as people write it: 5 to 20 digits, with + in front and signs in between."""

    _signs: ClassVar[re.Pattern[str]] = re.compile(r"\+?[0-9 ()./-]+", re.ASCII)

    def read(self, name: str, text: str) -> str:
        text = Key.read(self, name, text)
        digits = sum(char.isdigit() for char in text)
        if not self._signs.fullmatch(text) or not 5 <= digits <= 20:
            raise NotPhone(name=name)
        return text


def _unless(name: str) -> str:
    """Where a field can be left out, out of the table of regions."""
    optional = [code for code, region in reference.RETURN_REGIONS.items() if name not in region.required]
    return f"Optional for {' and '.join(optional)}, required elsewhere." if optional else ""


Region = Annotated[
    str,
    Choice(tuple(reference.RETURN_REGIONS)),
    Doc("The region that parcels are returned in."),
]
ProductId = Annotated[str, v.AnyId(), Doc("The product's id, 24 hex digits.")]
ChangedProductId = Annotated[str, v.StrictId(), Doc("The product's id, 24 hex digits.")]
VariationId = Annotated[str, v.AnyId(), Doc("The id of one of the product's variations, 24 hex digits.")]
WarehouseId = Annotated[
    str, v.AnyId(), Doc("The id of one of your return warehouses, as returns/get-all-warehouses gives it.")
]
# What stands on a parcel: one line each, and nothing in it that nobody sees.
ShipTo = Annotated[str, Key(200), Doc("Whom parcels are addressed to, so that the carrier finds the warehouse.")]
WarehouseName = Annotated[str, Key(200), Doc("The name of the return warehouse.")]
PhoneNumber = Annotated[str, Phone(40), Doc(f"The telephone of the warehouse. {_unless('phone_number')}")]
EmailAddress = Annotated[str, Email(254), Doc(f"The e-mail address of the warehouse. {_unless('email')}")]
City = Annotated[str, Key(100), Doc("The town that it is in.")]
State = Annotated[str, Key(100), Doc("The state or province that it is in, by its name or code.")]
Zipcode = Annotated[str, Key(20), Doc("The postal code.")]
Street = Annotated[str, Key(200), Doc("The street and the number.")]
MoreStreet = Annotated[str, Key(200), Doc("More about the street.")]


@dataclass(frozen=True, kw_only=True)
class ReturnWarehouseToCreate(NewReturnWarehouse):
    """The parameters of a new return warehouse."""

    ship_to: ShipTo
    warehouse_name: WarehouseName | None = None
    region: Region
    phone_number: PhoneNumber | None = None
    email: EmailAddress | None = None
    city: City
    state: State
    country: Annotated[
        str, Country(reference.ISO_COUNTRIES), Doc("The country: ISO 3166 alpha-2, one of those of the region.")
    ]
    zipcode: Zipcode
    street_address1: Street
    street_address2: MoreStreet | None = None


@dataclass(frozen=True, kw_only=True)
class ReturnWarehouseToChange(ReturnWarehouseChanges):
    """The parameters of a return warehouse that can change; whatever is left out stays as it is."""

    warehouse_name: WarehouseName | NotGiven = NOT_GIVEN
    ship_to: ShipTo | NotGiven = NOT_GIVEN
    phone_number: Annotated[PhoneNumber, Doc("The telephone of the warehouse.")] | NotGiven = NOT_GIVEN
    email: Annotated[EmailAddress, Doc("The e-mail address of the warehouse.")] | NotGiven = NOT_GIVEN
    city: City | NotGiven = NOT_GIVEN
    state: State | NotGiven = NOT_GIVEN
    zipcode: Zipcode | NotGiven = NOT_GIVEN
    street_address1: Street | NotGiven = NOT_GIVEN
    street_address2: MoreStreet | NotGiven = NOT_GIVEN


@api.read("/returns/get-all-warehouses", scope="returns:read")
async def list_return_warehouses(ctx: MerchantCtx) -> list[MerchantReturnWarehouseItem]:
    """Get all return warehouses.

    In the order they were created, each with its address and how that stands. A suggested address is told in
    place of the one that was entered.
    """
    return [return_warehouse_item(warehouse) for warehouse in await returns.list_warehouses(ctx)]


@api.read("/returns/get-product-return-settings", scope="returns:read", fails=[p.ProductNotFound])
async def list_return_settings(ctx: MerchantCtx, *, id: ProductId) -> list[ProductReturnSettingItem]:
    """Get the return settings for a product.

    One for each region that the product was ever enrolled in.
    """
    return [return_setting_item(setting) for setting in await returns.list_settings(ctx, id)]


@api.write(
    "/returns/enroll-product-in-returns",
    scope="returns:write",
    limits=[ENROLL_LIMIT],
    fails=[
        p.ProductNotFound,
        p.ProductRemoved,
        InvalidId,
        f.ReturnWarehouseNotFound,
        f.RegionDiffers,
        f.AddressUnderValidation,
        f.AddressInvalid,
        f.DimensionsMissing,
    ],
)
async def enroll_product(
    ctx: MerchantCtx, *, id: ChangedProductId, region: Region, warehouse_id: WarehouseId
) -> Nothing:
    """Enroll a product in the returns program.

    The product needs dimensions, each of its variations at least those of the product, and the return warehouse
    must be one of the region whose address is valid. Enrolling again replaces the warehouse.
    """
    await returns.enroll_product(ctx, id, region, warehouse_id)
    return DONE


@api.read(
    "/returns/get-product-variation-dimensions",
    scope="returns:read",
    fails=[p.ProductNotFound, p.VariationIdNotFound],
)
async def get_dimensions(
    ctx: MerchantCtx, *, id: ProductId, variation_id: VariationId | None = None
) -> ProductVariationLogisticsItem:
    """Get product or variation dimensions.

    What a variation does not have itself is the product's; what a product does not have itself is what all its
    variations share. What is not known is left out.
    """
    return dimensions_item(id, variation_id, await products.find_dimensions(ctx, id, variation_id))


@api.write(
    "/returns/set-product-logistics",
    scope="returns:write",
    fails=[p.ProductNotFound, p.ProductRemoved, InvalidId, p.VariationIdNotFound],
)
async def set_dimensions(
    ctx: MerchantCtx,
    *,
    id: ChangedProductId,
    variation_id: VariationId | None = None,
    height: Annotated[Decimal, Number("0.001", "100000", 3), Doc("Height of the packed goods in cm.")],
    length: Annotated[Decimal, Number("0.001", "100000", 3), Doc("Length of the packed goods in cm.")],
    width: Annotated[Decimal, Number("0.001", "100000", 3), Doc("Width of the packed goods in cm.")],
    weight: Annotated[Decimal, Number("0.001", "10000000", 3), Doc("Weight of the packed goods in g.")],
) -> Nothing:
    """Set product logistics.

    With a variation its own dimensions, which `LogisticsMetadata` shows, too; without one those of the product,
    which count for every variation that has none of its own.
    """
    measured = products.NewDimensions(length=length, width=width, height=height, weight=weight)
    await products.set_dimensions(ctx, id, variation_id, measured)
    return DONE


@api.write(
    "/returns/create-return-warehouse",
    scope="returns:write",
    fails=[
        f.ReturnFieldMissing,
        f.CountryOutsideRegion,
        f.TooManyReturnWarehouses,
        NotEmail,
        NotPhone,
        TooManyJobs,
    ],
)
async def create_return_warehouse(
    ctx: MerchantCtx, *, new: ReturnWarehouseToCreate
) -> NewMerchantReturnWarehouseItem:
    """Create a return warehouse.

    Its address is validated afterwards, which may take minutes; returns/get-all-warehouses tells how it stands.
    No product can be enrolled with it before.
    """
    return NewMerchantReturnWarehouseItem(NewMerchantReturnWarehouse(await returns.create_warehouse(ctx, new)))


@api.write(
    "/returns/edit-return-warehouse",
    scope="returns:write",
    fails=[f.ReturnWarehouseNotFound, NotEmail, NotPhone, TooManyJobs],
)
async def edit_return_warehouse(
    ctx: MerchantCtx, *, warehouse_id: WarehouseId, changes: ReturnWarehouseToChange
) -> Nothing:
    """Edit an existing return warehouse.

    Changes what is given and leaves the rest; region and country stay. Its address is validated anew, unless it
    is valid and stays as it is. Products that are enrolled stay so.
    """
    await returns.edit_warehouse(ctx, warehouse_id, changes)
    return DONE


@api.write(
    "/returns/disable-return-setting-for-region",
    scope="returns:write",
    fails=[p.ProductNotFound, p.ProductRemoved, InvalidId, f.NotEnrolled],
)
async def disable_return_setting(ctx: MerchantCtx, *, id: ChangedProductId, region: Region) -> Nothing:
    """Unenroll a product from the returns program.

    The setting stays, and is not active any more.
    """
    await returns.disable_region(ctx, id, region)
    return DONE
