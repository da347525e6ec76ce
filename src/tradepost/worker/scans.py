"""Bringing what carriers saw of parcels to the shops whose orders are in them.

Parcels are the senders', orders are the shops', and no connection sees both: one reads, another writes. What is
told twice is noted once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from tradepost.domain import merchants, orders, parcels, world
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import Advance, Job
from tradepost.domain.parcels import Parcel, ParcelRef
from tradepost.storage.database import Database
from tradepost.worker.handlers import Plain, Progress

# What a status of tracking is for an order; the others say that the parcel is on its way.
_KINDS: Final = {
    2: "accepted",
    6: "returned",
    10: "returned",
    22: "out_for_delivery",
    23: "delivered",
    24: "delivered",
    25: "returned",
}


class _Scans(Plain):
    """Reads as the sender."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _read(self, ref: ParcelRef, job: Job) -> tuple[Parcel, Sequence[orders.Scan], Sequence[str]] | None:
        """A parcel, its scans in the words of orders, and the shops that may hear of them."""
        async with self._database.acting_for(ref.account_id) as connection:
            found = await parcels.scans_for_shops(Ctx(db=connection, now=job.created_at, actor=None), ref)
        if found is None:
            return None
        parcel, scans, shops = found
        return parcel, [_told(scan) for scan in scans], shops


class ScansToShops(_Scans):
    """A parcel was scanned: tells the shops that its sender sends for."""

    kind: ClassVar[str] = parcels.SCANS_KIND

    async def outside(self, job: Job, progress: Progress) -> None:
        """Tell them, each in a transaction of its own."""
        found = await self._read(ParcelRef(job.account_id, job.arguments["parcel_id"]), job)
        if found is None:
            return
        parcel, scans, shops = found
        for shop in shops:
            async with self._database.acting_for(shop) as connection:
                ctx = await world.enter(connection)
                world.begin(ctx, f"{job.id} for {shop}")
                await _note(ctx, shop, parcel, scans)

    async def inside(self, ctx: Ctx, job: Job, effect: None) -> Advance:
        """All of them know."""
        return Advance(position=1, done=True)


class ScansToOrder(_Scans):
    """An order goes in a parcel from now on: tells its shop what was seen of it before."""

    kind: ClassVar[str] = orders.PARCEL_KIND

    async def outside(self, job: Job, progress: Progress) -> tuple[Parcel, Sequence[orders.Scan]] | None:
        """Read what was seen."""
        found = await self._read(ParcelRef(job.arguments["account_id"], job.arguments["parcel_id"]), job)
        return None if found is None else found[:2]

    async def inside(self, ctx: Ctx, job: Job, effect: tuple[Parcel, Sequence[orders.Scan]] | None) -> Advance:
        """Note it."""
        if effect is not None:
            await _note(ctx, job.account_id, *effect)
        return Advance(position=1, done=True)


async def _note(ctx: Ctx, shop: str, parcel: Parcel, scans: Sequence[orders.Scan]) -> None:
    numbers = [number for number in (parcel.tracking_number, parcel.wish_id) if number]
    await orders.note_parcel(await merchants.act_for(ctx, shop), numbers, scans)


def _told(scan: parcels.Scan) -> orders.Scan:
    place = ", ".join(part for part in (scan.city, scan.province, scan.country) if part)
    return orders.Scan(_KINDS.get(scan.status, "in_transit"), scan.at, place or None)
