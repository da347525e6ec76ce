"""What buyers have to say to the merchants of the world: five tickets, one of each fate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.support.calls import ORDERS, RINGS, TICKETS
from tests.support.news import given_ids
from tradepost.domain import tickets
from tradepost.domain.context import MerchantCtx
from tradepost.domain.tickets import BUYER, MERCHANT, SUPPORT, Buyer, NewReply, NewTicket
from tradepost.storage.files_local import LocalFiles

# One white pixel.
PICTURE = bytes.fromhex("4749463839610100010080000000000000ffffff21f90401000000002c00000000010001000002024401003b")
PICTURE_NAME = f"{'60a4d0cb':0<24}.gif"

GEORGE = Buyer("60a4d0ca0000000000000001", "George Example", datetime(2012, 2, 2, 11, 22, 21, tzinfo=UTC), "en")
ROSA = Buyer("60a4d0ca0000000000000002", "Rosa Exemplo", datetime(2014, 3, 5, 13, 21, 19, tzinfo=UTC), "pt")


def bought(who: str) -> tuple[str, str]:
    """The orders that most tickets are about."""
    return ORDERS[who]["open"], ORDERS[who]["combined"]


def asked(who: str) -> tuple[NewTicket, ...]:
    """Of each ticket what the buyer asks first."""
    order = bought(who)[:1]
    where = NewReply(
        message="Where is my product?", message_en="Where is my product?", message_zh="哪里是我的产品?"
    )
    money = NewReply(message="Quero meu reembolso", message_en="I want my refund", message_zh="我希望我的退款")
    return (
        NewTicket(
            kind="post_purchase",
            buyer=GEORGE,
            subject="Return or Exchange",
            label="Return or Exchange",
            first=replace(where, pictures=(PICTURE_NAME,)),
            order_ids=order,
            refund_reason=23,
        ),
        NewTicket(
            kind="post_purchase",
            buyer=ROSA,
            subject="Solicitar Reembolso/ Cancelar Pedido",
            label="Request Refund/Cancel Order: Request a Different Color",
            sublabel="Request a Different Color",
            order_ids=bought(who),
            refund_reason=19,
            first=money,
        ),
        NewTicket(
            kind="pre_purchase",
            buyer=GEORGE,
            subject="Does it come in gold?",
            label="Product question",
            product_ids=RINGS[who][:1],
            first=NewReply(message="Does it come in gold?"),
        ),
        NewTicket(
            kind="post_purchase",
            buyer=GEORGE,
            subject="Thank you",
            label="Other",
            first=where,
            order_ids=order,
        ),
        NewTicket(
            kind="customer_support",
            buyer=ROSA,
            subject="Chegou danificado",
            label="Damaged",
            first=money,
            order_ids=order,
        ),
    )


async def complain(ctx: MerchantCtx, who: str, files: LocalFiles) -> None:
    """Open the tickets, and let some of them go on; all of it is over before the news begin."""
    async with files.writing(tickets.key_of(ctx.actor.id, TICKETS[who][0], PICTURE_NAME)) as writer:
        await writer.write(PICTURE)
    for number, new in enumerate(asked(who)):
        then = f"60a4d0cc{TICKETS[who][0][14:16]}{number:06x}"
        acting = replace(ctx, new_id=given_ids(then=then), now=ctx.now - timedelta(hours=9 - number))
        await tickets.open_ticket(acting, new, TICKETS[who][number])
        await _go_on(replace(acting, now=acting.now + timedelta(minutes=30)), TICKETS[who], number)


async def _go_on(ctx: MerchantCtx, ids: Sequence[str], number: int) -> None:
    hello = NewReply(message="Hello, friend.\n\nIt is on its way.")
    match number:
        case 0:  # closed by support, and opened again by the buyer
            await tickets.close_ticket(ctx, ids[number], SUPPORT)
            again = NewReply(message="It has not come.", message_en="It has not come.", message_zh="它还没有到。")
            await tickets.answer_ticket(ctx, ids[number], BUYER, again)
        case 1:  # a dialogue, and the merchant's turn again
            await tickets.answer_ticket(ctx, ids[number], MERCHANT, hello)
            once_more = NewReply(message="Obrigada", message_en="Thank you", message_zh="谢谢")
            await tickets.answer_ticket(ctx, ids[number], BUYER, once_more)
        case 3:
            await tickets.close_ticket(ctx, ids[number])
        case 4:
            await tickets.appeal_ticket(ctx, ids[number])
