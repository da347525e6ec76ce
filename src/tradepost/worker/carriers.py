"""Getting a parcel its carrier's number: the job, and the carriers of the sandbox."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, Final

from tradepost.domain import parcels
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import Advance, Job
from tradepost.domain.parcels import Assigned, Carrier, Parcel
from tradepost.storage.database import Database
from tradepost.worker.handlers import Progress

CHINA_POST: Final = ("0", "1", "33-0")
REFUSING: Final = "9999"
"""The postal code that no carrier of the sandbox delivers to, so that a refusal can be tried."""


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


class SandboxCarriers:
    """Carriers that ask nobody: each parcel gets a number that follows from it and from how often it was asked for.

    China Post's numbers have eleven digits, all others two letters and fourteen digits. Whoever wants to see a
    carrier refuse a parcel gives it the recipient's postal code 9999.
    """

    async def announce(self, parcel: Parcel, attempt: int) -> Assigned:
        """The number, at once."""
        if parcel.details is not None and parcel.details.recipient.zipcode == REFUSING:
            return Assigned(refusal="The carrier does not deliver to this address.")
        digest = int.from_bytes(hashlib.sha256(f"{parcel.id} {attempt}".encode()).digest()[:8])
        if parcel.otype in CHINA_POST:
            return Assigned(number=f"{digest % 10**11:011d}")
        return Assigned(number=f"WP{digest % 10**14:014d}")
