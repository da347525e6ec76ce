"""The logistics service: its users and the channels that a parcel can be sent by."""

from tradepost.domain.parcels.channel import Channel, NewShipper, PickupService
from tradepost.domain.parcels.operations import add_shipper, list_channels, need_shipper, set_channel

__all__ = [
    "Channel",
    "NewShipper",
    "PickupService",
    "add_shipper",
    "list_channels",
    "need_shipper",
    "set_channel",
]
