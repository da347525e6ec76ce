"""Chapter *OAuth2*: from consent to tokens, and whether a token is good."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Struct

from tradepost.domain.consents import Tokens
from tradepost.domain.context import Ctx, ShipperCtx
from tradepost.surfaces import oauth as o
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.surface import api
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Client
from tradepost.wire.params import Doc, LookedUp

SERVICE: Final = "wishpost"
LIMITS: Final = (RateLimit("oauth", "ip", 1_200, 60), RateLimit("oauth", "ip_agent", 1_200, 60))

RedirectUri = Annotated[str, LookedUp(1_000), Doc("The redirect URL that you specified when you created the app.")]


class TokenOwner(Struct):
    """Whose token it is."""

    user_id: str


class TokenAnswer(Struct):
    """A pair of tokens.

    `expires_in` is in seconds, `expiry_time` is the moment that the access token ends at.
    """

    username: str
    scopes: list[str]
    user_id: str
    access_token: str
    expires_in: int
    expiry_time: str
    refresh_token: str


@api.write("/oauth/access_token", method="GET", also=["POST"], open=True, limits=LIMITS, fails=o.CODE_FAILS)
async def get_access_token(
    ctx: Ctx,
    *,
    code: o.Code,
    grant_type: o.CodeGrant,
    redirect_uri: RedirectUri,
    code_verifier: o.Verifier | None = None,
    client: Client,
) -> TokenAnswer:
    """Retrieve an access token.

    A code is good once and for a minute. The access token lives 30 days, counted from the consent.
    """
    return told(ctx, await o.exchange(ctx, SERVICE, client, grant_type, code, redirect_uri, code_verifier))


@api.write("/oauth/refresh_token", method="GET", also=["POST"], open=True, limits=LIMITS, fails=o.REFRESH_FAILS)
async def refresh_access_token(
    ctx: Ctx,
    *,
    grant_type: o.RefreshGrant,
    refresh_token: o.RefreshToken,
    client: Client,
) -> TokenAnswer:
    """Obtain a new token when the current token expires.

    Existing access tokens are revoked, and the refresh token is replaced by the one of the answer. For a minute the
    same call gives the same answer again; a refresh token that comes back later revokes everything.
    """
    return told(ctx, await o.refresh(ctx, SERVICE, client, grant_type, refresh_token))


@api.read("/oauth/test")
async def test_token(ctx: ShipperCtx) -> TokenOwner:
    """Test if an access token is valid.

    Succeeds with every valid token, whatever its scopes.
    """
    return TokenOwner(ctx.actor.id)


@api.write("/oauth/revoke_token", open=True, limits=LIMITS, fails=o.CLIENT_FAILS)
async def revoke_token(
    ctx: Ctx,
    *,
    token: o.AnyToken,
    client: Client,
) -> o.Nothing:
    """Revoke a token.

    With a refresh token everything that follows from its consent is revoked. A token that is none, or another
    app's, is no error (RFC 7009).
    """
    return await o.revoke(ctx, SERVICE, client, token)


@api.write("/oauth/introspect_token", open=True, limits=LIMITS, fails=o.CLIENT_FAILS)
async def introspect_token(
    ctx: Ctx,
    *,
    token: o.AnyToken,
    client: Client,
) -> o.TokenState:
    """See what a token is.

    Only the app that a token was issued to hears more of it than that it is not active (RFC 7662).
    """
    return await o.introspect(ctx, SERVICE, client, token)


def told(ctx: Ctx, tokens: Tokens) -> TokenAnswer:
    """Tokens in the words of this wire."""
    return TokenAnswer(
        username=tokens.account_name,
        scopes=list(tokens.scopes),
        user_id=tokens.account_id,
        access_token=tokens.access_token,
        expires_in=tokens.seconds_left(ctx.now),
        expiry_time=v.moment(tokens.expires_at),
        refresh_token=tokens.refresh_token,
    )
