"""Chapter *Channels*: the ways to send a parcel."""

from __future__ import annotations

from msgspec import Struct

from tradepost.domain import parcels
from tradepost.domain.context import ShipperCtx
from tradepost.surfaces.wishpost_v3.surface import api


class PickupService(Struct, gc=False):
    """A company that collects parcels at the door.

    `pickup_service_code` is what an order names it by. `pickup_service_name` is its name.
    """

    pickup_service_code: str
    pickup_service_name: str


class Channel(Struct, gc=False):
    """A way to send a parcel.

    `otype` is what an order names it by. `channel_name` is its name in Chinese. `channel_name_en` is its name
    in English. `is_registered` says whether parcels are tracked to the door. `support_warehouses` says
    whether an order may name a warehouse to hand over at. `warehouses` are the codes of these.
    `is_only_online_payment` says whether it can be paid from the account's balance only. `allow_battery` says
    whether there may be a battery in a parcel. `sensitivity_types` are the kinds of goods it takes: 0
    general, 1 with battery, 2 sensitive. `pickup_services` are the companies that collect parcels for it.
    """

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
    # A list has many of them, and names would cost as much as what they name: these are the fields in their order.
    return Channel(
        channel.otype,
        channel.channel_name,
        channel.channel_name_en,
        channel.is_registered,
        channel.support_warehouses,
        list(channel.warehouses),
        channel.is_only_online_payment,
        channel.allow_battery,
        list(channel.sensitivity_types),
        [PickupService(s.pickup_service_code, s.pickup_service_name) for s in channel.pickup_services],
    )
