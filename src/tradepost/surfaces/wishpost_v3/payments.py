"""Chapter *Payments*: what is in the account, and what went in and out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Struct

from tradepost.domain import ledger
from tradepost.domain.context import ShipperCtx
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.failures import NotTransferId
from tradepost.surfaces.wishpost_v3.order_shapes import money
from tradepost.surfaces.wishpost_v3.surface import api
from tradepost.wire.params import Doc


@dataclass(frozen=True, slots=True)
class TransferId:
    """The id of a payment: a whole number."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    _pattern: ClassVar[re.Pattern[str]] = re.compile("[0-9]{1,18}", re.ASCII)

    def read(self, name: str, text: str) -> int:
        if not self._pattern.fullmatch(text):
            raise NotTransferId(name=name)
        return int(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": 0}


class Account(Struct, gc=False):
    """What is in the account, all as text with two decimals.

    `total` is the user's own money. `remaining` is the part of it that can be spent. `unavailable` is the part of
    it that is frozen for parcels. `withdrawable` is the part of it that can be paid out. `debt` is what is owed
    for parcels that were sent. `debt_limit` is how much may be owed. `debt_remaining` is what is left of that.
    `debt_frozen` is the part of it that is frozen for parcels. `currency` is the currency of all this, ISO 4217.
    """

    total: str
    remaining: str
    unavailable: str
    withdrawable: str
    debt: str
    debt_limit: str
    debt_remaining: str
    debt_frozen: str
    currency: str


class Payment(Struct, gc=False):
    """Money that moved.

    `type` is DEPOSIT, FREEZE, RELEASE, CHARGE, REFUND or LATE_CHARGE. `amount` is what it changed of what can be
    spent. `frozen` is what it changed of what is frozen. `order_id` is the id of the order it was for.
    `wish_standard_tracking_id` is our number of that order.
    """

    id: int
    type: str
    amount: v.Money
    frozen: v.Money
    order_id: str | None
    wish_standard_tracking_id: str | None
    created_at: str


@api.read("/payments/account", "/account_info", scope="user.payment.read")
async def get_account(ctx: ShipperCtx) -> Account:
    """Get the account.

    What a parcel costs is frozen when it is created, charged when it is handed over, and released when it is
    cancelled before.
    """
    balances = await ledger.find_balances(ctx, ctx.actor.id)
    return Account(
        total=v.fixed(balances.total, 2),
        remaining=v.fixed(balances.remaining, 2),
        unavailable=v.fixed(balances.unavailable, 2),
        withdrawable=v.fixed(balances.remaining, 2),
        debt=v.fixed(balances.debt, 2),
        debt_limit=v.fixed(balances.debt_limit, 2),
        debt_remaining=v.fixed(balances.debt_remaining, 2),
        debt_frozen=v.fixed(balances.debt_frozen, 2),
        currency=ledger.CURRENCY,
    )


@api.read("/payments/cash_flow", scope="user.payment.read", fails=[NotTransferId])
async def list_cash_flow(
    ctx: ShipperCtx,
    *,
    limit: v.Limit = v.DEFAULT_LIMIT,
    sort_by: v.Sorting | None = None,
    id_min: Annotated[int, TransferId(), Doc("Only those with this id or a higher one.")] | None = None,
    id_max: Annotated[int, TransferId(), Doc("Only those with this id or a lower one.")] | None = None,
    created_at_min: v.CreatedMin | None = None,
    created_at_max: v.CreatedMax | None = None,
) -> list[Payment]:
    """List the cash flow.

    Whatever was paid in, frozen, charged and given back. The ids are whole numbers. The next page begins with the
    last `created_at` of this one as `created_at_max`, or, in the order of ids (`sort_by=id.desc`), with the last id
    less one as `id_max`.
    """
    sort = v.in_order(sort_by, id_min, id_max)
    wanted = ledger.FlowFilter(
        limit=limit,
        sort=sort.by,
        descending=sort.descending,
        id_min=id_min,
        id_max=id_max,
        at_min=created_at_min,
        at_max=created_at_max,
    )
    return [_payment(flow) for flow in await ledger.list_cash_flow(ctx, ctx.actor.id, wanted)]


def _payment(flow: ledger.CashFlow) -> Payment:
    return Payment(
        id=flow.id,
        type=flow.kind.upper(),
        amount=money(flow.amount),
        frozen=money(flow.frozen),
        order_id=flow.parcel_id,
        wish_standard_tracking_id=flow.wish_id,
        created_at=v.moment(flow.at),
    )
