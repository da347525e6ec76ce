"""A shop as it is opened, and as it stands in an operator's list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NewMerchant:
    """What it takes to open a shop. Currencies are ISO 4217 codes; `paid_in` is USD or the shop's own."""

    name: str
    email: str
    password: str
    currency: str = "USD"
    paid_in: str = "USD"
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class MerchantLine:
    """One shop in an operator's list."""

    id: str
    name: str
    currency: str
    payment_currency: str
    suspended: bool
    created_at: datetime
