"""`tradepost operator`: who may call the operator's service, with which tokens, and what was done with them."""

from __future__ import annotations

import json
import secrets
from typing import Annotated

import typer

from tradepost.domain import operators
from tradepost.domain.context import Ctx
from tradepost.surfaces.cli.accounts import run
from tradepost.surfaces.operator_v1.surface import LOCALES
from tradepost.surfaces.scopes import OPERATOR_SCOPES

group = typer.Typer(help="Who acts for the marketplace over HTTP.", no_args_is_help=True)
token_group = typer.Typer(help="Tokens of operators.", no_args_is_help=True)
group.add_typer(token_group, name="token")

Who = Annotated[str, typer.Argument(help="Name or id of the operator.")]


@group.command("add")
def add_operator(
    name: Annotated[str, typer.Argument(help="Who or what it is, such as storefront.")],
    locale: Annotated[str, typer.Option(help=f"Language of messages: {', '.join(LOCALES)}.")] = "en",
) -> None:
    """Let somebody, or a program such as a storefront, act for the marketplace; it needs a token then."""
    if locale not in LOCALES:
        raise SystemExit(f"The language is one of {', '.join(LOCALES)}.")
    print(run(lambda ctx: operators.add_operator(ctx, name, locale)))


@group.command("password")
def set_password(
    who: Who,
    password: Annotated[str | None, typer.Option(help="Without it one is made up and shown.")] = None,
) -> None:
    """Let an operator sign in to the pages below /operator by his name; who is signed in as him is not any more."""
    chosen = password or secrets.token_urlsafe(12)
    run(lambda ctx: operators.set_password(ctx, who, chosen))
    print(f"password  {chosen if password is None else '(as given)'}")


@group.command("factor-off")
def remove_factor(who: Who) -> None:
    """Let an operator sign in by his password alone, who has lost what makes his codes and his recovery codes."""
    if not run(lambda ctx: operators.remove_factor(ctx, who)):
        raise SystemExit("He has no second factor.")
    print("off")


@group.command("list")
def list_operators() -> None:
    """Show all operators."""
    for one in run(operators.list_operators):
        print(f"{one.id}  {one.created_at:%Y-%m-%d}  {'disabled' if one.disabled else 'active':<9} {one.name}")


@group.command("disable")
def disable_operator(who: Who) -> None:
    """Keep an operator out with all his tokens."""
    run(lambda ctx: operators.set_disabled(ctx, who, True))
    print("disabled")


@group.command("enable")
def enable_operator(who: Who) -> None:
    """Let a disabled operator in again."""
    run(lambda ctx: operators.set_disabled(ctx, who, False))
    print("active")


@group.command("acts")
def list_acts(
    on: Annotated[str | None, typer.Option(help="Only what was done to this merchant or sender, by id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
) -> None:
    """Show what operators did: when, who, what, on whom, and which things it was about."""
    for act in run(lambda ctx: operators.list_acts(ctx, limit, on)):
        about = json.dumps(act.about, ensure_ascii=False)
        told = f"{act.operator:<20}  {act.verb:<20}  {act.subject or 'everybody':<24}  {about}"
        print(f"{act.acted_at:%Y-%m-%d %H:%M:%S}  {told}")


@token_group.command("issue")
def issue_token(
    who: Who,
    scope: Annotated[list[str] | None, typer.Option(help="Repeat for several; all if left out.")] = None,
    days: Annotated[float, typer.Option(help="How long it lives.")] = operators.TOKEN_DAYS,
) -> None:
    """Issue a token; it is shown this once."""
    if unknown := set(scope or ()) - OPERATOR_SCOPES.keys():
        raise SystemExit(f"Unknown scope: {', '.join(sorted(unknown))}. There are: {', '.join(OPERATOR_SCOPES)}.")

    async def issue(ctx: Ctx) -> str:
        return await operators.issue_token(ctx, who, scope or list(OPERATOR_SCOPES), days)

    print(run(issue))


@token_group.command("list")
def list_tokens(who: Who) -> None:
    """Show the tokens of an operator, by their ids."""
    for token in run(lambda ctx: operators.list_tokens(ctx, who)):
        state = "revoked" if token.revoked_at else f"until {token.expires_at:%Y-%m-%d}"
        print(f"{token.id}  {token.created_at:%Y-%m-%d}  {state:<16}  {' '.join(token.scopes)}")


@token_group.command("revoke")
def revoke_token(token: Annotated[str, typer.Argument(help="The token, or its id.")]) -> None:
    """Take a token back at once."""
    if not run(lambda ctx: operators.revoke_token(ctx, token)):
        raise SystemExit("There is no such token, or it was revoked before.")
    print("revoked")
