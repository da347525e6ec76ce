"""Telling merchants, and what they were told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.inbox import rows
from tradepost.domain.inbox.notification import Notification


async def notify(ctx: Ctx, merchant_id: str, topic: str, about: Mapping[str, Any]) -> str:
    """Tell a merchant something, in the transaction that makes it so; gives the notification's id."""
    notification_id = ctx.new_id()
    await rows.insert(ctx.db, merchant_id, notification_id, topic, about, ctx.now)
    return notification_id


async def list_notifications(ctx: MerchantCtx, limit: int) -> list[Notification]:
    """What the acting merchant was told and has not seen yet, the oldest first."""
    return await rows.unviewed(ctx.db, ctx.actor.id, limit)
