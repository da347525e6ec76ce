"""The verbs of the logistics service."""

from __future__ import annotations

from tradepost.domain.access import password_hash
from tradepost.domain.context import Ctx
from tradepost.domain.parcels import rows
from tradepost.domain.parcels.channel import Channel, NewShipper
from tradepost.domain.parcels.failures import ShipperUnknown


async def list_channels(ctx: Ctx) -> list[Channel]:
    """Every channel that is open, the same for all users."""
    return await rows.list_channels(ctx.db)


async def set_channel(ctx: Ctx, channel: Channel) -> None:
    """Open a channel, or change the one that has its otype."""
    await rows.set_channel(ctx.db, channel)


async def add_shipper(ctx: Ctx, new: NewShipper) -> str:
    """Open an account of the logistics service; gives its id. Raises ShipperEmailTaken."""
    shipper_id = ctx.new_id()
    await rows.insert_shipper(ctx.db, shipper_id, new, password_hash(new.password), ctx.now)
    return shipper_id


async def need_shipper(ctx: Ctx, shipper_id: str) -> None:
    """Raises ShipperUnknown where the logistics service has no user of this id."""
    if not await rows.shipper_exists(ctx.db, shipper_id):
        raise ShipperUnknown(shipper_id=shipper_id)
