"""`tradepost app`: apps, whom they belong to, whether they may be let in, and consent by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from tradepost.domain import access, consents, merchants, parcels, people
from tradepost.domain.consents import Asking, NewConsent
from tradepost.domain.context import Ctx
from tradepost.surfaces.cli.accounts import check_service, run
from tradepost.surfaces.scopes import SCOPES

group = typer.Typer(help="Apps that call for shops.", no_args_is_help=True)

ClientId = Annotated[str, typer.Argument(help="Id of the app.")]
AccountId = Annotated[str, typer.Argument(help="Id of the merchant, or of the WishPost user.")]
Service = Annotated[str, typer.Option(help="merchant or wishpost.")]


@group.command("add")
def add_app(
    name: str,
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where consent leads back to; repeat for several.")
    ] = None,
    service: Service = "merchant",
    owner: Annotated[
        str | None, typer.Option(help="Account that alone can let it in: a private app. Without one it is public.")
    ] = None,
    pkce: Annotated[bool, typer.Option("--pkce", help="It must use PKCE.")] = False,
    scope: Annotated[list[str] | None, typer.Option(help="What it may ask for; all if left out.")] = None,
) -> None:
    """Add an app; its secret is shown this once."""
    check_service(service)
    new = access.NewApp(name, tuple(redirect_uri or ()), owner, pkce, None if scope is None else tuple(scope))
    if unknown := set(scope or ()) - SCOPES[service].keys():
        raise SystemExit(f"Unknown scope: {', '.join(sorted(unknown))}. There are: {', '.join(SCOPES[service])}.")

    async def add(ctx: Ctx) -> tuple[str, str]:
        if owner is not None:
            await _need_account(ctx, service, owner)
        return await access.add_app(ctx, service, new)

    app_id, secret = run(add)
    print(f"client_id      {app_id}\nclient_secret  {secret}")


@group.command("verify")
def verify_app(client_id: ClientId, service: Service = "merchant") -> None:
    """Note that a public app is who it says it is: only then can anybody let it in."""
    check_service(service)
    run(lambda ctx: access.verify_app(ctx, service, client_id))
    print("verified")


@group.command("refuse")
def refuse_app(
    client_id: ClientId,
    reason: Annotated[str, typer.Option(help="What its developer reads.")],
    service: Service = "merchant",
) -> None:
    """Note why a public app is not verified, or is not any more; its developer may ask again."""
    check_service(service)
    run(lambda ctx: access.refuse_app(ctx, service, client_id, reason))
    print("refused")


@group.command("disable")
def disable_app(client_id: ClientId, service: Service = "merchant") -> None:
    """Keep an app and all its tokens out."""
    check_service(service)
    run(lambda ctx: access.disable_app(ctx, service, client_id))
    print("disabled")


@group.command("enable")
def enable_app(client_id: ClientId, service: Service = "merchant") -> None:
    """Let a disabled app in again."""
    check_service(service)
    run(lambda ctx: access.disable_app(ctx, service, client_id, False))
    print("enabled")


@group.command("secret")
def replace_secret(client_id: ClientId, service: Service = "merchant") -> None:
    """Give an app a new secret, shown this once; the one before is good for a day."""
    check_service(service)
    secret = run(lambda ctx: access.replace_secret(ctx, service, client_id))
    print(f"client_secret  {secret}")


@group.command("consent")
def consent(
    account_id: AccountId,
    client_id: ClientId,
    scope: Annotated[list[str] | None, typer.Option(help="Repeat for several; all if left out.")] = None,
    redirect_uri: Annotated[str | None, typer.Option(help="Which of the app's, if it has several.")] = None,
    challenge: Annotated[str | None, typer.Option(help="The app's PKCE challenge (S256).")] = None,
    service: Service = "merchant",
) -> None:
    """Let an app in for an account, as its people do on the consent page; shows the code, good for a minute."""
    check_service(service)

    async def give(ctx: Ctx) -> str:
        await _need_account(ctx, service, account_id)
        app = await access.find_app(ctx, service, client_id)
        leads_to = consents.check_app(app, account_id, redirect_uri)
        asking = Asking(
            scope=" ".join(scope) if scope else None,
            challenge=challenge,
            method=None if challenge is None else "S256",
        )
        scopes = consents.check_asking(app, asking, SCOPES[service])
        user_id = await people.first_of(ctx, service, account_id)
        return await consents.give(ctx, app, NewConsent(account_id, user_id, scopes, leads_to, challenge))

    print(run(give))


@group.command("withdraw")
def withdraw(account_id: AccountId, client_id: ClientId, service: Service = "merchant") -> None:
    """Take back what an account agreed to with an app, and all tokens that followed."""
    check_service(service)

    async def take_back(ctx: Ctx) -> int:
        await access.find_app(ctx, service, client_id)
        return await consents.withdraw(ctx, account_id, client_id)

    print(f"{run(take_back)} consents ended")


async def _need_account(ctx: Ctx, service: str, account_id: str) -> None:
    if service == "merchant":
        await merchants.act_for(ctx, account_id)
    else:
        await parcels.need_shipper(ctx, account_id)
