"""Notifications, announcements and system updates; chapters *Announcements* and *Notifications*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

CATEGORIES: Final = (
    *("ACCOUNT_SETTINGS", "API", "INSIGHTS", "IP", "LOCAL_CURRENCY", "LOGISTICS", "LOGISTICS_PRICING", "ORDERS"),
    *("PAYMENTS", "POLICIES_AND_TERMS", "PRODUCTS", "SHIPPING_CARRIERS", "TAX"),
)
"""What a system update can be about; each is filed under up to three."""
MOST_CATEGORIES: Final = 3


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing that a merchant should know: a topic, and what it is about. Whoever shows it has the words."""

    id: str
    topic: str
    about: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewAnnouncement:
    """What an account manager has to say, and who that is."""

    title: str
    message: str
    manager_id: str
    manager_name: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """What an account manager wrote to a merchant; it has the id of the notification about it."""

    id: str
    title: str
    message: str
    manager_id: str
    manager_name: str
    created_at: datetime
    viewed: bool


@dataclass(frozen=True, slots=True)
class Feature:
    """One piece of news in a system update, in English and Chinese.

    `program` is the programme that it is about. `action` is what merchants have to do, and `action_at` when.
    """

    title: str
    body: str
    link: str
    cn_title: str
    cn_body: str
    cn_link: str
    categories: Sequence[str]
    program: str | None = None
    important: bool = False
    action: str | None = None
    cn_action: str | None = None
    action_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SystemUpdate:
    """News about the marketplace itself, the same for every merchant."""

    id: str
    released_at: datetime
    features: Sequence[Feature]
