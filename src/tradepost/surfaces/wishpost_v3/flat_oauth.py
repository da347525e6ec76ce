"""Chapter *Older OAuth calls*: tokens the way that connectors of an older generation get them, by forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from msgspec import Struct

from tradepost.domain import access, consents
from tradepost.domain.consents import Tokens
from tradepost.domain.context import Ctx
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

    code: Code | None = None
    refresh_token: RefreshToken | None = None
    redirect_uri: RedirectUri | None = None
    code_verifier: Verifier | None = None


@api.write("/access_token", open=True, flat=True, limits=LIMITS, fails=dict.fromkeys((*CODE_FAILS, *REFRESH_FAILS)))
async def get_flat_token(ctx: Ctx, *, by: ByCodeOrRefresh, grant_type: GrantType, client: Client) -> FlatTokens:
    """Retrieve an access token, the older way.

    Without `redirect_uri` it is the only one that the app has.
    """
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    check_grant_type(grant_type, "authorization_code")
    if by.code is None:
        assert by.refresh_token is not None  # one of the two is there
        return _told(ctx, await consents.refresh(ctx, app, by.refresh_token))
    uri = by.redirect_uri or app.only_redirect_uri
    return _told(ctx, await consents.exchange_code(ctx, app, by.code, uri, by.code_verifier))


@api.write("/access_token/refresh", open=True, flat=True, limits=LIMITS, fails=REFRESH_FAILS)
async def refresh_flat_token(
    ctx: Ctx, *, grant_type: RefreshType | None = None, refresh_token: RefreshToken, client: Client
) -> FlatTokens:
    """Obtain a new token, the older way."""
    app = await access.authenticate_app(ctx, SERVICE, client.id, client.secret)
    check_grant_type(grant_type or "refresh_token", "refresh_token")
    return _told(ctx, await consents.refresh(ctx, app, refresh_token))


def _told(ctx: Ctx, tokens: Tokens) -> FlatTokens:
    return FlatTokens(
        user_id=tokens.account_id,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        access_token_expires_in=tokens.seconds_left(ctx.now),
        access_token_expiry_time=int(tokens.expires_at.timestamp()),
    )
