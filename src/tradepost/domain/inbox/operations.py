"""Telling merchants, and what they were told.

Whatever happens to a shop without its merchant calls `notify` in its own transaction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tradepost.domain import outbox
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.inbox import failures, rows
from tradepost.domain.inbox.notification import (
    CATEGORIES,
    MOST_CATEGORIES,
    Announcement,
    Feature,
    NewAnnouncement,
    Notification,
    SystemUpdate,
)
from tradepost.values import Page

MESSAGE_TOPIC: Final = "message"
ANNOUNCEMENT_TOPIC: Final = "announcement"
UPDATE_TOPIC: Final = "system_update"
MOST_TITLE: Final = 200
MOST_MESSAGE: Final = 20_000
MOST_LINK: Final = 2_048
_ID = re.compile("[0-9a-f]{24}", re.ASCII)


async def notify(ctx: Ctx, merchant_id: str, topic: str, about: Mapping[str, Any]) -> str:
    """Tell a merchant something, in the transaction that makes it so; gives the notification's id.

    The same is written down as an event, for whoever wants to know outside.
    """
    notification_id = ctx.new_id()
    await rows.insert(ctx.db, merchant_id, notification_id, topic, about, ctx.now)
    await outbox.record_event(ctx, merchant_id, topic, about)
    return notification_id


async def tell_account(ctx: Ctx, service: str, account_id: str, topic: str, about: Mapping[str, Any]) -> None:
    """Tell an account of either service something: a merchant as `notify` does, a sender by the event alone."""
    if service == "merchant":
        await notify(ctx, account_id, topic, about)
    else:
        await outbox.record_event(ctx, account_id, topic, about)


async def list_notifications(ctx: MerchantCtx, page: Page) -> tuple[list[Notification], bool]:
    """What the acting merchant was told and has not seen yet, the latest first, and whether there is more."""
    return await rows.unviewed(ctx.db, ctx.actor.id, page)


async def count_unviewed(ctx: MerchantCtx) -> int:
    """How many notifications the acting merchant has not seen yet."""
    return await rows.count_unviewed(ctx.db, ctx.actor.id)


async def mark_viewed(ctx: MerchantCtx, notification_id: str) -> None:
    """Note that the acting merchant has seen a notification; once more is no error. Raises NotificationNotFound."""
    if not await rows.mark_viewed(ctx.db, ctx.actor.id, notification_id, ctx.now):
        raise failures.NotificationNotFound(id=notification_id)


async def find_announcement(ctx: MerchantCtx) -> Announcement | None:
    """The latest announcement to the acting merchant; None where there never was one."""
    return await rows.latest_announcement(ctx.db, ctx.actor.id)


async def list_updates(ctx: MerchantCtx) -> list[SystemUpdate]:
    """All system updates, the latest first."""
    return await rows.list_updates(ctx.db)


# -- what an operator does


def checked_text(name: str, text: str, most: int) -> str:
    """A text as it is kept; raises TextUnusable for one that is too long, unreadable, or shows nothing."""
    kept = text.replace("\r\n", "\n").strip()
    # Of what cannot be seen, joiners and marks of direction belong to words and emoji; alone they are no text.
    kinds = {char: unicodedata.category(char) for char in set(kept) - set("\n\t")}
    readable = not {"Cc", "Cs"} & set(kinds.values())
    shows = any(kind not in ("Cf", "Zs", "Zl", "Zp", "Mn") for kind in kinds.values())
    if not (len(kept) <= most and readable and shows):
        raise failures.TextUnusable(name=name, most=most)
    return kept


async def send_message(ctx: MerchantCtx, title: str, message: str, link: str | None = None) -> str:
    """Tell the acting merchant something in an operator's own words; gives the notification's id.

    Raises TextUnusable.
    """
    about = {
        "title": checked_text("title", title, MOST_TITLE),
        "message": checked_text("message", message, MOST_MESSAGE),
    }
    if link is not None:
        about["link"] = checked_text("link", link, MOST_LINK)
    return await notify(ctx, ctx.actor.id, MESSAGE_TOPIC, about)


async def announce(ctx: Ctx, new: NewAnnouncement, merchant_ids: Sequence[str] | None = None) -> int:
    """Let an account manager tell some merchants something, or (None) all there are; gives how many.

    Raises TextUnusable, and RecipientUnknown for the first id that is no merchant's: nobody is told then.
    """
    if not _ID.fullmatch(new.manager_id):
        raise failures.TextUnusable(name="manager_id", most=24)
    checked = NewAnnouncement(
        checked_text("title", new.title, MOST_TITLE),
        checked_text("message", new.message, MOST_MESSAGE),
        new.manager_id,
        checked_text("manager_name", new.manager_name, MOST_TITLE),
    )
    about = {"title": checked.title, "message": checked.message}
    told = await rows.announce(ctx.db, ctx.new_id(), ANNOUNCEMENT_TOPIC, about, checked, merchant_ids, ctx.now)
    if unknown := [merchant_id for merchant_id in merchant_ids or () if merchant_id not in told]:
        raise failures.RecipientUnknown(merchant_id=unknown[0])
    return len(told)


async def publish_update(ctx: Ctx, features: Sequence[Feature]) -> str:
    """Publish a system update of at least one feature, and tell every merchant of it; gives its id.

    Raises CategoryUnknown, TextUnusable.
    """
    for feature in features:
        for name in ("title", "cn_title"):
            checked_text(name, getattr(feature, name), MOST_TITLE)
        for name in ("body", "cn_body"):
            checked_text(name, getattr(feature, name), MOST_MESSAGE)
        unknown = [category for category in feature.categories if category not in CATEGORIES]
        if beyond := (*unknown, *feature.categories[MOST_CATEGORIES:]):
            raise failures.CategoryUnknown(category=beyond[0])
    update_id = ctx.new_id()
    await rows.insert_update(ctx.db, update_id, ctx.now)
    for position, feature in enumerate(features, start=1):
        await rows.insert_feature(ctx.db, update_id, position, feature)
    about = {"update_id": update_id, "title": features[0].title, "cn_title": features[0].cn_title}
    await rows.notify_all(ctx.db, update_id, UPDATE_TOPIC, about, ctx.now)
    return update_id
