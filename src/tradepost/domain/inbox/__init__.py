"""What merchants are told about what happens in their shops without them."""

from tradepost.domain.inbox.notification import Notification
from tradepost.domain.inbox.operations import list_notifications, notify

__all__ = ["Notification", "list_notifications", "notify"]
