"""Chapter *OAuth2*: from consent to tokens, and whether a token is good."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Struct

from tradepost.domain import access, consents
from tradepost.domain.access import failures as a
from tradepost.domain.consents import Tokens
from tradepost.domain.consents import failures as c
from tradepost.domain.context import Ctx, ShipperCtx
from tradepost.surfaces.oauth import Nothing, TokenState, token_state
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.surface import api
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Client
from tradepost.wire.params import Doc, LookedUp

SERVICE: Final = "wishpost"
LIMITS: Final = (RateLimit("oauth", "ip", 1_200, 60), RateLimit("oauth", "ip_agent", 1_200, 60))
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

GrantType = Annotated[str, LookedUp(64), Doc("The string `authorization_code`.")]
RefreshType = Annotated[str, LookedUp(64), Doc("The string `refresh_token`.")]
Code = Annotated[str, LookedUp(200), Doc("The authorization code that you received.")]
RedirectUri = Annotated[str, LookedUp(1_000), Doc("The redirect URL that you specified when you created the app.")]
Verifier = Annotated[str, LookedUp(200), Doc("The verifier of PKCE, if the code was asked for with a challenge.")]
RefreshToken = Annotated[str, LookedUp(200), Doc("The refresh token.")]
AnyToken = Annotated[str, LookedUp(200), Doc("An access token or a refresh token.")]


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


@api.write("/oauth/access_token", method="GET", also=["POST"], open=True, limits=LIMITS, fails=CODE_FAILS)
async def get_access_token(
    ctx: Ctx,
    *,
    code: Code,
    grant_type: GrantType,
    redirect_uri: RedirectUri,
    code_verifier: Verifier | None = None,
    client: Client,
) -> TokenAnswer:
    """Retrieve an access token.

    A code is good once and for a minute. The access token lives 30 days, counted from the consent.
    """
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    check_grant_type(grant_type, "authorization_code")
    return told(ctx, await consents.exchange_code(ctx, app, code, redirect_uri, code_verifier))


@api.write("/oauth/refresh_token", method="GET", also=["POST"], open=True, limits=LIMITS, fails=REFRESH_FAILS)
async def refresh_access_token(
    ctx: Ctx,
    *,
    grant_type: RefreshType,
    refresh_token: RefreshToken,
    client: Client,
) -> TokenAnswer:
    """Obtain a new token when the current token expires.

    Existing access tokens are revoked, and the refresh token is replaced by the one of the answer. For a minute the
    same call gives the same answer again; a refresh token that comes back later revokes everything.
    """
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    check_grant_type(grant_type, "refresh_token")
    return told(ctx, await consents.refresh(ctx, app, refresh_token))


@api.read("/oauth/test")
async def test_token(ctx: ShipperCtx) -> TokenOwner:
    """Test if an access token is valid.

    Succeeds with every valid token, whatever its scopes.
    """
    return TokenOwner(ctx.actor.id)


@api.write("/oauth/revoke_token", open=True, limits=LIMITS, fails=CLIENT_FAILS)
async def revoke_token(
    ctx: Ctx,
    *,
    token: AnyToken,
    client: Client,
) -> Nothing:
    """Revoke a token.

    With a refresh token everything that follows from its consent is revoked. A token that is none, or another
    app's, is no error (RFC 7009).
    """
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    await consents.revoke(ctx, app, token)
    return Nothing()


@api.write("/oauth/introspect_token", open=True, limits=LIMITS, fails=CLIENT_FAILS)
async def introspect_token(
    ctx: Ctx,
    *,
    token: AnyToken,
    client: Client,
) -> TokenState:
    """See what a token is.

    Only the app that a token was issued to hears more of it than that it is not active (RFC 7662).
    """
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    return token_state(app, await consents.introspect(ctx, app, token))


def check_grant_type(given: str, wanted: str) -> None:
    """Raises GrantTypeWrong where a call is made for another grant."""
    if given != wanted:
        raise c.GrantTypeWrong(wanted=wanted)


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
