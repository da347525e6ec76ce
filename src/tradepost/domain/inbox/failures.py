"""What can be wrong with what merchants are told."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class NotificationNotFound(Failure):
    """The merchant has no such notification."""

    id: str


class RecipientUnknown(Failure):
    """Something is to be told to a merchant that there is not."""

    merchant_id: str


class CategoryUnknown(Failure):
    """A system update is filed under more than three categories, or under one that there is not."""

    category: str


class TextUnusable(Failure):
    """A text that is empty, too long or not to be read."""

    name: str
    most: int
