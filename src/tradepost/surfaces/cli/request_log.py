"""`tradepost request-log`: what callers asked and what they were answered, of every account."""

from __future__ import annotations

from typing import Annotated

import typer

from tradepost.domain import request_log
from tradepost.domain.request_log import Search
from tradepost.surfaces.cli.accounts import run

group = typer.Typer(help="Calls of the last 30 days.", no_args_is_help=True)


@group.command("list")
def list_calls(
    account: Annotated[str | None, typer.Option(help="Id of a merchant or of a WishPost user.")] = None,
    path: Annotated[str | None, typer.Option(help="A part of the path.")] = None,
    status: Annotated[int | None, typer.Option(help="HTTP status; 4 and 5 stand for their hundreds.")] = None,
    app: Annotated[str | None, typer.Option(help="Id of the app.")] = None,
    before: Annotated[str | None, typer.Option(help="Id of a call: those before it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=request_log.MOST_LIMIT, help="How many at most.")] = 50,
) -> None:
    """Show calls, the latest first: when, whose, what, how it went, how long it took, and its Wish-Request-Id."""
    if before is not None and not request_log.is_id(before):
        raise SystemExit("Not done. --before is the Wish-Request-Id of a call.")
    search = Search(path=path, status=status, app_id=app, before=before)
    found = run(lambda ctx: request_log.search_calls(ctx, account, search, limit))
    for line in found.lines:
        call = line.call
        print(
            f"{call.at:%Y-%m-%d %H:%M:%S}  {line.account_id or '-':<24}  {call.method} {call.path}  {call.status} "
            f"({call.code})  {call.microseconds / 1000:.1f} ms  {call.id}"
        )
    if found.next is not None:
        print(f"more with --before {found.next}")


@group.command("show")
def show_call(request_id: Annotated[str, typer.Argument(help="The Wish-Request-Id of its answer.")]) -> None:
    """Show one call with what was asked and answered, without secrets."""
    kept = run(lambda ctx: request_log.find_call(ctx, None, request_id))
    call, said = kept.call, kept.said
    told = {
        "id": call.id,
        "at": f"{call.at:%Y-%m-%d %H:%M:%S.%f}"[:-3],
        "account": kept.account_id or "-",
        "app": call.app_id or "-",
        "token": call.token_id or "-",
        "client": f"{call.client or '-'} {said.agent}",
        "call": f"{call.method} {call.path}{'?' + said.query if said.query else ''}",
        "answer": f"{call.status} ({call.code}) in {call.microseconds / 1000:.1f} ms, {said.answered_size} bytes",
    }
    if said.is_asked_cut or said.is_line_cut:
        told["kept"] = "not all that was asked"
    print("\n".join(f"{name:<8} {value}" for name, value in told.items()))
    for body in (said.asked, said.answered.decode("utf-8", "replace")):
        if body:
            print(f"\n{body}")
