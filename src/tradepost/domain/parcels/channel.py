"""A way to send a parcel (facts on the logistics API, section 2.3), and a user who sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec


class PickupService(msgspec.Struct, frozen=True):
    """A company that collects parcels at the sender's door."""

    pickup_service_code: str
    pickup_service_name: str


class Channel(msgspec.Struct, frozen=True, gc=False):
    """A channel; `otype` is what an order names it by, `<channel>-1` registered and `<channel>-0` not.

    Sensitivity types: 0 general, 1 with battery, 2 sensitive. A parcel costs `fee` and `fee_per_kg` for its weight,
    in CNY, and weighs at most `most_weight` kg.
    """

    otype: str
    channel_name: str
    channel_name_en: str
    is_registered: bool
    support_warehouses: bool
    warehouses: tuple[str, ...]
    is_only_online_payment: bool
    allow_battery: bool
    sensitivity_types: tuple[int, ...]
    pickup_services: tuple[PickupService, ...]
    fee: Decimal = Decimal(10)
    fee_per_kg: Decimal = Decimal(60)
    most_weight: Decimal = Decimal(2)


@dataclass(frozen=True, slots=True)
class NewShipper:
    """What it takes to open an account of the logistics service."""

    name: str
    email: str
    password: str
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class ShipperLine:
    """One user of the logistics service in an operator's list."""

    id: str
    name: str
    suspended: bool
    verified: bool
    created_at: datetime
