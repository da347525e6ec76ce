"""The SQL of operators, their tokens, their acts and the keys of their calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from tradepost.domain.context import Rows
from tradepost.domain.operators.failures import NameTaken
from tradepost.domain.operators.operator import Act, OperatorLine, TokenLine
from tradepost.domain.people import Person

_LINE = "select id, name, locale, disabled_at is not null, created_at from operator_account"


_PERSON = (
    "select o.id, o.id, o.name, o.locale, p.hash from operator_account o "
    "join operator_password p on p.operator_id = o.id"
)
"""An operator who signs in with a password, as a Person has him."""


async def insert(db: Rows, operator_id: str, name: str, locale: str, now: datetime) -> None:
    """Add an operator; raises NameTaken."""
    try:
        await db.execute(
            "insert into operator_account (id, name, locale, created_at) values ($1, $2, $3, $4)",
            operator_id,
            name,
            locale,
            now,
        )
    except asyncpg.UniqueViolationError:
        raise NameTaken(name=name) from None


async def find(db: Rows, who: str) -> OperatorLine | None:
    """An operator by id or name; no name looks like an id."""
    row = await db.fetchrow(f"{_LINE} where id = $1 or name = $1", who)
    return OperatorLine(*row) if row else None


async def list_operators(db: Rows) -> list[OperatorLine]:
    """All operators by name."""
    return [OperatorLine(*row) for row in await db.fetch(f"{_LINE} order by name")]


async def set_disabled(db: Rows, operator_id: str, at: datetime | None) -> None:
    """Keep an operator out from a moment on, or (None) let him in."""
    await db.execute("update operator_account set disabled_at = $2 where id = $1", operator_id, at)


async def insert_token(
    db: Rows,
    operator_id: str,
    token_id: str,
    token_hash: bytes,
    scopes: list[str],
    now: datetime,
    expires_at: datetime,
) -> None:
    """Add a token."""
    await db.execute(
        "insert into operator_token (operator_id, id, hash, scopes, created_at, expires_at) "
        "values ($1, $2, $3, $4, $5, $6)",
        operator_id,
        token_id,
        token_hash,
        scopes,
        now,
        expires_at,
    )


async def list_tokens(db: Rows, operator_id: str) -> list[TokenLine]:
    """The tokens of an operator, the newest first."""
    found = await db.fetch(
        "select id, scopes, created_at, expires_at, revoked_at from operator_token "
        "where operator_id = $1 order by created_at desc, id",
        operator_id,
    )
    return [TokenLine(*row) for row in found]


async def revoke_token(db: Rows, token_id: str, token_hash: bytes, now: datetime) -> Any:
    """Take a token back by its id or its hash; gives its operator_id and id, None where none was still good."""
    return await db.fetchrow(
        "update operator_token set revoked_at = $3 where (id = $1 or hash = $2) and revoked_at is null "
        "returning operator_id, id",
        token_id,
        token_hash,
        now,
    )


async def set_password(db: Rows, operator_id: str, kept: str, now: datetime) -> None:
    """Keep what is kept of an operator's password, in place of another."""
    await db.execute(
        "insert into operator_password (operator_id, hash, set_at) values ($1, $2, $3) "
        "on conflict (operator_id) do update set hash = excluded.hash, set_at = excluded.set_at",
        operator_id,
        kept,
        now,
    )


async def find_person(db: Rows, name: str) -> Person | None:
    """Who signs in with a name; nobody who is disabled."""
    row = await db.fetchrow(f"{_PERSON} where o.name = $1 and o.disabled_at is null", name)
    return None if row is None else Person(*row)


async def find_by_id(db: Rows, operator_id: str) -> Person | None:
    """The operator of this id who signs in with a password."""
    row = await db.fetchrow(f"{_PERSON} where o.id = $1", operator_id)
    return None if row is None else Person(*row)


async def insert_session(
    db: Rows, operator_id: str, session_id: str, session_hash: bytes, now: datetime, needs_code: bool
) -> None:
    """Keep a session that begins now, with a password just shown."""
    await db.execute(
        "insert into operator_session (operator_id, id, hash, created_at, used_at, needs_code, proved_at) "
        "values ($1, $2, $3, $4, $4, $5, $4)",
        operator_id,
        session_id,
        session_hash,
        now,
        needs_code,
    )


async def find_session(db: Rows, session_hash: bytes) -> Any:
    """A session, whatever it is worth, with its operator; none of one who is disabled."""
    return await db.fetchrow(
        "select s.operator_id, s.id, s.created_at, s.used_at, s.ended_at, s.needs_code, s.proved_at, o.name, "
        "o.locale from operator_session s join operator_account o on o.id = s.operator_id "
        "where s.hash = $1 and o.disabled_at is null",
        session_hash,
    )


async def touch_session(db: Rows, operator_id: str, session_id: str, now: datetime) -> None:
    """Note that a session was used."""
    await db.execute(
        "update operator_session set used_at = $3 where operator_id = $1 and id = $2", operator_id, session_id, now
    )


async def prove_session(db: Rows, operator_id: str, session_id: str, now: datetime) -> None:
    """Note that whoever uses a session has just shown who he is."""
    await db.execute(
        "update operator_session set proved_at = $3 where operator_id = $1 and id = $2",
        operator_id,
        session_id,
        now,
    )


async def end_sessions(db: Rows, operator_id: str, now: datetime, session_id: str | None = None) -> None:
    """Note that one session of an operator is over, or that all are."""
    await db.execute(
        "update operator_session set ended_at = $3 "
        "where operator_id = $1 and id = coalesce($2, id) and ended_at is null",
        operator_id,
        session_id,
        now,
    )


async def delete_sessions(db: Rows, before: datetime) -> int:
    """Delete the sessions that began before a moment; gives how many there were."""
    return len(await db.fetch("delete from operator_session where created_at < $1 returning true", before))


async def insert_act(
    db: Rows,
    now: datetime,
    operator_id: str,
    token_id: str,
    verb: str,
    subject: str | None,
    about: Mapping[str, Any],
) -> None:
    """Add what an operator did."""
    await db.execute(
        "insert into operator_act (acted_at, operator_id, token_id, verb, subject, about) "
        "values ($1, $2, $3, $4, $5, $6)",
        now,
        operator_id,
        token_id,
        verb,
        subject,
        msgspec.json.encode(about).decode(),
    )


async def list_acts(db: Rows, limit: int, subject: str | None) -> list[Act]:
    """The latest acts, or those on one merchant or user, the newest first."""
    where = "" if subject is None else "where a.subject = $2 "
    found = await db.fetch(
        "select a.acted_at, o.name, a.token_id, a.verb, a.subject, a.about "
        f"from operator_act a join operator_account o on o.id = a.operator_id {where}"
        "order by a.number desc limit $1",
        limit,
        *([] if subject is None else [subject]),
    )
    return [
        Act(at, operator, token_id, verb, on_whom, msgspec.json.decode(about))
        for at, operator, token_id, verb, on_whom, about in found
    ]


async def take_key(
    db: Rows, operator_id: str, key: str, fingerprint: bytes, now: datetime, forgotten: datetime
) -> tuple[str, bytes | None]:
    """Take a key; see the function of that name in the migrations."""
    row = await db.fetchrow(
        "select verdict, answer from take_key($1, $2, $3, $4, $5)", operator_id, key, fingerprint, now, forgotten
    )
    return row[0], row[1]


async def keep_answer(db: Rows, operator_id: str, key: str, answer: bytes) -> None:
    """Keep the answer to a call."""
    await db.execute(
        "update idempotency_key set answer = $3 where operator_id = $1 and key = $2", operator_id, key, answer
    )


async def delete_keys(db: Rows, before: datetime) -> int:
    """Delete the keys that were used until then; gives how many."""
    done = await db.execute("delete from idempotency_key where used_at <= $1", before)
    return int(done.rpartition(" ")[2])
