"""What tickets do not allow, and what is not there."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class TicketNotFound(Failure):
    """The merchant has no such ticket."""

    id: str


class TicketClosed(Failure):
    """The ticket is closed, and has to be opened again first."""

    id: str


class TicketNotClosed(Failure):
    """A ticket that is open cannot be opened again."""

    id: str


class TicketWithSupport(Failure):
    """The ticket awaits an answer of the marketplace already."""

    id: str


class TicketUnusable(Failure):
    """A ticket that cannot be: about nothing, about too much, or with something that is not of the right form."""

    name: str


class TicketPictureNotFound(Failure):
    """The link leads to no picture: it was changed, or what it belongs to is gone."""


class TicketPictureExpired(Failure):
    """The link to a picture was good for some minutes, which are over."""

    minutes: int


class PictureUnusable(Failure):
    """What is to be attached is no JPEG, PNG or GIF, or too large."""

    limit: str
