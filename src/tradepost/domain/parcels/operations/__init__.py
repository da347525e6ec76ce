"""The verbs of the logistics service: about channels and users, and about parcels."""

from tradepost.domain.parcels.operations.channels import (
    act_for,
    add_shipper,
    find_channel,
    list_channels,
    need_shipper,
    set_channel,
)
from tradepost.domain.parcels.operations.parcels import (
    NUMBER_KIND,
    book_parcel,
    cancel_parcels,
    find_parcel,
    hand_over,
    list_parcels,
    note_scan,
    parcel_to_number,
    settle_number,
    track_parcels,
)

__all__ = [
    "NUMBER_KIND",
    "act_for",
    "add_shipper",
    "book_parcel",
    "cancel_parcels",
    "find_channel",
    "find_parcel",
    "hand_over",
    "list_channels",
    "list_parcels",
    "need_shipper",
    "note_scan",
    "parcel_to_number",
    "set_channel",
    "settle_number",
    "track_parcels",
]
