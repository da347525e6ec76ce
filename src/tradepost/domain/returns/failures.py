"""What the returns programme does not allow, and what is not in it."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class ReturnWarehouseNotFound(Failure):
    """The merchant has no such return warehouse."""

    id: str


class ReturnFieldMissing(Failure):
    """A return warehouse of this region must say something that was left out."""

    name: str
    region: str


class CountryOutsideRegion(Failure):
    """The country of a return warehouse does not belong to its region."""

    country: str
    region: str


class TooManyReturnWarehouses(Failure):
    """The merchant has as many return warehouses as he can have."""

    limit: int


class RegionDiffers(Failure):
    """A product is to be enrolled in one region with the return warehouse of another."""

    region: str
    actual: str


class AddressUnderValidation(Failure):
    """The address of the return warehouse is not validated yet."""

    id: str


class AddressInvalid(Failure):
    """The address of the return warehouse was found invalid, and has to be edited first."""

    id: str


class DimensionsMissing(Failure):
    """A product is to be enrolled of which some variation has no length, width, height or weight."""

    id: str
    sku: str


class NotEnrolled(Failure):
    """The product was never enrolled in this region."""

    id: str
    region: str
