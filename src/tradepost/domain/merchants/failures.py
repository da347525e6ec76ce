"""What can be wrong with a shop."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class MerchantUnknown(Failure):
    """No shop has this id."""

    merchant_id: str


class EmailTaken(Failure):
    """Somebody signs in with this address already."""

    email: str


class DetailUnusable(Failure):
    """A name, an address or a language that cannot be kept as it is."""

    detail: str
    value: str


class CurrencyUnknown(Failure):
    """Not a currency of ISO 4217, or one a shop cannot be paid in."""

    currency: str
