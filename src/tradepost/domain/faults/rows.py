"""The SQL of faults."""

from __future__ import annotations

from datetime import datetime

from tradepost.domain.context import Rows
from tradepost.domain.faults.fault import Fault, NewFault

_COLUMNS = "id, kind, service, path, only_account, only_app, share, remaining, seconds, seen, met"


async def insert(db: Rows, fault_id: str, new: NewFault, now: datetime) -> None:
    """Add a fault."""
    await db.execute(
        """
        insert into fault (id, kind, service, path, only_account, only_app, share, remaining, seconds, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        fault_id,
        new.kind,
        new.service,
        new.path,
        new.account,
        new.app,
        new.share,
        new.calls,
        new.seconds,
        now,
    )


async def list_all(db: Rows) -> list[Fault]:
    """All faults, the first set first."""
    return [Fault(*row) for row in await db.fetch(f"select {_COLUMNS} from fault order by created_at, id")]


async def delete(db: Rows, fault_id: str | None) -> int:
    """Forget one fault, or all of them; gives how many there were."""
    gone = await db.fetch("delete from fault where id = coalesce($1, id) returning id", fault_id)
    return len(gone)


async def meet(db: Rows, fault_id: str, account: str, token_id: str | None) -> tuple[bool, int | None] | None:
    """Count a call, and say whether it is met, and how many more are to be; None where it is no call of this fault.

    Of a share, calls are met at even distances, so that it is the same ones each time.
    """
    row = await db.fetchrow(
        """
        with asked as (
            select id, (seen + 1) * share / 100 > seen * share / 100 as meets from fault
             where id = $1 and remaining is distinct from 0
               and (only_app is null or only_app =
                    (select app_id from access_token where account_id = $2 and id = $3))
               for no key update
        )
        update fault f set seen = f.seen + 1, met = f.met + meets::integer, remaining = f.remaining - meets::integer
          from asked where f.id = asked.id
        returning meets, f.remaining
        """,
        fault_id,
        account,
        token_id,
    )
    return None if row is None else (row[0], row[1])
