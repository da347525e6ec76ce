"""The SQL of channels and users."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import asyncpg
import msgspec

from tradepost.domain.context import Rows, Shipper
from tradepost.domain.parcels.channel import Channel, NewShipper, PickupService, ShipperLine
from tradepost.domain.parcels.failures import ShipperEmailTaken
from tradepost.values import Bookmark

_COLUMNS = (
    "otype, channel_name, channel_name_en, is_registered, support_warehouses, warehouses, "
    "is_only_online_payment, allow_battery, sensitivity_types, pickup_services, fee, fee_per_kg, most_weight"
)


_known: Final[dict[str, tuple[Channel, ...]]] = {}
"""The channels as they were read last, by their revision, of which no two in all the world are the same."""


async def list_channels(db: Rows) -> tuple[Channel, ...]:
    """All open channels by their number: from memory, if nobody has changed one since they were read."""
    revision = await _revision(db)
    if revision in _known:
        return _known[revision]
    found = await read_channels(db)
    if revision is not None and await _revision(db) == revision:  # or they are of another one
        _known.clear()
        _known[revision] = found
    return found


async def _revision(db: Rows) -> str | None:
    found: str | None = await db.fetchval("select revision::text from channel_revision")
    return found


async def read_channels(db: Rows) -> tuple[Channel, ...]:
    """The same, as they stand in the database."""
    found = await db.fetch(
        f"select {_COLUMNS} from channel where closed_at is null order by split_part(otype, '-', 1)::integer, otype"
    )
    return tuple(map(_channel, found))


async def find_channel(db: Rows, otype: str) -> Channel | None:
    """An open channel by its otype."""
    row = await db.fetchrow(f"select {_COLUMNS} from channel where otype = $1 and closed_at is null", otype)
    return _channel(row) if row else None


async def channel_to_book(db: Rows, shipper_id: str, otype: str) -> tuple[Channel | None, bool]:
    """An open channel by its otype, and whether a user is verified; one statement, as many are booked at once."""
    row = await db.fetchrow(
        f"select s.unverified_at is null, {_COLUMNS} from shipper s "
        "left join channel on otype = $2 and closed_at is null where s.id = $1",
        shipper_id,
        otype,
    )
    if row is None:
        return None, False
    verified, *columns = row
    return (_channel(columns) if columns[0] is not None else None), verified


def _channel(row: Any) -> Channel:
    # A long list is mostly this, so the columns come in the order of the fields.
    otype, name, name_en, is_registered, support, warehouses, online, battery, kinds, services, *cost = row
    return Channel(
        otype,
        name,
        name_en,
        is_registered,
        support,
        tuple(warehouses),
        online,
        battery,
        tuple(kinds),
        _services(services),
        *cost,
    )


@lru_cache(maxsize=256)
def _services(told: str) -> tuple[PickupService, ...]:
    """Who collects parcels: few channels have ones of their own."""
    return msgspec.json.decode(told, type=tuple[PickupService, ...])


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
        channel.fee,
        channel.fee_per_kg,
        channel.most_weight,
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


async def page_shippers(db: Rows, after: Bookmark, limit: int) -> tuple[list[ShipperLine], bool]:
    """Some users of the logistics service, the oldest first, and whether there are more."""
    found = await db.fetch(
        "select id, name, suspended_at is not null, unverified_at is null, created_at from shipper "
        "where (created_at, id) > ($1, $2) order by created_at, id limit $3",
        after.at,
        after.id,
        limit + 1,
    )
    return [ShipperLine(*row) for row in found[:limit]], len(found) > limit


async def set_verified(db: Rows, shipper_id: str, since: datetime | None) -> bool | None:
    """Say since when a user is unverified, None for verified; whether he was verified before, None for no user."""
    was: bool | None = await db.fetchval(
        """
        with before as (select id, unverified_at from shipper where id = $1 for no key update)
        update shipper s set unverified_at = case when $2::timestamptz is null then null
                                                  else coalesce(before.unverified_at, $2) end
          from before where s.id = before.id
        returning before.unverified_at is null
        """,
        shipper_id,
        since,
    )
    return was


async def shipper_exists(db: Rows, shipper_id: str) -> bool:
    """Whether the logistics service has a user of this id."""
    return bool(await db.fetchval("select exists (select from shipper where id = $1)", shipper_id))


async def find_shipper(db: Rows, shipper_id: str) -> Shipper | None:
    """A user of the logistics service."""
    row = await db.fetchrow("select id, name, locale from shipper where id = $1", shipper_id)
    return Shipper(**row) if row else None
