"""What is done about operators, and what every call of theirs leaves behind."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from tradepost.domain import audit, people
from tradepost.domain.access import (
    MOST_DAYS,
    SESSION_PREFIX,
    fingerprint,
    looks_right,
    new_operator_token,
    new_session,
    password_hash,
)
from tradepost.domain.access.failures import LifetimeUnusable
from tradepost.domain.context import By, Ctx, OperatorCtx
from tradepost.domain.operators import failures, rows
from tradepost.domain.operators.operator import Act, OperatorLine, TokenLine
from tradepost.domain.people import (
    ABSOLUTE_HOURS,
    Person,
    Signed,
    check_new_password,
    has_factor,
    is_open,
    use_code,
)
from tradepost.domain.sealing import SealingKeys

TOKEN_DAYS: Final = 365
KEY_KEPT: Final = timedelta(hours=24)
"""How long the answer to a call stays good for its key, by the world's clock."""
MOST_NAME: Final = 100
_TOUCH: Final = timedelta(minutes=1)
_ID = re.compile("[0-9a-f]{24}", re.ASCII)


async def add_operator(ctx: Ctx, name: str, locale: str = "en") -> str:
    """Let somebody act for the marketplace, once he has a token; gives his id. Raises NameUnusable, NameTaken."""
    if not name.strip() or len(name) > MOST_NAME or not name.isprintable() or _ID.fullmatch(name):
        raise failures.NameUnusable(name=name[:64])
    operator_id = ctx.new_id()
    await rows.insert(ctx.db, operator_id, name, locale, ctx.now)
    await audit.record(ctx, "operator.added", operator_id=operator_id)
    return operator_id


async def find_operator(ctx: Ctx, who: str) -> OperatorLine:
    """An operator by his id or his name; raises OperatorUnknown."""
    found = await rows.find(ctx.db, who)
    if found is None:
        raise failures.OperatorUnknown(who=who[:64])
    return found


async def list_operators(ctx: Ctx) -> list[OperatorLine]:
    """All operators by name."""
    return await rows.list_operators(ctx.db)


async def set_disabled(ctx: Ctx, who: str, disabled: bool) -> None:
    """Keep an operator out with all his tokens, or let him in again; raises OperatorUnknown."""
    found = await find_operator(ctx, who)
    await rows.set_disabled(ctx.db, found.id, ctx.now if disabled else None)
    await audit.record(ctx, "operator.disabled" if disabled else "operator.enabled", operator_id=found.id)


async def issue_token(
    ctx: Ctx, who: str, scopes: Sequence[str], days: float = TOKEN_DAYS, token: str | None = None
) -> str:
    """Issue a token that lives so many days; gives it (a new one without `token`), shown this once.

    Raises OperatorUnknown, LifetimeUnusable.
    """
    if not 0 < days <= MOST_DAYS:
        raise LifetimeUnusable(days=days, most=MOST_DAYS)
    found = await find_operator(ctx, who)
    token = token or new_operator_token()
    expires_at, token_id = ctx.now + timedelta(days=days), ctx.new_id()
    await rows.insert_token(ctx.db, found.id, token_id, fingerprint(token), list(scopes), ctx.now, expires_at)
    told = {"operator_id": found.id, "token_id": token_id, "scopes": " ".join(scopes)}
    await audit.record(ctx, "operator.token_issued", None, **told)
    return token


async def list_tokens(ctx: Ctx, who: str) -> list[TokenLine]:
    """The tokens of an operator, the newest first; raises OperatorUnknown."""
    found = await find_operator(ctx, who)
    return await rows.list_tokens(ctx.db, found.id)


async def revoke_token(ctx: Ctx, token: str) -> bool:
    """Take a token back at once, by itself or by its id; whether there was one that was still good."""
    taken = await rows.revoke_token(ctx.db, token, fingerprint(token), ctx.now)
    if taken is not None:
        await audit.record(ctx, "operator.token_revoked", operator_id=taken["operator_id"], token_id=taken["id"])
    return taken is not None


# -- people who sign in


async def set_password(ctx: Ctx, who: str, password: str) -> None:
    """Let an operator sign in with a password, the only one he has; whoever was signed in is not any more.

    Raises OperatorUnknown, and what `people.check_new_password` raises.
    """
    found = await find_operator(ctx, who)
    check_new_password(password, found.name)
    await rows.set_password(ctx.db, found.id, password_hash(password), ctx.now)
    await rows.end_sessions(ctx.db, found.id, ctx.now)
    await audit.record(ctx, "operator.password_set", operator_id=found.id)


async def find_person(ctx: Ctx, name: str) -> Person | None:
    """Who signs in with a name; None where nobody does, has no password, or is kept out."""
    return await rows.find_person(ctx.db, name)


async def person_of(ctx: Ctx, signed: Signed) -> Person:
    """Who is signed in, with what is kept of his password; raises OperatorUnknown."""
    found = await rows.find_by_id(ctx.db, signed.user_id)
    if found is None:
        raise failures.OperatorUnknown(who=signed.user_id)
    return found


async def open_session(ctx: Ctx, person: Person, client: str = "") -> str:
    """Sign an operator in, from an address; gives the id of his session, told this once.

    That of one who has a second factor opens nothing yet; `enter_code` makes another one of it.
    """
    needs_code = await has_factor(ctx, person.user_id, person.user_id)
    return await _begin_session(ctx, person.user_id, client, needs_code)


async def enter_code(ctx: Ctx, half: Signed, code: str, seals: SealingKeys, client: str = "") -> str | None:
    """Sign in whoever has shown his password and now a code; gives his session, None where the code is wrong."""
    by = replace(ctx, by=By("operator", half.user_id, client[:64]))
    if not await use_code(by, half.user_id, half.user_id, code, seals):
        return None
    await rows.end_sessions(ctx.db, half.user_id, ctx.now, half.session_id)
    return await _begin_session(ctx, half.user_id, client, False)


async def _begin_session(ctx: Ctx, operator_id: str, client: str, needs_code: bool) -> str:
    session, session_id = new_session(), ctx.new_id()
    await rows.insert_session(ctx.db, operator_id, session_id, fingerprint(session), ctx.now, needs_code)
    if not needs_code:
        by = replace(ctx, by=By("operator", operator_id, client[:64]))
        await audit.record(by, "operator.signed_in", None, session_id=session_id)
    return session


async def prove(ctx: Ctx, signed: Signed) -> None:
    """Note that an operator who is signed in has just shown his password."""
    await rows.prove_session(ctx.db, signed.user_id, signed.session_id, ctx.now)


async def remove_factor(ctx: Ctx, who: str) -> bool:
    """Have an operator asked for no code any more, who has lost what makes them; whether he was.

    Raises OperatorUnknown.
    """
    found = await find_operator(ctx, who)
    return await people.remove_factor(ctx, found.id, found.id)


async def find_session(ctx: Ctx, session: str, *, needs_code: bool = False) -> Signed | None:
    """The operator who is signed in by a session; None where it is none or over, or he is kept out.

    Or who has yet to show his code.
    """
    if not looks_right(session, SESSION_PREFIX):
        return None
    kept = await rows.find_session(ctx.db, fingerprint(session))
    if kept is None or kept["needs_code"] != needs_code:
        return None
    if not is_open(kept["created_at"], kept["used_at"], kept["ended_at"], ctx.now, needs_code):
        return None
    if ctx.now - kept["used_at"] > _TOUCH:
        await rows.touch_session(ctx.db, kept["operator_id"], kept["id"], ctx.now)
    who = kept["operator_id"]
    return Signed(who, kept["name"], who, kept["locale"], False, kept["id"], ctx.now, kept["proved_at"])


async def close_session(ctx: Ctx, signed: Signed) -> None:
    """Sign an operator out."""
    await rows.end_sessions(ctx.db, signed.user_id, ctx.now, signed.session_id)
    by = replace(ctx, by=By("operator", signed.user_id))
    await audit.record(by, "operator.signed_out", None, session_id=signed.session_id)


async def forget_sessions(ctx: Ctx) -> int:
    """Delete the sessions of operators that were over long ago; gives how many there were."""
    return await rows.delete_sessions(ctx.db, ctx.now - timedelta(hours=2 * ABSOLUTE_HOURS))


# -- what calls leave behind


async def record_act(ctx: OperatorCtx, verb: str, subject: str | None, about: Mapping[str, Any]) -> None:
    """Write down what an operator does, in the transaction that does it.

    `subject` is the merchant or user that it is done to, None where it is everybody; `about` are the ids of the
    things that it is about, and never a text that somebody wrote.
    """
    assert ctx.token_id is not None, "an operator calls with a token, or is signed in by a session"
    await rows.insert_act(ctx.db, ctx.now, ctx.actor.id, ctx.token_id, verb, subject, about)
    await audit.record(ctx, f"operator.{verb}", subject, **about)


async def list_acts(ctx: Ctx, limit: int, subject: str | None = None) -> list[Act]:
    """The latest acts of all operators, or those on one merchant or user, the newest first."""
    return await rows.list_acts(ctx.db, limit, subject)


async def take_key(ctx: OperatorCtx, key: str, asked: bytes) -> bytes | None:
    """Take a key for this transaction, before anything else; gives the answer where the call was done before.

    `asked` is the fingerprint of what is asked for, 32 bytes. Waits some moments for a call with the same key.
    Raises KeyReused, KeyInUse.
    """
    verdict, answer = await rows.take_key(ctx.db, ctx.actor.id, key, asked, ctx.now, ctx.now - KEY_KEPT)
    if verdict == "other":
        raise failures.KeyReused(key=key)
    if verdict == "running":
        raise failures.KeyInUse(key=key)
    return answer


async def keep_answer(ctx: OperatorCtx, key: str, answer: bytes) -> None:
    """Keep the answer to the call whose key this transaction has taken."""
    await rows.keep_answer(ctx.db, ctx.actor.id, key, answer)


async def forget_old_keys(ctx: Ctx) -> int:
    """Delete the keys whose answers are not good any more; gives how many."""
    return await rows.delete_keys(ctx.db, ctx.now - KEY_KEPT)
