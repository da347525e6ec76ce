"""`tradepost announce` and `notify`: what the marketplace says to its merchants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from tradepost.domain import inbox
from tradepost.domain.context import Ctx
from tradepost.domain.inbox import CATEGORIES, Feature, NewAnnouncement
from tradepost.surfaces.cli.accounts import MerchantId, run, run_for

MOMENT = "%Y-%m-%dT%H:%M"

group = typer.Typer(help="What merchants are told.", no_args_is_help=True)


@group.command("message")
def announce_message(
    title: str,
    message: str,
    manager_name: Annotated[str, typer.Option("--from", help="Name of the account manager who says it.")],
    manager_id: Annotated[str | None, typer.Option(help="His id, 24 hex digits; made up if left out.")] = None,
    to: Annotated[list[str] | None, typer.Option(help="Id of a shop; repeat it. All shops if left out.")] = None,
) -> None:
    """Let an account manager tell some shops, or all, something."""

    async def announce(ctx: Ctx) -> int:
        new = NewAnnouncement(title, message, manager_id or ctx.new_id(), manager_name)
        return await inbox.announce(ctx, new, to)

    print(f"told {run(announce, 'announce_message')} shops")


@group.command("update")
def announce_update(
    title: Annotated[str, typer.Argument(help="Headline in English.")],
    body: Annotated[str, typer.Argument(help="Text in English.")],
    cn_title: Annotated[str | None, typer.Option(help="Headline in Chinese; the English one if left out.")] = None,
    cn_body: Annotated[str | None, typer.Option(help="Text in Chinese; the English one if left out.")] = None,
    link: Annotated[str, typer.Option(help="Leads to more about it.")] = "",
    cn_link: Annotated[str | None, typer.Option(help="The same in Chinese.")] = None,
    category: Annotated[
        list[str] | None, typer.Option(help=f"Repeat it, up to three of {', '.join(CATEGORIES)}.")
    ] = None,
    program: Annotated[str | None, typer.Option(help="The programme that it is about.")] = None,
    important: Annotated[bool, typer.Option("--important", help="Merchants have to do something.")] = False,
    action: Annotated[str | None, typer.Option(help="What they have to do, in English.")] = None,
    cn_action: Annotated[str | None, typer.Option(help="The same in Chinese.")] = None,
    action_at: Annotated[datetime | None, typer.Option(formats=[MOMENT], help="By when, UTC.")] = None,
) -> None:
    """Publish a system update, and tell every shop that there is one."""
    feature = Feature(
        title=title,
        body=body,
        link=link,
        cn_title=cn_title or title,
        cn_body=cn_body or body,
        cn_link=link if cn_link is None else cn_link,
        categories=category or [],
        program=program,
        important=important,
        action=action,
        cn_action=cn_action or action,
        action_at=action_at and action_at.replace(tzinfo=UTC),
    )
    print(run(lambda ctx: inbox.publish_update(ctx, [feature]), "publish_update"))


def notify(
    merchant_id: MerchantId,
    title: str,
    message: str,
    link: Annotated[str | None, typer.Option(help="The page that it is about.")] = None,
) -> None:
    """Write a notification to one shop."""
    print(run_for(merchant_id, lambda ctx: inbox.send_message(ctx, title, message, link), "send_notification"))
