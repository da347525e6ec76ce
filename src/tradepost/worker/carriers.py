"""Asking carriers: for the number of a parcel, and for what they have seen of parcels."""

from __future__ import annotations

from typing import Any, ClassVar

from tradepost.domain import parcels
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import Advance, Job
from tradepost.domain.parcels import Assigned, Carrier
from tradepost.storage.database import Database
from tradepost.worker.handlers import Plain, Progress


class ParcelNumbers:
    """Tells a carrier about one parcel, and notes the number he gives it."""

    kind: ClassVar[str] = parcels.NUMBER_KIND

    def __init__(self, database: Database, carrier: Carrier) -> None:
        self._database = database
        self._carrier = carrier

    async def outside(self, job: Job, progress: Progress) -> Assigned | None:
        """Ask the carrier, without a transaction that would wait for him; None where there is nothing to ask."""
        async with self._database.acting_for(job.account_id) as connection:
            parcel = await parcels.parcel_to_number(Ctx(db=connection, now=job.created_at, actor=None), job)
        return None if parcel is None else await self._carrier.announce(parcel, job.fence)

    async def inside(self, ctx: Ctx, job: Job, effect: Assigned | None) -> Advance:
        """Write down what he said."""
        return await parcels.settle_number(ctx, job, effect)

    async def dropped(self, job: Job, effect: Any) -> None:
        """Nothing is left behind: a carrier who is told again about a parcel knows it by our number."""

    async def parked(self, ctx: Ctx, job: Job) -> None:
        """The parcel stays without a number until somebody releases the job or cancels the parcel."""


class ParcelScans(Plain):
    """Notes what a carrier has seen of the parcels of a user, some parcels a step."""

    kind: ClassVar[str] = parcels.CARRY_KIND

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def inside(self, ctx: Ctx, job: Job, effect: None) -> Advance:
        """Those that were due the longest."""
        return await parcels.carry_some(await parcels.act_for(ctx, job.account_id), job, self._carrier)
