"""Chapter *OAuth*: from a code of the consent page to tokens, and from old tokens to new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Struct

from tradepost.domain import access, consents
from tradepost.domain.consents import Tokens
from tradepost.domain.context import Ctx
from tradepost.surfaces.wishpost_v2.surface import api
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.oauth import (
    CODE_FAILS,
    LIMITS,
    REFRESH_FAILS,
    SERVICE,
    Code,
    GrantType,
    RedirectUri,
    RefreshToken,
    RefreshType,
    Verifier,
    check_grant_type,
)
from tradepost.wire.bodies import BodyMarkup
from tradepost.wire.http_types import Client
from tradepost.wire.params import Doc, LookedUp

TOKEN_TYPE: Final = "access_token"
"""What the merchant service of that generation says; nothing else is known."""


@dataclass(frozen=True, kw_only=True)
class App:
    """Which app asks; both may as well stand in the Authorization header (Basic)."""

    client_id: Annotated[str, LookedUp(64), Doc("Your app's client id.")] | None = None
    client_secret: Annotated[str, LookedUp(200), Doc("Your app's client secret.")] | None = None


@dataclass(frozen=True, kw_only=True)
class CodeQuestion(App):
    """A code that is to become tokens."""

    code: Code
    grant_type: GrantType
    redirect_uri: RedirectUri | None = None
    code_verifier: Verifier | None = None


@dataclass(frozen=True, kw_only=True)
class RefreshQuestion(App):
    """Tokens that are to become new ones."""

    refresh_token: RefreshToken
    grant_type: RefreshType


class XmlTokens(Struct):
    """A pair of tokens.

    `timestamp` is the time in China. `user_id` is whose tokens they are. `token_type` is the word access_token.
    `access_token` opens the calls. `expires_in` is how many seconds it lives. `expiry_time` is when it ends, in
    seconds since 1970. `refresh_token` gets the next pair.
    """

    timestamp: str
    user_id: str
    token_type: str
    access_token: str
    expires_in: int
    expiry_time: int
    refresh_token: str


@api.write("/oauth/access_token", open=True, limits=LIMITS, fails=CODE_FAILS)
async def get_xml_token(
    ctx: Ctx,
    *,
    question: Annotated[CodeQuestion, BodyMarkup(CodeQuestion), Doc("The code.")],
    client: Client,
) -> XmlTokens:
    """Retrieve an access token.

    A code of the consent page is good once and for a minute. The access token lives 30 days, counted from the
    consent. Without `redirect_uri` it is the only one that the app has.
    """
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    check_grant_type(question.grant_type, "authorization_code")
    uri = question.redirect_uri or app.only_redirect_uri
    return _told(ctx, await consents.exchange_code(ctx, app, question.code, uri, question.code_verifier))


@api.write("/oauth/refresh_token", open=True, limits=LIMITS, fails=REFRESH_FAILS)
async def refresh_xml_token(
    ctx: Ctx,
    *,
    question: Annotated[RefreshQuestion, BodyMarkup(RefreshQuestion), Doc("The refresh token.")],
    client: Client,
) -> XmlTokens:
    """Obtain a new token.

    The refresh token is replaced, too: keep the one of the answer. For a minute the same call gives the same answer
    again; a refresh token that comes back later revokes everything.
    """
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    check_grant_type(question.grant_type, "refresh_token")
    return _told(ctx, await consents.refresh(ctx, app, question.refresh_token))


def _told(ctx: Ctx, tokens: Tokens) -> XmlTokens:
    return XmlTokens(
        timestamp=v.china_time(ctx.now),
        user_id=tokens.account_id,
        token_type=TOKEN_TYPE,
        access_token=tokens.access_token,
        expires_in=tokens.seconds_left(ctx.now),
        expiry_time=int(tokens.expires_at.timestamp()),
        refresh_token=tokens.refresh_token,
    )
