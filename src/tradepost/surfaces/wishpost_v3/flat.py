"""Chapter *Older calls*: the verbs that connectors of an older generation call.

Their answers stand beside `code` and `message`, and their token may stand in the body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from msgspec import Struct

from tradepost.domain import parcels, reference
from tradepost.domain.context import ShipperCtx
from tradepost.domain.failure import Failure
from tradepost.domain.parcels import failures as f
from tradepost.surfaces.wishpost_v3 import channels
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.flat_shapes import (
    FlatChannel,
    OrderStatuses,
    flat_channel,
    no_status,
    order_status,
)
from tradepost.surfaces.wishpost_v3.reasons import REASONS
from tradepost.surfaces.wishpost_v3.surface import SCOPES, api
from tradepost.values import Words
from tradepost.wire import refusals
from tradepost.wire.bodies import BodyObject, Many
from tradepost.wire.http_types import BaseUrl, Locale
from tradepost.wire.params import Doc, LookedUp, Whole

MOST: Final = 100

CHINESE_NAMES: Final = {
    "user.scope.read": "读取权限",
    "user.label.read": "读取面单",
    "user.payment.read": "读取账户余额和付款",
    "user.tracking.read": "读取物流轨迹",
    "user.order.write": "创建和取消订单",
    "user.order.read": "读取订单和渠道",
    "user.announcement.read": "读取公告",
}
assert CHINESE_NAMES.keys() == SCOPES.keys()

Token = Annotated[str, LookedUp(512), Doc("The access token, if it does not stand in the header.")]


@dataclass(frozen=True, slots=True)
class OldReason:
    """One of the reference's reasons, or a number out of an older list of them."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    _number: ClassVar[re.Pattern[str]] = re.compile("[0-9]{1,9}", re.ASCII)

    def read(self, name: str, text: str) -> str:
        if text not in REASONS and not self._number.fullmatch(text):
            raise refusals.NotChoice(name=name, choices=Words(", ".join(REASONS)))
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^({'|'.join(REASONS)}|[0-9]{{1,9}})$"}


@dataclass(frozen=True, kw_only=True)
class StatusQuestion:
    """Which orders are asked about."""

    wish_standard_tracking_ids: Annotated[
        tuple[str, ...], Many(1, MOST), LookedUp(64), Doc("The numbers of orders, ours or the carriers'.")
    ]
    access_token: Token | None = None


@dataclass(frozen=True, kw_only=True)
class OldCancellation:
    """An order to be cancelled."""

    tracking_id: Annotated[str, LookedUp(64), Doc("The carrier's number, or ours while there is no other.")]
    cancel_reason_code: Annotated[str, OldReason(), Doc("Why: a reason's name, or a number of an older list.")]


@dataclass(frozen=True, kw_only=True)
class CancelQuestion:
    """Which orders are to be cancelled."""

    orders: Annotated[tuple[OldCancellation, ...], Many(1, MOST), Doc("The orders.")]
    access_token: Token | None = None


@dataclass(frozen=True, kw_only=True)
class ChannelQuestion:
    """Which channels are asked about."""

    channels: Annotated[
        tuple[str, ...], Many(0, MOST), LookedUp(50), Doc("Their otypes; all if there is none.")
    ] = ()
    access_token: Token | None = None


@dataclass(frozen=True, kw_only=True)
class ScopeQuestion:
    """Which scopes are asked about."""

    scope_names: Annotated[
        tuple[str, ...], Many(0, MOST), LookedUp(64), Doc("Their names; all if there is none.")
    ] = ()
    access_token: Token | None = None


@dataclass(frozen=True, kw_only=True)
class WarehouseQuestion:
    """Which warehouses are asked about."""

    warehouse_ids: Annotated[
        tuple[int, ...], Many(0, MOST), Whole(0, 999_999), Doc("Their numbers; all if there is none.")
    ] = ()
    access_token: Token | None = None


class FailedCancellation(Struct, gc=False):
    """An order that was not cancelled, and why.

    `tracking_id` is the number as it was sent. `wish_standard_tracking_id` is our number of the order, if there is
    such an order.
    """

    cancel_result_code: int
    cancel_result_message: str
    tracking_id: str
    wish_standard_tracking_id: str | None
    user_id: str


class CancelResult(Struct):
    """The orders that were not cancelled; all others are.

    `timestamp` is the time in China.
    """

    timestamp: str
    failed_cancel_orders: list[FailedCancellation]


class ChannelList(Struct):
    """Channels.

    `timestamp` is the time in China.
    """

    timestamp: str
    channels: list[FlatChannel]


class Scope(Struct, gc=False):
    """What a token can open.

    `name` is made of `role`, `resource` and `action`. `attribute` is empty: a scope opens all of its resource.
    `apis` are the paths that it opens.
    """

    name: str
    role: str
    resource: str
    attribute: str
    action: str
    apis: list[str]
    english_name: str
    chinese_name: str


class ScopeList(Struct):
    """Scopes.

    `timestamp` is the time in China.
    """

    timestamp: str
    scopes: list[Scope]


class WarehouseAddress(Struct, gc=False):
    """Where parcels are handed over, in one language."""

    name: str
    province: str
    city: str
    district: str
    zipcode: str
    address: str
    phone_number: str
    email: str


class Warehouse(Struct, gc=False):
    """A place to hand parcels over at.

    `enum_value` is what an order names it by, as `warehouse_code`.
    """

    enum_value: int
    official_name_cn: str
    official_name_en: str
    warehouse_address_cn: WarehouseAddress
    warehouse_address_en: WarehouseAddress


class WarehouseList(Struct):
    """Warehouses.

    `timestamp` is the time in China.
    """

    timestamp: str
    warehouses: list[Warehouse]


@api.read("/order_status", method="POST", scope="user.order.read", flat=True, fails=[f.ParcelNotFound])
async def get_order_status(
    ctx: ShipperCtx,
    *,
    question: Annotated[StatusQuestion, BodyObject(StatusQuestion), Doc("The orders.")],
    locale: Locale,
    base_url: BaseUrl,
) -> OrderStatuses:
    """Get the status of orders.

    Asked again and again until the carrier's number is there.
    """
    numbers = question.wish_standard_tracking_ids
    found = await parcels.numbered_parcels(ctx, numbers)
    told = [
        order_status(ctx, parcel, base_url, locale) if parcel is not None else no_status(number, locale)
        for number, parcel in zip(numbers, found, strict=True)
    ]
    return OrderStatuses(v.china_time(ctx.now), told)


@api.write(
    "/cancel_orders",
    scope="user.order.write",
    flat=True,
    fails=[f.ParcelNotFound, f.AlreadyCancelled, f.AlreadyScanned, f.AlreadyRefused],
)
async def cancel_orders_flat(
    ctx: ShipperCtx,
    *,
    question: Annotated[CancelQuestion, BodyObject(CancelQuestion), Doc("The orders.")],
    locale: Locale,
) -> CancelResult:
    """Cancel orders, the older way.

    Only those that could not be cancelled are told.
    """
    wishes = [parcels.Cancellation(wish.tracking_id, wish.cancel_reason_code) for wish in question.orders]
    judged = zip(wishes, await parcels.cancel_parcels(ctx, wishes), strict=True)
    failed = [
        _failed(wish.number, result.parcel, result.failure, ctx.actor.id, locale)
        for wish, result in judged
        if result.failure is not None
    ]
    return CancelResult(v.china_time(ctx.now), failed)


@api.read("/get_channels", method="POST", scope="user.order.read", flat=True)
async def get_channels(
    ctx: ShipperCtx, *, question: Annotated[ChannelQuestion, BodyObject(ChannelQuestion), Doc("The channels.")]
) -> ChannelList:
    """Get channels.

    Those that are named, or all; a name that is none is passed over.
    """
    found = await channels.list_channels(ctx)
    wanted = [channel for channel in found if not question.channels or channel.otype in question.channels]
    return ChannelList(v.china_time(ctx.now), [flat_channel(channel) for channel in wanted])


@api.read("/scopes", method="POST", scope="user.scope.read", flat=True)
async def get_scopes(
    ctx: ShipperCtx, *, question: Annotated[ScopeQuestion, BodyObject(ScopeQuestion), Doc("The scopes.")]
) -> ScopeList:
    """Get scopes.

    Those that are named, or all; a name that is none is passed over.
    """
    wanted = [name for name in SCOPES if not question.scope_names or name in question.scope_names]
    return ScopeList(v.china_time(ctx.now), [_scope(name) for name in wanted])


@api.read("/warehouse", method="POST", scope="user.order.read", flat=True)
async def get_warehouses(
    ctx: ShipperCtx,
    *,
    question: Annotated[WarehouseQuestion, BodyObject(WarehouseQuestion), Doc("The warehouses.")],
) -> WarehouseList:
    """Get warehouses.

    Where parcels are handed over on channels with `support_warehouses`: those that are named, or all; a number that
    is none is passed over.
    """
    wanted = [
        Warehouse(code, row["name_cn"], row["name_en"], _address(row, "cn"), _address(row, "en"))
        for code, row in reference.HANDOVER_WAREHOUSES.items()
        if not question.warehouse_ids or code in question.warehouse_ids
    ]
    return WarehouseList(v.china_time(ctx.now), wanted)


def _address(row: Mapping[str, str], language: str) -> WarehouseAddress:
    return WarehouseAddress(
        name=row[f"name_{language}"],
        province=row[f"province_{language}"],
        city=row[f"city_{language}"],
        district=row[f"district_{language}"],
        zipcode=row["zipcode"],
        address=row[f"address_{language}"],
        phone_number=row["phone_number"],
        email=row["email"],
    )


def _scope(name: str) -> Scope:
    role, resource, action = name.split(".")
    # Two calls may share a path.
    opened = list(dict.fromkeys(endpoint.path for endpoint in api.endpoints if endpoint.scope == name))
    return Scope(name, role, resource, "", action, opened, SCOPES[name], CHINESE_NAMES[name])


def _failed(
    number: str, parcel: parcels.Parcel | None, why: Failure, user_id: str, locale: str
) -> FailedCancellation:
    told = api.table.tell(why, locale)
    return FailedCancellation(told.code, told.message, number, parcel.wish_id if parcel else None, user_id)
