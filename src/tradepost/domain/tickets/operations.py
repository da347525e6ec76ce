"""What is asked, who answers, and how a ticket ends.

A merchant hears of a ticket when it comes to be his turn; what he does is an event for whoever tells the buyer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tradepost.domain import inbox, orders, outbox, products
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.tickets import failures, machine, rows
from tradepost.domain.tickets.machine import AWAITING_MERCHANT, BUYER, MERCHANT, Sender, TicketState
from tradepost.domain.tickets.picture import FILE_NAME, LIFETIME, PictureLink
from tradepost.domain.tickets.ticket import (
    KINDS,
    MOST_ITEMS,
    MOST_LABEL,
    MOST_PICTURES,
    MOST_REPLY,
    PRE_PURCHASE,
    NewReply,
    NewTicket,
    Ticket,
    TicketKind,
)
from tradepost.values import Bookmark, Page

AWAITING_TOPIC: Final = "ticket_awaiting_merchant"
REPLIED_TOPIC: Final = "ticket_replied"
CLOSED_TOPIC: Final = "ticket_closed"
APPEALED_TOPIC: Final = "ticket_appealed"
REOPENED_TOPIC: Final = "ticket_reopened"
_ID = re.compile("[0-9a-f]{24}", re.ASCII)
_LOCALE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?", re.ASCII)


async def find_ticket(ctx: MerchantCtx, ticket_id: str) -> Ticket:
    """A ticket of the acting merchant; raises TicketNotFound."""
    found = await rows.find(ctx.db, ctx.actor.id, ticket_id)
    if found is None:
        raise failures.TicketNotFound(id=ticket_id)
    return found


async def known_tickets(ctx: MerchantCtx, ids: Sequence[str]) -> set[str]:
    """Which of these ids are those of tickets of the acting merchant."""
    return await rows.known(ctx.db, ctx.actor.id, ids) if ids else set()


async def list_awaiting(ctx: MerchantCtx, kind: TicketKind, page: Page) -> tuple[list[Ticket], bool]:
    """Tickets of a kind that await the acting merchant, the last changed first, and whether there are more."""
    return await rows.awaiting(ctx.db, ctx.actor.id, kind, page)


async def count_awaiting(ctx: MerchantCtx) -> int:
    """How many tickets of any kind await the acting merchant."""
    return await rows.count_awaiting(ctx.db, ctx.actor.id)


async def list_tickets(ctx: MerchantCtx, page: Page) -> tuple[list[Ticket], bool]:
    """All tickets of the acting merchant, the last changed first, and whether there are more."""
    return await rows.page(ctx.db, ctx.actor.id, page)


async def reply_to_ticket(ctx: MerchantCtx, ticket_id: str, message: str) -> None:
    """Write to the buyer; raises TicketNotFound, TicketClosed."""
    await _write(ctx, ticket_id, MERCHANT, NewReply(message=message))


async def close_ticket(ctx: MerchantCtx, ticket_id: str, by: Sender = MERCHANT) -> None:
    """Close a ticket; raises TicketNotFound, TicketClosed."""
    state = machine.closed(await _lock(ctx, ticket_id))
    if state is None:
        raise failures.TicketClosed(id=ticket_id)
    await rows.update(ctx.db, ctx.actor.id, ticket_id, state, ctx.now, closed_by=by)
    await _tell(ctx, CLOSED_TOPIC, ticket_id, by)


async def appeal_ticket(ctx: MerchantCtx, ticket_id: str) -> None:
    """Ask support to step in; raises TicketNotFound, TicketClosed, TicketWithSupport."""
    before = await _lock(ctx, ticket_id)
    state = machine.appealed(before)
    if state is None:
        closed = before == machine.CLOSED
        raise failures.TicketClosed(id=ticket_id) if closed else failures.TicketWithSupport(id=ticket_id)
    await rows.update(ctx.db, ctx.actor.id, ticket_id, state, ctx.now)
    await _tell(ctx, APPEALED_TOPIC, ticket_id, MERCHANT)


async def reopen_ticket(ctx: MerchantCtx, ticket_id: str, reason: str) -> None:
    """Open a closed ticket again, and write why to the buyer; raises TicketNotFound, TicketNotClosed."""
    state = machine.reopened(await _lock(ctx, ticket_id))
    if state is None:
        raise failures.TicketNotClosed(id=ticket_id)
    await rows.update(ctx.db, ctx.actor.id, ticket_id, state, ctx.now)
    await rows.insert_reply(ctx.db, ctx.actor.id, ticket_id, MERCHANT, NewReply(message=reason), ctx.now)
    await _tell(ctx, REOPENED_TOPIC, ticket_id, MERCHANT)


# -- what the others do


async def open_ticket(ctx: MerchantCtx, new: NewTicket, ticket_id: str | None = None) -> str:
    """Let a buyer ask the acting merchant something; gives the ticket's id, a new one unless it is told.

    The purchase is that of the orders unless it is told, and so is the buyer's id. Raises TicketUnusable,
    TextUnusable, OrderNotFound, ProductNotFound.
    """
    _check(new)
    for order_id in new.order_ids:
        order = await orders.find_order(ctx, order_id)
        asks = new.buyer if new.buyer_told else replace(new.buyer, id=order.buyer_id)
        new = replace(new, buyer=asks, transaction_id=new.transaction_id or order.transaction_id)
    for product_id in new.product_ids:
        await products.require_product(ctx, product_id)
    opened = ctx.new_id() if ticket_id is None else ticket_id
    await rows.insert(ctx.db, ctx.actor.id, opened, AWAITING_MERCHANT, new, ctx.now)
    await rows.insert_reply(ctx.db, ctx.actor.id, opened, BUYER, new.first, ctx.now)
    await inbox.notify(ctx, ctx.actor.id, AWAITING_TOPIC, {"ticket_id": opened, "subject": new.subject})
    return opened


async def answer_ticket(ctx: MerchantCtx, ticket_id: str, sender: Sender, reply: NewReply) -> TicketState:
    """Write something in a ticket; gives how it stands then.

    Raises TicketUnusable, TextUnusable, TicketNotFound, TicketClosed.
    """
    _check_reply(reply)
    return await _write(ctx, ticket_id, sender, reply)


async def page_tickets(ctx: MerchantCtx, after: Bookmark, limit: int) -> tuple[list[Ticket], bool]:
    """Some tickets of a shop behind a place in the list, the last changed first, and whether there are more."""
    return await rows.page_back(ctx.db, ctx.actor.id, after, limit)


async def escalated_tickets(ctx: Ctx, after: Bookmark, limit: int) -> tuple[list[tuple[str, Ticket]], bool]:
    """Some tickets of any shop that await support, the longest waiting first, each with the id of its shop."""
    return await rows.escalated(ctx.db, after, limit)


async def open_picture(ctx: Ctx, link: PictureLink) -> None:
    """Let a link to a picture be followed; raises TicketPictureExpired, TicketPictureNotFound."""
    if ctx.now >= link.expires_at:
        raise failures.TicketPictureExpired(minutes=int(LIFETIME.total_seconds()) // 60)
    if not await rows.has_picture(ctx.db, link.merchant_id, link.ticket_id, link.name):
        raise failures.TicketPictureNotFound


async def _write(ctx: MerchantCtx, ticket_id: str, sender: Sender, reply: NewReply) -> TicketState:
    before = await _lock(ctx, ticket_id)
    state = machine.answered(before, sender)
    if state is None:
        raise failures.TicketClosed(id=ticket_id)
    await rows.update(ctx.db, ctx.actor.id, ticket_id, state, ctx.now)
    await rows.insert_reply(ctx.db, ctx.actor.id, ticket_id, sender, reply, ctx.now)
    await _tell(ctx, REPLIED_TOPIC, ticket_id, sender)
    if state == AWAITING_MERCHANT != before:
        subject = await rows.subject_of(ctx.db, ctx.actor.id, ticket_id)
        await inbox.notify(ctx, ctx.actor.id, AWAITING_TOPIC, {"ticket_id": ticket_id, "subject": subject})
    return state


async def _tell(ctx: MerchantCtx, topic: str, ticket_id: str, by: Sender) -> None:
    await outbox.record_event(ctx, ctx.actor.id, topic, {"ticket_id": ticket_id, "by": by})


async def _lock(ctx: MerchantCtx, ticket_id: str) -> TicketState:
    state = await rows.lock(ctx.db, ctx.actor.id, ticket_id)
    if state is None:
        raise failures.TicketNotFound(id=ticket_id)
    return state


def _check(new: NewTicket) -> None:
    inbox.checked_text("subject", new.subject, MOST_LABEL)
    inbox.checked_text("label", new.label, MOST_LABEL)
    inbox.checked_text("buyer_name", new.buyer.name, MOST_LABEL)
    if new.sublabel:
        inbox.checked_text("sublabel", new.sublabel, MOST_LABEL)
    _check_reply(new.first)
    about_products = new.kind == PRE_PURCHASE
    reasonable = {
        "kind": new.kind in KINDS,
        "buyer_locale": bool(_LOCALE.fullmatch(new.buyer.locale)),
        "buyer_id": _are_ids([new.buyer.id]),
        "transaction_id": new.transaction_id is None or _are_ids([new.transaction_id]),
        "order_ids": _are_ids(new.order_ids) and bool(new.order_ids) != about_products,
        "product_ids": _are_ids(new.product_ids) and bool(new.product_ids) >= about_products,
        "refund_reason": new.refund_reason is None or -1 <= new.refund_reason <= 9_999,
    }
    if wrong := next((name for name, fits in reasonable.items() if not fits), None):
        raise failures.TicketUnusable(name=wrong)


def _are_ids(ids: Sequence[str]) -> bool:
    different = len(set(ids)) == len(ids) <= MOST_ITEMS
    return different and all(_ID.fullmatch(one) for one in ids)


def _check_reply(reply: NewReply) -> None:
    texts = {"message": reply.message, "message_en": reply.message_en, "message_zh": reply.message_zh}
    for name, text in texts.items():
        if text is not None:
            inbox.checked_text(name, text, MOST_REPLY)
    if len(reply.pictures) > MOST_PICTURES or not all(FILE_NAME.fullmatch(name) for name in reply.pictures):
        raise failures.TicketUnusable(name="pictures")
