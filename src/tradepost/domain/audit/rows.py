"""The SQL of the audit log. There is none that changes or deletes a row, and no role that may."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tradepost.domain.audit.record import Anchor, Record
from tradepost.domain.context import Rows

_RECORD = "r.id, r.at, r.actor_kind, r.actor, r.client, r.verb, r.subject, r.about"


async def insert(
    db: Rows, at: datetime, kind: str, actor: str, client: str, verb: str, subject: str | None, about: str
) -> None:
    """Add a row; its link follows when the transaction commits."""
    await db.execute(
        "insert into audit_record (at, actor_kind, actor, client, verb, subject, about) "
        "values ($1, $2, $3, $4, $5, $6, $7)",
        at,
        kind,
        actor,
        client,
        verb,
        subject,
        about,
    )


async def latest(db: Rows, limit: int) -> list[tuple[int, Record]]:
    """The latest rows with the numbers of their links, the newest first."""
    found = await db.fetch(
        f"select l.number, {_RECORD} from audit_link l join audit_record r on r.id = l.record_id "
        "order by l.number desc limit $1",
        limit,
    )
    return [(row[0], Record(*row[1:])) for row in found]


async def head(db: Rows) -> Anchor | None:
    """The last link."""
    row = await db.fetchrow("select number, hash from audit_link order by number desc limit 1")
    return None if row is None else Anchor(*row)


async def links_after(db: Rows, number: int, limit: int) -> list[tuple[Anchor, Record | None]]:
    """Some links behind a number in their order, each with its row, None where that is gone."""
    found = await db.fetch(
        f"select l.number, l.hash, {_RECORD} from audit_link l left join audit_record r on r.id = l.record_id "
        "where l.number > $1 order by l.number limit $2",
        number,
        limit,
    )
    return [(Anchor(row[0], row[1]), _record(row)) for row in found]


def _record(row: Any) -> Record | None:
    return None if row[2] is None else Record(*row[2:])


async def count_unlinked(db: Rows) -> int:
    """How many rows no link leads to."""
    found = (
        "select count(*) from audit_record r where not exists (select from audit_link l where l.record_id = r.id)"
    )
    return int(await db.fetchval(found))
