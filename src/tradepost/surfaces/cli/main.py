"""The command line's table of contents. Imports of what a verb needs happen inside it: starting stays quick."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import asyncpg
import typer

from tradepost.settings import SettingsError, load_settings
from tradepost.storage.database import StorageUnavailable
from tradepost.storage.embedded import EmbeddedPostgresError
from tradepost.storage.migrate import MigrationError
from tradepost.surfaces.cli import (
    accounts,
    apps,
    audit,
    inbox,
    infractions,
    jobs,
    operators,
    orders,
    products,
    sandbox,
    sending,
    shipping,
    tickets,
    webhooks,
)

cli = typer.Typer(
    help="A marketplace merchant platform with its logistics service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.add_typer(sandbox.group, name="sandbox")
cli.add_typer(accounts.merchant_group, name="merchant")
cli.add_typer(apps.group, name="app")
cli.add_typer(accounts.token_group, name="token")
cli.add_typer(shipping.warehouse_group, name="warehouse")
cli.add_typer(shipping.shipping_group, name="shipping")
cli.add_typer(operators.group, name="operator")
cli.add_typer(products.group, name="product")
cli.add_typer(orders.group, name="order")
cli.add_typer(inbox.group, name="announce")
cli.add_typer(infractions.group, name="infraction")
cli.add_typer(tickets.group, name="ticket")
cli.add_typer(webhooks.group, name="webhook")
cli.add_typer(jobs.group, name="jobs")
cli.add_typer(audit.group, name="audit")
cli.command("notify")(inbox.notify)
cli.add_typer(sending.sender_group, name="sender")
cli.add_typer(sending.channel_group, name="channel")
cli.add_typer(sending.parcel_group, name="parcel")
inbox.group.command("senders")(sending.announce)


@cli.command()
def serve(
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Server processes.")] = None,
) -> None:
    """Serve both services; in the sandbox with everything that they need."""
    from tradepost.surfaces.cli.serve import serve as run

    settings = load_settings()
    if workers is not None:
        settings = settings.model_copy(update={"workers": workers})
    sys.exit(run(settings))


@cli.command()
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would run.")] = False,
) -> None:
    """Bring the database to the schema of this version."""
    from tradepost.wiring import prepare_database, running_database

    settings = load_settings()
    with running_database(settings):
        done = asyncio.run(prepare_database(settings, dry_run))
    for name in done:
        print(("would run " if dry_run else "ran ") + name)
    if not done:
        print("nothing to do")


@cli.command()
def work() -> None:
    """Work on jobs and do the chores, until stopped; on as many machines as wanted."""
    from tradepost.worker.process import work as run

    run(load_settings())


@cli.command(hidden=True)
def egress(
    listen: Annotated[int | None, typer.Option(help="A listening socket that was inherited.")] = None,
    control: Annotated[int | None, typer.Option(help="A socket that sockets are handed in by.")] = None,
) -> None:
    """Fetch from outside for the workers of this machine, guarded; at TRADEPOST_EGRESS_SOCKET."""
    from tradepost.egress.process import run

    run(load_settings(), listen, control)


@cli.command(hidden=True)
def web(
    merchant: Annotated[list[int], typer.Option(help="Listening sockets of the merchant service.")],
    wishpost: Annotated[list[int], typer.Option(help="Listening sockets of WishPost.")],
) -> None:
    """Serve sockets that the supervisor opened."""
    from tradepost.web import serve_sockets

    serve_sockets(load_settings(), merchant, wishpost)


def main() -> None:
    """Run the command line; what an operator can mend is told in words, without a traceback."""
    try:
        cli()
    except (SettingsError, MigrationError, EmbeddedPostgresError) as error:
        sys.exit(f"tradepost: {error}")
    except (StorageUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        sys.exit(f"tradepost: the database cannot be used: {error.__cause__ or error}")
    except OSError as error:
        sys.exit(f"tradepost: {error}")
