"""Chapter *Merchants*: who sells, and who may not for now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Struct

from tradepost.domain import merchants, operators
from tradepost.domain.context import OperatorCtx
from tradepost.domain.merchants import MerchantUnknown
from tradepost.surfaces.operator_v1 import vocabulary as v
from tradepost.surfaces.operator_v1.surface import api
from tradepost.values import FIRST
from tradepost.wire.bodies import StrictObject
from tradepost.wire.params import Doc, Text


class Merchant(Struct, gc=False):
    """A shop.

    `currency` is its own, `payment_currency` the one that it is paid in, ISO 4217. `suspended` says whether its
    apps are kept out.
    """

    id: str
    name: str
    currency: str
    payment_currency: str
    suspended: bool
    opened_at: str


class Merchants(Struct, gc=False):
    """A page of merchants. `next` is what `after` is for the next page, null where there is none."""

    merchants: list[Merchant]
    next: str | None


class MerchantState(Struct, gc=False):
    """How a merchant stands now."""

    merchant_id: str
    suspended: bool


@dataclass(frozen=True, kw_only=True)
class MerchantToChange:
    """Whom something is done to."""

    merchant_id: v.MerchantId


@api.read("/merchants", scope="merchants:read")
async def list_merchants(
    ctx: OperatorCtx,
    *,
    text: Annotated[
        str, Text(320, strip=True), Doc("A part of the name, the whole id, or the e-mail address of a person.")
    ]
    | None = None,
    after: v.After = FIRST,
    limit: v.Limit = v.DEFAULT_LIMIT,
) -> Merchants:
    """List merchants.

    The oldest first; all of them, or those that a text is found in.
    """
    found, more = await merchants.page_merchants(ctx, after, limit, text)
    told = [
        Merchant(one.id, one.name, one.currency, one.payment_currency, one.suspended, v.moment(one.created_at))
        for one in found
    ]
    return Merchants(told, v.next_page(more, [(one.created_at, one.id) for one in found]))


@api.write("/merchants/suspend", scope="merchants:write", fails=[MerchantUnknown])
async def suspend_merchant(
    ctx: OperatorCtx, *, wish: Annotated[MerchantToChange, StrictObject(MerchantToChange), Doc("Whom.")]
) -> MerchantState:
    """Suspend a merchant.

    Whatever his apps ask is refused from now on; what is his stays, and he is told. Once more is no error.
    """
    return await _set(ctx, wish.merchant_id, True)


@api.write("/merchants/reinstate", scope="merchants:write", fails=[MerchantUnknown])
async def reinstate_merchant(
    ctx: OperatorCtx, *, wish: Annotated[MerchantToChange, StrictObject(MerchantToChange), Doc("Whom.")]
) -> MerchantState:
    """Reinstate a merchant.

    His apps may act for him again, and he is told. Once more is no error.
    """
    return await _set(ctx, wish.merchant_id, False)


async def _set(ctx: OperatorCtx, merchant_id: str, suspended: bool) -> MerchantState:
    await merchants.set_suspended(ctx, merchant_id, suspended)
    await operators.record_act(ctx, "suspend_merchant" if suspended else "reinstate_merchant", merchant_id, {})
    return MerchantState(merchant_id, suspended)
