"""The verbs about channels and users."""

from __future__ import annotations

from collections.abc import Sequence

from tradepost.domain import audit, ledger
from tradepost.domain.access import password_hash
from tradepost.domain.context import Ctx, ShipperCtx
from tradepost.domain.parcels.channel import Channel, NewShipper, ShipperLine
from tradepost.domain.parcels.failures import (
    ChannelNotFound,
    RealNameUnverified,
    ShipperUnknown,
    TariffUnusable,
)
from tradepost.domain.parcels.rows import channels as rows
from tradepost.values import Bookmark


async def list_channels(ctx: Ctx) -> Sequence[Channel]:
    """Every channel that is open, the same for all users."""
    return await rows.list_channels(ctx.db)


async def find_channel(ctx: Ctx, otype: str) -> Channel:
    """An open channel; raises ChannelNotFound."""
    found = await rows.find_channel(ctx.db, otype)
    if found is None:
        raise ChannelNotFound(otype=otype)
    return found


async def channel_to_book(ctx: ShipperCtx, otype: str) -> Channel:
    """The open channel that the acting user books on. Raises RealNameUnverified, ChannelNotFound."""
    found, verified = await rows.channel_to_book(ctx.db, ctx.actor.id, otype)
    if not verified:
        raise RealNameUnverified
    if found is None:
        raise ChannelNotFound(otype=otype)
    return found


async def set_channel(ctx: Ctx, channel: Channel) -> None:
    """Open a channel, or change the one that has its otype. Raises TariffUnusable."""
    if channel.fee < 0 or channel.fee_per_kg < 0 or channel.most_weight <= 0:
        raise TariffUnusable(otype=channel.otype)
    await rows.set_channel(ctx.db, channel)


async def add_shipper(ctx: Ctx, new: NewShipper) -> str:
    """Open an account of the logistics service; gives its id. Raises ShipperEmailTaken."""
    shipper_id = ctx.new_id()
    await rows.insert_shipper(ctx.db, shipper_id, new, password_hash(new.password), ctx.now)
    await ledger.open_ledger(ctx, shipper_id)
    await audit.record(ctx, "sender.added", shipper_id)
    return shipper_id


async def set_verified(ctx: Ctx, shipper_id: str, verified: bool) -> None:
    """Say whether a user has shown by his real name who he is; who has not books nothing. Raises ShipperUnknown."""
    was = await rows.set_verified(ctx.db, shipper_id, None if verified else ctx.now)
    if was is None:
        raise ShipperUnknown(shipper_id=shipper_id)
    if was != verified:
        await audit.record(ctx, "sender.verified" if verified else "sender.unverified", shipper_id)


async def page_shippers(ctx: Ctx, after: Bookmark, limit: int) -> tuple[list[ShipperLine], bool]:
    """Some users of the logistics service, the oldest first, and whether there are more."""
    return await rows.page_shippers(ctx.db, after, limit)


async def need_shipper(ctx: Ctx, shipper_id: str) -> None:
    """Raises ShipperUnknown where the logistics service has no user of this id."""
    if not await rows.shipper_exists(ctx.db, shipper_id):
        raise ShipperUnknown(shipper_id=shipper_id)


async def act_for(ctx: Ctx, shipper_id: str) -> ShipperCtx:
    """The context of a user, for an operator who does something in his name. Raises ShipperUnknown."""
    shipper = await rows.find_shipper(ctx.db, shipper_id)
    if shipper is None:
        raise ShipperUnknown(shipper_id=shipper_id)
    return ShipperCtx(ctx.db, ctx.now, shipper, ctx.new_id, ctx.token_id, by=ctx.by)
