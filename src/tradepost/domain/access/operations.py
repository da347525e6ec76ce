"""Letting callers in, and what an operator does about apps and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn, Protocol

from tradepost.domain.access import failures, rows
from tradepost.domain.access.token import fingerprint, looks_right, new_secret, new_token
from tradepost.domain.context import Ctx, Merchant, Rows, Shipper

TOKEN_DAYS = 30
MOST_DAYS = 3650

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

    actor: Merchant | Shipper
    now: datetime
    remaining: int
    token_id: str


async def admit(db: Rows, asked: Asked) -> Admission:
    """Judge a token, count the call and bind the connection to the account, in one round trip.

    Raises what is wrong with the token, ScopeMissing, or RateLimitReached; the connection is then bound to
    nobody. A text that cannot be a token raises TokenForged without a round trip.
    """
    if not looks_right(asked.token):
        raise failures.TokenForged
    limits = asked.limits
    row = await rows.admit(
        db,
        asked.service,
        fingerprint(asked.token),
        asked.scope,
        [limit.level for limit in limits],
        [f"{asked.service}/{limit.group}/{limit.level}:" for limit in limits],
        [limit.limit for limit in limits],
        [limit.seconds for limit in limits],
        asked.client[:64],
        asked.agent,
    )
    verdict = row["verdict"]
    if verdict != "ok":
        _refuse(verdict, asked, row["level"], row["reset"])
    actor: Merchant | Shipper
    if asked.service == "merchant":
        actor = Merchant(row["account_id"], row["name"], row["currency"], row["payment_currency"], row["locale"])
    else:
        actor = Shipper(row["account_id"], row["name"], row["locale"])
    return Admission(actor, row["at"], row["remaining"], row["token_id"])


def _refuse(verdict: str, asked: Asked, level: str | None, reset: datetime | None) -> NoReturn:
    if verdict == "scope":
        raise failures.ScopeMissing(scope=asked.scope or "")
    if verdict == "limited":
        limit = next(limit for limit in asked.limits if limit.level == level)
        raise failures.BY_LEVEL[limit.level](limit=limit.limit, seconds=limit.seconds, reset=reset)
    raise _VERDICTS[verdict]


async def add_app(
    ctx: Ctx, service: str, name: str, redirect_uri: str | None = None, secret: str | None = None
) -> tuple[str, str]:
    """Add an app to a service; gives its id and its secret (a new one without `secret`), shown this once."""
    if not name.strip() or not name.isprintable():
        raise failures.AppNameUnusable(name=name[:64])
    app_id, secret = ctx.new_id(), secret or new_secret()
    await rows.insert_app(ctx.db, service, app_id, name, fingerprint(secret), redirect_uri, ctx.now)
    return app_id, secret


async def issue_token(
    ctx: Ctx,
    service: str,
    account_id: str,
    app_id: str,
    scopes: Sequence[str],
    days: float = TOKEN_DAYS,
    token: str | None = None,
) -> str:
    """Issue an access token that lives so many days; gives the token (a new one without `token`), shown this once.

    Raises AppUnknown, LifetimeUnusable.
    """
    if not 0 < days <= MOST_DAYS:
        raise failures.LifetimeUnusable(days=days, most=MOST_DAYS)
    if not await rows.app_exists(ctx.db, service, app_id):
        raise failures.AppUnknown(app_id=app_id)
    token = token or new_token()
    expires_at = ctx.now + timedelta(days=days)
    await rows.insert_token(
        ctx.db, service, account_id, ctx.new_id(), app_id, fingerprint(token), list(scopes), ctx.now, expires_at
    )
    return token


async def revoke_token(ctx: Ctx, token: str) -> bool:
    """Take a token back at once; whether there was one that was still good."""
    return await rows.revoke_token(ctx.db, fingerprint(token), ctx.now)


async def forget_old_windows(ctx: Ctx) -> int:
    """Delete the counters of windows that ended long ago; gives how many there were."""
    return await rows.delete_windows(ctx.db, timedelta(hours=2))
