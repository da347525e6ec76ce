"""What can be wrong in the logistics service."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class ShipperEmailTaken(Failure):
    """Somebody signs in to the logistics service with this address already."""

    email: str


class ShipperUnknown(Failure):
    """No user of the logistics service has this id."""

    shipper_id: str
