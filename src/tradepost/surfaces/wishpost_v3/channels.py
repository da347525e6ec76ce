"""Chapter *Channels*: the ways to send a parcel."""

from __future__ import annotations

from msgspec import Struct

from tradepost.domain import parcels
from tradepost.domain.context import ShipperCtx
from tradepost.surfaces.wishpost_v3.surface import api


class PickupService(Struct):
    """A company that collects parcels at the door."""

    pickup_service_code: str
    pickup_service_name: str


class Channel(Struct):
    """A channel; `otype` is what an order names it by. Sensitivity: 0 general, 1 with battery, 2 sensitive."""

    otype: str
    channel_name: str
    channel_name_en: str
    is_registered: bool
    support_warehouses: bool
    warehouses: list[str]
    is_only_online_payment: bool
    allow_battery: bool
    sensitivity_types: list[int]
    pickup_services: list[PickupService]


@api.read("/channels", scope="user.order.read")
async def list_channels(ctx: ShipperCtx) -> list[Channel]:
    """List channels.

    All channels that are open, by their number.
    """
    return [_channel(channel) for channel in await parcels.list_channels(ctx)]


def _channel(channel: parcels.Channel) -> Channel:
    services = [PickupService(s.pickup_service_code, s.pickup_service_name) for s in channel.pickup_services]
    return Channel(
        otype=channel.otype,
        channel_name=channel.channel_name,
        channel_name_en=channel.channel_name_en,
        is_registered=channel.is_registered,
        support_warehouses=channel.support_warehouses,
        warehouses=list(channel.warehouses),
        is_only_online_payment=channel.is_only_online_payment,
        allow_battery=channel.allow_battery,
        sensitivity_types=list(channel.sensitivity_types),
        pickup_services=services,
    )
