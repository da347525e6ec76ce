"""The SQL of the logistics service."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from tradepost.domain.context import Rows
from tradepost.domain.parcels.channel import Channel, NewShipper, PickupService
from tradepost.domain.parcels.failures import ShipperEmailTaken

_COLUMNS = (
    "otype, channel_name, channel_name_en, is_registered, support_warehouses, warehouses, "
    "is_only_online_payment, allow_battery, sensitivity_types, pickup_services"
)


async def list_channels(db: Rows) -> list[Channel]:
    """All open channels by their number."""
    found = await db.fetch(
        f"select {_COLUMNS} from channel where closed_at is null order by split_part(otype, '-', 1)::integer, otype"
    )
    return [
        Channel(
            otype=row["otype"],
            channel_name=row["channel_name"],
            channel_name_en=row["channel_name_en"],
            is_registered=row["is_registered"],
            support_warehouses=row["support_warehouses"],
            warehouses=tuple(row["warehouses"]),
            is_only_online_payment=row["is_only_online_payment"],
            allow_battery=row["allow_battery"],
            sensitivity_types=tuple(row["sensitivity_types"]),
            pickup_services=msgspec.json.decode(row["pickup_services"], type=tuple[PickupService, ...]),
        )
        for row in found
    ]


async def set_channel(db: Rows, channel: Channel) -> None:
    """Open a channel, or change the one of this otype."""
    names = _COLUMNS.split(", ")
    marks = ", ".join(f"${at}" for at in range(1, len(names) + 1))
    sets = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    await db.execute(
        f"insert into channel ({_COLUMNS}) values ({marks}) on conflict (otype) do update set {sets}",
        channel.otype,
        channel.channel_name,
        channel.channel_name_en,
        channel.is_registered,
        channel.support_warehouses,
        list(channel.warehouses),
        channel.is_only_online_payment,
        channel.allow_battery,
        list(channel.sensitivity_types),
        msgspec.json.encode(channel.pickup_services).decode(),
    )


async def insert_shipper(db: Rows, shipper_id: str, new: NewShipper, password_hash: str, now: datetime) -> None:
    """Add a user of the logistics service; raises ShipperEmailTaken."""
    try:
        await db.execute(
            "insert into shipper (id, name, email, password_hash, locale, created_at) "
            "values ($1, $2, $3, $4, $5, $6)",
            shipper_id,
            new.name,
            new.email.lower(),
            password_hash,
            new.locale,
            now,
        )
    except asyncpg.UniqueViolationError:
        raise ShipperEmailTaken(email=new.email) from None


async def shipper_exists(db: Rows, shipper_id: str) -> bool:
    """Whether the logistics service has a user of this id."""
    return bool(await db.fetchval("select exists (select from shipper where id = $1)", shipper_id))
