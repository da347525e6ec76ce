"""The SQL of shops and their people."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from tradepost.domain.context import Merchant, Rows
from tradepost.domain.merchants.failures import EmailTaken
from tradepost.domain.merchants.merchant import MerchantLine, NewMerchant
from tradepost.values import Bookmark

_LINE = "select id, name, currency, payment_currency, suspended_at is not null, created_at from merchant"


async def insert_merchant(db: Rows, merchant_id: str, new: NewMerchant, now: datetime) -> None:
    """Add a shop."""
    await db.execute(
        "insert into merchant (id, name, currency, payment_currency, locale, created_at) "
        "values ($1, $2, $3, $4, $5, $6)",
        merchant_id,
        new.name,
        new.currency,
        new.paid_in,
        new.locale,
        now,
    )


async def insert_user(
    db: Rows, merchant_id: str, user_id: str, email: str, name: str, password_hash: str, now: datetime
) -> None:
    """Add a person who signs in for a shop; raises EmailTaken."""
    try:
        await db.execute(
            "insert into merchant_user (merchant_id, id, email, name, password_hash, created_at) "
            "values ($1, $2, $3, $4, $5, $6)",
            merchant_id,
            user_id,
            email.lower(),
            name,
            password_hash,
            now,
        )
    except asyncpg.UniqueViolationError:
        raise EmailTaken(email=email) from None


async def list_merchants(db: Rows) -> list[MerchantLine]:
    """Every shop, the oldest first."""
    return [MerchantLine(*row) for row in await db.fetch(f"{_LINE} order by created_at, id")]


async def page(db: Rows, after: Bookmark, limit: int, text: str | None) -> tuple[list[MerchantLine], bool]:
    """Some shops behind a place in the list, the oldest first, and whether there are more."""
    found = await db.fetch(
        f"""
        {_LINE} m where (created_at, id) > ($1, $2)
           and ($4::text is null or strpos(lower(name), lower($4)) > 0 or id = lower($4)
                or exists (select from merchant_user u where u.merchant_id = m.id and u.email = lower($4)))
         order by created_at, id limit $3
        """,
        after.at,
        after.id,
        limit + 1,
        text,
    )
    return [MerchantLine(*row) for row in found[:limit]], len(found) > limit


async def set_suspended(db: Rows, merchant_id: str, at: datetime | None) -> bool | None:
    """Suspend a shop from a moment on, or (None) let it act again; whether it was suspended, None for no shop."""
    was: bool | None = await db.fetchval(
        """
        update merchant m set suspended_at = case when $2::timestamptz is not null
                                                  then coalesce(m.suspended_at, $2) end
          from (select id, suspended_at from merchant where id = $1 for update) before
         where m.id = before.id
        returning before.suspended_at is not null
        """,
        merchant_id,
        at,
    )
    return was


async def find_merchant(db: Rows, merchant_id: str) -> Merchant | None:
    """A shop by its id."""
    row = await db.fetchrow(
        "select id, name, currency, payment_currency, locale from merchant where id = $1", merchant_id
    )
    return Merchant(*row) if row else None


async def find_line(db: Rows, merchant_id: str) -> MerchantLine | None:
    """A shop as it stands in the list."""
    row = await db.fetchrow(f"{_LINE} where id = $1", merchant_id)
    return MerchantLine(*row) if row else None


async def names_of(db: Rows, merchant_ids: list[str]) -> dict[str, str]:
    """What shops are called, by their ids."""
    found = await db.fetch("select id, name from merchant where id = any($1)", merchant_ids)
    return {row[0]: row[1] for row in found}
