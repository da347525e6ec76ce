"""The SQL of notifications."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from tradepost.domain.context import Rows
from tradepost.domain.inbox.notification import Notification


async def insert(
    db: Rows, merchant_id: str, notification_id: str, topic: str, about: Mapping[str, Any], now: datetime
) -> None:
    """Write down what a merchant is told."""
    await db.execute(
        "insert into notification (merchant_id, id, topic, about, created_at) values ($1, $2, $3, $4, $5)",
        merchant_id,
        notification_id,
        topic,
        msgspec.json.encode(about).decode(),
        now,
    )


async def unviewed(db: Rows, merchant_id: str, limit: int) -> list[Notification]:
    """What a merchant has not seen yet, the oldest first."""
    found = await db.fetch(
        "select id, topic, about, created_at, viewed_at from notification "
        "where merchant_id = $1 and viewed_at is null order by created_at, id limit $2",
        merchant_id,
        limit,
    )
    return [Notification(row[0], row[1], msgspec.json.decode(row[2]), row[3], row[4]) for row in found]
