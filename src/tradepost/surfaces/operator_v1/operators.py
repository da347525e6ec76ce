"""Chapter *Operators*: whose token it is."""

from __future__ import annotations

from msgspec import Struct

from tradepost.domain.context import OperatorCtx
from tradepost.surfaces.operator_v1.surface import api


class TokenOwner(Struct):
    """Whose token it is."""

    operator_id: str
    name: str


@api.read("/operator")
async def get_operator(ctx: OperatorCtx) -> TokenOwner:
    """Tell whose token it is.

    Succeeds with every valid token, whatever its scopes.
    """
    return TokenOwner(ctx.actor.id, ctx.actor.name)
