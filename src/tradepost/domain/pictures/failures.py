"""What can be wrong about pictures. `url` is the URL as the merchant gave it."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class PictureUnknown(Failure):
    """A path of ours under which the merchant has no picture."""

    url: str


class PictureExpired(Failure):
    """An upload whose time is over."""

    url: str
    days: int


class PictureGone(Failure):
    """An upload whose time is over was asked for."""

    days: int


class PictureNotFound(Failure):
    """Nobody has a picture under this path."""


class PictureUnreadable(Failure):
    """What was uploaded is no picture of the form that is taken."""


class PictureTooSmall(Failure):
    """What was uploaded has fewer pixels than a picture needs on one of its sides."""

    least: int


class PictureTooLarge(Failure):
    """What was uploaded has more pixels than anybody needs."""

    limit: int


class TooManyWaiting(Failure):
    """The merchant has as many pictures and videos waiting to be fetched as he can."""

    limit: int


class Unusable(Exception):
    """What was fetched or uploaded becomes nothing that is shown; `reason` is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
