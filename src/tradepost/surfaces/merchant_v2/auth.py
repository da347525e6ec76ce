"""Chapter *Test Authentication*: whether a token is good, and whose it is."""

from __future__ import annotations

from msgspec import Struct

from tradepost.domain.context import MerchantCtx
from tradepost.surfaces.merchant_v2.surface import api


class AuthTest(Struct):
    """Whose token it is. `success` is a JSON boolean."""

    success: bool
    merchant_id: str
    merchant_username: str


class OauthTest(Struct):
    """Whose token it is, in the form of the v3 test."""

    merchant_id: str


@api.read("/auth_test")
async def test_auth(ctx: MerchantCtx) -> AuthTest:
    """Test an access token.

    Succeeds with every valid token, whatever its scopes.
    """
    return AuthTest(True, ctx.actor.id, ctx.actor.name)


@api.read("/api/v3/oauth/test")
async def test_oauth(ctx: MerchantCtx) -> OauthTest:
    """Test an access token (v3).

    Succeeds with every valid token, whatever its scopes.
    """
    return OauthTest(ctx.actor.id)
