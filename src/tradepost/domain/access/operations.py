"""Letting callers in, and what an operator does about apps and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn, Protocol

from tradepost.domain import audit
from tradepost.domain.access import failures, rows
from tradepost.domain.access.app import App, NewApp, check_new
from tradepost.domain.access.token import (
    OPERATOR_PREFIX,
    fingerprint,
    looks_right,
    new_secret,
    new_token,
    same,
)
from tradepost.domain.context import Ctx, Merchant, Operator, Rows, Shipper
from tradepost.values import Page

OPERATORS = "operator"
"""The service that operators call."""
TOKEN_DAYS = 30
MOST_DAYS = 3650
OLD_SECRET_HOURS = 24

_VERDICTS = {
    "unknown": failures.TokenUnknown,
    "revoked": failures.TokenRevoked,
    "expired": failures.TokenExpired,
    "suspended": failures.AccountSuspended,
}


class CountedLimit(Protocol):
    """A rate limit as somebody declared it: so many calls in a window, counted at a level within a group."""

    @property
    def group(self) -> str:
        """Calls of one group share a counter."""

    @property
    def level(self) -> str:
        """Whose calls are counted together."""

    @property
    def limit(self) -> int:
        """Calls per window."""

    @property
    def seconds(self) -> int:
        """The length of a window."""


class Asked(Protocol):
    """Who wants in to what."""

    @property
    def service(self) -> str:
        """The service that is called."""

    @property
    def token(self) -> str:
        """What the caller shows."""

    @property
    def scope(self) -> str | None:
        """What the token must open; None where any token will do."""

    @property
    def limits(self) -> Sequence[CountedLimit]:
        """The limits that this call counts against."""

    @property
    def client(self) -> str:
        """The caller's address."""

    @property
    def agent(self) -> str:
        """The program that calls."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody who was let in: who, when, and how many calls he has left in this window."""

    actor: Merchant | Shipper | Operator | None
    """None where nobody showed a token."""
    now: datetime
    remaining: int
    token_id: str | None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a secret is, and what time it is in this world."""

    account_id: str
    name: str
    locale: str
    suspended: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class TokenLine:
    """An access token as it is kept; `consent_id` is None for one that an operator issued."""

    id: str
    app_id: str
    consent_id: str | None
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


async def admit(db: Rows, asked: Asked) -> Admission:
    """Judge a token, count the call and bind the connection to the account, in one round trip.

    Raises what is wrong with the token, ScopeMissing, or RateLimitReached; the connection is then bound to
    nobody. A text that cannot be a token raises TokenForged without a round trip.
    """
    if asked.service == OPERATORS:
        return await _admit_operator(db, asked)
    if not looks_right(asked.token):
        raise failures.TokenForged
    row = await rows.admit(db, asked.service, fingerprint(asked.token), asked.scope, *_counted(asked))
    verdict = row["verdict"]
    if verdict != "ok":
        _refuse(verdict, asked, row["level"], row["reset"])
    actor: Merchant | Shipper
    if asked.service == "merchant":
        actor = Merchant(row["account_id"], row["name"], row["currency"], row["payment_currency"], row["locale"])
    else:
        actor = Shipper(row["account_id"], row["name"], row["locale"])
    return Admission(actor, row["at"], row["remaining"], row["token_id"])


async def _admit_operator(db: Rows, asked: Asked) -> Admission:
    """The same for an operator, whose calls are counted against the first limit; binds the connection to nobody."""
    if not looks_right(asked.token, OPERATOR_PREFIX):
        raise failures.TokenForged
    limit = asked.limits[0]
    token = fingerprint(asked.token)
    row = await rows.admit_operator(db, token, asked.scope, _counter(asked, limit), limit.limit, limit.seconds)
    if row["verdict"] != "ok":
        _refuse(row["verdict"], asked, limit.level, row["reset"])
    actor = Operator(row["account_id"], row["name"], row["locale"])
    return Admission(actor, row["at"], row["remaining"], row["token_id"])


def _counted(asked: Asked) -> tuple[list[str], list[str], list[int], list[int], str, str]:
    """The limits of a call column by column, as the database counts them, and who calls with what."""
    limits = asked.limits
    return (
        [limit.level for limit in limits],
        [_counter(asked, limit) for limit in limits],
        [limit.limit for limit in limits],
        [limit.seconds for limit in limits],
        asked.client[:64],
        asked.agent,
    )


def _counter(asked: Asked, limit: CountedLimit) -> str:
    """How the name of a counter begins; whose calls it counts follows."""
    return f"{asked.service}/{limit.group}/{limit.level}:"


def _refuse(verdict: str, asked: Asked, level: str | None, reset: datetime | None) -> NoReturn:
    if verdict == "scope":
        raise failures.ScopeMissing(scope=asked.scope or "")
    if verdict == "limited":
        limit = next(limit for limit in asked.limits if limit.level == level)
        raise failures.BY_LEVEL[limit.level](limit=limit.limit, seconds=limit.seconds, reset=reset)
    raise _VERDICTS[verdict]


async def admit_anybody(db: Rows, asked: Asked) -> Admission:
    """Count a call that shows no token, and bind the connection to nobody. Raises RateLimitReached."""
    row = await rows.admit_anybody(db, *_counted(asked))
    if row["verdict"] != "ok":
        _refuse(row["verdict"], asked, row["level"], row["reset"])
    return Admission(None, row["at"], row["remaining"], None)


async def add_app(ctx: Ctx, service: str, new: NewApp, secret: str | None = None) -> tuple[str, str]:
    """Add an app to a service; gives its id and its secret (a new one without `secret`), shown this once.

    Raises AppNameUnusable, RedirectUnusable.
    """
    check_new(new)
    app_id, secret = ctx.new_id(), secret or new_secret()
    await rows.insert_app(ctx.db, service, app_id, new, fingerprint(secret), ctx.now)
    await audit.record(ctx, "app.added", new.owner_id, service=service, app_id=app_id)
    return app_id, secret


async def find_app(ctx: Ctx, service: str, app_id: str) -> App:
    """An app of a service; raises AppUnknown."""
    app = await rows.find_app(ctx.db, service, app_id)
    if app is None:
        raise failures.AppUnknown(app_id=app_id[:64])
    return app


async def page_apps(ctx: Ctx, service: str, after: str, limit: int) -> tuple[list[App], bool]:
    """Some apps of a service behind an id ("" for the first), in the order of their ids; whether there are more."""
    return await rows.page_apps(ctx.db, service, after, limit)


async def waiting_apps(ctx: Ctx, service: str, limit: int) -> tuple[list[App], bool]:
    """The apps that wait to be verified, those that have waited the longest first; whether there are more."""
    return await rows.waiting_apps(ctx.db, service, limit)


async def authenticate_app(ctx: Ctx, service: str, app_id: str, secret: str) -> App:
    """The app that shows this id and this secret; raises ClientRefused, AppDisabled.

    After a secret was replaced the one before is good for a day, so that no app has to change in the same second.
    """
    app = await rows.find_app(ctx.db, service, app_id)
    if app is None:
        raise failures.ClientRefused
    told = fingerprint(secret)
    is_good = same(told, app.secret_hash)
    if app.old_secret_hash is not None and app.old_secret_expires_at is not None:
        is_good |= same(told, app.old_secret_hash) and ctx.now < app.old_secret_expires_at
    if not is_good:
        raise failures.ClientRefused
    if app.disabled:
        raise failures.AppDisabled
    return app


async def disable_app(ctx: Ctx, service: str, app_id: str, disabled: bool = True) -> None:
    """Keep an app and all its tokens out, or let it in again; raises AppUnknown."""
    if not await rows.set_disabled(ctx.db, service, app_id, ctx.now if disabled else None):
        raise failures.AppUnknown(app_id=app_id)
    await audit.record(ctx, "app.disabled" if disabled else "app.enabled", service=service, app_id=app_id)


async def replace_secret(ctx: Ctx, service: str, app_id: str) -> str:
    """Give an app a new secret, shown this once; the one before is good for a day. Raises AppUnknown."""
    secret = new_secret()
    until = ctx.now + timedelta(hours=OLD_SECRET_HOURS)
    if not await rows.replace_secret(ctx.db, service, app_id, fingerprint(secret), until):
        raise failures.AppUnknown(app_id=app_id)
    await audit.record(ctx, "app.secret_replaced", service=service, app_id=app_id)
    return secret


async def bind_by(ctx: Ctx, service: str, kind: str, secret: str) -> Owner | None:
    """Whose a `code`, a `refresh` or `access` token or a `session` is; None for nobody's.

    Binds the connection to the account until the end of the transaction.
    """
    row = await rows.bind_by(ctx.db, service, kind, fingerprint(secret))
    if row["account_id"] is None:
        return None
    return Owner(row["account_id"], row["name"], row["locale"], row["suspended"], row["at"])


async def issue_token(
    ctx: Ctx,
    service: str,
    account_id: str,
    app_id: str,
    scopes: Sequence[str],
    days: float = TOKEN_DAYS,
    token: str | None = None,
) -> str:
    """Issue an access token by hand that lives so many days; gives it (a new one without `token`), shown this once.

    Raises AppUnknown, LifetimeUnusable.
    """
    if not 0 < days <= MOST_DAYS:
        raise failures.LifetimeUnusable(days=days, most=MOST_DAYS)
    if not await rows.app_exists(ctx.db, service, app_id):
        raise failures.AppUnknown(app_id=app_id)
    token = token or new_token()
    expires_at, token_id = ctx.now + timedelta(days=days), ctx.new_id()
    await rows.insert_token(
        ctx.db, service, account_id, token_id, app_id, fingerprint(token), list(scopes), ctx.now, expires_at
    )
    await audit.record(ctx, "token.issued", account_id, service=service, app_id=app_id, token_id=token_id)
    return token


async def follow_consent(ctx: Ctx, account_id: str, consent_id: str, token: str, expires_at: datetime) -> bool:
    """Let an access token be good for what was agreed to; whether there is such a consent of the bound account."""
    return await rows.follow_consent(
        ctx.db, account_id, consent_id, ctx.new_id(), fingerprint(token), ctx.now, expires_at
    )


async def revoke_of_consent(ctx: Ctx, account_id: str, consent_id: str) -> None:
    """Take back every access token that follows from a consent."""
    await rows.revoke_of_consent(ctx.db, account_id, consent_id, ctx.now)


async def calling_app(ctx: Ctx) -> str:
    """The id of the app whose token the call came with."""
    assert ctx.token_id is not None  # nobody else calls for an account
    return await rows.app_of_token(ctx.db, ctx.actor.id, ctx.token_id)


async def find_token(ctx: Ctx, account_id: str, token: str) -> TokenLine | None:
    """An access token of an account, whatever it is worth; None where there is none."""
    row = await rows.find_token(ctx.db, account_id, fingerprint(token))
    return None if row is None else TokenLine(**dict(row))


async def list_tokens(ctx: Ctx, account_id: str, page: Page) -> tuple[list[TokenLine], bool]:
    """The access tokens of the bound account that are good now, the latest first, and whether there are more."""
    found = await rows.list_tokens(ctx.db, account_id, ctx.now, page)
    return [TokenLine(**dict(row)) for row in found[: page.limit]], len(found) > page.limit


async def revoke_own_token(ctx: Ctx, account_id: str, token_id: str) -> bool:
    """Take a token of the bound account back at once; whether there was one that was not taken back yet."""
    app_id = await rows.revoke_own_token(ctx.db, account_id, token_id, ctx.now)
    if app_id is not None:
        await audit.record(ctx, "token.revoked", account_id, app_id=app_id, token_id=token_id)
    return app_id is not None


async def revoke_token(ctx: Ctx, token: str) -> bool:
    """Take a token back at once; whether there was one that was still good."""
    taken = await rows.revoke_token(ctx.db, fingerprint(token), ctx.now)
    if taken is not None:
        await audit.record(ctx, "token.revoked", taken["account_id"], app_id=taken["app_id"], token_id=taken["id"])
    return taken is not None


async def forget_old_windows(ctx: Ctx) -> int:
    """Delete the counters of windows that ended long ago; gives how many there were."""
    return await rows.delete_windows(ctx.db, timedelta(hours=2))
