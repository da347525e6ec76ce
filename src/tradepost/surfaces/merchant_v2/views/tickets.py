"""Tickets on the wire; chapter *Ticket*."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from tradepost.domain import tickets
from tradepost.surfaces.merchant_v2.views.leaves import FlagText, OptionalText, flag, maybe
from tradepost.surfaces.merchant_v2.views.orders import OrderItem
from tradepost.surfaces.merchant_v2.views.product import ProductItem

StateText = Literal["Awaiting your response", "Awaiting buyer response", "Awaiting store response", "Closed"]
SenderText = Literal["user", "merchant", "wish support", "wish automated support"]

# The number 4 stands for the first state, too, in one example of the reference, so it stands for no other.
_STATES: dict[tickets.TicketState, tuple[StateText, str]] = {
    "awaiting_merchant": ("Awaiting your response", "1"),
    "awaiting_buyer": ("Awaiting buyer response", "2"),
    "awaiting_support": ("Awaiting store response", "3"),
    "closed": ("Closed", "5"),
}
_SENDERS: dict[tickets.Sender, SenderText] = {
    "buyer": "user",
    "merchant": "merchant",
    "support": "wish support",
    "automatic": "wish automated support",
}

Linker = Callable[[str], str]
"""Makes the link to a picture of the ticket in hand, out of the name of its file."""


class UserInfo(Struct):
    """Who asks.

    `id` is 24 hex digits. `name` is the buyer's name. `joined_date` is when he joined, UTC. `locale` is his
    language.
    """

    id: str
    joined_date: str
    locale: str
    name: str


class Reply(Struct):
    """Something that was written.

    `date` is when, UTC. `message` is what. `sender` is by whom. `image_urls` are links to the pictures that came
    with it, each good for 60 minutes, as the text of a list. `translated_message` is the same in English, where
    there is a translation. `translated_message_zh` is the same in Chinese, where there is a translation.
    """

    date: str
    image_urls: str
    message: str
    sender: SenderText
    translated_message: OptionalText = UNSET
    translated_message_zh: OptionalText = UNSET


class ReplyItem(Struct):
    """A reply in a list."""

    Reply: Reply


class Ticket(Struct):
    """A ticket.

    `UserInfo` is who asks. `id` is 24 hex digits. `merchant_id` is the shop that is asked. `subject` is what it
    is called. `label` is what kind of question it is. `sublabel` says more about that, and may be empty. `state`
    says whose turn it is; *store* is the marketplace. `state_id` is the same as a number. `photo_proof` says
    whether the buyer sent a picture. `open_date` is when it was opened, UTC. `last_update_date` is when it last
    changed, UTC. `items` are the orders that it is about. `replies` is everything that was written, the oldest
    first. `products` are the products that it is about, where it is about products. `transaction_id` is the
    purchase that it is about, where it is about one. `default_refund_reason` is the code of the reason that a
    refund would usually have. `close_date` is when it was last closed, UTC, also if it was opened again.
    `closed_by` is who did that.
    """

    UserInfo: UserInfo
    id: str
    items: list[OrderItem]
    label: str
    last_update_date: str
    merchant_id: str
    open_date: str
    photo_proof: FlagText
    replies: list[ReplyItem]
    state: StateText
    state_id: str
    subject: str
    sublabel: str
    close_date: OptionalText = UNSET
    closed_by: SenderText | UnsetType = UNSET
    default_refund_reason: OptionalText = UNSET
    products: list[ProductItem] | UnsetType = UNSET
    transaction_id: OptionalText = UNSET


class TicketItem(Struct):
    """A ticket in a list."""

    Ticket: Ticket


def ticket_item(
    found: tickets.Ticket,
    merchant_id: str,
    orders: Sequence[OrderItem],
    products: Sequence[ProductItem],
    link: Linker,
) -> TicketItem:
    """A ticket with the orders and products that it is about."""
    state, state_id = _STATES[found.state]
    return TicketItem(
        Ticket(
            UserInfo=UserInfo(
                id=found.buyer.id,
                joined_date=_time(found.buyer.joined_at),
                locale=found.buyer.locale,
                name=found.buyer.name,
            ),
            id=found.id,
            items=list(orders),
            label=found.label,
            last_update_date=_time(found.updated_at),
            merchant_id=merchant_id,
            open_date=_time(found.opened_at),
            photo_proof=flag(found.has_photo),
            replies=[ReplyItem(_reply(reply, link)) for reply in found.replies],
            state=state,
            state_id=state_id,
            subject=found.subject,
            sublabel=found.sublabel,
            close_date=UNSET if found.closed_at is None else _time(found.closed_at),
            closed_by=UNSET if found.closed_by is None else _SENDERS[found.closed_by],
            default_refund_reason=UNSET if found.refund_reason is None else str(found.refund_reason),
            products=list(products) or UNSET,
            transaction_id=maybe(found.transaction_id),
        )
    )


def _reply(reply: tickets.Reply, link: Linker) -> Reply:
    links = ", ".join(f"'{link(name)}'" for name in reply.pictures)
    return Reply(
        date=_time(reply.sent_at),
        image_urls=f"[{links}]",
        message=reply.message,
        sender=_SENDERS[reply.sender],
        translated_message=maybe(reply.message_en),
        translated_message_zh=maybe(reply.message_zh),
    )


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
