"""A ticket with its replies; chapter *Ticket*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from tradepost.domain.tickets.machine import BUYER, Sender, TicketState

TicketKind = Literal["post_purchase", "customer_support", "pre_purchase"]
"""What it is about: orders, orders that customer support looked at before, or products that nobody bought yet."""

KINDS: Final[tuple[TicketKind, ...]] = get_args(TicketKind)
POST_PURCHASE: Final = "post_purchase"
PRE_PURCHASE: Final = "pre_purchase"
MOST_REPLY: Final = 2_000
MOST_LABEL: Final = 200
MOST_ITEMS: Final = 100
MOST_PICTURES: Final = 10


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who asks."""

    id: str
    name: str
    joined_at: datetime
    locale: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewReply:
    """Something to be written in a ticket: the text, its translations, and the names of files that come with it."""

    message: str
    message_en: str | None = None
    message_zh: str | None = None
    pictures: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """Something that was written in a ticket."""

    sender: Sender
    message: str
    message_en: str | None
    message_zh: str | None
    pictures: Sequence[str]
    sent_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTicket:
    """What a buyer asks, and about what: orders of one purchase, or products where nothing was bought."""

    kind: TicketKind
    buyer: Buyer
    subject: str
    label: str
    first: NewReply
    sublabel: str = ""
    transaction_id: str | None = None
    order_ids: Sequence[str] = ()
    product_ids: Sequence[str] = ()
    refund_reason: int | None = None
    buyer_told: bool = True
    """Whether the buyer's id was told; if not, it is that of the orders' buyer where it is about orders."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it stands, with everything that was written, the oldest first."""

    id: str
    kind: TicketKind
    state: TicketState
    subject: str
    label: str
    sublabel: str
    transaction_id: str | None
    order_ids: Sequence[str]
    product_ids: Sequence[str]
    refund_reason: int | None
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    closed_by: Sender | None
    buyer: Buyer
    replies: Sequence[Reply]

    @property
    def has_photo(self) -> bool:
        """Whether the buyer sent a picture."""
        return any(reply.pictures for reply in self.replies if reply.sender == BUYER)
