"""News of the logistics service for everybody who sends parcels."""

from tradepost.domain.announcements.announcement import Announcement, AnnouncementFilter
from tradepost.domain.announcements.failures import AnnouncementUnusable
from tradepost.domain.announcements.operations import list_announcements, publish

__all__ = ["Announcement", "AnnouncementFilter", "AnnouncementUnusable", "list_announcements", "publish"]
