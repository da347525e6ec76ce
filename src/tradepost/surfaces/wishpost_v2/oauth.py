"""Chapter *OAuth*: from a code of the consent page to tokens, and from old tokens to new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Struct

from tradepost.domain.consents import Tokens
from tradepost.domain.context import Ctx
from tradepost.surfaces import oauth as o
from tradepost.surfaces.wishpost_v2.surface import api
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.oauth import LIMITS, SERVICE, RedirectUri
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

    code: o.Code
    grant_type: o.CodeGrant
    redirect_uri: RedirectUri | None = None
    code_verifier: o.Verifier | None = None


@dataclass(frozen=True, kw_only=True)
class RefreshQuestion(App):
    """Tokens that are to become new ones."""

    refresh_token: o.RefreshToken
    grant_type: o.RefreshGrant


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


@api.write("/oauth/access_token", open=True, limits=LIMITS, fails=o.CODE_FAILS)
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
    asked = question.grant_type, question.code, question.redirect_uri or None, question.code_verifier
    return _told(ctx, await o.exchange(ctx, SERVICE, client, *asked))


@api.write("/oauth/refresh_token", open=True, limits=LIMITS, fails=o.REFRESH_FAILS)
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
    return _told(ctx, await o.refresh(ctx, SERVICE, client, question.grant_type, question.refresh_token))


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
