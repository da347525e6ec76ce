"""`tradepost sandbox`: the credentials of the cast, and starting over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from tradepost.domain import outbox, parcels
from tradepost.sandbox import seed
from tradepost.sandbox.desk import Desk
from tradepost.sandbox.generate import MOST
from tradepost.settings import Settings, load_settings
from tradepost.storage.migrate import MigrationError
from tradepost.surfaces.cli.accounts import run
from tradepost.surfaces.cli.serve import known_addresses
from tradepost.surfaces.sandbox.verbs import ClockChange, change_clock, tell_generated
from tradepost.values import Fact, in_words
from tradepost.wiring import prepare_database, running_database

group = typer.Typer(help="The contained world.", no_args_is_help=True)

Result = TypeVar("Result")
_CLOCK = ("read", "set", "move", "freeze", "run", "real", "seed")
_TAKE_VALUE = ("set", "move", "seed")


@group.command()
def credentials(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show who is in the sandbox and what it takes to call in their name."""
    settings = _sandbox_settings()
    cast = seed.load_cast(settings)
    if cast is None:
        raise SystemExit("There is no sandbox in this data folder yet; `tradepost serve` makes one.")
    told = _told(cast, known_addresses(settings))
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for service, members in told.items():
        for member in members:
            print(f"{service}: {member.pop('name')}")
            for key, value in member.items():
                print(f"  {key:<14} {value}")


@group.command()
def reset() -> None:
    """Start over from the seed. Everything else is gone; the credentials stay good."""
    settings = _sandbox_settings()
    with running_database(settings):
        cast = asyncio.run(_start_over(settings))
    print(f"The sandbox is as it was seeded: {len(cast.merchants)} merchants.")


@group.command()
def mail(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many letters, the newest first.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the letters that the sandbox has sent: they arrive here and nowhere else."""
    _sandbox_settings()
    letters = [letter for letter in run(lambda ctx: outbox.list_mail(ctx, limit)) if letter.sent_at is not None]
    if as_json:
        told = [{"to": m.recipient, "subject": m.subject, "body": m.body, "id": m.id} for m in letters]
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for letter in letters:
        print(f"{letter.created_at:%Y-%m-%d %H:%M:%S}  to {letter.recipient}\n{letter.subject}\n\n{letter.body}")
    if not letters:
        print("No mail.")


@group.command()
def generate(
    orders: Annotated[int, typer.Option(min=1, max=MOST, help="How many orders.")],
    seed: Annotated[str | None, typer.Option(help="What it follows from; a new one if left out.")] = None,
    merchant: Annotated[str | None, typer.Option(help="Id of the shop; the first one if left out.")] = None,
) -> None:
    """Give a shop orders of the last 90 days, with scans, refunds, tickets and infractions."""
    told = _at_desk(lambda desk: desk.generate(merchant, orders, seed))
    for name, value in tell_generated(told).items():
        print(f"{name:<12} {value}")


@group.command(context_settings={"ignore_unknown_options": True})
def clock(
    verb: Annotated[str, typer.Argument(help=f"One of {', '.join(_CLOCK)}.")] = "read",
    value: Annotated[str | None, typer.Argument(help="For set a time, for move +5d or -1h30m, a seed.")] = None,
) -> None:
    """Read the clock of the world, set it, move it, freeze it, let it run, or let it be the machine's again."""
    _sandbox_settings()
    if verb not in _CLOCK or (value is None) != (verb not in _TAKE_VALUE):
        takes = ", ".join(f"{name} VALUE" if name in _TAKE_VALUE else name for name in _CLOCK)
        raise SystemExit(f"The clock takes one of: {takes}.")
    told = run(lambda ctx: change_clock(ctx, _clock_change(verb, value)))
    state = "frozen" if told["frozen"] else "running"
    seed = "" if told["seed"] is None else f", ids from seed {told['seed']}"
    print(f"{told['now']}  {state}{seed}")


def _at_desk(verb: Callable[[Desk], Awaitable[Result]]) -> Result:
    """Do something at the desk of this sandbox; a failure becomes one line and exit status 1."""
    settings = _sandbox_settings()

    async def act() -> Result:
        await prepare_database(settings)
        return await verb(Desk(settings))

    try:
        with running_database(settings):
            return asyncio.run(act())
    except Fact as fact:
        raise SystemExit(f"Not done. {in_words(fact)}") from None


def _clock_change(verb: str, value: str | None) -> ClockChange:
    match verb:
        case "set":
            try:
                return msgspec.convert({"set": value}, ClockChange)
            except msgspec.ValidationError:
                raise SystemExit(f"{value} is no time such as 2021-05-19T16:37:00Z.") from None
        case "move":
            return ClockChange(move=value)
        case "seed":
            return ClockChange(seed=value)
        case "freeze" | "run":
            return ClockChange(frozen=verb == "freeze")
    return ClockChange(real=verb == "real")


@group.command()
def carry() -> None:
    """Have carriers asked now what they have seen of parcels; by itself that happens every 15 seconds."""
    _sandbox_settings()
    print(f"{run(parcels.ask_carriers)} users have parcels that something is known of")


async def _start_over(settings: Settings) -> seed.Cast:
    try:
        await prepare_database(settings)
    except MigrationError:
        return await seed.rebuild(settings)
    return await seed.reset(settings)


def _sandbox_settings() -> Settings:
    settings = load_settings()
    if not settings.is_sandbox:
        raise SystemExit("This is a production installation; there is no sandbox in it.")
    return settings


def _told(cast: seed.Cast, urls: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    def tell(member: seed.Member, url: str) -> dict[str, Any]:
        told = {key: value for key, value in asdict(member).items() if value is not None}
        return {**told, "base_url": url}

    return {
        "merchants": [tell(member, urls["merchant"]) for member in cast.merchants],
        "wishpost": [tell(member, urls["wishpost"]) for member in cast.wishpost],
    }
