"""Chapter *Announcements*: what merchants and senders are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from msgspec import Struct

from tradepost.domain import announcements, inbox, merchants, operators
from tradepost.domain.announcements import AnnouncementUnusable
from tradepost.domain.context import OperatorCtx
from tradepost.domain.inbox import CATEGORIES, Feature, NewAnnouncement
from tradepost.domain.inbox.failures import RecipientUnknown, TextUnusable
from tradepost.domain.merchants import MerchantUnknown
from tradepost.surfaces.operator_v1 import vocabulary as v
from tradepost.surfaces.operator_v1.surface import api
from tradepost.wire.bodies import Many, StrictObject
from tradepost.wire.params import Boolean, Choice, Doc, Moment, Text, WebUrl

Headline = Annotated[str, Text(200, strip=True), Doc("The headline.")]
Body = Annotated[str, Text(5000, strip=True), Doc("The text.")]
Link = Annotated[str, WebUrl(), Doc("Where there is more about it.")]


class Told(Struct, gc=False):
    """How many merchants were told."""

    merchants: int


class Published(Struct, gc=False):
    """What was published, by its id."""

    id: str


@dataclass(frozen=True, kw_only=True)
class MessageToAnnounce:
    """What an account manager has to say, and to whom."""

    title: Headline
    message: Body
    manager_name: Annotated[str, Text(200, strip=True), Doc("The name of the account manager who says it.")]
    manager_id: Annotated[str, v.Id(), Doc("The manager's id; a new one if left out.")] | None = None
    merchant_ids: (
        Annotated[tuple[str, ...], v.Id(), Many(1, 1000), Doc("Whom; all merchants if left out.")] | None
    ) = None


@dataclass(frozen=True, kw_only=True)
class FeatureToPublish:
    """One piece of news in a system update."""

    title: Annotated[Headline, Doc("The headline in English.")]
    body: Annotated[Body, Doc("The text in English.")]
    link: Link = ""
    cn_title: Annotated[Headline, Doc("The headline in Chinese; the English one if left out.")] | None = None
    cn_body: Annotated[Body, Doc("The text in Chinese; the English one if left out.")] | None = None
    cn_link: Annotated[Link, Doc("The same in Chinese; the English one if left out.")] | None = None
    categories: Annotated[tuple[str, ...], Choice(CATEGORIES), Many(0, 3), Doc("What to file it under.")] = ()
    program: Annotated[str, Text(200, strip=True), Doc("The programme that it is about.")] | None = None
    important: Annotated[bool, Boolean(), Doc("Whether merchants have to do something.")] = False
    action: Annotated[str, Text(200, strip=True), Doc("What they have to do, in English.")] | None = None
    cn_action: Annotated[str, Text(200, strip=True), Doc("The same in Chinese; as in English without.")] | None = (
        None
    )
    action_at: Annotated[datetime, Moment(), Doc("By when, in UTC.")] | None = None

    def told(self) -> Feature:
        """The feature for the domain."""
        return Feature(
            title=self.title,
            body=self.body,
            link=self.link,
            cn_title=self.cn_title or self.title,
            cn_body=self.cn_body or self.body,
            cn_link=self.cn_link or self.link,
            categories=self.categories,
            program=self.program,
            important=self.important,
            action=self.action,
            cn_action=self.cn_action or self.action,
            action_at=self.action_at,
        )


@dataclass(frozen=True, kw_only=True)
class UpdateToPublish:
    """News about the marketplace."""

    features: Annotated[tuple[FeatureToPublish, ...], Many(1, 20), Doc("What is new.")]


@dataclass(frozen=True, kw_only=True)
class NewsForSenders:
    """News for everybody who sends parcels."""

    title: Headline
    words: Annotated[tuple[str, ...], Text(5000, strip=True), Many(1, 50), Doc("Its paragraphs.")]
    url: Link | None = None
    publish_at: Annotated[v.At, Doc("From when on it can be read, in UTC; now if left out.")] | None = None


@dataclass(frozen=True, kw_only=True)
class NotificationToSend:
    """What one merchant is told."""

    merchant_id: v.MerchantId
    title: Headline
    message: Body
    link: Link | None = None


@api.write("/announcements/message", scope="announcements:write", fails=[RecipientUnknown, TextUnusable])
async def announce_message(
    ctx: OperatorCtx,
    *,
    new: Annotated[MessageToAnnounce, StrictObject(MessageToAnnounce), Doc("What is said, and to whom.")],
) -> Told:
    """Announce something to merchants.

    In the name of an account manager, to some merchants or to all; each has a notification of it.
    """
    manager_id = new.manager_id or ctx.new_id()
    told = NewAnnouncement(new.title, new.message, manager_id, new.manager_name)
    count = await inbox.announce(ctx, told, new.merchant_ids)
    await operators.record_act(
        ctx, "announce_message", None, {"merchant_ids": new.merchant_ids, "merchants": count}
    )
    return Told(count)


@api.write("/announcements/update", scope="announcements:write", fails=[TextUnusable])
async def publish_update(
    ctx: OperatorCtx, *, new: Annotated[UpdateToPublish, StrictObject(UpdateToPublish), Doc("The news.")]
) -> Published:
    """Publish a system update.

    Every merchant has a notification of it.
    """
    update_id = await inbox.publish_update(ctx, [feature.told() for feature in new.features])
    await operators.record_act(ctx, "publish_update", None, {"update_id": update_id})
    return Published(update_id)


@api.write("/announcements/senders", scope="announcements:write", fails=[AnnouncementUnusable])
async def announce_to_senders(
    ctx: OperatorCtx, *, new: Annotated[NewsForSenders, StrictObject(NewsForSenders), Doc("The news.")]
) -> Published:
    """Announce something to everybody who sends parcels."""
    announcement_id = await announcements.publish(ctx, new.title, new.words, new.url, new.publish_at)
    await operators.record_act(ctx, "announce_to_senders", None, {"announcement_id": announcement_id})
    return Published(announcement_id)


@api.write("/notifications/send", scope="announcements:write", fails=[MerchantUnknown, TextUnusable])
async def send_notification(
    ctx: OperatorCtx,
    *,
    new: Annotated[NotificationToSend, StrictObject(NotificationToSend), Doc("What he is told.")],
) -> Published:
    """Write a notification to one merchant."""
    acting = await merchants.act_for(ctx, new.merchant_id)
    notification_id = await inbox.send_message(acting, new.title, new.message, new.link)
    about = {"notification_id": notification_id}
    await operators.record_act(ctx, "send_notification", new.merchant_id, about)
    return Published(notification_id)
