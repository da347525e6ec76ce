"""Failures that only this wire knows: texts that name a picture or a video which cannot be taken."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class InvalidId(Failure):
    """What is given as the id of something to change cannot be an id."""

    id: str


class MainImageMissing(Failure):
    """A product is added without a main picture."""


class ImageUnreachable(Failure):
    """A picture cannot be fetched from where it is said to be."""

    url: str


class NewImageUnreachable(Failure):
    """A picture of a product that is being added cannot be fetched from where it is said to be."""

    url: str


class NotBase64(Failure):
    """What is sent as a picture is not base64."""


class ImageTooLarge(Failure):
    """What is sent as a picture has more bytes than are taken; `limit` is in MB."""

    limit: int


class VideoHostRefused(Failure):
    """The video is on a site that does not hand out files."""

    host: str


class NotEmail(Failure):
    """What is given as an e-mail address has not the form of one."""

    name: str


class NotPhone(Failure):
    """What is given as a telephone number has not the form of one."""

    name: str


class SpanReversed(Failure):
    """The time span ends before it begins."""

    name: str
    other: str = "since"


class NotTrackingNumber(Failure):
    """What is given as a tracking number holds something else than letters and digits."""

    name: str
    most: int


class OldClientRefused(Failure):
    """The app, the code or the token that a v2 token call names does not exist, or the redirect URL is another."""


class OldGrantExpired(Failure):
    """The consent that a v2 token call is made with is over."""


class OldGrantOver(Failure):
    """The code or the refresh token of a v2 token call is expired, was used before, or was taken back."""

    keeps = True
