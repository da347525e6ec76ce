"""The SQL of infractions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.infractions.infraction import (
    NEW,
    Author,
    Infraction,
    InfractionFilter,
    InfractionState,
    Message,
    NewInfraction,
    Proof,
)
from tradepost.values import Bookmark, Page

_EVER = datetime(1, 1, 2, tzinfo=UTC)
_NEVER = datetime(9999, 12, 30, tzinfo=UTC)

_COLUMNS = """
    i.id, i.state, i.cause, i.reason, i.extra_reason, trim_scale(i.fine_amount)::text, i.fine_currency,
    i.created_at, i.updated_at,
    array(
        select row(p.kind, p.object_id, p.message) from infraction_proof p
         where p.merchant_id = i.merchant_id and p.infraction_id = i.id order by p.position
    )
"""

# The page is cut out of the index before the proofs are looked up.
_PAGE = f"""
    select {_COLUMNS}
      from (
           select id from infraction
            where merchant_id = $1 and stage = $2 and updated_at >= $3 and updated_at < $4
            order by updated_at desc, id desc limit $5 offset $6
      ) cut
      join infraction i on i.merchant_id = $1 and i.id = cut.id
     order by i.updated_at desc, i.id desc
"""


def _infraction(row: Any) -> Infraction:
    *columns, proofs = row
    columns.append([Proof(*proof) for proof in proofs])
    return Infraction(*columns)


async def count(db: Rows, merchant_id: str, stage: int) -> int:
    """How many infractions of a stage a merchant has."""
    return int(
        await db.fetchval(
            "select count(*) from infraction where merchant_id = $1 and stage = $2", merchant_id, stage
        )
    )


async def page(db: Rows, merchant_id: str, wanted: InfractionFilter, cut: Page) -> tuple[list[Infraction], bool]:
    """One page of a merchant's infractions, the last changed first, and whether there is more."""
    found = await db.fetch(
        _PAGE,
        merchant_id,
        wanted.stage,
        wanted.since or _EVER,
        wanted.upto or _NEVER,
        cut.limit + 1,
        cut.start,
    )
    return [_infraction(row) for row in found[: cut.limit]], len(found) > cut.limit


async def find(db: Rows, merchant_id: str, infraction_id: str) -> Infraction | None:
    """An infraction by its id."""
    row = await db.fetchrow(
        f"select {_COLUMNS} from infraction i where i.merchant_id = $1 and i.id = $2", merchant_id, infraction_id
    )
    return _infraction(row) if row else None


async def messages(db: Rows, merchant_id: str, infraction_id: str) -> list[Message]:
    """What was written about an infraction, the oldest first."""
    found = await db.fetch(
        """
        select author, message, sent_at from infraction_message
         where merchant_id = $1 and infraction_id = $2 order by position
        """,
        merchant_id,
        infraction_id,
    )
    return [Message(*row) for row in found]


async def fines_of(db: Rows, merchant_id: str, object_ids: list[str]) -> Mapping[str, list[str]]:
    """The ids of infractions with a fine by what they are about."""
    found = await db.fetch(
        """
        select p.object_id, array_agg(distinct i.id order by i.id)
          from infraction_proof p
          join infraction i on i.merchant_id = p.merchant_id and i.id = p.infraction_id
         where p.merchant_id = $1 and p.object_id = any ($2) and i.fine_amount > 0
         group by p.object_id
        """,
        merchant_id,
        object_ids,
    )
    return {row[0]: row[1] for row in found}


async def insert(
    db: Rows, merchant_id: str, infraction_id: str, new: NewInfraction, currency: str, now: datetime
) -> None:
    """Add an infraction that nobody has said anything about, with its proofs."""
    await db.execute(
        """
        with issued as (
            insert into infraction (merchant_id, id, state, cause, reason, extra_reason, fine_amount, fine_currency,
                                    created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
        )
        insert into infraction_proof (merchant_id, infraction_id, position, kind, object_id, message)
        select $1, $2, position, kind, object_id, message
          from unnest($10::text[], $11::text[], $12::text[])
               with ordinality as p (kind, object_id, message, position)
        """,
        merchant_id,
        infraction_id,
        NEW,
        new.cause,
        new.reason,
        new.extra_reason,
        new.fine,
        currency,
        now,
        [proof.kind for proof in new.proofs],
        [proof.object_id for proof in new.proofs],
        [proof.message for proof in new.proofs],
    )


async def lock(db: Rows, merchant_id: str, infraction_id: str) -> InfractionState | None:
    """Take an infraction's row for this transaction; gives how it stands."""
    state: InfractionState | None = await db.fetchval(
        "select state from infraction where merchant_id = $1 and id = $2 for update", merchant_id, infraction_id
    )
    return state


async def update(
    db: Rows, merchant_id: str, infraction_id: str, state: InfractionState, now: datetime, *, waive: bool = False
) -> None:
    """Let an infraction stand otherwise; `waive` takes the fine back."""
    await db.execute(
        """
        update infraction
           set state = $3, updated_at = greatest(updated_at, $4),
               fine_amount = case when $5 then 0 else fine_amount end
         where merchant_id = $1 and id = $2
        """,
        merchant_id,
        infraction_id,
        state,
        now,
        waive,
    )


async def insert_message(
    db: Rows, merchant_id: str, infraction_id: str, author: Author, message: str, now: datetime
) -> None:
    """Add what somebody wrote; the infraction's row is held by this transaction."""
    await db.execute(
        """
        insert into infraction_message (merchant_id, infraction_id, position, author, message, sent_at)
        select $1, $2, coalesce(max(position), 0) + 1, $3, $4, $5
          from infraction_message where merchant_id = $1 and infraction_id = $2
        """,
        merchant_id,
        infraction_id,
        author,
        message,
        now,
    )


# -- lists for operators


async def page_back(
    db: Rows, merchant_id: str, stage: int, after: Bookmark, limit: int
) -> tuple[list[Infraction], bool]:
    """Some infractions of a merchant in a stage, the last changed first, and whether there are more."""
    found = await db.fetch(
        f"select {_COLUMNS} from infraction i "
        "where i.merchant_id = $1 and i.stage = $2 and (i.updated_at, i.id) < ($3, $4) "
        "order by i.updated_at desc, i.id desc limit $5",
        merchant_id,
        stage,
        after.at,
        after.id,
        limit + 1,
    )
    return [_infraction(row) for row in found[:limit]], len(found) > limit


async def answered(db: Rows, after: Bookmark, limit: int) -> tuple[list[tuple[str, Infraction]], bool]:
    """Some infractions that await the marketplace, the longest waiting first, and whether there are more."""
    found = await db.fetch(
        f"select i.merchant_id, {_COLUMNS} from infraction i "
        "where i.state = 'awaiting_admin' and (i.updated_at, i.id) > ($1, $2) "
        "order by i.updated_at, i.id limit $3",
        after.at,
        after.id,
        limit + 1,
    )
    return [(merchant_id, _infraction(row)) for merchant_id, *row in found[:limit]], len(found) > limit
