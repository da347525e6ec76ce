"""Announcements, system updates and notifications on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from tradepost.domain import inbox
from tradepost.surfaces.merchant_v2.views.leaves import FlagText, flag
from tradepost.surfaces.merchant_v2.wording import notice

NO_PROGRAM = "None"


class GetBDAnnouncementResponse(Struct):
    """What an account manager wrote.

    `id` is 24 hex digits; the notification about the announcement has the same. `title` is its headline.
    `message` is what it says. `created` is the day it was written, such as Apr 01, 2016. `bd_id` is the id of the
    account manager. `bd_name` is his name. `viewed` says whether its notification was marked as viewed.
    `perma_link` is its page.
    """

    title: str
    created: str
    bd_id: str
    bd_name: str
    message: str
    viewed: FlagText
    id: str
    perma_link: str


class BDAnnouncement(Struct):
    """The latest announcement; nothing where there never was one."""

    GetBDAnnouncementResponse: GetBDAnnouncementResponse | UnsetType = UNSET


class Feature(Struct):
    """One piece of news.

    `title` is its headline in English. `body` is the text in English. `link` leads to more about it in English.
    `cn_title` is the headline in Chinese. `cn_body` is the text in Chinese. `cn_link` leads to more about it in
    Chinese. `categories` are what it is filed under, up to three. `program` is the programme that it is about, or
    None. `important` says whether merchants have to do something by a certain day: JSON true, or else the text
    False. `cta_text` is what they have to do, in English. `cta_text_en` is the same. `cta_text_cn` is the same in
    Chinese. `cta_effective_date` is by when, such as January 10, 2020 12:00 PM UTC. The last four are empty where
    there is nothing to do.
    """

    cn_title: str
    body: str
    title: str
    link: str
    cn_body: str
    cn_link: str
    categories: list[str]
    program: str
    important: Literal["False"] | bool
    cta_text: str
    cta_text_en: str
    cta_text_cn: str
    cta_effective_date: str


class FeatureItem(Struct):
    """A piece of news in a list."""

    Feature: Feature


class SystemUpdatesResponse(Struct):
    """A system update.

    `release_date` is the day it came out, such as Thursday May 19, 2016. `id` is 24 hex digits. `features` is
    what is new.
    """

    release_date: str
    id: str
    features: list[FeatureItem]


class SystemUpdatesItem(Struct):
    """A system update in a list."""

    SystemUpdatesResponse: SystemUpdatesResponse


class GetNotiResponse(Struct):
    """A notification.

    `perma_link` is the page of what it is about. `message` is what it says. `id` is 24 hex digits. `title` is its
    headline.
    """

    perma_link: str
    message: str
    id: str
    title: str


class NotificationItem(Struct):
    """A notification in a list."""

    GetNotiResponse: GetNotiResponse


class UnviewedCount(Struct):
    """How many notifications were not viewed; a JSON number."""

    count: int


def announcement(found: inbox.Announcement | None, base_url: str) -> BDAnnouncement:
    """The latest announcement."""
    if found is None:
        return BDAnnouncement()
    return BDAnnouncement(
        GetBDAnnouncementResponse(
            title=found.title,
            created=f"{_utc(found.created_at):%b %d, %Y}",
            bd_id=found.manager_id,
            bd_name=found.manager_name,
            message=found.message,
            viewed=flag(found.viewed),
            id=found.id,
            perma_link=f"{base_url}/announcement/{found.id}",
        )
    )


def system_update(update: inbox.SystemUpdate) -> SystemUpdatesItem:
    """A system update with all that is new in it."""
    released = _utc(update.released_at)
    return SystemUpdatesItem(
        SystemUpdatesResponse(
            release_date=f"{released:%A %B} {released.day}, {released.year}",
            id=update.id,
            features=[FeatureItem(_feature(feature)) for feature in update.features],
        )
    )


def _feature(feature: inbox.Feature) -> Feature:
    action = feature.action or ""
    return Feature(
        cn_title=feature.cn_title,
        body=feature.body,
        title=feature.title,
        link=feature.link,
        cn_body=feature.cn_body,
        cn_link=feature.cn_link,
        categories=list(feature.categories),
        program=feature.program or NO_PROGRAM,
        # The examples of the reference have it both ways, and so programs look for either.
        important=True if feature.important else "False",
        cta_text=action,
        cta_text_en=action,
        cta_text_cn=feature.cn_action or "",
        cta_effective_date="" if feature.action_at is None else _moment(feature.action_at),
    )


def notification(told: inbox.Notification, base_url: str, locale: str) -> NotificationItem:
    """A notification in the language of the call."""
    words = notice(told.topic, told.about, locale)
    return NotificationItem(GetNotiResponse(_link(told, base_url), words.text, told.id, words.title))


def _link(told: inbox.Notification, base_url: str) -> str:
    """The page of what a notification is about, else its own."""
    about = told.about
    if given := about.get("link"):
        return str(given)
    pages = {
        "infraction_id": "warning/view",
        "ticket_id": "ticket",
        "update_id": "release",
        "product_id": "product",
    }
    page = next((f"{page}/{about[name]}" for name, page in pages.items() if about.get(name)), f"noti/{told.id}")
    return f"{base_url}/{page}"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _moment(moment: datetime) -> str:
    at = _utc(moment)
    return f"{at:%B} {at.day}, {at.year} {at:%I:%M %p} UTC"
