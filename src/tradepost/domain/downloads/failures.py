"""What can be wrong with a download."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class DownloadNotFound(Failure):
    """The link leads to no file: it was changed, or what it belongs to is gone or was taken back."""


class LinkExpired(Failure):
    """The link was good for some hours, which are over."""

    hours: int
