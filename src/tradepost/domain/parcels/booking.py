"""What it takes to book a parcel, and what a booking has to keep to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Final

import msgspec

from tradepost.domain.parcels import failures
from tradepost.domain.parcels.channel import Channel
from tradepost.domain.parcels.parcel import Parcel

NON_WISH_ORDER: Final = "NonWishOrder"
MOST_ORDER_IDS: Final = 20
GENERAL: Final = 0
# China Post writes one order on its labels.
_ONE_ORDER_ONLY: Final = ("0", "1", "33-0")

_ORDER_ID = re.compile(r"[0-9A-Za-z]{24}", re.ASCII)
_LATIN = re.compile(r"[A-Za-z]", re.ASCII)
_CHINESE = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")


class Address(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Somebody, and where he is."""

    name: str
    country: str
    city: str
    address: str
    province: str | None = None
    district: str | None = None
    zipcode: str | None = None
    phone: str | None = None


class Goods(msgspec.Struct, frozen=True, gc=False):
    """One line of what is in a parcel; `weight` is that of the whole line in kg, `price` that of one piece in USD.

    Kinds: 0 general, 1 with battery, 2 sensitive.
    """

    name: str
    name_chinese: str
    pieces: int
    weight: Decimal
    price: Decimal
    from_country: str
    product_url: str
    has_battery: bool
    kind: int


class Details(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What was said about a parcel when it was booked."""

    sender: Address
    recipient: Address
    goods: tuple[Goods, ...]
    recipient_local: Address | None = None
    pickup: Address | None = None
    pickup_service: str | None = None
    warehouse_code: str | None = None
    parcel_type: int = 4
    user_desc: str | None = None
    trade_amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewParcel:
    """A parcel to be booked: by which channel, for which orders, under which number of the caller's own.

    Parcels with the same `mark` have their labels in one file.
    """

    otype: str
    order_ids: tuple[str, ...]
    details: Details
    guid: str | None = None
    mark: str | None = None


def book(new: NewParcel, channel: Channel, parcel_id: str, now: datetime) -> Parcel:
    """The parcel as it is booked; raises what the booking does not keep to."""
    _check_orders(new, channel)
    _check_goods(new.details.goods, channel)
    _check_addresses(new.details)
    _check_handover(new.details, channel)
    weight = sum((goods.weight for goods in new.details.goods), Decimal(0))
    if weight > channel.most_weight:
        raise failures.ParcelTooHeavy(weight=weight, most=channel.most_weight)
    return Parcel(
        id=parcel_id,
        wish_id=wish_id(parcel_id),
        otype=channel.otype,
        order_ids=() if new.order_ids == (NON_WISH_ORDER,) else tuple(dict.fromkeys(new.order_ids)),
        country=new.details.recipient.country,
        weight=weight,
        fee=(channel.fee + channel.fee_per_kg * weight).quantize(Decimal("0.01"), ROUND_UP),
        created_at=now,
        updated_at=now,
        guid=new.guid,
        mark=new.mark,
        details=new.details,
    )


def wish_id(parcel_id: str) -> str:
    """Our number of a parcel, out of its id: WOSP, twelve digits and three letters."""
    rest, digits = divmod(int(parcel_id, 16), 10**12)
    letters = "".join(chr(ord("A") + rest // 26**place % 26) for place in range(3))
    return f"WOSP{digits:012d}{letters}"


def _check_orders(new: NewParcel, channel: Channel) -> None:
    if new.order_ids == (NON_WISH_ORDER,):
        return
    for order_id in new.order_ids:
        if not _ORDER_ID.fullmatch(order_id):
            raise failures.OrderIdWrong(order_id=order_id)
    limit = 1 if channel.otype in _ONE_ORDER_ONLY else MOST_ORDER_IDS
    if len(new.order_ids) > limit:
        raise failures.TooManyOrderIds(limit=limit)


def _check_goods(lines: tuple[Goods, ...], channel: Channel) -> None:
    for at, goods in enumerate(lines):
        if not _LATIN.search(goods.name):
            raise failures.NameWithoutLatin(place=f"goods[{at}].name")
        if not _CHINESE.search(goods.name_chinese):
            raise failures.NameWithoutChinese(place=f"goods[{at}].name_chinese")
        if goods.has_battery != (goods.kind != GENERAL):
            raise failures.KindAndBatteryDisagree(place=f"goods[{at}]")
        if goods.kind not in channel.sensitivity_types or (goods.has_battery and not channel.allow_battery):
            raise failures.KindNotTaken(place=f"goods[{at}]", otype=channel.otype)


def _check_addresses(details: Details) -> None:
    for place, address in (("sender", details.sender), ("recipient", details.recipient)):
        for name in address.__struct_fields__:
            if _CHINESE.search(getattr(address, name) or ""):
                raise failures.ChineseNotAllowed(place=f"{place}.{name}")


def _check_handover(details: Details, channel: Channel) -> None:
    code = details.warehouse_code
    if channel.support_warehouses != (code is not None) or (code is not None and code not in channel.warehouses):
        raise failures.HandoverWarehouseWrong(warehouse_code=code or "", otype=channel.otype)
    if details.pickup_service is not None:
        offered = [service.pickup_service_code for service in channel.pickup_services]
        if details.pickup_service not in offered:
            raise failures.PickupServiceWrong(pickup_service=details.pickup_service, otype=channel.otype)
        if details.pickup is None or not _CHINESE.search(details.pickup.address):
            raise failures.PickupAddressMissing
