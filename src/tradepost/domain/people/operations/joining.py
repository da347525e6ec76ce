"""Signing up by mail, and a new password by mail or by the old one.

Nobody learns here who has an address: known and unknown ones are answered by the same statements, and only the
letter tells which it is. Letters go out by the outbox; the secret of their links is sealed on its way there.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from tradepost.domain import access, audit, outbox, shipping
from tradepost.domain.access import fingerprint
from tradepost.domain.context import By, Ctx
from tradepost.domain.people import failures, rows
from tradepost.domain.people.operations.signing import end_sessions
from tradepost.domain.people.person import RESET_MINUTES, SIGN_UP_HOURS, NewSignUp, Person, Signed
from tradepost.domain.sealing import SealingKeys

SIGN_UP_TOPIC: Final = "sign_up_asked"
KNOWN_TOPIC: Final = "sign_up_known"
RESET_TOPIC: Final = "reset_asked"
RESET_UNKNOWN_TOPIC: Final = "reset_unknown"
CHANGED_TOPIC: Final = "password_changed"
TOPICS: Final = (SIGN_UP_TOPIC, KNOWN_TOPIC, RESET_TOPIC, RESET_UNKNOWN_TOPIC, CHANGED_TOPIC)
"""What people get letters about that are no news of their shop."""


async def ask_sign_up(ctx: Ctx, new: NewSignUp, seals: SealingKeys, account_id: str, known: bool) -> None:
    """Keep what somebody asks for under a new account's id, to which the connection is bound, and mail him a link.

    Where the address is `known` the letter says so, and its link leads nowhere.
    """
    await rows.insert_sign_up(ctx.db, account_id, new, ctx.now)
    expires_at = ctx.now + timedelta(hours=SIGN_UP_HOURS)
    secret = await _link(ctx, "merchant", account_id, "sign_up", None, expires_at)
    topic = KNOWN_TOPIC if known else SIGN_UP_TOPIC
    # Without the name: whoever fills in the form may have typed somebody else's address, and a message to him.
    to = {"email": new.email, "name": "", "locale": new.locale}
    await _write(ctx, "merchant", account_id, topic, to, seals, secret)


async def see_link(ctx: Ctx, service: str, kind: str, secret: str) -> Any:
    """A mailed link that is good, kept from changing, with the transaction bound to its account.

    Raises LinkUnknown, LinkExpired, LinkUsed.
    """
    if not access.looks_right(secret, access.LINK_PREFIX):
        raise failures.LinkUnknown
    bound = await rows.bind_link(ctx.db, service, kind, fingerprint(secret))
    link = (
        None if bound["account_id"] is None else await rows.hold_link(ctx.db, bound["account_id"], bound["link_id"])
    )
    if link is None or (kind == "reset" and link["user_id"] is None):
        raise failures.LinkUnknown
    if link["used_at"] is not None:
        raise failures.LinkUsed
    if ctx.now >= link["expires_at"]:
        raise failures.LinkExpired
    return link


async def confirm_sign_up(ctx: Ctx, secret: str, client: str) -> str:
    """Open the shop that a link was mailed for; gives its id.

    Raises LinkUnknown, LinkExpired, LinkUsed, and AddressTaken where somebody else has the address by now.
    """
    link = await see_link(ctx, "merchant", "sign_up", secret)
    account_id, user_id = link["account_id"], ctx.new_id()
    await rows.use_link(ctx.db, account_id, link["id"], ctx.now)
    if not await rows.open_signed_up(ctx.db, user_id):
        raise failures.AddressTaken
    await shipping.open_warehouse(ctx, account_id)
    by = replace(ctx, by=By("person", user_id, client))
    await audit.record(by, "merchant.signed_up", account_id, user_id=user_id)
    return str(account_id)


async def ask_reset(
    ctx: Ctx, service: str, to: dict[str, str], seals: SealingKeys, account_id: str, user_id: str | None
) -> None:
    """Mail a link by which somebody can say his password anew; to an address that is nobody's that it is nobody's.

    `to` has email, name and locale. The connection is bound to the account, a made-up one where there is none.
    """
    expires_at = ctx.now + timedelta(minutes=RESET_MINUTES)
    secret = await _link(ctx, service, account_id, "reset", user_id, expires_at)
    topic = RESET_UNKNOWN_TOPIC if user_id is None else RESET_TOPIC
    await _write(ctx, service, account_id, topic, to, seals, secret)


async def reset_password(ctx: Ctx, service: str, secret: str, password_hash: str, client: str) -> None:
    """Let the password be another one by a mailed link, once; ends every session and every other such link.

    Raises LinkUnknown, LinkExpired, LinkUsed.
    """
    link = await see_link(ctx, service, "reset", secret)
    by = replace(ctx, by=By("person", link["user_id"], client))
    await _set_password(
        by, service, link["account_id"], link["user_id"], password_hash, None, "person.password_reset"
    )


async def person_of(ctx: Ctx, service: str, signed: Signed) -> tuple[Person, str]:
    """Whoever is signed in, with what is kept of his password, and his address; raises PersonUnknown."""
    found = await rows.person_by_id(ctx.db, service, signed.account_id, signed.user_id)
    if found is None:
        raise failures.PersonUnknown(account_id=signed.account_id)
    return found


async def change_password(ctx: Ctx, service: str, signed: Signed, password_hash: str) -> None:
    """Let the password be another one; ends every other session and every link that was mailed for a new one.

    That the old one was shown is the caller's to see to.
    """
    whose = signed.account_id, signed.user_id
    await _set_password(ctx, service, *whose, password_hash, signed.session_id, "person.password_changed")


async def prove(ctx: Ctx, signed: Signed) -> None:
    """Note that somebody has just shown his password or a code."""
    await rows.prove_session(ctx.db, signed.account_id, signed.session_id, ctx.now)


async def _set_password(
    ctx: Ctx, service: str, account_id: str, user_id: str, password_hash: str, but: str | None, verb: str
) -> None:
    await rows.set_password(ctx.db, service, account_id, user_id, password_hash)
    await rows.use_links(ctx.db, account_id, user_id, ctx.now)
    await audit.record(ctx, verb, account_id, user_id=user_id)
    await end_sessions(ctx, account_id, user_id, but)
    found = await rows.person_by_id(ctx.db, service, account_id, user_id)
    assert found is not None, "his password was just changed"
    person, email = found
    to = {"email": email, "name": person.name, "locale": person.locale}
    await outbox.record_event(ctx, account_id, CHANGED_TOPIC, {"to": to, "service": service})


async def _link(ctx: Ctx, service: str, account_id: str, kind: str, user_id: str | None, expires_at: Any) -> str:
    secret = access.new_link()
    await rows.insert_link(
        ctx.db, service, account_id, ctx.new_id(), kind, user_id, fingerprint(secret), ctx.now, expires_at
    )
    return secret


async def _write(
    ctx: Ctx, service: str, account_id: str, topic: str, to: dict[str, str], seals: SealingKeys, secret: str
) -> None:
    sealed = base64.b64encode(seals.seal(secret.encode(), outbox.seal_owner(account_id))).decode()
    await outbox.record_event(ctx, account_id, topic, {"to": to, "service": service, "sealed": sealed})
