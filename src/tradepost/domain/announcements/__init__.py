"""News of the logistics service for everybody who sends parcels."""

from tradepost.domain.announcements.announcement import Announcement, AnnouncementFilter
from tradepost.domain.announcements.failures import AnnouncementUnusable
from tradepost.domain.announcements.operations import count_announcements, list_announcements, publish

__all__ = [
    "Announcement",
    "AnnouncementFilter",
    "AnnouncementUnusable",
    "count_announcements",
    "list_announcements",
    "publish",
]
