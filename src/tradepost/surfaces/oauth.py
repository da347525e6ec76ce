"""What the services have in common where apps get tokens: what is asked and refused, the words of the standard.

Each has paths, pages and shapes of its own; those stand in its chapter.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Struct

from tradepost.domain import access, consents
from tradepost.domain.access import App
from tradepost.domain.access import failures as a
from tradepost.domain.consents import Introspection, Tokens
from tradepost.domain.consents import failures as c
from tradepost.domain.context import Ctx
from tradepost.wire.http_types import Client
from tradepost.wire.params import Doc, LookedUp

CLIENT_FAILS: Final = (a.ClientRefused, a.AppDisabled)
"""What can be wrong with an app that shows its id and its secret."""
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
"""What can be wrong with a code that is to become tokens."""
REFRESH_FAILS: Final = (
    *CLIENT_FAILS,
    c.GrantTypeWrong,
    c.RefreshUnknown,
    c.RefreshExpired,
    c.RefreshRevoked,
    c.RefreshReused,
    c.OwnerSuspended,
)
"""What can be wrong with a refresh token that is to become a new pair."""

CodeGrant = Annotated[str, LookedUp(64), Doc("The string `authorization_code`.")]
RefreshGrant = Annotated[str, LookedUp(64), Doc("The string `refresh_token`.")]
Code = Annotated[str, LookedUp(200), Doc("The authorization code that you received.")]
Verifier = Annotated[str, LookedUp(200), Doc("The verifier of PKCE, if the code was asked for with a challenge.")]
RefreshToken = Annotated[str, LookedUp(200), Doc("The refresh token.")]
AnyToken = Annotated[str, LookedUp(200), Doc("An access token or a refresh token.")]


class Nothing(Struct):
    """Nothing more to tell."""


class TokenState(Struct, omit_defaults=True):
    """What a token is; nothing but `active` is told of one that is not good, or is not yours (RFC 7662).

    `scope` are names with blanks between. `iat` and `exp` are seconds since 1970.
    """

    active: bool
    scope: str | None = None
    client_id: str | None = None
    sub: str | None = None
    token_type: str | None = None
    iat: int | None = None
    exp: int | None = None


async def exchange(
    ctx: Ctx,
    service: str,
    client: Client,
    grant_type: str,
    code: str,
    redirect_uri: str | None,
    verifier: str | None,
) -> Tokens:
    """A code made into tokens; without a redirect URI for the only one that the app has. Raises CODE_FAILS."""
    app = await _asking(ctx, service, client, grant_type, "authorization_code")
    led_to = app.only_redirect_uri if redirect_uri is None else redirect_uri
    return await consents.exchange_code(ctx, app, code, led_to, verifier)


async def refresh(
    ctx: Ctx, service: str, client: Client, grant_type: str, refresh_token: str, *, wanted: str = "refresh_token"
) -> Tokens:
    """A refresh token made into a new pair; `wanted` is the grant that the call is for. Raises REFRESH_FAILS."""
    return await consents.refresh(ctx, await _asking(ctx, service, client, grant_type, wanted), refresh_token)


async def revoke(ctx: Ctx, service: str, client: Client, token: str) -> Nothing:
    """A token taken back, if it is one of the app's. Raises CLIENT_FAILS."""
    await consents.revoke(ctx, await access.authenticate_app(ctx, service, client.id, client.secret), token)
    return Nothing()


async def introspect(ctx: Ctx, service: str, client: Client, token: str) -> TokenState:
    """What the app hears of a token. Raises CLIENT_FAILS."""
    app = await access.authenticate_app(ctx, service, client.id, client.secret)
    return _state(app, await consents.introspect(ctx, app, token))


async def _asking(ctx: Ctx, service: str, client: Client, given: str, wanted: str) -> App:
    """The app that calls; its grant type is looked at only then, so that strangers learn nothing."""
    app = await access.authenticate_app(ctx, service, client.id, client.secret)
    if given != wanted:
        raise c.GrantTypeWrong(wanted=wanted)
    return app


def _state(app: App, found: Introspection | None) -> TokenState:
    if found is None:
        return TokenState(active=False)
    return TokenState(
        active=True,
        scope=" ".join(found.scopes),
        client_id=app.id,
        sub=found.account_id,
        token_type=found.kind,
        iat=int(found.created_at.timestamp()),
        exp=int(found.expires_at.timestamp()),
    )
