"""The SQL of people and their sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.people.person import Device, NewSignUp, Person, SessionLine


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
    db: Rows,
    service: str,
    account_id: str,
    session_id: str,
    user_id: str,
    session_hash: bytes,
    now: datetime,
    device: Device,
    needs_code: bool,
) -> None:
    """Keep a session that begins now, with a password just shown."""
    await db.execute(
        "insert into person_session (account_id, id, service, user_id, hash, created_at, used_at, client, agent, "
        "needs_code, proved_at) values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $6)",
        account_id,
        session_id,
        service,
        user_id,
        session_hash,
        now,
        device.client[:64],
        device.agent[:300].replace("\0", ""),
        needs_code,
    )


async def find_session(db: Rows, account_id: str, session_hash: bytes) -> Any:
    """A session of an account, whatever it is worth."""
    return await db.fetchrow(
        "select id, user_id, created_at, used_at, ended_at, needs_code, proved_at from person_session "
        "where account_id = $1 and hash = $2",
        account_id,
        session_hash,
    )


async def touch_session(db: Rows, account_id: str, session_id: str, now: datetime) -> None:
    """Note that a session was used."""
    await db.execute(
        "update person_session set used_at = $3 where account_id = $1 and id = $2", account_id, session_id, now
    )


async def end_session(db: Rows, account_id: str, user_id: str, session_id: str, now: datetime) -> bool:
    """Note that a session of a person is over; whether it was not yet."""
    done = await db.fetchval(
        "update person_session set ended_at = $4 where account_id = $1 and id = $3 and user_id = $2 "
        "and ended_at is null returning true",
        account_id,
        user_id,
        session_id,
        now,
    )
    return bool(done)


async def delete_sessions(db: Rows, before: datetime) -> int:
    """Delete the sessions that began before a moment; gives how many there were."""
    return len(await db.fetch("delete from person_session where created_at < $1 returning true", before))


async def delete_links(db: Rows, before: datetime) -> int:
    """Delete the links and sign-ups from before a moment; gives how many there were."""
    gone = await db.fetch("delete from person_link where created_at < $1 returning true", before)
    return len(gone) + len(await db.fetch("delete from sign_up where created_at < $1 returning true", before))


async def open_sessions(db: Rows, account_id: str, user_id: str) -> list[SessionLine]:
    """The sessions of a person that were not ended, the latest used first; some may be over."""
    found = await db.fetch(
        "select id, client, agent, created_at, used_at from person_session where account_id = $1 and user_id = $2 "
        "and ended_at is null and not needs_code order by used_at desc, id limit 200",
        account_id,
        user_id,
    )
    return [SessionLine(*row) for row in found]


async def end_sessions(db: Rows, account_id: str, user_id: str, but: str | None, now: datetime) -> int:
    """Note that all sessions of a person are over but one, those that wait for a code as well; gives how many."""
    ended = await db.fetch(
        "update person_session set ended_at = $4 where account_id = $1 and user_id = $2 "
        "and ended_at is null and id is distinct from $3 returning true",
        account_id,
        user_id,
        but,
        now,
    )
    return len(ended)


async def prove_session(db: Rows, account_id: str, session_id: str, now: datetime) -> None:
    """Note that whoever uses a session has just shown who he is."""
    await db.execute(
        "update person_session set proved_at = $3 where account_id = $1 and id = $2", account_id, session_id, now
    )


async def insert_sign_up(db: Rows, account_id: str, new: NewSignUp, now: datetime) -> None:
    """Keep what somebody asks for."""
    await db.execute(
        "insert into sign_up (account_id, email, name, password_hash, currency, locale, created_at) "
        "values ($1, $2, $3, $4, $5, $6, $7)",
        account_id,
        new.email,
        new.name,
        new.password_hash,
        new.currency,
        new.locale,
        now,
    )


async def insert_link(
    db: Rows,
    service: str,
    account_id: str,
    link_id: str,
    kind: str,
    user_id: str | None,
    link_hash: bytes,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep a link that is mailed."""
    await db.execute(
        "insert into person_link (account_id, id, service, kind, user_id, hash, created_at, expires_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8)",
        account_id,
        link_id,
        service,
        kind,
        user_id,
        link_hash,
        now,
        expires_at,
    )


async def bind_link(db: Rows, service: str, kind: str, link_hash: bytes) -> Any:
    """Whose a link is; binds the connection to the account. See the function of that name in the migrations."""
    return await db.fetchrow("select * from bind_link($1, $2, $3)", service, kind, link_hash)


async def hold_link(db: Rows, account_id: str, link_id: str) -> Any:
    """A link, kept from changing until the end of the transaction."""
    return await db.fetchrow(
        "select account_id, id, user_id, expires_at, used_at from person_link "
        "where account_id = $1 and id = $2 for update",
        account_id,
        link_id,
    )


async def use_link(db: Rows, account_id: str, link_id: str, now: datetime) -> None:
    """Note that a link was used."""
    await db.execute(
        "update person_link set used_at = $3 where account_id = $1 and id = $2", account_id, link_id, now
    )


async def use_links(db: Rows, account_id: str, user_id: str, now: datetime) -> None:
    """Note that no link of a person is good any more."""
    await db.execute(
        "update person_link set used_at = $3 where account_id = $1 and user_id = $2 and used_at is null",
        account_id,
        user_id,
        now,
    )


async def open_signed_up(db: Rows, user_id: str) -> bool:
    """Open the shop of the bound account; see the function of that name in the migrations."""
    return bool(await db.fetchval("select open_signed_up($1)", user_id))


async def person_by_id(db: Rows, service: str, account_id: str, user_id: str) -> tuple[Person, str] | None:
    """A person of an account and his address."""
    if service == "merchant":
        text = (
            "select u.merchant_id, u.id, u.name, m.locale, u.password_hash, u.email from merchant_user u "
            "join merchant m on m.id = u.merchant_id where u.merchant_id = $1 and u.id = $2"
        )
    else:
        text = "select id, id, name, locale, password_hash, email from shipper where id = $1 and id = $2"
    row = await db.fetchrow(text, account_id, user_id)
    return None if row is None else (Person(*row[:5]), row[5])


async def set_password(db: Rows, service: str, account_id: str, user_id: str, password_hash: str) -> None:
    """Keep another password."""
    if service == "merchant":
        text = "update merchant_user set password_hash = $3 where merchant_id = $1 and id = $2"
    else:
        text = "update shipper set password_hash = $3 where id = $1 and id = $2"
    await db.execute(text, account_id, user_id, password_hash)


async def find_factor(db: Rows, account_id: str, user_id: str) -> Any:
    """The second factor of a person, confirmed or not."""
    return await db.fetchrow(
        "select sealed, confirmed_at from person_factor where account_id = $1 and user_id = $2", account_id, user_id
    )


async def hold_factor(db: Rows, account_id: str, user_id: str) -> Any:
    """The same, kept from changing, with the last step that was used and the machine's time in seconds."""
    return await db.fetchrow(
        "select sealed, confirmed_at, last_step, extract(epoch from clock_timestamp())::float8 as seconds "
        "from person_factor where account_id = $1 and user_id = $2 for update",
        account_id,
        user_id,
    )


async def insert_factor(db: Rows, account_id: str, user_id: str, sealed: bytes, now: datetime) -> None:
    """Keep a second factor that was not confirmed yet."""
    await db.execute(
        "insert into person_factor (account_id, user_id, sealed, created_at) values ($1, $2, $3, $4) "
        "on conflict do nothing",
        account_id,
        user_id,
        sealed,
        now,
    )


async def set_step(db: Rows, account_id: str, user_id: str, step: int) -> None:
    """Note whose step's code was used."""
    await db.execute(
        "update person_factor set last_step = $3 where account_id = $1 and user_id = $2", account_id, user_id, step
    )


async def confirm_factor(db: Rows, account_id: str, user_id: str, now: datetime) -> None:
    """Have it asked for."""
    await db.execute(
        "update person_factor set confirmed_at = $3 where account_id = $1 and user_id = $2",
        account_id,
        user_id,
        now,
    )


async def delete_factor(db: Rows, account_id: str, user_id: str) -> bool:
    """Have it asked for no more, and forget its recovery codes."""
    done = "delete from person_factor where account_id = $1 and user_id = $2 returning confirmed_at is not null"
    return bool(await db.fetchval(done, account_id, user_id))


async def insert_recovery(db: Rows, account_id: str, user_id: str, hashes: list[bytes]) -> None:
    """Keep recovery codes."""
    await db.execute(
        "insert into recovery_code (account_id, user_id, hash) select $1, $2, unnest($3::bytea[])",
        account_id,
        user_id,
        hashes,
    )


async def delete_recovery(db: Rows, account_id: str, user_id: str) -> None:
    """Forget the recovery codes of a person, used or not."""
    await db.execute("delete from recovery_code where account_id = $1 and user_id = $2", account_id, user_id)


async def use_recovery(db: Rows, account_id: str, user_id: str, code_hash: bytes, now: datetime) -> bool:
    """Use a recovery code; whether there was one."""
    done = await db.fetchval(
        "update recovery_code set used_at = $4 where account_id = $1 and user_id = $2 and hash = $3 "
        "and used_at is null returning true",
        account_id,
        user_id,
        code_hash,
        now,
    )
    return bool(done)


async def count_recovery(db: Rows, account_id: str, user_id: str) -> int:
    """How many recovery codes were not used."""
    found = "select count(*) from recovery_code where account_id = $1 and user_id = $2 and used_at is null"
    return int(await db.fetchval(found, account_id, user_id))
