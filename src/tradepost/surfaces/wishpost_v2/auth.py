"""Chapter *Tokens*: whether one is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tradepost.domain.context import ShipperCtx
from tradepost.surfaces.wishpost_v2.surface import api
from tradepost.surfaces.wishpost_v2.vocabulary import Answered, Token
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.wire.bodies import BodyMarkup
from tradepost.wire.params import Doc


@dataclass(frozen=True, kw_only=True)
class Question:
    """Nothing but a token."""

    access_token: Token | None = None


@api.read("/auth_test", method="POST")
async def auth_test(
    ctx: ShipperCtx, *, question: Annotated[Question, BodyMarkup(Question), Doc("The token.")]
) -> Answered:
    """Test if an access token is valid.

    Succeeds with every valid token, whatever its scopes.
    """
    return Answered(v.china_time(ctx.now))
