"""Chapter *OAuth2*: whether a token is good."""

from __future__ import annotations

from msgspec import Struct

from tradepost.domain.context import ShipperCtx
from tradepost.surfaces.wishpost_v3.surface import api


class TokenOwner(Struct):
    """Whose token it is."""

    user_id: str


@api.read("/oauth/test")
async def test_token(ctx: ShipperCtx) -> TokenOwner:
    """Test if an access token is valid.

    Succeeds with every valid token, whatever its scopes.
    """
    return TokenOwner(ctx.actor.id)
