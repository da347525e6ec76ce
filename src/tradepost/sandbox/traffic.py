"""Trade as it goes on in a shop: who buys what and when, and what became of it, all out of one seed and one clock.

Made up, but plausible: buyers of many countries, most orders delivered, some on their way, some refunded, those
of the last days still to be shipped. Nothing here touches a database.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Final

from tradepost.domain import orders, reference
from tradepost.domain.orders import Address, Item, PastPurchase, Purchase, RefundWish, Scan, Shipment

DAYS: Final = 90
"""How far back it goes."""
RECENT: Final = timedelta(hours=100)
"""How old what still waits to be shipped may be; a day before the platform would refund it."""
_RECENT_PART: Final = 0.25
_CARRIERS: Final = {
    "DE": ("DHLGermany", "DPDGermany"),
    "FR": ("Colissimo", "DPDFrance"),
    "GB": ("RoyalMail", "DPDUK"),
    "US": ("USPS", "UPS", "FedEx"),
}
_ANYWHERE: Final = ("DHL", "UPS", "EMS (China)")
# What happens to a parcel: after how many hours at least and at most, and where it is then.
_JOURNEY: Final = (
    ("accepted", 2, 20, "Shenzhen"),
    ("in_transit", 30, 70, "Hong Kong"),
    ("out_for_delivery", 140, 230, None),
    ("delivered", 3, 9, None),
)


def _table(name: str) -> list[dict[str, str]]:
    text = (resources.files("tradepost.sandbox") / name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who buys, with the language that he writes in."""

    name: str
    locale: str
    address: Address


@dataclass(frozen=True, slots=True)
class Complaint:
    """What somebody writes of an order, with its translations."""

    locale: str
    label: str
    with_picture: bool
    subject: str
    message: str
    message_en: str | None
    message_zh: str | None


PEOPLE: Final = tuple(
    Person(
        row["name"],
        row["locale"],
        Address(
            recipient=row["name"],
            street_address1=row["street"],
            city=row["city"],
            country=row["country"],
            state_or_province=row["state"] or None,
            zipcode=row["zipcode"] or None,
            phone_number=row["phone"] or None,
        ),
    )
    for row in _table("people.tsv")
)
COMPLAINTS: Final = tuple(
    Complaint(
        row["locale"],
        row["label"],
        row["picture"] == "yes",
        row["subject"],
        row["message"],
        row["message_en"] or None,
        row["message_zh"] or None,
    )
    for row in _table("complaints.tsv")
)


@dataclass(frozen=True, slots=True)
class Traded:
    """A purchase of the past, and who made it."""

    person: Person
    past: PastPurchase


def journey(source: random.Random, shipped_at: datetime, country: str, city: str) -> Iterator[Scan]:
    """What carriers see of a parcel on its way, each made up when it is asked for."""
    at = shipped_at
    for kind, least, most, place in _JOURNEY:
        at += timedelta(hours=source.uniform(least, most))
        yield Scan(kind, at, place or f"{city}, {country}")


class Traffic:
    """A source of purchases; the same seed, time and goods give the same ones."""

    def __init__(self, seed: str, now: datetime, skus: Sequence[str], people: Sequence[Person] = PEOPLE) -> None:
        """`skus` can be bought; `people` live where the shop ships to."""
        self.source = random.Random(seed)
        self._now = now
        self._skus = list(skus)
        self._people = list(people)

    def new_id(self) -> str:
        """An id that is random to look at."""
        return f"{self.source.getrandbits(96):024x}"

    def purchases(self, count: int) -> Iterator[Traded]:
        """So many orders in purchases of one order or more, the earliest first.

        The last has just been placed and waits to be shipped, so that there is always something to do.
        """
        left = count
        while left:
            pieces = min(left, 1 + (self.source.random() < 0.06) + (self.source.random() < 0.02))
            is_last = pieces == left
            age = self._age(1 if is_last else (count - left) / count)
            left -= pieces
            yield self._trade(self._now - age, pieces, waits=is_last)

    def _age(self, part: float) -> timedelta:
        """How long ago the order was placed that so much of all came before."""
        old = 1 - _RECENT_PART
        ages = timedelta(days=DAYS) - RECENT
        if part < old:
            return RECENT + ages * (1 - part / old)
        return max(RECENT * (1 - (part - old) / _RECENT_PART), timedelta(minutes=1))

    def _trade(self, placed_at: datetime, pieces: int, *, waits: bool) -> Traded:
        source = self.source
        placed_at = placed_at.replace(microsecond=source.randrange(1000) * 1000)
        person = source.choice(self._people)
        items = tuple(Item(sku, 1 + (source.random() < 0.1)) for sku in source.sample(self._skus, pieces))
        age = self._now - placed_at
        fate = source.random()
        review = not waits and age < timedelta(hours=24) and fate < 0.3
        purchase = Purchase(address=person.address, items=items, buyer_id=self.new_id(), under_review=review)
        express = source.random() < 0.15
        if waits or review or (age < RECENT and fate < 0.65):
            return Traded(person, PastPurchase(purchase=purchase, placed_at=placed_at, express=express))
        if fate > 0.96:
            wish = RefundWish(orders.BY_CUSTOMER, "Customer cancelled the order", responsibility=0)
            at = placed_at + (age * source.random() if age < RECENT else RECENT * source.random())
            past = PastPurchase(
                purchase=purchase, placed_at=placed_at, express=express, refund=wish, refunded_at=at
            )
            return Traded(person, past)
        return Traded(person, self._shipped(purchase, placed_at, express, fate))

    def _shipped(self, purchase: Purchase, placed_at: datetime, express: bool, fate: float) -> PastPurchase:
        source = self.source
        latest = min(self._now - placed_at, RECENT)
        shipped_at = placed_at + latest * source.uniform(0.1, 0.9)
        country = purchase.address.country
        number = f"{country}{source.randrange(10**13):013d}{self.new_id()[:6].upper()}"
        shipment = Shipment(source.choice(_CARRIERS.get(country, _ANYWHERE)), number, None, "CN")
        scans = tuple(self._scans(shipped_at, country, purchase.address.city))
        refund = refunded_at = None
        if fate > 0.92:
            reason = source.choice((23, 24, 25, 31, 32))
            refund = RefundWish(orders.BY_MERCHANT, reference.REFUND_REASONS[reason].words, reason)
            refunded_at = max([shipped_at, *(scan.scanned_at for scan in scans)])
        return PastPurchase(
            purchase=purchase,
            placed_at=placed_at,
            express=express,
            shipment=shipment,
            shipped_at=shipped_at,
            scans=scans,
            refund=refund,
            refunded_at=refunded_at,
        )

    def _scans(self, shipped_at: datetime, country: str, city: str) -> Iterator[Scan]:
        """What carriers have seen by now."""
        for scan in journey(self.source, shipped_at, country, city):
            if scan.scanned_at > self._now:
                return
            yield scan
