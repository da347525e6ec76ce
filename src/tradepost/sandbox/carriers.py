"""The carriers of the sandbox, who ask nobody: they give numbers, and see parcels on the ways of `routes`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from tradepost.domain.parcels import CANCELLED, Assigned, Details, Parcel, Scan
from tradepost.sandbox.routes import ANYWAY, REFUSED, SILENT, trouble_of, way_of

CHINA_POST: Final = ("0", "1", "33-0")


class SandboxCarriers:
    """Each parcel gets a number that follows from it and from how often it was asked for.

    China Post's numbers have eleven digits, all others two letters and fourteen digits. What is to go wrong is told
    by the recipient's postal code, see `routes.trouble_of`.
    """

    def __init__(self, *, see: bool = True) -> None:
        """Without `see` they give numbers and nothing else, and somebody has to tell what became of parcels."""
        self._see = see

    async def announce(self, parcel: Parcel, attempt: int) -> Assigned | None:
        """The number, at once."""
        trouble = trouble_of(parcel.details)
        if trouble == REFUSED:
            return Assigned(refusal="The carrier does not deliver to this address.")
        if trouble == SILENT:
            return None
        next_at = parcel.created_at if self._see else None
        digest = int.from_bytes(hashlib.sha256(f"{parcel.id} {attempt}".encode()).digest()[:8])
        if parcel.otype in CHINA_POST:
            return Assigned(number=f"{digest % 10**11:011d}", next_at=next_at)
        return Assigned(number=f"WP{digest % 10**14:014d}", next_at=next_at)

    def seen(self, parcel: Parcel, now: datetime) -> tuple[Sequence[Scan], datetime | None]:
        """What they have seen of a parcel until now, and when they see it again."""
        details: Details = parcel.details
        if parcel.state == CANCELLED and trouble_of(details) != ANYWAY:
            return (), None
        way = way_of(parcel, details)
        return [scan for scan in way if scan.at <= now], next((scan.at for scan in way if scan.at > now), None)
