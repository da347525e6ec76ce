"""Failures that only this wire knows: texts that name a picture or a video which cannot be taken."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class InvalidId(Failure):
    """Something that cannot be an id, where a write asks for one."""

    id: str


class MainImageMissing(Failure):
    """A product without a main picture."""


class ImageUnreachable(Failure):
    """A picture that cannot be fetched from where it is said to be."""

    url: str


class NewImageUnreachable(Failure):
    """The same for a picture of a product that is just being added."""

    url: str


class VideoHostRefused(Failure):
    """A video on a site that does not hand out files."""

    host: str


class SpanReversed(Failure):
    """A time span that ends before it begins."""

    name: str
