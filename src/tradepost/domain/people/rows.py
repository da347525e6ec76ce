"""The SQL of people and their sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.people.person import Person


async def find_person(db: Rows, service: str, email: str) -> Person | None:
    """Who signs in to a service with an address; see the function of that name in the migrations."""
    row = await db.fetchrow("select * from person_of($1, $2)", service, email)
    return None if row["account_id"] is None else Person(**dict(row))


async def first_of(db: Rows, service: str, account_id: str) -> str | None:
    """The person who was first to sign in for an account."""
    if service == "merchant":
        text = "select id from merchant_user where merchant_id = $1 order by created_at, id limit 1"
    else:
        text = "select id from shipper where id = $1"
    found: str | None = await db.fetchval(text, account_id)
    return found


async def insert_session(
    db: Rows, service: str, account_id: str, session_id: str, user_id: str, session_hash: bytes, now: datetime
) -> None:
    """Keep a session that begins now."""
    await db.execute(
        "insert into person_session (account_id, id, service, user_id, hash, created_at, used_at) "
        "values ($1, $2, $3, $4, $5, $6, $6)",
        account_id,
        session_id,
        service,
        user_id,
        session_hash,
        now,
    )


async def find_session(db: Rows, account_id: str, session_hash: bytes) -> Any:
    """A session of an account, whatever it is worth."""
    return await db.fetchrow(
        "select id, user_id, created_at, used_at, ended_at from person_session where account_id = $1 and hash = $2",
        account_id,
        session_hash,
    )


async def touch_session(db: Rows, account_id: str, session_id: str, now: datetime) -> None:
    """Note that a session was used."""
    await db.execute(
        "update person_session set used_at = $3 where account_id = $1 and id = $2", account_id, session_id, now
    )


async def end_session(db: Rows, account_id: str, session_id: str, now: datetime) -> None:
    """Note that a session is over."""
    await db.execute(
        "update person_session set ended_at = $3 where account_id = $1 and id = $2 and ended_at is null",
        account_id,
        session_id,
        now,
    )


async def delete_sessions(db: Rows, before: datetime) -> int:
    """Delete the sessions that began before a moment; gives how many there were."""
    return len(await db.fetch("delete from person_session where created_at < $1 returning true", before))
