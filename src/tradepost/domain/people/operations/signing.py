"""Signing in, being signed in, signing out; and the list of where somebody is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from tradepost.domain import access, audit
from tradepost.domain.access import fingerprint
from tradepost.domain.context import By, Ctx
from tradepost.domain.people import failures, rows
from tradepost.domain.people.person import (
    ABSOLUTE_HOURS,
    SIGN_UP_HOURS,
    Device,
    Person,
    SessionLine,
    Signed,
    is_open,
)

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


async def open_session(
    ctx: Ctx, service: str, person: Person, device: Device | None = None, *, needs_code: bool = False
) -> str:
    """Sign a person in, with the connection bound to his account; gives the id of his session, told this once.

    One that `needs_code` opens nothing yet; `enter_code` makes another one of it.
    """
    return await begin_session(ctx, service, (person.account_id, person.user_id), device or Device(), needs_code)


async def begin_session(ctx: Ctx, service: str, whose: tuple[str, str], device: Device, needs_code: bool) -> str:
    """The same by the ids of account and person."""
    session, (account_id, user_id) = access.new_session(), whose
    session_id = ctx.new_id()
    await rows.insert_session(
        ctx.db, service, account_id, session_id, user_id, fingerprint(session), ctx.now, device, needs_code
    )
    if not needs_code:
        by = By("person", user_id, device.client[:64])
        await audit.record(replace(ctx, by=by), "person.signed_in", account_id, session_id=session_id)
    return session


async def find_session(ctx: Ctx, service: str, session: str, *, needs_code: bool = False) -> Signed | None:
    """Who is signed in by a session, None where it is none or over; or who has yet to show his code.

    Binds the connection to the account until the end of the transaction.
    """
    if not access.looks_right(session, access.SESSION_PREFIX):
        return None
    owner = await access.bind_by(ctx, service, "session", session)
    if owner is None:
        return None
    kept = await rows.find_session(ctx.db, owner.account_id, fingerprint(session))
    if kept is None or kept["needs_code"] != needs_code:
        return None
    if not is_open(kept["created_at"], kept["used_at"], kept["ended_at"], owner.at, needs_code):
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
        kept["proved_at"],
    )


async def close_session(ctx: Ctx, signed: Signed) -> None:
    """Sign somebody out."""
    if await rows.end_session(ctx.db, signed.account_id, signed.user_id, signed.session_id, ctx.now):
        await audit.record(ctx, "person.signed_out", signed.account_id, session_id=signed.session_id)


async def list_sessions(ctx: Ctx, signed: Signed) -> list[SessionLine]:
    """Where somebody is signed in at the moment, the latest used first."""
    lines = await rows.open_sessions(ctx.db, signed.account_id, signed.user_id)
    return [line for line in lines if is_open(line.created_at, line.used_at, None, ctx.now)]


async def end_session(ctx: Ctx, signed: Signed, session_id: str) -> bool:
    """Sign somebody out elsewhere; whether he was signed in there."""
    ended = await rows.end_session(ctx.db, signed.account_id, signed.user_id, session_id, ctx.now)
    if ended:
        await audit.record(ctx, "person.session_ended", signed.account_id, session_id=session_id)
    return ended


async def end_sessions(ctx: Ctx, account_id: str, user_id: str, but: str | None = None) -> int:
    """Sign somebody out everywhere, but for one session; gives how many that were."""
    ended = await rows.end_sessions(ctx.db, account_id, user_id, but, ctx.now)
    if ended:
        await audit.record(ctx, "person.sessions_ended", account_id, user_id=user_id, count=ended)
    return ended


async def forget_sessions(ctx: Ctx) -> int:
    """Delete sessions, links and sign-ups that were over long ago; gives how many there were."""
    gone = await rows.delete_sessions(ctx.db, ctx.now - timedelta(hours=2 * ABSOLUTE_HOURS))
    return gone + await rows.delete_links(ctx.db, ctx.now - timedelta(hours=2 * SIGN_UP_HOURS))
