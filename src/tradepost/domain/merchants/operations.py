"""What an operator does about shops."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from babel.numbers import is_currency

from tradepost.domain import audit, inbox, shipping
from tradepost.domain.access import password_hash
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.merchants import rows
from tradepost.domain.merchants.failures import CurrencyUnknown, DetailUnusable, MerchantUnknown
from tradepost.domain.merchants.merchant import MerchantLine, NewMerchant
from tradepost.values import Bookmark

SHARED_CURRENCIES = ("XAF", "XCD", "XCG", "XOF", "XPF")
LOCALES = ("en", "zh", "fr", "de")
SUSPENDED_TOPIC: Final = "account_suspended"
RESUMED_TOPIC: Final = "account_resumed"
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")


def check_person(name: str, email: str, locale: str) -> None:
    """Raises DetailUnusable for a name, an e-mail address or a language that nobody could use."""
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise DetailUnusable(detail="name", value=name[:64])
    if not email.isprintable() or not _EMAIL.fullmatch(email):
        raise DetailUnusable(detail="email", value=email[:64])
    if locale not in LOCALES:
        raise DetailUnusable(detail="locale", value=locale[:64])


def check_currency(currency: str) -> None:
    """Raises CurrencyUnknown for what is no currency of a shop."""
    # X marks metals, tests and nothing, but for the shared currencies of some islands and regions.
    if not is_currency(currency) or (currency[0] == "X" and currency not in SHARED_CURRENCIES):
        raise CurrencyUnknown(currency=currency[:64])


async def add_merchant(ctx: Ctx, new: NewMerchant) -> str:
    """Open a shop with one person and a STANDARD warehouse; gives its id.

    Raises DetailUnusable, EmailTaken, CurrencyUnknown.
    """
    check_person(new.name, new.email, new.locale)
    check_currency(new.currency)
    check_currency(new.paid_in)
    if new.paid_in not in ("USD", new.currency):
        raise CurrencyUnknown(currency=new.paid_in)
    merchant_id = ctx.new_id()
    await rows.insert_merchant(ctx.db, merchant_id, new, ctx.now)
    await rows.insert_user(
        ctx.db, merchant_id, ctx.new_id(), new.email, new.name, password_hash(new.password), ctx.now
    )
    await shipping.open_warehouse(ctx, merchant_id)
    await audit.record(ctx, "merchant.added", merchant_id)
    return merchant_id


async def list_merchants(ctx: Ctx) -> list[MerchantLine]:
    """Every shop of this installation."""
    return await rows.list_merchants(ctx.db)


async def page_merchants(
    ctx: Ctx, after: Bookmark, limit: int, text: str | None = None
) -> tuple[list[MerchantLine], bool]:
    """Some shops behind a place in the list, the oldest first, and whether there are more.

    With a text only those that have it in their name, whatever the case, or whose id or whose person's e-mail
    address it is.
    """
    return await rows.page(ctx.db, after, limit, text)


async def find_line(ctx: Ctx, merchant_id: str) -> MerchantLine:
    """A shop as it stands in an operator's list; raises MerchantUnknown."""
    found = await rows.find_line(ctx.db, merchant_id)
    if found is None:
        raise MerchantUnknown(merchant_id=merchant_id)
    return found


async def names_of(ctx: Ctx, merchant_ids: Collection[str]) -> dict[str, str]:
    """What shops are called, by their ids; those that there are."""
    return await rows.names_of(ctx.db, list(set(merchant_ids)))


async def set_suspended(ctx: Ctx, merchant_id: str, suspended: bool) -> None:
    """Suspend a shop, or let it act again, and tell its people; once more is no news. Raises MerchantUnknown."""
    was = await rows.set_suspended(ctx.db, merchant_id, ctx.now if suspended else None)
    if was is None:
        raise MerchantUnknown(merchant_id=merchant_id)
    if was != suspended:
        await inbox.notify(ctx, merchant_id, SUSPENDED_TOPIC if suspended else RESUMED_TOPIC, {})
        await audit.record(ctx, "merchant.suspended" if suspended else "merchant.reinstated", merchant_id)


async def act_for(ctx: Ctx, merchant_id: str) -> MerchantCtx:
    """The same context with a shop as the one who acts; raises MerchantUnknown."""
    merchant = await rows.find_merchant(ctx.db, merchant_id)
    if merchant is None:
        raise MerchantUnknown(merchant_id=merchant_id)
    return MerchantCtx(db=ctx.db, now=ctx.now, actor=merchant, new_id=ctx.new_id, by=ctx.by)
