"""The SQL of parcels and their scans; what may happen to a parcel stands in `parcel`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from tradepost.domain.context import Rows
from tradepost.domain.parcels.booking import Details
from tradepost.domain.parcels.failures import GuidTaken
from tradepost.domain.parcels.parcel import Parcel, Scan
from tradepost.domain.sql import conditions
from tradepost.values import Bookmark

_COLUMNS: Final = (
    "id, wish_id, otype, order_ids, country, weight, fee, created_at, updated_at, guid, mark, state, "
    "tracking_number, cancel_reason, cancel_words, refusal, numbered_at, handed_over_at, scanned_at, ended_at"
)
# What can change, with its type.
_CHANGING: Final = {
    "state": "text",
    "tracking_number": "text",
    "cancel_reason": "text",
    "cancel_words": "text",
    "refusal": "text",
    "updated_at": "timestamptz",
    "numbered_at": "timestamptz",
    "handed_over_at": "timestamptz",
    "scanned_at": "timestamptz",
    "ended_at": "timestamptz",
}
_SORTS: Final = {"id": "id {0}", "created_at": "created_at {0}, id {0}"}
_BY_NUMBER: Final = "account_id = $1 and (tracking_number = any($2) or wish_id = any($2))"


@dataclass(frozen=True, slots=True)
class ParcelFilter:
    """Which parcels, in which order (`id` or `created_at`), and how many."""

    limit: int
    sort: str
    descending: bool
    state: str | None = None
    id_min: str | None = None
    id_max: str | None = None
    created_min: datetime | None = None
    created_max: datetime | None = None


_ORDER_IDS: Final = Parcel.__struct_fields__.index("order_ids")
_DETAILS: Final = Parcel.__struct_fields__.index("details")
_read_details = msgspec.json.Decoder(Details).decode


def _parcel(row: Any) -> Parcel:
    # A long list is mostly this, so the columns come in the order of the fields, with the details behind them.
    values = [*row]
    values[_ORDER_IDS] = tuple(values[_ORDER_IDS])
    if len(values) > _DETAILS:
        values[_DETAILS] = _read_details(values[_DETAILS])
    return Parcel(*values)


async def insert(db: Rows, account_id: str, parcel: Parcel) -> None:
    """Add a parcel; raises GuidTaken."""
    names = (
        "wish_id",
        "otype",
        "order_ids",
        "country",
        "weight",
        "fee",
        "guid",
        "mark",
        "state",
        "created_at",
        "updated_at",
    )
    marks = ", ".join(f"${at}" for at in range(4, len(names) + 4))
    # Waits for whoever books under the same guid at this moment: if he succeeds, his parcel can be seen afterwards.
    done = await db.execute(
        f"insert into parcel (account_id, id, details, {', '.join(names)}) values ($1, $2, $3, {marks}) "
        "on conflict (account_id, guid) do nothing",
        account_id,
        parcel.id,
        msgspec.json.encode(parcel.details).decode(),
        *(getattr(parcel, name) for name in names),
    )
    if parcel.guid is not None and done == "INSERT 0 0":
        taken = await db.fetchval(
            "select wish_id from parcel where account_id = $1 and guid = $2", account_id, parcel.guid
        )
        raise GuidTaken(guid=parcel.guid, wish_id=taken)


async def find(db: Rows, account_id: str, parcel_id: str) -> Parcel | None:
    """A parcel by its id."""
    row = await db.fetchrow(
        f"select {_COLUMNS}, details from parcel where account_id = $1 and id = $2", account_id, parcel_id
    )
    return _parcel(row) if row else None


async def lock(db: Rows, account_id: str, parcel_id: str) -> Parcel | None:
    """A parcel by its id, whose row is this transaction's from now on."""
    row = await db.fetchrow(
        f"select {_COLUMNS} from parcel where account_id = $1 and id = $2 for no key update", account_id, parcel_id
    )
    return _parcel(row) if row else None


async def lock_numbers(db: Rows, account_id: str, numbers: Sequence[str]) -> list[Parcel]:
    """The parcels of some numbers, the carriers' or ours, held in the order of their ids."""
    found = await db.fetch(
        f"select {_COLUMNS} from parcel where {_BY_NUMBER} order by id for no key update", account_id, list(numbers)
    )
    return [_parcel(row) for row in found]


async def list_numbers(db: Rows, account_id: str, numbers: Sequence[str]) -> list[tuple[Parcel, list[Scan]]]:
    """The parcels of some numbers, the carriers' or ours, with their scans, the oldest first; in one statement."""
    found = await db.fetch(
        f"""
        select {_COLUMNS},
               array(select (at, status, country, province, city, remark) from scan s
                      where s.account_id = p.account_id and s.parcel_id = p.id order by at, status) as scans
          from parcel p where {_BY_NUMBER}
        """,
        account_id,
        list(numbers),
    )
    return [(_parcel(row[:-1]), [Scan(*seen) for seen in row["scans"]]) for row in found]


async def list_detailed(db: Rows, account_id: str, numbers: Sequence[str]) -> list[Parcel]:
    """The parcels of some numbers, the carriers' or ours, with what was booked."""
    found = await db.fetch(f"select {_COLUMNS}, details from parcel where {_BY_NUMBER}", account_id, list(numbers))
    return [_parcel(row) for row in found]


async def list_detailed_ids(db: Rows, account_id: str, ids: Sequence[str]) -> list[Parcel]:
    """The parcels of some ids, with what was booked."""
    found = await db.fetch(
        f"select {_COLUMNS}, details from parcel where account_id = $1 and id = any($2)", account_id, list(ids)
    )
    return [_parcel(row) for row in found]


async def list_marked(db: Rows, account_id: str, mark: str, limit: int) -> list[Parcel]:
    """The first parcels of a mark, with what was booked."""
    found = await db.fetch(
        f"select {_COLUMNS}, details from parcel where account_id = $1 and mark = $2 "
        "order by created_at, id limit $3",
        account_id,
        mark,
        limit,
    )
    return [_parcel(row) for row in found]


async def list_parcels(db: Rows, account_id: str, wanted: ParcelFilter) -> list[Parcel]:
    """The parcels that fit, with what was booked."""
    bounds = {
        "state =": wanted.state,
        "id >=": wanted.id_min,
        "id <=": wanted.id_max,
        "created_at >=": wanted.created_min,
        "created_at <=": wanted.created_max,
    }
    where, given = conditions(bounds, first=3)
    order = _SORTS[wanted.sort].format("desc" if wanted.descending else "asc")
    found = await db.fetch(
        f"select {_COLUMNS}, details from parcel where account_id = $1{where} order by {order} limit $2",
        account_id,
        wanted.limit,
        *given,
    )
    return [_parcel(row) for row in found]


_ARRAYS: Final = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_CHANGING.values(), start=3))
_STORE: Final = f"""
    update parcel p set {", ".join(f"{name} = n.{name}" for name in _CHANGING)}
      from unnest($2::text[], {_ARRAYS})
        as n (id, {", ".join(_CHANGING)})
     where p.account_id = $1 and p.id = n.id
"""


async def store(db: Rows, account_id: str, parcels: Sequence[Parcel]) -> None:
    """Write down what became of parcels, in one statement."""
    columns = [[getattr(parcel, name) for parcel in parcels] for name in _CHANGING]
    await db.execute(_STORE, account_id, [parcel.id for parcel in parcels], *columns)


async def users_awaiting(db: Rows, now: datetime) -> list[str]:
    """The users with parcels whose carrier has something to tell."""
    found = await db.fetch(
        "select id from shipper s where exists "
        "(select from parcel p where p.account_id = s.id and p.next_scan_at <= $1) order by id",
        now,
    )
    return [row[0] for row in found]


async def lock_awaited(db: Rows, account_id: str, now: datetime, limit: int) -> list[Parcel]:
    """The parcels whose carrier has been waited for the longest, with their details, held in the order of ids."""
    found = await db.fetch(
        f"""
        select {_COLUMNS}, details from parcel
         where account_id = $1 and next_scan_at <= $2
           and id = any(array(select id from parcel where account_id = $1 and next_scan_at <= $2
                               order by next_scan_at, id limit $3))
         order by id
           for no key update
        """,
        account_id,
        now,
        limit,
    )
    return [_parcel(row) for row in found]


async def await_scans(db: Rows, account_id: str, when: Sequence[tuple[str, datetime | None]]) -> None:
    """Say from when on the carriers of parcels have something to tell; never for None."""
    await db.execute(
        """
        update parcel p set next_scan_at = n.at
          from unnest($2::text[], $3::timestamptz[]) as n (id, at)
         where p.account_id = $1 and p.id = n.id
        """,
        account_id,
        [parcel_id for parcel_id, _ in when],
        [at for _, at in when],
    )


async def insert_scan(db: Rows, account_id: str, parcel_id: str, seen: Scan) -> bool:
    """Add a scan; whether it was not known before."""
    done = await db.execute(
        """
        insert into scan (account_id, parcel_id, at, status, country, province, city, remark)
        values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing
        """,
        account_id,
        parcel_id,
        seen.at,
        seen.status,
        seen.country,
        seen.province,
        seen.city,
        seen.remark,
    )
    return done == "INSERT 0 1"


async def page_back(db: Rows, account_id: str, after: Bookmark, limit: int) -> tuple[list[Parcel], bool]:
    """Some parcels of a user, the last booked first, and whether there are more."""
    found = await db.fetch(
        f"select {_COLUMNS} from parcel where account_id = $1 and (created_at, id) < ($2, $3) "
        "order by created_at desc, id desc limit $4",
        account_id,
        after.at,
        after.id,
        limit + 1,
    )
    return [_parcel(row) for row in found[:limit]], len(found) > limit
