"""Chapter *Ticket*: what buyers ask or complain about, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from tradepost.domain import orders, products, tickets
from tradepost.domain.context import MerchantCtx
from tradepost.domain.tickets import (
    MOST_REPLY,
    Ticket,
    TicketClosed,
    TicketKind,
    TicketNotClosed,
    TicketNotFound,
    TicketWithSupport,
)
from tradepost.surfaces.merchant_v2 import vocabulary as v
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.surfaces.merchant_v2.views.common import SUCCESS, Success
from tradepost.surfaces.merchant_v2.views.orders import order_item
from tradepost.surfaces.merchant_v2.views.product import product_item
from tradepost.surfaces.merchant_v2.views.tickets import TicketItem, ticket_item
from tradepost.values import Page
from tradepost.wire.endpoint import Also
from tradepost.wire.http_types import BaseUrl
from tradepost.wire.paging import Listing
from tradepost.wire.params import Choice, Doc, Text, Whole

_KINDS: dict[str, TicketKind] = {
    "post_purchase_tickets": "post_purchase",
    "post_customer_support_questions": "customer_support",
    "pre_purchase_questions": "pre_purchase",
}
TicketId = Annotated[str, v.AnyId(), Doc("The ticket's id, 24 hex digits.")]
Message = Text(MOST_REPLY, strip=True)


@api.read("/ticket", scope="tickets:read", fails=[TicketNotFound])
async def get_ticket(ctx: MerchantCtx, *, id: TicketId, base_url: BaseUrl) -> TicketItem:
    """Retrieve a ticket.

    Links to pictures in its replies work for 60 minutes; every call makes new ones.
    """
    (item,) = await _items(ctx, [await tickets.find_ticket(ctx, id)], base_url)
    return item


@api.read("/ticket/get-action-required", scope="tickets:read")
async def list_awaiting(
    ctx: MerchantCtx,
    *,
    start: v.Start = 0,
    limit: Annotated[int, Whole(1, 500), Doc("How many tickets a page has, 1 to 500.")] = 50,
    ticket_type: Annotated[
        str,
        Choice(tuple(_KINDS)),
        Doc("About orders, about orders that customer support looked at before, or about products."),
    ] = "post_purchase_tickets",
    base_url: BaseUrl,
) -> Listing[TicketItem]:
    """List all tickets awaiting you.

    Those of one type, the last changed first.
    """
    page = Page(start, limit)
    found, more = await tickets.list_awaiting(ctx, _KINDS[ticket_type], page)
    return Listing(await _items(ctx, found, base_url), page, more)


@api.write("/ticket/reply", scope="tickets:write", fails=[TicketNotFound, TicketClosed])
async def reply_to_ticket(
    ctx: MerchantCtx,
    *,
    id: TicketId,
    reply: Annotated[str, Message, Doc("What to write to the buyer, at most 2,000 characters.")],
) -> Success:
    """Reply to a ticket.

    It awaits the buyer then, or support still, if support was asked to step in.
    """
    await tickets.reply_to_ticket(ctx, id, reply)
    return SUCCESS


@api.write("/ticket/close", scope="tickets:write", fails=[TicketNotFound, TicketClosed])
async def close_ticket(ctx: MerchantCtx, *, id: TicketId) -> Success:
    """Close a ticket.

    For when all the buyer's questions are answered. A buyer who writes again opens it.
    """
    await tickets.close_ticket(ctx, id)
    return SUCCESS


@api.write(
    "/ticket/appeal-to-wish-support",
    scope="tickets:write",
    fails=[TicketNotFound, TicketClosed, TicketWithSupport],
)
async def appeal_ticket(ctx: MerchantCtx, *, id: TicketId) -> Success:
    """Appeal to Wish support for a ticket.

    For questions that you cannot answer. The ticket awaits an answer of the marketplace then.
    """
    await tickets.appeal_ticket(ctx, id)
    return SUCCESS


@api.write("/ticket/re-open", scope="tickets:write", fails=[TicketNotFound, TicketNotClosed])
async def reopen_ticket(
    ctx: MerchantCtx,
    *,
    id: TicketId,
    reply: Annotated[
        str,
        Message,
        Also("message"),
        Doc("Why, as the buyer will read it; at most 2,000 characters. `message` is taken for the same."),
    ],
) -> Success:
    """Re-open a ticket.

    For when something makes it relevant again. It awaits the buyer then.
    """
    await tickets.reopen_ticket(ctx, id, reply)
    return SUCCESS


async def _items(ctx: MerchantCtx, found: Sequence[Ticket], base_url: str) -> list[TicketItem]:
    """Tickets as they are told; what all of them are about is fetched at once."""
    ordered = await orders.find_orders(ctx, {each for ticket in found for each in ticket.order_ids})
    known = await products.find_products(ctx, {each for ticket in found for each in ticket.product_ids})

    def told(ticket: Ticket) -> TicketItem:
        about = [known[each] for each in ticket.product_ids if each in known]
        return ticket_item(
            ticket,
            ctx.actor.id,
            [order_item(ordered[each], ctx.now, base_url) for each in ticket.order_ids if each in ordered],
            [product_item(product, ctx.actor, base_url) for product in about],
            lambda name: base_url + tickets.link_path(ctx.link_keys, ctx.actor.id, ticket.id, name, ctx.now),
        )

    return [told(ticket) for ticket in found]
