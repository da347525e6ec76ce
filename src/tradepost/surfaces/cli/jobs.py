"""`tradepost jobs`: what the workers do, what waits, and what was given up."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tradepost.domain import jobs
from tradepost.domain.jobs import Job
from tradepost.opening import embedded_database, operator, prepare_database, running_database
from tradepost.settings import Settings, load_settings
from tradepost.storage.database import StorageUnavailable
from tradepost.storage.embedded import EmbeddedPostgresError
from tradepost.surfaces.cli.accounts import run

SHOWN = 40
LOOK_SECONDS = 0.5
WIDE = 130
PLAIN_WIDTH = 180
STYLES = {"running": "cyan", "finished": "green", "failed": "bold red", "cancelled": "yellow"}

group = typer.Typer(help="The queue of the workers.", invoke_without_command=True)


@group.callback()
def show(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Show it once instead of following it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Show it once, for programs.")] = False,
) -> None:
    """Show the queue with its progress until Ctrl-C; once where nobody watches a terminal."""
    if context.invoked_subcommand is not None:
        return
    settings, console = load_settings(), Console()
    found = look(settings)
    if as_json:
        print(json.dumps([_told(job) for job in found], indent=2))
    elif once or not console.is_terminal or not _runs(settings):
        # Where nobody watches, a line is as long as it needs to be.
        shown = console if console.is_terminal else Console(width=PLAIN_WIDTH)
        shown.print(_table(found, shown.width))
    else:
        _follow(settings, console)


def look(settings: Settings) -> list[Job]:
    """The queue as it is now. A database of one's own is not touched but for that; ours is made if need be."""

    async def ask() -> list[Job]:
        if settings.database_url is None:
            await prepare_database(settings)
        async with operator(settings) as ctx:
            return await jobs.list_jobs(ctx, SHOWN)

    with running_database(settings):
        return asyncio.run(ask())


def _runs(settings: Settings) -> bool:
    """Whether the database runs when nobody looks: starting it for every look would be in everybody's way."""
    embedded = embedded_database(settings)
    return embedded is None or embedded.pid is not None


@group.command()
def retry(job_id: str) -> None:
    """Let a job that was given up try again."""
    job = run(lambda ctx: jobs.release_job(ctx, job_id))
    print(f"{job.kind} {job.id} waits for its next try")


def _follow(settings: Settings, console: Console) -> None:
    """Look again and again; between two looks other verbs have their way, and a database may restart."""
    with Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                try:
                    live.update(_table(look(settings), console.width), refresh=True)
                except (StorageUnavailable, EmbeddedPostgresError) as error:
                    live.update(Text(f"The database cannot be asked: {error}"), refresh=True)
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            return


def _table(found: list[Job], width: int) -> Table:
    """The jobs in a table; a narrow one leaves out whose they are and when they were asked for."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    is_wide = width >= WIDE
    for name in ("Job", "Kind", *(("Account", "Asked for") if is_wide else ()), "State", "Progress"):
        table.add_column(name, no_wrap=True)
    for name in ("Done", "Failed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Error", overflow="ellipsis", no_wrap=True)
    for job in found:
        done = f"{job.processed:,}" if job.processed else ""
        table.add_row(
            job.id,
            job.kind,
            *((job.account_id, f"{job.created_at:%Y-%m-%d %H:%M:%S}") if is_wide else ()),
            f"[{STYLES.get(job.state, 'default')}]{job.state}[/]",
            ProgressBar(total=job.total, completed=job.processed, width=16 if is_wide else 8) if job.total else "",
            f"{done} / {job.total:,}" if is_wide and job.total is not None else done,
            f"{job.failed:,}" if job.failed else "",
            Text(job.error or ""),
        )
    return table


def _told(job: Job) -> dict[str, Any]:
    names = (
        "id",
        "kind",
        "account_id",
        "state",
        "total",
        "processed",
        "succeeded",
        "failed",
        "worker",
        "tries",
        "error",
    )
    told = {name: getattr(job, name) for name in names}
    times = {name: getattr(job, name) for name in ("created_at", "started_at", "ended_at")}
    return told | {name: at.isoformat() if isinstance(at, datetime) else None for name, at in times.items()}
