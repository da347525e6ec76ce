"""Where parcels meet the orders of shops: who sends for whom, and what a shop may ask about a parcel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tradepost.domain import audit, jobs, merchants
from tradepost.domain.context import Ctx, ShipperCtx
from tradepost.domain.parcels.parcel import Parcel, Scan
from tradepost.domain.parcels.rows import parcels as rows
from tradepost.domain.parcels.rows import shops

SCANS_KIND: Final = "parcel_scans"


@dataclass(frozen=True, slots=True)
class ParcelRef:
    """A parcel, and the user whose it is."""

    account_id: str
    parcel_id: str


async def bind_shop(ctx: ShipperCtx, merchant_id: str) -> None:
    """Let the acting user send parcels for the orders of a shop. Raises MerchantUnknown."""
    await merchants.act_for(ctx, merchant_id)
    await shops.bind(ctx.db, ctx.actor.id, merchant_id, ctx.now)
    await audit.record(ctx, "sender.bound", ctx.actor.id, merchant_id=merchant_id)


async def unbind_shop(ctx: ShipperCtx, merchant_id: str) -> None:
    """Let him no longer do so; what is on its way already goes on. Raises MerchantUnknown."""
    await merchants.act_for(ctx, merchant_id)
    await shops.unbind(ctx.db, ctx.actor.id, merchant_id)
    await audit.record(ctx, "sender.unbound", ctx.actor.id, merchant_id=merchant_id)


async def parcel_for_order(ctx: Ctx, number: str, order_id: str) -> ParcelRef | None:
    """The parcel of a number, the carrier's or ours, that was booked for an order of the shop whose call it is.

    None where there is none, where its carrier has not given it a number, and where it is not going to be sent.
    """
    found = await shops.parcel_of_order(ctx.db, number, order_id)
    return ParcelRef(*found) if found else None


async def tell_shops(ctx: ShipperCtx, parcel: Parcel) -> None:
    """Have the shops that the acting user sends for hear of a scan, once it is committed."""
    if parcel.order_ids and await shops.list_shops(ctx.db, ctx.actor.id):
        await jobs.enqueue(ctx, ctx.actor.id, SCANS_KIND, SCANS_KIND, {"parcel_id": parcel.id})


async def scans_for_shops(ctx: Ctx, ref: ParcelRef) -> tuple[Parcel, Sequence[Scan], Sequence[str]] | None:
    """A parcel with its scans, for the shops that its user sends for; None where it is not there."""
    found = await rows.find(ctx.db, ref.account_id, ref.parcel_id)
    if found is None:
        return None
    told = await rows.list_numbers(ctx.db, ref.account_id, [found.wish_id])
    return found, told[0][1], await shops.list_shops(ctx.db, ref.account_id)
