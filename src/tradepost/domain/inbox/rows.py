"""The SQL of notifications, announcements and system updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tradepost.domain.context import Rows
from tradepost.domain.inbox.notification import Announcement, Feature, NewAnnouncement, Notification, SystemUpdate
from tradepost.values import Page

# Each merchant's notification of what all of them are told has an id of its own, made of the two ids it is about.
_ID = "left(encode(sha256(convert_to($1 || m.id, 'UTF8')), 'hex'), 24)"


def _text(about: Mapping[str, Any]) -> str:
    return msgspec.json.encode(about).decode()


async def insert(
    db: Rows, merchant_id: str, notification_id: str, topic: str, about: Mapping[str, Any], now: datetime
) -> None:
    """Write down what a merchant is told."""
    await db.execute(
        "insert into notification (merchant_id, id, topic, about, created_at) values ($1, $2, $3, $4, $5)",
        merchant_id,
        notification_id,
        topic,
        _text(about),
        now,
    )


async def notify_all(db: Rows, seed: str, topic: str, about: Mapping[str, Any], now: datetime) -> None:
    """Tell every merchant the same; `seed` is an id that nothing else is told by."""
    await db.execute(
        "insert into notification (merchant_id, id, topic, about, created_at) "
        f"select m.id, {_ID}, $2, $3, $4 from merchant m",
        seed,
        topic,
        _text(about),
        now,
    )


async def unviewed(db: Rows, merchant_id: str, page: Page) -> tuple[list[Notification], bool]:
    """What a merchant has not seen yet, the latest first, and whether there is more."""
    found = await db.fetch(
        """
        select n.id, n.topic, n.about, n.created_at
          from (
               select id from notification
                where merchant_id = $1 and viewed_at is null
                order by created_at desc, id desc limit $2 offset $3
          ) cut
          join notification n on n.merchant_id = $1 and n.id = cut.id
         order by n.created_at desc, n.id desc
        """,
        merchant_id,
        page.limit + 1,
        page.start,
    )
    told = [Notification(row[0], row[1], msgspec.json.decode(row[2]), row[3]) for row in found[: page.limit]]
    return told, len(found) > page.limit


async def count_unviewed(db: Rows, merchant_id: str) -> int:
    """How many notifications a merchant has not seen yet."""
    return int(
        await db.fetchval(
            "select count(*) from notification where merchant_id = $1 and viewed_at is null", merchant_id
        )
    )


async def mark_viewed(db: Rows, merchant_id: str, notification_id: str, now: datetime) -> bool:
    """Note that a notification was seen, if it was not before; whether there is such a notification."""
    return bool(
        await db.fetchval(
            """
            update notification set viewed_at = coalesce(viewed_at, $3)
             where merchant_id = $1 and id = $2 returning true
            """,
            merchant_id,
            notification_id,
            now,
        )
    )


async def announce(
    db: Rows,
    seed: str,
    topic: str,
    about: Mapping[str, Any],
    new: NewAnnouncement,
    merchant_ids: Sequence[str] | None,
    now: datetime,
) -> set[str]:
    """Write an announcement to these merchants, or (None) to all; gives whose ids these are."""
    told = await db.fetch(
        f"""
        with told as (
            insert into notification (merchant_id, id, topic, about, created_at)
            select m.id, {_ID}, $2, $3, $4 from merchant m where $5::text[] is null or m.id = any ($5)
            returning merchant_id, id
        )
        insert into announcement (merchant_id, id, manager_id, manager_name, title, message, created_at)
        select merchant_id, id, $6, $7, $8, $9, $4 from told
        returning merchant_id
        """,
        seed,
        topic,
        _text(about),
        now,
        None if merchant_ids is None else list(merchant_ids),
        new.manager_id,
        new.manager_name,
        new.title,
        new.message,
    )
    return {row[0] for row in told}


async def latest_announcement(db: Rows, merchant_id: str) -> Announcement | None:
    """The latest announcement to a merchant, and whether he has seen it."""
    row = await db.fetchrow(
        """
        select a.id, a.title, a.message, a.manager_id, a.manager_name, a.created_at, n.viewed_at is not null
          from announcement a
          join notification n on n.merchant_id = a.merchant_id and n.id = a.id
         where a.merchant_id = $1
         order by a.created_at desc, a.id desc limit 1
        """,
        merchant_id,
    )
    return Announcement(*row) if row else None


async def insert_update(db: Rows, update_id: str, now: datetime) -> None:
    """Add a system update without features."""
    await db.execute("insert into system_update (id, released_at) values ($1, $2)", update_id, now)


async def insert_feature(db: Rows, update_id: str, position: int, feature: Feature) -> None:
    """Add a feature to a system update."""
    await db.execute(
        """
        insert into system_update_feature (update_id, position, title, body, link, cn_title, cn_body, cn_link,
                                           categories, program, important, action, cn_action, action_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        update_id,
        position,
        feature.title,
        feature.body,
        feature.link,
        feature.cn_title,
        feature.cn_body,
        feature.cn_link,
        list(feature.categories),
        feature.program,
        feature.important,
        feature.action,
        feature.cn_action,
        feature.action_at,
    )


async def list_updates(db: Rows) -> list[SystemUpdate]:
    """All system updates with their features, the latest first."""
    found = await db.fetch(
        """
        select u.id, u.released_at, array(
                   select row(f.title, f.body, f.link, f.cn_title, f.cn_body, f.cn_link, f.categories, f.program,
                              f.important, f.action, f.cn_action, f.action_at)
                     from system_update_feature f where f.update_id = u.id order by f.position)
          from system_update u order by u.released_at desc, u.id desc
        """
    )
    return [SystemUpdate(row[0], row[1], [Feature(*feature) for feature in row[2]]) for row in found]
