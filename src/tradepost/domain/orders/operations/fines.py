"""The fines that orders name. Who issues an infraction about orders tells them here, in his own transaction."""

from __future__ import annotations

from collections.abc import Collection

from tradepost.domain.context import MerchantCtx
from tradepost.domain.orders.rows import writing as rows


async def note_fine(ctx: MerchantCtx, order_ids: Collection[str], fine_id: str) -> None:
    """Let orders name a fine that was issued about them, each once; an id that no order has is passed over."""
    await rows.name_fine(ctx.db, ctx.actor.id, order_ids, fine_id, ctx.now)


async def withdraw_fine(ctx: MerchantCtx, order_ids: Collection[str], fine_id: str) -> None:
    """Let orders no longer name a fine that was taken back."""
    await rows.unname_fine(ctx.db, ctx.actor.id, order_ids, fine_id, ctx.now)
