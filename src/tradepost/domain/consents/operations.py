"""Giving consent, and what apps do with it: exchange, refresh, revoke, look up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from tradepost.domain import access, audit, inbox
from tradepost.domain.access import App, fingerprint
from tradepost.domain.consents import failures, rows
from tradepost.domain.consents.consent import (
    CODE_SECONDS,
    LIFE_DAYS,
    REPEAT_SECONDS,
    Consent,
    NewConsent,
    Tokens,
    check_verifier,
    judge_code,
    judge_refresh,
)
from tradepost.domain.context import By, Ctx

REUSED_TOPIC: Final = "app_ended"
"""What a merchant is told when something of an app came again that is good once: somebody else may have it."""
ACCESS_LIFE: Final = timedelta(days=access.TOKEN_DAYS)


@dataclass(frozen=True, slots=True)
class Introspection:
    """What a token is, to the app that it was issued to."""

    kind: str
    account_id: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime


async def give(ctx: Ctx, app: App, new: NewConsent, consent_id: str | None = None, code: str | None = None) -> str:
    """Let an app in; gives the code that it exchanges for tokens, once and within a minute.

    Whether it may ask was checked before. The same `consent_id` twice is the same consent: that gives the same code
    where the caller made it of the same secret, and raises CodeUsed where it cannot be exchanged any more.
    """
    consent_id, code = consent_id or ctx.new_id(), code or access.new_code()
    is_new = await rows.insert(
        ctx.db,
        app.service,
        consent_id,
        app.id,
        new,
        fingerprint(code),
        ctx.now,
        timedelta(seconds=CODE_SECONDS),
        timedelta(days=LIFE_DAYS),
    )
    if not is_new and not await rows.code_is_good(ctx.db, new.account_id, consent_id, ctx.now):
        raise failures.CodeUsed
    if is_new:
        told = {"service": app.service, "app_id": app.id, "consent_id": consent_id, "user_id": new.user_id}
        await audit.record(ctx, "consent.given", new.account_id, **told, scopes=" ".join(new.scopes))
    return code


async def exchange_code(ctx: Ctx, app: App, code: str, redirect_uri: str, verifier: str | None) -> Tokens:
    """The first pair of tokens for a code.

    The access token lives 30 days from the consent on. Raises CodeUnknown, CodeExpired, RedirectRefused,
    VerifierRefused, OwnerSuspended; and CodeUsed for a code that comes again, whose tokens are taken back.
    """
    if not access.looks_right(code, access.CODE_PREFIX):
        raise failures.CodeUnknown
    owner = await access.bind_by(ctx, app.service, "code", code)
    consent = await rows.hold_by_code(ctx.db, owner.account_id, fingerprint(code)) if owner else None
    if owner is None or consent is None or consent.app_id != app.id:
        raise failures.CodeUnknown
    if redirect_uri != consent.redirect_uri:
        raise failures.RedirectRefused
    check_verifier(consent.challenge, verifier)
    verdict = judge_code(consent, ctx.now)
    if verdict == "used":
        await _alarm(ctx, app, consent, "code_reused")
        raise failures.CodeUsed
    if verdict == "expired":
        raise failures.CodeExpired
    if owner.suspended:
        raise failures.OwnerSuspended
    await rows.use_code(ctx.db, consent.account_id, consent.id, ctx.now)
    pair = access.new_token(), access.new_refresh_token()
    return await _keep(ctx, consent, owner.name, pair, consent.started_at + ACCESS_LIFE)


async def refresh(ctx: Ctx, app: App, refresh_token: str) -> Tokens:
    """A new pair of tokens for a refresh token; the access tokens before are taken back.

    For a minute the same token gives the same pair again, so that a lost answer locks nobody out: the new pair is
    made of the old token and a seed, and only the seed is kept. Raises RefreshUnknown, RefreshExpired,
    RefreshRevoked, OwnerSuspended; and RefreshReused for one that comes again later, which ends its whole family.
    """
    if not access.looks_right(refresh_token, access.REFRESH_PREFIX):
        raise failures.RefreshUnknown
    owner = await access.bind_by(ctx, app.service, "refresh", refresh_token)
    held = await rows.hold_by_refresh(ctx.db, owner.account_id, fingerprint(refresh_token)) if owner else None
    if owner is None or held is None or held[0].app_id != app.id:
        raise failures.RefreshUnknown
    consent, token = held
    if consent.ended_at is not None:
        raise failures.RefreshRevoked
    if ctx.now >= consent.expires_at:
        raise failures.RefreshExpired
    if owner.suspended:
        raise failures.OwnerSuspended
    verdict = judge_refresh(token["used_at"], token["seed"] is not None, ctx.now)
    if verdict == "reused":
        await _alarm(ctx, app, consent, "refresh_reused")
        raise failures.RefreshReused
    if verdict == "repeat":
        return await _again(ctx, app, consent, owner.name, refresh_token, token)
    seed = access.new_seed()
    await rows.use_refresh(ctx.db, consent.account_id, token["id"], seed, ctx.now)
    await access.revoke_of_consent(ctx, consent.account_id, consent.id)
    expires_at = min(ctx.now + ACCESS_LIFE, consent.expires_at)
    return await _keep(ctx, consent, owner.name, _successors(refresh_token, seed), expires_at)


async def revoke(ctx: Ctx, app: App, token: str) -> None:
    """Take back an access token of this app, or with a refresh token all that follows from its consent.

    Nothing happens to what is none, or another app's: RFC 7009, section 2.2.
    """
    ctx = _by_app(ctx, app)
    if access.looks_right(token, access.REFRESH_PREFIX):
        owner = await access.bind_by(ctx, app.service, "refresh", token)
        held = await rows.hold_by_refresh(ctx.db, owner.account_id, fingerprint(token)) if owner else None
        if held is not None and held[0].app_id == app.id:
            await _end(ctx, held[0], "revoked")
    elif access.looks_right(token) and (owner := await access.bind_by(ctx, app.service, "access", token)):
        found = await access.find_token(ctx, owner.account_id, token)
        if found is not None and found.app_id == app.id:
            await access.revoke_token(ctx, token)


async def introspect(ctx: Ctx, app: App, token: str) -> Introspection | None:
    """What a token of this app is; None for what is none, another app's, or not good any more: RFC 7662."""
    if access.looks_right(token):
        owner = await access.bind_by(ctx, app.service, "access", token)
        found = await access.find_token(ctx, owner.account_id, token) if owner else None
        if owner is None or found is None or found.app_id != app.id or owner.suspended:
            return None
        if found.revoked_at is not None or ctx.now >= found.expires_at:
            return None
        return Introspection("access", owner.account_id, tuple(found.scopes), found.created_at, found.expires_at)
    if not access.looks_right(token, access.REFRESH_PREFIX):
        return None
    owner = await access.bind_by(ctx, app.service, "refresh", token)
    held = await rows.hold_by_refresh(ctx.db, owner.account_id, fingerprint(token)) if owner else None
    if owner is None or held is None or held[0].app_id != app.id or owner.suspended:
        return None
    consent, kept = held
    if consent.ended_at is not None or ctx.now >= consent.expires_at or kept["used_at"] is not None:
        return None
    return Introspection("refresh", owner.account_id, tuple(consent.scopes), consent.started_at, consent.expires_at)


async def withdraw(ctx: Ctx, account_id: str, app_id: str) -> int:
    """End everything that an account agreed to with an app; gives how many consents that were."""
    found = await rows.open_consents(ctx.db, account_id, app_id)
    for row in found:
        await rows.end(ctx.db, account_id, row["id"], "withdrawn", ctx.now)
        await access.revoke_of_consent(ctx, account_id, row["id"])
        await audit.record(ctx, "consent.withdrawn", account_id, app_id=app_id, consent_id=row["id"])
    return len(found)


async def list_given(ctx: Ctx, account_id: str) -> list[Any]:
    """What an account has agreed to and not ended, the latest first: id, app_id, name, scopes, created_at."""
    return await rows.open_consents(ctx.db, account_id, None)


async def apps_let_in(ctx: Ctx, service: str, account_id: str) -> set[str]:
    """The apps that an account lets act for it at the moment."""
    return set(await rows.apps_let_in(ctx.db, service, account_id, ctx.now))


async def find_maker(ctx: Ctx, app: App) -> str | None:
    """What the account that made an app is called, for whoever is asked to let it in; None for an operator's."""
    return await rows.find_maker(ctx.db, app.service, app.id)


async def forget_seeds(ctx: Ctx) -> int:
    """Forget what answers could be repeated with, where their time is over; gives how many there were."""
    return await rows.forget_seeds(ctx.db, ctx.now - timedelta(seconds=REPEAT_SECONDS))


async def _end(ctx: Ctx, consent: Consent, because: str) -> None:
    await rows.end(ctx.db, consent.account_id, consent.id, because, ctx.now)
    await access.revoke_of_consent(ctx, consent.account_id, consent.id)
    if consent.ended_at is None:
        told = {"app_id": consent.app_id, "consent_id": consent.id, "because": because}
        await audit.record(ctx, "consent.ended", consent.account_id, **told)


def _by_app(ctx: Ctx, app: App) -> Ctx:
    """The same context, in which an app acts that showed its secret."""
    return replace(ctx, by=By("app", app.id))


async def _alarm(ctx: Ctx, app: App, consent: Consent, because: str) -> None:
    """End a family, and tell the account, once: what is only good once came again."""
    if consent.ended_at is None:
        about = {"app_id": app.id, "app": app.name}
        await inbox.tell_account(ctx, app.service, consent.account_id, REUSED_TOPIC, about)
    await _end(_by_app(ctx, app), consent, because)


async def _keep(ctx: Ctx, consent: Consent, name: str, pair: tuple[str, str], expires_at: datetime) -> Tokens:
    access_token, refresh_token = pair
    account_id, scopes = consent.account_id, tuple(consent.scopes)
    assert await access.follow_consent(ctx, account_id, consent.id, access_token, expires_at), (
        "nothing was agreed to"
    )
    await rows.insert_refresh(ctx.db, account_id, ctx.new_id(), consent.id, fingerprint(refresh_token), ctx.now)
    return Tokens(access_token, refresh_token, expires_at, account_id, name, consent.user_id, scopes)


async def _again(ctx: Ctx, app: App, consent: Consent, name: str, refresh_token: str, token: Any) -> Tokens:
    """The answer that was given before; where its refresh token was used meanwhile, nobody can have lost it."""
    access_token, following = _successors(refresh_token, token["seed"])
    held = await rows.hold_by_refresh(ctx.db, consent.account_id, fingerprint(following))
    found = await access.find_token(ctx, consent.account_id, access_token)
    if held is None or held[1]["used_at"] is not None or found is None:
        await _alarm(ctx, app, consent, "refresh_reused")
        raise failures.RefreshReused
    return Tokens(
        access_token,
        following,
        found.expires_at,
        consent.account_id,
        name,
        consent.user_id,
        tuple(consent.scopes),
    )


def _successors(refresh_token: str, seed: bytes) -> tuple[str, str]:
    return (
        access.made_of(access.ACCESS_PREFIX, refresh_token, seed),
        access.made_of(access.REFRESH_PREFIX, refresh_token, seed),
    )
