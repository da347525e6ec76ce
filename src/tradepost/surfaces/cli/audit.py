"""`tradepost audit`: what was done that gives or takes rights, and whether somebody changed it since."""

from __future__ import annotations

from typing import Annotated

import typer

from tradepost.domain import audit
from tradepost.domain.audit import AnchorUnusable
from tradepost.surfaces.cli.accounts import run
from tradepost.values import in_words

group = typer.Typer(help="The audit log.", no_args_is_help=True)


@group.command("list")
def list_records(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
) -> None:
    """Show the latest acts: number, when, who, from where, what, on whom, and which things it was about."""
    for number, act in run(lambda ctx: audit.list_records(ctx, limit)):
        who = " ".join(part for part in (act.actor_kind, act.actor, act.client) if part)
        print(f"{number:>8}  {act.at:%Y-%m-%d %H:%M:%S}  {who}  {act.verb}  {act.subject or '-'}  {act.about}")


@group.command("verify")
def verify(
    anchor: Annotated[
        str | None, typer.Option(help="What an earlier look or a worker's log said of the end: NUMBER:HASH.")
    ] = None,
) -> None:
    """Compute every link of the log anew; exit status 1 where anything is not as it was written."""
    try:
        known = None if anchor is None else audit.read_anchor(anchor)
    except AnchorUnusable as fact:
        raise SystemExit(f"Not done. {in_words(fact)}") from None
    found = run(lambda ctx: audit.verify(ctx, known))
    if found.troubles:
        raise SystemExit("\n".join(found.troubles))
    print(
        f"{found.rows} acts, all as they were written" + ("" if found.head is None else f"\nanchor  {found.head}")
    )
