"""What merchants are told: notifications about their shops, announcements to them, updates of the marketplace."""

from tradepost.domain.inbox.failures import CategoryUnknown, NotificationNotFound, RecipientUnknown, TextUnusable
from tradepost.domain.inbox.notification import (
    CATEGORIES,
    Announcement,
    Feature,
    NewAnnouncement,
    Notification,
    SystemUpdate,
)
from tradepost.domain.inbox.operations import (
    ANNOUNCEMENT_TOPIC,
    MESSAGE_TOPIC,
    UPDATE_TOPIC,
    announce,
    checked_text,
    count_unviewed,
    find_announcement,
    list_notifications,
    list_updates,
    mark_viewed,
    notify,
    publish_update,
    send_message,
    tell_account,
)

__all__ = [
    "ANNOUNCEMENT_TOPIC",
    "CATEGORIES",
    "MESSAGE_TOPIC",
    "UPDATE_TOPIC",
    "Announcement",
    "CategoryUnknown",
    "Feature",
    "NewAnnouncement",
    "Notification",
    "NotificationNotFound",
    "RecipientUnknown",
    "SystemUpdate",
    "TextUnusable",
    "announce",
    "checked_text",
    "count_unviewed",
    "find_announcement",
    "list_notifications",
    "list_updates",
    "mark_viewed",
    "notify",
    "publish_update",
    "send_message",
    "tell_account",
]
