"""`tradepost ticket`: what buyers ask, and what the marketplace's support says, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tradepost.domain import tickets
from tradepost.domain.context import MerchantCtx
from tradepost.domain.tickets import (
    KINDS,
    MOST_BYTES,
    SENDERS,
    STATES,
    Buyer,
    NewReply,
    NewTicket,
    Sender,
    TicketKind,
)
from tradepost.opening import open_files
from tradepost.settings import load_settings
from tradepost.surfaces.cli.accounts import MerchantId, run_for
from tradepost.values import Page

SHOWN = 500
DAY = "%Y-%m-%d"

group = typer.Typer(help="Tickets of shops.", no_args_is_help=True)

TicketId = Annotated[str, typer.Argument(help="Id of the ticket.")]
Kind = Annotated[str | None, typer.Option(help=f"One of {', '.join(KINDS)}; by what it is about if left out.")]
Joined = Annotated[datetime | None, typer.Option(formats=[DAY], help="When the buyer joined; now if left out.")]
English = Annotated[str | None, typer.Option("--en", help="The message in English.")]
Chinese = Annotated[str | None, typer.Option("--zh", help="The message in Chinese.")]
Pictures = Annotated[
    list[Path] | None,
    typer.Option("--picture", help="A JPEG, PNG or GIF to attach; repeat it.", exists=True, dir_okay=False),
]


@group.command("open")
def open_ticket(
    merchant_id: MerchantId,
    subject: str,
    message: str,
    order: Annotated[list[str] | None, typer.Option(help="Id of an order that it is about; repeat it.")] = None,
    product: Annotated[list[str] | None, typer.Option(help="Id of a product that it is about; repeat it.")] = None,
    transaction: Annotated[str | None, typer.Option(help="Id of the purchase of the orders.")] = None,
    kind: Kind = None,
    label: Annotated[str | None, typer.Option(help="What kind of question it is; the subject if left out.")] = None,
    sublabel: Annotated[str, typer.Option(help="More about that.")] = "",
    refund_reason: Annotated[int | None, typer.Option(help="Code of the reason that a refund would have.")] = None,
    buyer_id: Annotated[str | None, typer.Option(help="Id of the buyer; the orders' if left out.")] = None,
    buyer_name: Annotated[str, typer.Option(help="Name of the buyer.")] = "A buyer",
    buyer_locale: Annotated[str, typer.Option(help="Language of the buyer.")] = "en",
    buyer_joined: Joined = None,
    en: English = None,
    zh: Chinese = None,
    picture: Pictures = None,
) -> None:
    """Let a buyer ask a shop something."""

    async def ask(ctx: MerchantCtx) -> str:
        ticket_id = ctx.new_id()
        joined = buyer_joined.replace(tzinfo=UTC) if buyer_joined else ctx.now
        new = NewTicket(
            kind=cast(TicketKind, kind or (tickets.POST_PURCHASE if order else tickets.PRE_PURCHASE)),
            buyer=Buyer(buyer_id or ctx.new_id(), buyer_name, joined, buyer_locale),
            subject=subject,
            label=label or subject,
            sublabel=sublabel,
            transaction_id=transaction,
            order_ids=order or (),
            product_ids=product or (),
            refund_reason=refund_reason,
            buyer_told=buyer_id is not None,
            first=NewReply(
                message=message,
                message_en=en,
                message_zh=zh,
                pictures=await _attach(ctx, ticket_id, picture or ()),
            ),
        )
        return await tickets.open_ticket(ctx, new, ticket_id)

    print(run_for(merchant_id, ask, "open_ticket"))


@group.command("answer")
def answer_ticket(
    merchant_id: MerchantId,
    ticket_id: TicketId,
    message: str,
    sender: Annotated[str, typer.Option("--as", help=f"Who writes: one of {', '.join(SENDERS)}.")] = "support",
    en: English = None,
    zh: Chinese = None,
    picture: Pictures = None,
) -> None:
    """Write something in a ticket."""
    who = _sender(sender)

    async def answer(ctx: MerchantCtx) -> str:
        await tickets.find_ticket(ctx, ticket_id)
        names = await _attach(ctx, ticket_id, picture or ())
        reply = NewReply(message=message, message_en=en, message_zh=zh, pictures=names)
        return await tickets.answer_ticket(ctx, ticket_id, who, reply)

    print(run_for(merchant_id, answer, "answer_ticket", ticket_id=ticket_id[:64]))


@group.command("close")
def close_ticket(
    merchant_id: MerchantId,
    ticket_id: TicketId,
    by: Annotated[str, typer.Option("--as", help=f"Who closes it: one of {', '.join(SENDERS)}.")] = "support",
) -> None:
    """Close a ticket."""
    who = _sender(by)
    run_for(
        merchant_id, lambda ctx: tickets.close_ticket(ctx, ticket_id, who), "close_ticket", ticket_id=ticket_id[:64]
    )
    print("closed")


@group.command("list")
def list_tickets(
    merchant_id: MerchantId,
    state: Annotated[str | None, typer.Option(help=f"One of {', '.join(STATES)}; all if left out.")] = None,
) -> None:
    """Show the latest tickets of a shop."""

    async def look(ctx: MerchantCtx) -> list[Any]:
        return (await tickets.list_tickets(ctx, Page(0, SHOWN)))[0]

    for one in run_for(merchant_id, look):
        if state in (None, one.state):
            about = f"{one.kind:<16}  {len(one.replies)} written  {one.subject}"
            print(f"{one.id}  {one.updated_at:%Y-%m-%d %H:%M}  {one.state:<17}  {about}")


def _sender(word: str) -> Sender:
    if word not in SENDERS:
        raise SystemExit(f"{word} is nobody; there are {', '.join(SENDERS)}.")
    return cast(Sender, word)


async def _attach(ctx: MerchantCtx, ticket_id: str, pictures: Sequence[Path]) -> list[str]:
    """Bring pictures into the store; nobody knows their names before the ticket has them."""
    files = open_files(load_settings())
    names = []
    for picture in pictures:
        with picture.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        name = tickets.name_of(ctx.new_id(), data)
        async with files.writing(tickets.key_of(ctx.actor.id, ticket_id, name)) as writer:
            await writer.write(data)
        names.append(name)
    return names
