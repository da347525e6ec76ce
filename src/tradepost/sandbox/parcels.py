"""What senders of the cast have at the logistics service: money, parcels, and news to read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from tradepost.domain import announcements, ledger, parcels
from tradepost.domain.context import Ctx, ShipperCtx
from tradepost.domain.parcels import Address, Details, Goods, NewParcel
from tradepost.sandbox.carriers import SandboxCarriers

APART: Final = timedelta(hours=57)
DEPOSIT: Final = Decimal("1000.00")
DEBT_LIMIT: Final = Decimal("200.00")

WAREHOUSE: Final = Address(
    name="Lan Chen",
    country="CN",
    province="Guangdong",
    city="Shenzhen",
    address="88 Lantern Road",
    zipcode="518000",
    phone="+86 755 0000 0000",
)
BUYER: Final = Address(
    name="Ann Buyer",
    country="US",
    province="CA",
    city="Fresno",
    address="12 Elm Street",
    zipcode="93650",
    phone="+1 559 555 0100",
)
# name, Chinese name, weight in kg, price in US dollars, kind
_GOODS: Final = (
    ("Paper Lantern", "纸灯笼", "0.250", "7.90", 0),
    ("Wool Scarf", "羊毛围巾", "0.180", "14.50", 0),
    ("Bamboo Lamp", "竹灯", "0.600", "31.00", 1),
)
# Days before now, title, text
_NEWS: Final = (
    (30, "New channel", ("A+ now takes parcels with a battery.",)),
    (9, "Holiday", ("Warehouses are closed on May 1st.", "Parcels are scanned again from May 2nd on.")),
    (2, "Maintenance", ("Labels are printed more slowly tonight.",)),
)


def new_parcel(
    number: int, otype: str = "5001-1", guid: str | None = None, recipient: Address = BUYER
) -> NewParcel:
    """A parcel to book; what is in it goes by its number."""
    name, chinese, weight, price, kind = _GOODS[number % len(_GOODS)]
    goods = Goods(
        name=name,
        name_chinese=chinese,
        pieces=1,
        weight=Decimal(weight),
        price=Decimal(price),
        from_country="CN",
        product_url=f"https://shop.example/goods/{number}",
        has_battery=kind != 0,
        kind=kind,
    )
    details = Details(sender=WAREHOUSE, recipient=recipient, goods=(goods,), user_desc=f"shelf {number}")
    return NewParcel(otype=otype, order_ids=(f"{number:024x}",), details=details, guid=guid)


async def fill_account(ctx: Ctx, account_id: str) -> None:
    """Money and some credit."""
    await ledger.deposit(ctx, account_id, DEPOSIT)
    await ledger.set_debt_limit(ctx, account_id, DEBT_LIMIT)


async def send_parcels(ctx: ShipperCtx, count: int) -> None:
    """Parcels of the last weeks, with their numbers; the newest is of this hour and has none yet.

    Where they are by now the workers ask as soon as they are there.
    """
    for age in reversed(range(count)):
        booked = replace(ctx, now=ctx.now - timedelta(minutes=5) - age * APART)
        number = count - 1 - age
        parcel = await parcels.book_parcel(booked, new_parcel(number, guid=f"parcel-{number + 1}"))
        if age:
            said = await SandboxCarriers().announce(parcel, 1)
            await parcels.note_answer(booked, ctx.actor.id, parcel.id, said)


async def tell_news(ctx: Ctx) -> None:
    """Announcements of the last weeks."""
    for days, title, words in _NEWS:
        at: datetime = ctx.now - timedelta(days=days)
        await announcements.publish(replace(ctx, now=at), title, words, f"https://wishpost.cn/news/{days}")
