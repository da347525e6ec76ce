"""Orders and channels as connectors of an older generation read them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field, structs

from tradepost.domain import parcels, reference
from tradepost.domain.context import ShipperCtx
from tradepost.domain.parcels import failures as f
from tradepost.surfaces.wishpost_v3 import channels
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.surface import api


class OrderStatus(Struct, gc=False):
    """How far one order is.

    `logistics_order_code` is the carrier's number, empty until there is one. `message` says that there is no such
    order, or why its carrier refused it. `state_name` is how far it is, null where there is no such order.
    `PDF_10_EN_URL` is its label of 10 x 10 cm with the address in English first, `PDF_10_LCL_URL` the same with the
    address in the language of its country first; both are good for 24 hours, and empty where there is no label.
    `cancel_fail_reason` says why it travels all the same if its carrier took it after it was cancelled. The
    `dest_warehouse` fields are the code, the name and the address of the warehouse that its sender brings it to, if
    its channel has some; null and empty otherwise. `reference_qrcode` and `hub_warehouse_code` are empty: parcels
    have no second code here, and go through no hub that has a number.
    """

    wish_standard_tracking_id: str
    logistics_order_code: str
    wish_transaction_ids: list[str]
    state_name: str | None
    state_code: int | None
    cancel_reason_code: str | None
    message: str
    pdf_english: str = field(default="", name="PDF_10_EN_URL")
    pdf_local: str = field(default="", name="PDF_10_LCL_URL")
    cancel_fail_reason: str | None = None
    reference_qrcode: str = ""
    dest_warehouse_code: int | None = None
    dest_warehouse_name: str = ""
    hub_warehouse_code: str = ""
    dest_warehouse_address_cn: str = ""


class OrderStatuses(Struct):
    """How far the orders are, in the order they were asked about.

    `timestamp` is the time in China.
    """

    timestamp: str
    orders: list[OrderStatus]


class FlatChannel(channels.Channel, gc=False):
    """A way to send a parcel, as of old.

    `channel` is the number before the dash of its otype. `warehouses_return_address` are the addresses of its
    warehouses in Chinese, where parcels come back to that do not go on; null where it has none.
    """

    channel: int
    warehouses_return_address: str | None


def order_status(ctx: ShipperCtx, parcel: parcels.Parcel, base_url: str, locale: str) -> OrderStatus:
    """How far an order is; its labels' links begin with `base_url`."""
    pdf_english, pdf_local = (
        base_url + parcels.link_to_labels(ctx, ctx.link_keys, [parcel], parcels.Sheet("10", use_local))
        if parcel.has_label
        else ""
        for use_local in (False, True)
    )
    failed = parcels.why_not_cancel(parcel) if parcel.cancel_reason and parcel.state != parcels.CANCELLED else None
    warehouse = _warehouse(parcel.details.warehouse_code)
    return OrderStatus(
        wish_standard_tracking_id=parcel.wish_id,
        logistics_order_code=parcel.tracking_number or "",
        wish_transaction_ids=list(parcel.order_ids),
        state_name=v.STATE_NAMES[parcel.state],
        state_code=v.STATE_CODES[parcel.state],
        cancel_reason_code=parcel.cancel_reason,
        message=parcel.refusal or "",
        pdf_english=pdf_english,
        pdf_local=pdf_local,
        cancel_fail_reason=None if failed is None else api.table.tell(failed, locale).message,
        dest_warehouse_code=None if warehouse is None else int(parcel.details.warehouse_code),
        dest_warehouse_name="" if warehouse is None else warehouse["name_cn"],
        dest_warehouse_address_cn="" if warehouse is None else _in_one_line(warehouse),
    )


def no_status(number: str, locale: str) -> OrderStatus:
    """What is told of a number that no order has."""
    told = api.table.tell(f.ParcelNotFound(id=number), locale)
    return OrderStatus(number, "", [], None, None, None, told.message)


def flat_channel(channel: channels.Channel) -> FlatChannel:
    """A channel with what only the older call tells of it."""
    places = [place for code in channel.warehouses if (place := _warehouse(code)) is not None]
    return FlatChannel(
        **structs.asdict(channel),
        channel=int(channel.otype.partition("-")[0]),
        warehouses_return_address="；".join(_in_one_line(place) for place in places) or None,
    )


def _warehouse(code: str | None) -> Mapping[str, str] | None:
    """A place to hand parcels over at, by what an order names it by."""
    return reference.HANDOVER_WAREHOUSES.get(int(code)) if code is not None and code.isdecimal() else None


def _in_one_line(warehouse: Mapping[str, str]) -> str:
    """Where a warehouse is, as it is written in China."""
    return "".join(warehouse[f"{name}_cn"] for name in ("province", "city", "district", "address"))
