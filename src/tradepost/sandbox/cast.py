"""Who lives in the sandbox. Everybody has a part: one shop per way of being paid, one sender of parcels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Shopkeeper:
    """A merchant of the cast."""

    key: str
    name: str
    email: str
    currency: str
    paid_in: str
    locale: str
    express_country: str
    rate: int
    """How many units of the shop's own currency a US dollar is worth in the sandbox."""


ADA: Final = Shopkeeper("usd", "Ada's Attic", "ada@attic.example", "USD", "USD", "en", "US", 1)
LAN: Final = Shopkeeper("cny", "岚的灯笼 Lan's Lanterns", "lan@lanterns.example", "CNY", "CNY", "en", "US", 7)
EMIL: Final = Shopkeeper("eur", "Emils Emporium", "emil@emporium.example", "EUR", "EUR", "en", "DE", 1)

SHOPKEEPERS: Final = (ADA, LAN, EMIL)


@dataclass(frozen=True, slots=True)
class Sender:
    """A user of the logistics service of the cast, and the key of the shop that he sends for."""

    key: str
    name: str
    email: str
    locale: str
    shop: str


SENDERS: Final = (
    Sender("lan", "岚的灯笼", "lan@parcels.example", "en", LAN.key),
    Sender("ada", "Ada's Attic", "ada@parcels.example", "en", ADA.key),
)
