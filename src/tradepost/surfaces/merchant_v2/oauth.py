"""Chapter *OAuth2*: from consent to tokens, in the shapes of both versions.

The v2 calls answer and fail as connectors of their time expect; the v3 calls have a code for each fault.
The facts of real traffic tell which; where they are silent, docs/api-design.md does.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import unquote

from msgspec import Struct

from tradepost.domain.access import failures as a
from tradepost.domain.consents import Tokens
from tradepost.domain.consents import failures as c
from tradepost.domain.context import Ctx
from tradepost.domain.failure import Failure
from tradepost.surfaces import oauth as o
from tradepost.surfaces.merchant_v2 import failures as f
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Client
from tradepost.wire.params import Doc, LookedUp

SERVICE: Final = "merchant"
LIMITS: Final = (RateLimit("oauth", "ip", 1_200, 60),)
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

RedirectUri = Annotated[str, LookedUp(1_000), Doc("The redirect URL that the code came back to.")]


class OldTokens(Struct):
    """A pair of tokens. `expires_in` is in seconds, `expiry_time` in seconds since 1970."""

    PYTHON_IN_XML: ClassVar = True
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
    code: o.Code,
    grant_type: o.CodeGrant,
    redirect_uri: RedirectUri,
    code_verifier: o.Verifier | None = None,
    client: Client,
) -> OldTokens:
    """Retrieve an access token (v2).

    A code is good once and for a minute. The access token lives 30 days, counted from the consent.
    """
    asked = o.exchange(ctx, SERVICE, client, grant_type, code, _once_encoded(redirect_uri), code_verifier)
    return _old(ctx, await _in_old_words(asked))


@api.write("/oauth/refresh_token", open=True, limits=LIMITS, fails=OLD_FAILS)
async def refresh_old_token(
    ctx: Ctx, *, grant_type: o.RefreshGrant, refresh_token: o.RefreshToken, client: Client
) -> OldTokens:
    """Refresh an access token (v2).

    The access token before is revoked, and the refresh token is replaced by the one of the answer. For a minute the
    same call gives the same answer again; a refresh token that comes back later revokes everything.
    """
    return _old(ctx, await _in_old_words(o.refresh(ctx, SERVICE, client, grant_type, refresh_token)))


@api.write("/api/v3/oauth/access_token", method="GET", open=True, limits=LIMITS, fails=o.CODE_FAILS)
async def get_access_token(
    ctx: Ctx,
    *,
    code: o.Code,
    grant_type: o.CodeGrant,
    redirect_uri: RedirectUri,
    code_verifier: o.Verifier | None = None,
    client: Client,
) -> NewTokens:
    """Retrieve an access token.

    A code is good once and for a minute. The access token lives 30 days, counted from the consent.
    """
    return _new(await o.exchange(ctx, SERVICE, client, grant_type, code, redirect_uri, code_verifier))


@api.write("/api/v3/oauth/refresh_token", method="GET", open=True, limits=LIMITS, fails=o.REFRESH_FAILS)
async def refresh_access_token(
    ctx: Ctx, *, grant_type: o.RefreshGrant, refresh_token: o.RefreshToken, client: Client
) -> NewTokens:
    """Refresh an access token.

    The access token before is revoked, and the refresh token is replaced by the one of the answer. For a minute the
    same call gives the same answer again; a refresh token that comes back later revokes everything.
    """
    return _new(await o.refresh(ctx, SERVICE, client, grant_type, refresh_token))


@api.write("/api/v3/oauth/revoke_token", open=True, limits=LIMITS, fails=o.CLIENT_FAILS)
async def revoke_token(ctx: Ctx, *, token: o.AnyToken, client: Client) -> o.Nothing:
    """Revoke a token.

    With a refresh token everything that follows from its consent is revoked. A token that is none, or another
    app's, is no error (RFC 7009).
    """
    return await o.revoke(ctx, SERVICE, client, token)


@api.write("/api/v3/oauth/introspect_token", open=True, limits=LIMITS, fails=o.CLIENT_FAILS)
async def introspect_token(ctx: Ctx, *, token: o.AnyToken, client: Client) -> o.TokenState:
    """See what a token is.

    Only the app that a token was issued to hears more of it than that it is not active (RFC 7662).
    """
    return await o.introspect(ctx, SERVICE, client, token)


async def _in_old_words(call: Coroutine[Any, Any, Tokens]) -> Tokens:
    try:
        return await call
    except tuple(_OLD) as failure:
        raise _OLD[type(failure)] from failure


def _once_encoded(uri: str) -> str:
    """A URL as it was meant: one connector encoded it twice, and no absolute URL is without these signs."""
    return uri if "://" in uri else unquote(uri)


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
