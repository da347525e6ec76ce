"""Chapter *Tickets*: what buyers ask, and what the marketplace's support says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast

from tradepost.domain import merchants, operators, tickets
from tradepost.domain.context import MerchantCtx, OperatorCtx
from tradepost.domain.inbox.failures import TextUnusable
from tradepost.domain.merchants import MerchantUnknown
from tradepost.domain.orders.failures import OrderNotFound
from tradepost.domain.products.failures import ProductNotFound
from tradepost.domain.tickets import (
    AUTOMATIC,
    BUYER,
    KINDS,
    SUPPORT,
    NewReply,
    NewTicket,
    Sender,
    TicketClosed,
    TicketKind,
    TicketNotFound,
    TicketUnusable,
)
from tradepost.surfaces.operator_v1 import vocabulary as v
from tradepost.surfaces.operator_v1.surface import api
from tradepost.surfaces.operator_v1.ticket_views import Ticket, Tickets, TicketState, ticket
from tradepost.values import FIRST, LAST
from tradepost.wire.bodies import Many, StrictObject
from tradepost.wire.params import Choice, Doc, Moment, Text, Whole

_FOUND = (MerchantUnknown, TicketNotFound)
WRITERS = (SUPPORT, BUYER, AUTOMATIC)
Label = Annotated[str, Text(200, strip=True), Doc("What kind of question it is; the subject if left out.")]
English = Annotated[str, Text(2000), Doc("The message in English.")]
Chinese = Annotated[str, Text(2000), Doc("The message in Chinese.")]
Writer = Annotated[str, Choice(WRITERS), Doc("In whose name; `automatic` is what the platform says by itself.")]


@dataclass(frozen=True, kw_only=True)
class BuyerWhoAsks:
    """Who asks."""

    name: Annotated[str, Text(200, strip=True), Doc("Name of the buyer.")]
    id: Annotated[str, v.Id(), Doc("The buyer's id; the orders', or a new one, if left out.")] | None = None
    locale: Annotated[str, Text(8), Doc("The buyer's language, such as `fr` or `pt-BR`.")] = "en"
    joined_at: Annotated[datetime, Moment(), Doc("When the buyer joined; now if left out.")] | None = None


@dataclass(frozen=True, kw_only=True)
class TicketToOpen:
    """What a buyer asks."""

    merchant_id: v.MerchantId
    subject: Annotated[str, Text(200, strip=True), Doc("What it is about, in a line.")]
    message: v.Message
    buyer: Annotated[BuyerWhoAsks, Doc("Who asks.")]
    order_ids: Annotated[
        tuple[str, ...], v.Id(), Many(0, 100), Doc("The orders that it is about, of one purchase.")
    ] = ()
    product_ids: Annotated[
        tuple[str, ...], v.Id(), Many(0, 100), Doc("The products that it is about; required without orders.")
    ] = ()
    transaction_id: Annotated[str, v.Id(), Doc("The purchase; that of the orders if left out.")] | None = None
    kind: Annotated[str, Choice(KINDS), Doc("What kind of ticket; by what it is about if left out.")] | None = None
    label: Label | None = None
    sublabel: Annotated[Label, Doc("More about that.")] = ""
    refund_reason: Annotated[int, Whole(0, 9_999), Doc("Code of a reason for a refund.")] | None = None
    message_en: English | None = None
    message_zh: Chinese | None = None

    def told(self, ctx: MerchantCtx) -> NewTicket:
        """The ticket for the domain."""
        usual = tickets.POST_PURCHASE if self.order_ids else tickets.PRE_PURCHASE
        joined = self.buyer.joined_at or ctx.now
        return NewTicket(
            kind=cast(TicketKind, self.kind or usual),
            buyer=tickets.Buyer(self.buyer.id or ctx.new_id(), self.buyer.name, joined, self.buyer.locale),
            subject=self.subject,
            label=self.label or self.subject,
            sublabel=self.sublabel,
            transaction_id=self.transaction_id,
            order_ids=self.order_ids,
            product_ids=self.product_ids,
            refund_reason=self.refund_reason,
            buyer_told=self.buyer.id is not None,
            first=NewReply(message=self.message, message_en=self.message_en, message_zh=self.message_zh),
        )


@dataclass(frozen=True, kw_only=True)
class TicketToClose:
    """Which ticket, and in whose name."""

    merchant_id: v.MerchantId
    ticket_id: v.TicketId
    by: Writer = SUPPORT


@dataclass(frozen=True, kw_only=True)
class TicketToAnswer(TicketToClose):
    """What is written in which ticket."""

    message: v.Message
    message_en: English | None = None
    message_zh: Chinese | None = None


@api.read("/tickets", scope="tickets:read", fails=[MerchantUnknown])
async def list_tickets(
    ctx: OperatorCtx, *, merchant_id: v.MerchantId, after: v.After = LAST, limit: v.Limit = v.DEFAULT_LIMIT
) -> Tickets:
    """List tickets of a merchant.

    The last changed first, each with everything that was written.
    """
    found, more = await tickets.page_tickets(await merchants.act_for(ctx, merchant_id), after, limit)
    places = [(one.updated_at, one.id) for one in found]
    return Tickets([ticket(merchant_id, one) for one in found], v.next_page(more, places))


@api.read("/tickets/awaiting-support", scope="tickets:read")
async def list_escalated_tickets(
    ctx: OperatorCtx, *, after: v.After = FIRST, limit: v.Limit = v.DEFAULT_LIMIT
) -> Tickets:
    """List tickets that await support.

    Of all merchants, the longest waiting first.
    """
    found, more = await tickets.escalated_tickets(ctx, after, limit)
    places = [(one.updated_at, one.id) for _, one in found]
    return Tickets([ticket(merchant_id, one) for merchant_id, one in found], v.next_page(more, places))


@api.read("/tickets/get", scope="tickets:read", fails=_FOUND)
async def get_ticket(ctx: OperatorCtx, *, merchant_id: v.MerchantId, ticket_id: v.TicketId) -> Ticket:
    """Get a ticket."""
    return ticket(merchant_id, await tickets.find_ticket(await merchants.act_for(ctx, merchant_id), ticket_id))


@api.write(
    "/tickets/open",
    scope="tickets:write",
    fails=[MerchantUnknown, OrderNotFound, ProductNotFound, TextUnusable, TicketUnusable],
)
async def open_ticket(
    ctx: OperatorCtx, *, wish: Annotated[TicketToOpen, StrictObject(TicketToOpen), Doc("What is asked.")]
) -> TicketState:
    """Open a ticket.

    For a buyer who asks a merchant something, about orders or, before a purchase, about products. It is the
    merchant's turn then, and he is told.
    """
    acting = await merchants.act_for(ctx, wish.merchant_id)
    ticket_id = await tickets.open_ticket(acting, wish.told(acting))
    await operators.record_act(ctx, "open_ticket", wish.merchant_id, {"ticket_id": ticket_id})
    return TicketState(ticket_id, tickets.AWAITING_MERCHANT)


@api.write("/tickets/answer", scope="tickets:write", fails=[*_FOUND, TicketClosed, TextUnusable])
async def answer_ticket(
    ctx: OperatorCtx, *, wish: Annotated[TicketToAnswer, StrictObject(TicketToAnswer), Doc("What is written.")]
) -> TicketState:
    """Answer a ticket.

    As support, or for the buyer; a buyer opens a closed ticket again by writing.
    """
    acting = await merchants.act_for(ctx, wish.merchant_id)
    reply = NewReply(message=wish.message, message_en=wish.message_en, message_zh=wish.message_zh)
    state = await tickets.answer_ticket(acting, wish.ticket_id, cast(Sender, wish.by), reply)
    await operators.record_act(ctx, "answer_ticket", wish.merchant_id, {"ticket_id": wish.ticket_id, "by": wish.by})
    return TicketState(wish.ticket_id, state)


@api.write("/tickets/close", scope="tickets:write", fails=[*_FOUND, TicketClosed])
async def close_ticket(
    ctx: OperatorCtx, *, wish: Annotated[TicketToClose, StrictObject(TicketToClose), Doc("Which ticket.")]
) -> TicketState:
    """Close a ticket."""
    acting = await merchants.act_for(ctx, wish.merchant_id)
    await tickets.close_ticket(acting, wish.ticket_id, cast(Sender, wish.by))
    await operators.record_act(ctx, "close_ticket", wish.merchant_id, {"ticket_id": wish.ticket_id, "by": wish.by})
    return TicketState(wish.ticket_id, tickets.CLOSED)
