"""The verbs that are processes: what each needs is imported inside of it, so that it begins at once."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any, Final

import asyncpg
import typer

from tradepost.authority import AuthorityError
from tradepost.logs import configure_warnings
from tradepost.settings import SettingsError, load_settings
from tradepost.storage.database import StorageUnavailable
from tradepost.storage.embedded import EmbeddedPostgresError
from tradepost.storage.migrate import MigrationError

processes = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@processes.command()
def serve(
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Server processes.")] = None,
    tls: Annotated[bool, typer.Option("--tls", help="By HTTPS, too, under the names of the original.")] = False,
) -> None:
    """Serve both services; in the sandbox with everything that they need."""
    from tradepost.surfaces.cli.serve import serve as begin

    asked: dict[str, Any] = {} if workers is None else {"workers": workers}
    sys.exit(begin(load_settings(**(asked | ({"tls": True} if tls else {})))))


@processes.command()
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would run.")] = False,
) -> None:
    """Bring the database to the schema of this version."""
    from tradepost.opening import prepare_database, running_database

    settings = load_settings()
    with running_database(settings):
        done = asyncio.run(prepare_database(settings, dry_run))
    for name in done:
        print(("would run " if dry_run else "ran ") + name)
    if not done:
        print("nothing to do")


@processes.command()
def work() -> None:
    """Work on jobs and do the chores, until stopped; on as many machines as wanted."""
    from tradepost.worker.process import work as begin

    begin(load_settings())


@processes.command(hidden=True)
def egress(
    listen: Annotated[int | None, typer.Option(help="A listening socket that was inherited.")] = None,
    control: Annotated[int | None, typer.Option(help="A socket that sockets are handed in by.")] = None,
) -> None:
    """Fetch from outside for the workers of this machine, guarded; at TRADEPOST_EGRESS_SOCKET."""
    from tradepost.egress.process import run as begin

    begin(load_settings(), listen, control)


@processes.command(hidden=True)
def web(
    merchant: Annotated[list[int], typer.Option(help="Listening sockets of the merchant service.")],
    wishpost: Annotated[list[int], typer.Option(help="Listening sockets of WishPost.")],
    tls: Annotated[list[int] | None, typer.Option(help="Listening sockets of both by TLS.")] = None,
) -> None:
    """Serve sockets that the supervisor opened."""
    from tradepost.web import serve_sockets

    serve_sockets(load_settings(), merchant, wishpost, tls or ())


PROCESSES: Final = frozenset(
    command.callback.__name__ for command in processes.registered_commands if command.callback
)
"""The verbs of this file."""


def run(cli: typer.Typer) -> None:
    """Run a command line; what an operator can mend is told in words, without a traceback."""
    configure_warnings()
    try:
        cli()
    except (AuthorityError, SettingsError, MigrationError, EmbeddedPostgresError) as error:
        sys.exit(f"tradepost: {error}")
    except (StorageUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        sys.exit(f"tradepost: the database cannot be used: {error.__cause__ or error}")
    except OSError as error:
        sys.exit(f"tradepost: {error}")
