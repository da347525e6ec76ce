"""The SQL of the request log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.request_log.call import Owner, Shown, Tally, later, slot_of
from tradepost.domain.request_log.packing import MOST_SECONDS, Pack


async def machine_now(db: Rows) -> datetime:
    """What time it is on the machine, whatever it is in the world."""
    now: datetime = await db.fetchval("select clock_timestamp()")
    return now


async def commit_later(db: Rows) -> datetime:
    """Let this transaction's end not wait for the disk; gives the machine's time."""
    text = "select clock_timestamp() from (select set_config('synchronous_commit', 'off', true)) done"
    now: datetime = await db.fetchval(text)
    return now


async def owners_by_token(db: Rows, shown: Sequence[Shown]) -> dict[Shown, Owner]:
    """Whose access tokens are, good or not."""
    if not shown:
        return {}
    found = await db.fetch(
        "select service, hash, account_id, app_id, id from access_token where hash = any ($1)",
        [one.token_hash for one in shown],
    )
    return {Shown(row["service"], row["hash"]): Owner(row["account_id"], row["app_id"], row["id"]) for row in found}


async def owners_by_app(db: Rows, shown: Sequence[Shown]) -> dict[Shown, Owner]:
    """Whose apps are, by their ids; "" for an app of nobody."""
    if not shown:
        return {}
    found = await db.fetch(
        "select service, id, coalesce(owner_id, developer_id) as owner_id from app "
        "where (service, id) in (select * from unnest($1::text[], $2::text[]))",
        [one.service for one in shown],
        [one.client_id for one in shown],
    )
    return {Shown(row["service"], None, row["id"]): Owner(row["owner_id"] or "", row["id"], None) for row in found}


async def tallies_of(db: Rows, account_ids: Sequence[str], day: date) -> dict[tuple[str, bool], tuple[int, int]]:
    """How many calls of accounts were kept on a day, and in how many bytes: those that were proven, and others."""
    found = await db.fetch(
        "select account_id, kept, bytes, unproven, unproven_bytes from request_log_tally "
        "where account_id = any ($1) and day = $2",
        account_ids,
        day,
    )
    proven = {(row["account_id"], True): (row["kept"], row["bytes"]) for row in found}
    return proven | {(row["account_id"], False): (row["unproven"], row["unproven_bytes"]) for row in found}


async def add_to_tallies(db: Rows, day: date, counts: Iterable[tuple[str, int, int, int, int, int]]) -> None:
    """Add to what is counted of a day, in the order of the accounts.

    Account, calls kept, their bytes, the same of those that are not proven, calls missed.
    """
    accounts, *numbers = zip(*counts, strict=True)
    await db.execute(
        """
        insert into request_log_tally as t (account_id, day, kept, bytes, unproven, unproven_bytes, missed)
        select a.account_id, $2, a.kept, a.bytes, a.unproven, a.unproven_bytes, a.missed
          from unnest($1::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
               as a (account_id, kept, bytes, unproven, unproven_bytes, missed)
         order by a.account_id
        on conflict (account_id, day) do update
           set kept = t.kept + excluded.kept, bytes = t.bytes + excluded.bytes, missed = t.missed + excluded.missed,
               unproven = t.unproven + excluded.unproven,
               unproven_bytes = t.unproven_bytes + excluded.unproven_bytes
        """,
        accounts,
        day,
        *numbers,
    )


async def insert_packs(db: Rows, packs: Sequence[Pack]) -> None:
    """Write packs, each into the slot of its last call."""
    await db.execute(
        """
        insert into request_log (account_id, last_id, first_id, slot, calls, is_compressed, lines, said)
        select a, l::uuid, f::uuid, s, n, c, t, w
          from unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::int[], $6::boolean[], $7::bytea[],
                      $8::bytea[]) as pack (a, l, f, s, n, c, t, w)
        """,
        [pack.account_id for pack in packs],
        [pack.last_id for pack in packs],
        [pack.first_id for pack in packs],
        [slot_of(pack.last_id) for pack in packs],
        [pack.calls for pack in packs],
        [pack.is_compressed for pack in packs],
        [pack.lines for pack in packs],
        [pack.said for pack in packs],
    )


async def read_packs(db: Rows, account_id: str | None, least: str, below: str, limit: int) -> list[Any]:
    """Packs with calls from an id on, the last ones first; those that end below another id, or do not end at it."""
    text = f"""
        select account_id, last_id::text, calls, is_compressed, lines from request_log
         where last_id >= $1::text::uuid and last_id < $2::text::uuid
               {"" if account_id is None else "and account_id = $4"}
         order by last_id desc limit $3
    """
    found: list[Any] = await db.fetch(text, least, below, limit, *([] if account_id is None else [account_id]))
    return found


async def packs_around(db: Rows, account_id: str | None, call_id: str) -> list[Any]:
    """The packs that a call can be in, by its id."""
    text = f"""
        select account_id, is_compressed, lines, said from request_log
         where last_id >= $1::text::uuid and last_id < $2::text::uuid and first_id <= $1::text::uuid
               {"" if account_id is None else "and account_id = $3"}
    """
    until = later(call_id, MOST_SECONDS + 1)
    found: list[Any] = await db.fetch(text, call_id, until, *([] if account_id is None else [account_id]))
    return found


async def list_tallies(db: Rows, account_id: str, since: date) -> list[Tally]:
    """What was kept and missed of an account, the latest day first."""
    found = await db.fetch(
        "select day, kept + unproven as kept, missed from request_log_tally where account_id = $1 and day >= $2 "
        "order by day desc",
        account_id,
        since,
    )
    return [Tally(row["day"], row["kept"], row["missed"]) for row in found]


async def empty_slot(db: Rows, slot: int) -> bool:
    """Empty a slot; whether there was anything in it."""
    if not await db.fetchval(f"select exists (select from request_log where slot = {slot:d})"):
        return False
    await db.execute(f"truncate request_log_{slot:d}")
    return True


async def delete_before(db: Rows, slot: int, least: str, day: date) -> None:
    """Delete what a slot has of accounts from before a day and an id, and the tallies of those days."""
    await db.execute(
        "delete from request_log where slot = $1 and last_id < $2::text::uuid "
        "and account_id in (select account_id from request_log_tally where day <= $3)",
        slot,
        least,
        day,
    )
    await db.execute("delete from request_log_tally where day < $1", day)


async def slot_sizes(db: Rows) -> dict[int, int]:
    """How many bytes each slot takes on disk."""
    found = await db.fetch(
        "select right(inhrelid::regclass::text, -12)::int as slot, pg_total_relation_size(inhrelid) as size "
        "from pg_inherits where inhparent = 'request_log'::regclass"
    )
    return {row["slot"]: row["size"] for row in found}
