"""`tradepost merchant` and `token`: what sign-up and consent do, by hand."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from tradepost.domain import access, audit, merchants, parcels, people
from tradepost.domain.access.token import looks_right
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.opening import operator, prepare_database, running_database
from tradepost.settings import load_settings
from tradepost.surfaces.scopes import SCOPES
from tradepost.values import Fact, in_words

merchant_group = typer.Typer(help="Shops.", no_args_is_help=True)
token_group = typer.Typer(help="Access tokens.", no_args_is_help=True)

Result = TypeVar("Result")
Email = Annotated[str, typer.Argument(help="What the person signs in with.")]
MerchantId = Annotated[str, typer.Argument(help="Id of the shop.")]


def run(
    verb: Callable[[Ctx], Awaitable[Result]], act: str = "", subject: str | None = None, **about: str
) -> Result:
    """Run an operator's verb in one transaction; a failure becomes one line and exit status 1.

    What the domain itself leaves no row in the audit log for is an `act`, called as the operator's API calls it:
    to whom it is done is its `subject`, and `about` are the ids that it is about.
    """
    settings = load_settings()

    async def once() -> Result:
        await prepare_database(settings)
        async with operator(settings) as ctx:
            result = await verb(ctx)
            if act:
                await audit.record(ctx, f"operator.{act}", subject, **about)
            return result

    try:
        with running_database(settings):
            return asyncio.run(once())
    except Fact as fact:
        raise SystemExit(f"Not done. {in_words(fact)}") from None


def run_for(
    merchant_id: str, verb: Callable[[MerchantCtx], Awaitable[Result]], act: str = "", **about: str
) -> Result:
    """Run a verb on behalf of a shop."""

    async def acting(ctx: Ctx) -> Result:
        return await verb(await merchants.act_for(ctx, merchant_id))

    return run(acting, act, merchant_id, **about)


@merchant_group.command("add")
def add_merchant(
    name: str,
    email: str,
    currency: Annotated[str, typer.Option(help="The shop's own currency, ISO 4217.")] = "USD",
    paid_in: Annotated[str | None, typer.Option(help="USD or the shop's own currency (the default).")] = None,
    locale: Annotated[str, typer.Option(help="Language of messages: en, zh, fr, de.")] = "en",
    password: Annotated[str | None, typer.Option(help="Without it one is made up and shown.")] = None,
) -> None:
    """Open a shop with a STANDARD warehouse and one person who signs in for it."""
    chosen = password or secrets.token_urlsafe(12)
    new = merchants.NewMerchant(name, email, chosen, currency, paid_in or currency, locale)
    merchant_id = run(lambda ctx: merchants.add_merchant(ctx, new))
    print(f"merchant  {merchant_id}\npassword  {chosen if password is None else '(as given)'}")


@merchant_group.command("list")
def list_merchants() -> None:
    """Show every shop."""
    for line in run(merchants.list_merchants):
        state = "suspended" if line.suspended else "active"
        print(f"{line.id}  {line.currency}  paid in {line.payment_currency}  {state:<9}  {line.name}")


@merchant_group.command("suspend")
def suspend_merchant(merchant_id: str) -> None:
    """Keep a shop out of the API."""
    run(lambda ctx: merchants.set_suspended(ctx, merchant_id, True))
    print("suspended")


@merchant_group.command("resume")
def resume_merchant(merchant_id: str) -> None:
    """Let a suspended shop in again."""
    run(lambda ctx: merchants.set_suspended(ctx, merchant_id, False))
    print("active")


@merchant_group.command("factor-off")
def remove_factor(email: Email) -> None:
    """Let somebody sign in by his password alone, who has lost what makes his codes and his recovery codes."""
    remove_factor_of("merchant", email)


def remove_factor_of(service: str, email: str) -> None:
    """Have somebody asked for no code any more; whether it is he who asks for that, the operator has to know."""
    if not run(lambda ctx: people.remove_factor_of(ctx, service, email)):
        raise SystemExit("Nobody who signs in with that address has a second factor.")
    print("off")


@token_group.command("issue")
def issue_token(
    account_id: Annotated[str, typer.Argument(help="Id of the merchant, or of the WishPost user.")],
    client_id: Annotated[str, typer.Argument(help="Id of the app.")],
    scope: Annotated[list[str] | None, typer.Option(help="Repeat for several; all if left out.")] = None,
    days: Annotated[float, typer.Option(help="How long it lives.")] = access.TOKEN_DAYS,
    service: Annotated[str, typer.Option(help="merchant or wishpost.")] = "merchant",
) -> None:
    """Issue an access token; it is shown this once."""
    check_service(service)
    known = SCOPES[service]
    if unknown := set(scope or ()) - known.keys():
        raise SystemExit(f"Unknown scope: {', '.join(sorted(unknown))}. There are: {', '.join(known)}.")

    async def issue(ctx: Ctx) -> str:
        if service == "merchant":
            await merchants.act_for(ctx, account_id)
        else:
            await parcels.need_shipper(ctx, account_id)
        return await access.issue_token(ctx, service, account_id, client_id, scope or list(known), days)

    print(run(issue))


@token_group.command("revoke")
def revoke_token(token: str) -> None:
    """Take an access token back at once."""
    if not looks_right(token):
        raise SystemExit("That is not an access token of this system.")
    if not run(lambda ctx: access.revoke_token(ctx, token)):
        raise SystemExit("There is no such token, or it was revoked before.")
    print("revoked")


def check_service(service: str) -> None:
    """End the program where no service has this name."""
    if service not in SCOPES:
        raise SystemExit("The service is merchant or wishpost.")
