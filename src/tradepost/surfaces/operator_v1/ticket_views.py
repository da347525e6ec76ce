"""Tickets as this service shows them."""

from __future__ import annotations

from msgspec import Struct

from tradepost.domain import tickets
from tradepost.surfaces.operator_v1 import vocabulary as v


class Buyer(Struct, gc=False):
    """Who asks."""

    id: str
    name: str
    locale: str
    joined_at: str


class Reply(Struct, gc=False):
    """Something that was written.

    `sender` is `buyer`, `merchant`, `support` or `automatic`. `pictures` says how many pictures came with it.
    """

    sender: str
    message: str
    message_en: str | None
    message_zh: str | None
    pictures: int
    sent_at: str


class Ticket(Struct, gc=False):
    """What a buyer asks, with everything that was written, the oldest first.

    `state` is one of `awaiting_merchant`, `awaiting_buyer`, `awaiting_support`, `closed`.
    """

    id: str
    merchant_id: str
    kind: str
    state: str
    subject: str
    label: str
    sublabel: str
    transaction_id: str | None
    order_ids: list[str]
    product_ids: list[str]
    opened_at: str
    updated_at: str
    closed_at: str | None
    closed_by: str | None
    buyer: Buyer
    replies: list[Reply]


class Tickets(Struct, gc=False):
    """A page of tickets. `next` is what `after` is for the next page, null where there is none."""

    tickets: list[Ticket]
    next: str | None


class TicketState(Struct, gc=False):
    """How a ticket stands now."""

    ticket_id: str
    state: str


def ticket(merchant_id: str, found: tickets.Ticket) -> Ticket:
    """A ticket in this service's words."""
    return Ticket(
        id=found.id,
        merchant_id=merchant_id,
        kind=found.kind,
        state=found.state,
        subject=found.subject,
        label=found.label,
        sublabel=found.sublabel,
        transaction_id=found.transaction_id,
        order_ids=list(found.order_ids),
        product_ids=list(found.product_ids),
        opened_at=v.moment(found.opened_at),
        updated_at=v.moment(found.updated_at),
        closed_at=v.moment_or_none(found.closed_at),
        closed_by=found.closed_by,
        buyer=Buyer(found.buyer.id, found.buyer.name, found.buyer.locale, v.moment(found.buyer.joined_at)),
        replies=[_reply(reply) for reply in found.replies],
    )


def _reply(found: tickets.Reply) -> Reply:
    return Reply(
        sender=found.sender,
        message=found.message,
        message_en=found.message_en,
        message_zh=found.message_zh,
        pictures=len(found.pictures),
        sent_at=v.moment(found.sent_at),
    )
