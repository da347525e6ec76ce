"""Chapter *OAuth2*: from consent to tokens, in the shapes of both versions.

The v2 calls answer and fail as connectors of their time expect; the v3 calls have a code for each fault.
The facts of real traffic tell which; where they are silent, docs/api-design.md does.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Annotated, Any, Final

from msgspec import Struct

from tradepost.domain import access, consents
from tradepost.domain.access import failures as a
from tradepost.domain.consents import Tokens
from tradepost.domain.consents import failures as c
from tradepost.domain.context import Ctx
from tradepost.domain.failure import Failure
from tradepost.surfaces.merchant_v2 import failures as f
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.surfaces.oauth import Nothing, TokenState, token_state
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Client
from tradepost.wire.params import Doc, LookedUp

SERVICE: Final = "merchant"
LIMITS: Final = (RateLimit("oauth", "ip", 1_200, 60),)
CLIENT_FAILS: Final = (a.ClientRefused, a.AppDisabled)
CODE_FAILS: Final = (
    *CLIENT_FAILS,
    c.GrantTypeWrong,
    c.RedirectRefused,
    c.CodeUnknown,
    c.CodeExpired,
    c.CodeUsed,
    c.VerifierRefused,
    c.OwnerSuspended,
)
REFRESH_FAILS: Final = (
    *CLIENT_FAILS,
    c.GrantTypeWrong,
    c.RefreshUnknown,
    c.RefreshExpired,
    c.RefreshRevoked,
    c.RefreshReused,
    c.OwnerSuspended,
)
OLD_FAILS: Final = (f.OldClientRefused, f.OldGrantExpired, f.OldGrantOver, c.GrantTypeWrong)
# What the v2 calls say instead: their connectors know three codes, of which two mean that consent is asked again.
_OLD: Final[dict[type[Failure], type[Failure]]] = {
    a.ClientRefused: f.OldClientRefused,
    a.AppDisabled: f.OldClientRefused,
    c.RedirectRefused: f.OldClientRefused,
    c.CodeUnknown: f.OldClientRefused,
    c.RefreshUnknown: f.OldClientRefused,
    c.RefreshExpired: f.OldGrantExpired,
    c.CodeExpired: f.OldGrantOver,
    c.CodeUsed: f.OldGrantOver,
    c.RefreshRevoked: f.OldGrantOver,
    c.RefreshReused: f.OldGrantOver,
    c.OwnerSuspended: a.AccountSuspended,
}

CodeGrant = Annotated[str, LookedUp(64), Doc("The string `authorization_code`.")]
RefreshGrant = Annotated[str, LookedUp(64), Doc("The string `refresh_token`.")]
Code = Annotated[str, LookedUp(200), Doc("The authorization code that you received.")]
RedirectUri = Annotated[str, LookedUp(1_000), Doc("The redirect URL that the code came back to.")]
Verifier = Annotated[str, LookedUp(200), Doc("The verifier of PKCE, if the code was asked for with a challenge.")]
RefreshToken = Annotated[str, LookedUp(200), Doc("The refresh token.")]
AnyToken = Annotated[str, LookedUp(200), Doc("An access token or a refresh token.")]


class OldTokens(Struct):
    """A pair of tokens. `expires_in` is in seconds, `expiry_time` in seconds since 1970."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    expiry_time: int
    merchant_user_id: str


class NewTokens(Struct):
    """A pair of tokens. `expiry_time` is when the access token ends, such as 2021-06-18T16:37:00.000+00:00."""

    access_token: str
    refresh_token: str
    merchant_id: str
    scopes: list[str]
    expiry_time: str


@api.write("/oauth/access_token", open=True, limits=LIMITS, fails=[*OLD_FAILS, c.VerifierRefused])
async def get_old_token(
    ctx: Ctx,
    *,
    code: Code,
    grant_type: CodeGrant,
    redirect_uri: RedirectUri,
    code_verifier: Verifier | None = None,
    client: Client,
) -> OldTokens:
    """Retrieve an access token (v2).

    A code is good once and for a minute. The access token lives 30 days, counted from the consent.
    """
    return _old(ctx, await _in_old_words(_exchange(ctx, client, grant_type, code, redirect_uri, code_verifier)))


@api.write("/oauth/refresh_token", open=True, limits=LIMITS, fails=OLD_FAILS)
async def refresh_old_token(
    ctx: Ctx, *, grant_type: RefreshGrant, refresh_token: RefreshToken, client: Client
) -> OldTokens:
    """Refresh an access token (v2).

    The access token before is revoked, and the refresh token is replaced by the one of the answer. For a minute the
    same call gives the same answer again; a refresh token that comes back later revokes everything.
    """
    return _old(ctx, await _in_old_words(_refresh(ctx, client, grant_type, refresh_token)))


@api.write("/api/v3/oauth/access_token", method="GET", open=True, limits=LIMITS, fails=CODE_FAILS)
async def get_access_token(
    ctx: Ctx,
    *,
    code: Code,
    grant_type: CodeGrant,
    redirect_uri: RedirectUri,
    code_verifier: Verifier | None = None,
    client: Client,
) -> NewTokens:
    """Retrieve an access token.

    A code is good once and for a minute. The access token lives 30 days, counted from the consent.
    """
    return _new(await _exchange(ctx, client, grant_type, code, redirect_uri, code_verifier))


@api.write("/api/v3/oauth/refresh_token", method="GET", open=True, limits=LIMITS, fails=REFRESH_FAILS)
async def refresh_access_token(
    ctx: Ctx, *, grant_type: RefreshGrant, refresh_token: RefreshToken, client: Client
) -> NewTokens:
    """Refresh an access token.

    The access token before is revoked, and the refresh token is replaced by the one of the answer. For a minute the
    same call gives the same answer again; a refresh token that comes back later revokes everything.
    """
    return _new(await _refresh(ctx, client, grant_type, refresh_token))


@api.write("/api/v3/oauth/revoke_token", open=True, limits=LIMITS, fails=CLIENT_FAILS)
async def revoke_token(ctx: Ctx, *, token: AnyToken, client: Client) -> Nothing:
    """Revoke a token.

    With a refresh token everything that follows from its consent is revoked. A token that is none, or another
    app's, is no error (RFC 7009).
    """
    await consents.revoke(ctx, await access.authenticate_app(ctx, SERVICE, client.id, client.secret), token)
    return Nothing()


@api.write("/api/v3/oauth/introspect_token", open=True, limits=LIMITS, fails=CLIENT_FAILS)
async def introspect_token(ctx: Ctx, *, token: AnyToken, client: Client) -> TokenState:
    """See what a token is.

    Only the app that a token was issued to hears more of it than that it is not active (RFC 7662).
    """
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    return token_state(app, await consents.introspect(ctx, app, token))


async def _exchange(
    ctx: Ctx, client: Client, grant_type: str, code: str, redirect_uri: str, verifier: str | None
) -> Tokens:
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    if grant_type != "authorization_code":
        raise c.GrantTypeWrong(wanted="authorization_code")
    return await consents.exchange_code(ctx, app, code, redirect_uri, verifier)


async def _refresh(ctx: Ctx, client: Client, grant_type: str, refresh_token: str) -> Tokens:
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    if grant_type != "refresh_token":
        raise c.GrantTypeWrong(wanted="refresh_token")
    return await consents.refresh(ctx, app, refresh_token)


async def _in_old_words(call: Coroutine[Any, Any, Tokens]) -> Tokens:
    try:
        return await call
    except tuple(_OLD) as failure:
        raise _OLD[type(failure)] from failure


def _old(ctx: Ctx, tokens: Tokens) -> OldTokens:
    return OldTokens(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        token_type="access_token",
        expires_in=tokens.seconds_left(ctx.now),
        expiry_time=int(tokens.expires_at.timestamp()),
        merchant_user_id=tokens.user_id,
    )


def _new(tokens: Tokens) -> NewTokens:
    return NewTokens(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        merchant_id=tokens.account_id,
        scopes=list(tokens.scopes),
        expiry_time=tokens.expires_at.isoformat(timespec="milliseconds"),
    )
