"""The SQL of events and letters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from tradepost.domain.context import Rows
from tradepost.domain.outbox.event import Event, Mail, Person, Words

_MAIL = "account_id, id, recipient, subject, body, created_at, sent_at, refused, sealed"


async def insert_event(
    db: Rows, account_id: str, event_id: str, topic: str, about: Mapping[str, Any], now: datetime
) -> None:
    """Write down what happened."""
    await db.execute(
        "insert into event (account_id, id, topic, about, happened_at) values ($1, $2, $3, $4, $5)",
        account_id,
        event_id,
        topic,
        msgspec.json.encode(about).decode(),
        now,
    )


async def find_event(db: Rows, account_id: str, event_id: str) -> Event | None:
    """What happened, by its id."""
    row = await db.fetchrow(
        "select account_id, id, topic, about, happened_at from event where account_id = $1 and id = $2",
        account_id,
        event_id,
    )
    if row is None:
        return None
    account_id, event_id, topic, about, happened_at = row
    return Event(account_id, event_id, topic, msgspec.json.decode(about), happened_at)


async def mark_told(db: Rows, account_id: str, event_id: str, now: datetime) -> bool:
    """Note that everybody who wants to know will; False where that was noted before."""
    done = await db.fetchval(
        "update event set told_at = $3 where account_id = $1 and id = $2 and told_at is null returning true",
        account_id,
        event_id,
        now,
    )
    return bool(done)


async def people(db: Rows, account_id: str) -> list[Person]:
    """Who is told what happens in an account: the person who opened a shop, or the sender himself."""
    found = await db.fetch(
        """
        (select u.email, u.name, m.locale from merchant_user u join merchant m on m.id = u.merchant_id
          where u.merchant_id = $1 order by u.created_at, u.id limit 1)
        union all
        select email, name, locale from shipper where id = $1
        """,
        account_id,
    )
    return [Person(*row) for row in found]


async def insert_mail(
    db: Rows, account_id: str, mail_id: str, event_id: str | None, recipient: str, words: Words, now: datetime
) -> None:
    """Write a letter that is not sent yet."""
    await db.execute(
        "insert into mail (account_id, id, event_id, recipient, subject, body, created_at, sealed) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8)",
        account_id,
        mail_id,
        event_id,
        recipient,
        words.subject,
        words.body,
        now,
        words.sealed,
    )


async def find_mail(db: Rows, account_id: str, mail_id: str) -> Mail | None:
    """A letter by its id."""
    row = await db.fetchrow(f"select {_MAIL} from mail where account_id = $1 and id = $2", account_id, mail_id)
    return Mail(*row) if row else None


async def latest_mail(db: Rows, limit: int) -> list[Mail]:
    """The latest letters of every account, the newest first."""
    found = await db.fetch(f"select {_MAIL} from mail order by created_at desc, id limit $1", limit)
    return [Mail(*row) for row in found]


async def mark_mail(db: Rows, account_id: str, mail_id: str, now: datetime, refused: str | None) -> None:
    """Note that a letter went out, or that it was refused for good."""
    await db.execute(
        "update mail set sent_at = case when $4::text is null then $3::timestamptz end, refused = $4 "
        "where account_id = $1 and id = $2",
        account_id,
        mail_id,
        now,
        refused,
    )


async def delete_old(db: Rows, before: datetime) -> int:
    """Delete events and letters from before then; gives how many."""
    return int(
        await db.fetchval(
            """
            with letters as (delete from mail where created_at < $1 returning true),
                 events as (delete from event where happened_at < $1 returning true)
            select (select count(*) from letters) + (select count(*) from events)
            """,
            before,
        )
    )
