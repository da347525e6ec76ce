"""The SQL of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.ledger.ledger import (
    ACCOUNTS,
    LEAST,
    MOST,
    ZERO,
    Balances,
    CashFlow,
    Entries,
    FlowFilter,
    Movement,
)
from tradepost.domain.sql import conditions

_BALANCES = "select name, balance, least from ledger_account where account_id = $1 order by name"


def _balances(found: Sequence[Any]) -> Balances:
    balances = {row["name"]: row["balance"] for row in found}
    least = next((row["least"] for row in found if row["name"] == "free"), ZERO)
    return Balances(**{name: balances.get(name, ZERO) for name in ACCOUNTS}, debt_limit=abs(least))


async def open_accounts(db: Rows, account_id: str) -> None:
    """Add the accounts of a user."""
    await db.execute(
        "insert into ledger_account (account_id, name, least, most) "
        "select $1, * from unnest($2::text[], $3::numeric[], $4::numeric[])",
        account_id,
        list(ACCOUNTS),
        [LEAST.get(name) for name in ACCOUNTS],
        [MOST.get(name) for name in ACCOUNTS],
    )


async def find(db: Rows, account_id: str) -> Balances:
    """The balances of a user."""
    return _balances(await db.fetch(_BALANCES, account_id))


async def lock(db: Rows, account_id: str) -> Balances:
    """The balances of a user, whose accounts are this transaction's from now on."""
    return _balances(await db.fetch(f"{_BALANCES} for no key update", account_id))


async def set_least(db: Rows, account_id: str, name: str, least: Decimal) -> None:
    """Say how low the balance of an account may be."""
    await db.execute(
        "update ledger_account set least = $3 where account_id = $1 and name = $2", account_id, name, least
    )


async def insert(
    db: Rows, account_id: str, movements: Sequence[Movement], entries: Sequence[Entries], now: datetime
) -> None:
    """Write transfers with their entries and add them to the balances, in one statement.

    An account's transfers are numbered from one on without a gap; the caller holds its balances, so nobody else
    takes a number meanwhile.
    """
    lines = [(place, *entry) for place, made in enumerate(entries, start=1) for entry in made]
    await db.execute(
        """
        with asked as materialized (
            select l.id + place as id, kind, parcel_id, place
              from unnest($2::text[], $3::text[]) with ordinality as t (kind, parcel_id, place),
                   (select coalesce(max(id), 0) as id from transfer where account_id = $1) as l
        ), made as (
            insert into transfer (account_id, id, kind, parcel_id, at)
            select $1, id, kind, parcel_id, date_trunc('milliseconds', $4::timestamptz) from asked
        ), line as materialized (
            select asked.id, l.name, l.amount
              from unnest($5::bigint[], $6::text[], $7::numeric[]) as l (place, name, amount)
              join asked using (place)
        ), put as (
            insert into entry (account_id, transfer_id, name, amount) select $1, id, name, amount from line
        )
        update ledger_account a set balance = a.balance + s.amount
          from (select name, sum(amount) as amount from line group by name) s
         where a.account_id = $1 and a.name = s.name
        """,
        account_id,
        [movement.kind for movement in movements],
        [movement.parcel_id for movement in movements],
        now,
        [place for place, _, _ in lines],
        [name for _, name, _ in lines],
        [amount for _, _, amount in lines],
    )


_SORTS = {"id": "t.id {0}", "created_at": "t.at {0}, t.id {0}"}


async def list_transfers(db: Rows, account_id: str, wanted: FlowFilter) -> list[CashFlow]:
    """The transfers that fit with what they changed, in one statement."""
    bounds = {
        "t.id >=": wanted.id_min,
        "t.id <=": wanted.id_max,
        "t.at >=": wanted.at_min,
        "t.at <=": wanted.at_max,
    }
    where, given = conditions(bounds, first=3)
    order = _SORTS[wanted.sort].format("desc" if wanted.descending else "asc")
    found = await db.fetch(
        f"""
        select t.id, t.kind, coalesce(free.amount, 0) + coalesce(arrears.amount, 0) as amount,
               coalesce(frozen.amount, 0) as frozen, t.parcel_id, p.wish_id, t.at
          from transfer t
          left join entry free on free.account_id = t.account_id and free.transfer_id = t.id and free.name = 'free'
          left join entry frozen
            on frozen.account_id = t.account_id and frozen.transfer_id = t.id and frozen.name = 'frozen'
          left join entry arrears
            on arrears.account_id = t.account_id and arrears.transfer_id = t.id and arrears.name = 'arrears'
          left join parcel p on p.account_id = t.account_id and p.id = t.parcel_id
         where t.account_id = $1{where}
         order by {order} limit $2
        """,
        account_id,
        wanted.limit,
        *given,
    )
    return [CashFlow(**row) for row in found]
