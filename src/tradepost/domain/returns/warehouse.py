"""A return warehouse, its address and how that stands; chapter *Wish Returns Program* of the merchant reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from tradepost.values import NOT_GIVEN, NotGiven

AddressState = Literal["validating", "valid", "suggested", "invalid"]
"""How an address stands: not looked at yet, good as it was entered, good as we changed it, or not good."""

VALIDATING: Final = "validating"
VALID: Final = "valid"
SUGGESTED: Final = "suggested"
INVALID: Final = "invalid"
MOST_WAREHOUSES: Final = 100


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel can be sent; `state` is a part of the country."""

    street_address1: str
    street_address2: str | None
    city: str
    state: str
    zipcode: str
    country: str


ADDRESS_FIELDS: Final = tuple(Address.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class ReturnWarehouse:
    """Where parcels of one region come back to. `revision` grows with every address that is to be validated."""

    id: str
    region: str
    name: str | None
    ship_to: str
    phone_number: str | None
    email: str | None
    address: Address
    address_state: AddressState
    revision: int

    @property
    def is_validated(self) -> bool:
        """Whether its address is good, entered or suggested."""
        return self.address_state in (VALID, SUGGESTED)


@dataclass(frozen=True, kw_only=True)
class NewReturnWarehouse:
    """A return warehouse to be. What its region does not require may be None."""

    ship_to: str
    warehouse_name: str | None = None
    region: str
    phone_number: str | None = None
    email: str | None = None
    city: str
    state: str
    country: str
    zipcode: str
    street_address1: str
    street_address2: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReturnWarehouseChanges:
    """What is to change about a return warehouse; whatever was not given stays, region and country always."""

    warehouse_name: str | NotGiven = NOT_GIVEN
    ship_to: str | NotGiven = NOT_GIVEN
    phone_number: str | NotGiven = NOT_GIVEN
    email: str | NotGiven = NOT_GIVEN
    city: str | NotGiven = NOT_GIVEN
    state: str | NotGiven = NOT_GIVEN
    zipcode: str | NotGiven = NOT_GIVEN
    street_address1: str | NotGiven = NOT_GIVEN
    street_address2: str | NotGiven = NOT_GIVEN


@dataclass(frozen=True, slots=True)
class ReturnSetting:
    """In which region a product is returned, to which return warehouse, and whether that is switched on."""

    region: str
    warehouse_id: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a validator found: whether the address is good, and how it should be written if not as it is."""

    valid: bool
    suggestion: Address | None = None

    @property
    def state(self) -> AddressState:
        """How the address stands from now on."""
        if not self.valid:
            return INVALID
        return SUGGESTED if self.suggestion else VALID


class AddressValidator(Protocol):
    """Judges addresses; may ask somebody outside, and take its time."""

    async def validate(self, address: Address) -> Verdict:
        """The verdict about an address; raises TryLater, or anything else, where it cannot be told now."""
