"""Chapter *Older OAuth calls*: tokens the way that connectors of an older generation get them, by forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from msgspec import Struct

from tradepost.domain.consents import Tokens
from tradepost.domain.context import Ctx
from tradepost.surfaces import oauth as o
from tradepost.surfaces.wishpost_v3.oauth import LIMITS, SERVICE, RedirectUri
from tradepost.surfaces.wishpost_v3.surface import api
from tradepost.wire.http_types import Client


class FlatTokens(Struct):
    """A pair of tokens. `access_token_expires_in` is in seconds, `access_token_expiry_time` seconds since 1970."""

    user_id: str
    access_token: str
    refresh_token: str
    access_token_expires_in: int
    access_token_expiry_time: int


@dataclass(frozen=True, kw_only=True)
class ByCodeOrRefresh:
    """What is exchanged. Real clients refresh here, too, and still call it `authorization_code`."""

    one_of: ClassVar[tuple[str, str]] = ("code", "refresh_token")

    code: o.Code | None = None
    refresh_token: o.RefreshToken | None = None
    redirect_uri: RedirectUri | None = None
    code_verifier: o.Verifier | None = None


@api.write(
    "/access_token", open=True, flat=True, limits=LIMITS, fails=dict.fromkeys((*o.CODE_FAILS, *o.REFRESH_FAILS))
)
async def get_flat_token(ctx: Ctx, *, by: ByCodeOrRefresh, grant_type: o.CodeGrant, client: Client) -> FlatTokens:
    """Retrieve an access token, the older way.

    Without `redirect_uri` it is the only one that the app has.
    """
    if by.code is None:
        assert by.refresh_token is not None  # one of the two is there
        wanted = "authorization_code"
        return _told(ctx, await o.refresh(ctx, SERVICE, client, grant_type, by.refresh_token, wanted=wanted))
    uri = by.redirect_uri or None
    return _told(ctx, await o.exchange(ctx, SERVICE, client, grant_type, by.code, uri, by.code_verifier))


@api.write("/access_token/refresh", open=True, flat=True, limits=LIMITS, fails=o.REFRESH_FAILS)
async def refresh_flat_token(
    ctx: Ctx, *, grant_type: o.RefreshGrant | None = None, refresh_token: o.RefreshToken, client: Client
) -> FlatTokens:
    """Obtain a new token, the older way."""
    return _told(ctx, await o.refresh(ctx, SERVICE, client, grant_type or "refresh_token", refresh_token))


def _told(ctx: Ctx, tokens: Tokens) -> FlatTokens:
    return FlatTokens(
        user_id=tokens.account_id,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        access_token_expires_in=tokens.seconds_left(ctx.now),
        access_token_expiry_time=int(tokens.expires_at.timestamp()),
    )
