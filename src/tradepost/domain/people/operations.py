"""Signing in, being signed in, signing out."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tradepost.domain import access
from tradepost.domain.access import fingerprint
from tradepost.domain.context import Ctx
from tradepost.domain.people import failures, rows
from tradepost.domain.people.person import ABSOLUTE_HOURS, Person, Signed, is_open

_TOUCH: Final = timedelta(minutes=1)


async def find_person(ctx: Ctx, service: str, email: str) -> Person | None:
    """Who signs in to a service with an address, in any case; None where nobody does."""
    return await rows.find_person(ctx.db, service, email.strip().lower())


def check_password(person: Person | None, password: str) -> bool:
    """Whether somebody may come in. Takes 30 ms of a processor, for nobody, too, so that no answer tells who is."""
    return access.is_password(password, None if person is None else person.password_hash)


async def first_of(ctx: Ctx, service: str, account_id: str) -> str:
    """The person who speaks for an account where nobody is signed in; raises PersonUnknown."""
    found = await rows.first_of(ctx.db, service, account_id)
    if found is None:
        raise failures.PersonUnknown(account_id=account_id[:64])
    return found


async def open_session(ctx: Ctx, service: str, person: Person) -> str:
    """Sign a person in, with the connection bound to his account; gives the id of his session, told this once."""
    session = access.new_session()
    await rows.insert_session(
        ctx.db, service, person.account_id, ctx.new_id(), person.user_id, fingerprint(session), ctx.now
    )
    return session


async def find_session(ctx: Ctx, service: str, session: str) -> Signed | None:
    """Who is signed in by a session, None where it is none or over.

    Binds the connection to the account until the end of the transaction.
    """
    if not access.looks_right(session, access.SESSION_PREFIX):
        return None
    owner = await access.bind_by(ctx, service, "session", session)
    if owner is None:
        return None
    kept = await rows.find_session(ctx.db, owner.account_id, fingerprint(session))
    if kept is None or not is_open(kept["created_at"], kept["used_at"], kept["ended_at"], owner.at):
        return None
    if owner.at - kept["used_at"] > _TOUCH:
        await rows.touch_session(ctx.db, owner.account_id, kept["id"], owner.at)
    return Signed(
        owner.account_id,
        owner.name,
        kept["user_id"],
        owner.locale,
        owner.suspended,
        kept["id"],
        owner.at,
    )


async def close_session(ctx: Ctx, signed: Signed) -> None:
    """Sign somebody out."""
    await rows.end_session(ctx.db, signed.account_id, signed.session_id, ctx.now)


async def forget_sessions(ctx: Ctx) -> int:
    """Delete the sessions that were over long ago; gives how many there were."""
    return await rows.delete_sessions(ctx.db, ctx.now - timedelta(hours=2 * ABSOLUTE_HOURS))
