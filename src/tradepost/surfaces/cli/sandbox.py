"""`tradepost sandbox`: the credentials of the cast, and starting over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, TypeVar, cast

import msgspec
import typer

from tradepost.domain import faults, outbox, parcels
from tradepost.domain.autopilot import MOST_PACE, read_autopilot
from tradepost.opening import prepare_database, running_database
from tradepost.sandbox import seed as seeding
from tradepost.sandbox.autopilot import USUAL_PACE
from tradepost.sandbox.desk import Desk
from tradepost.sandbox.generate import MOST
from tradepost.sandbox.situations import SCENES
from tradepost.sandbox.snapshots import Snapshot
from tradepost.settings import Settings, load_settings
from tradepost.storage.migrate import MigrationError
from tradepost.surfaces.cli.accounts import run
from tradepost.surfaces.cli.addresses import known_addresses
from tradepost.surfaces.sandbox.verbs import ClockChange, change_clock, tell_autopilot, tell_generated
from tradepost.values import Fact, in_words

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
    cast = seeding.load_cast(settings)
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
def reset(
    seed: Annotated[str | None, typer.Option(help="What new ids follow from; random ones if left out.")] = None,
    at: Annotated[str | None, typer.Option(help="When the world begins, and stands still.")] = None,
) -> None:
    """Start over from the seed. Everything else is gone; the credentials stay good."""
    settings = _sandbox_settings()
    moment = None if at is None else _moment(at)
    try:
        with running_database(settings):
            cast = asyncio.run(_start_over(settings, seed, moment))
    except Fact as fact:
        raise SystemExit(f"Not done. {in_words(fact)}") from None
    print(f"The sandbox is as it was seeded: {len(cast.merchants)} merchants.")


@group.command()
def mail(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many letters, the newest first.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the letters that the sandbox has sent: they arrive here and nowhere else."""
    from tradepost.wiring import sealing_keys

    seals = sealing_keys(_sandbox_settings())
    letters = [letter for letter in run(lambda ctx: outbox.list_mail(ctx, limit)) if letter.sent_at is not None]
    if as_json:
        told = [{"to": m.recipient, "subject": m.subject, "body": m.opened(seals), "id": m.id} for m in letters]
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for letter in letters:
        at, text = f"{letter.created_at:%Y-%m-%d %H:%M:%S}", letter.opened(seals)
        print(f"{at}  to {letter.recipient}\n{letter.subject}\n\n{text}")
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


@group.command()
def fault(
    kind: Annotated[str | None, typer.Argument(help=f"{', '.join(faults.KINDS)}; shows them if left out.")] = None,
    path: Annotated[str | None, typer.Option(help="The path of the calls, such as /api/v2/order.")] = None,
    calls: Annotated[int | None, typer.Option(help="How many calls meet it; all if left out.")] = None,
    share: Annotated[int, typer.Option(help="How many of the calls in percent.")] = 100,
    account: Annotated[str | None, typer.Option(help="Id of the shop or sender whose calls meet it.")] = None,
    app: Annotated[str | None, typer.Option(help="Id of the app whose calls meet it.")] = None,
    seconds: Annotated[float, typer.Option(help="How late a slow answer is.")] = 2.0,
    service: Annotated[str, typer.Option(help="merchant, wishpost or operator.")] = "merchant",
    drop: Annotated[bool, typer.Option("--drop", help="Forget all faults instead.")] = False,
) -> None:
    """Let calls meet a fault instead of their answer, show the faults that are set, or forget them."""
    if drop:
        print(f"forgotten: {_at_desk(lambda desk: desk.look(faults.drop_faults))}")
    elif kind is not None:
        new = faults.NewFault(
            kind=cast(faults.FaultKind, kind),
            service=service,
            path=path,
            account=account,
            app=app,
            share=share,
            calls=calls,
            seconds=seconds,
        )
        print(_at_desk(lambda desk: desk.look(lambda ctx: faults.set_fault(ctx, new))))
    else:
        for one in _at_desk(lambda desk: desk.look(faults.list_faults)):
            left = "no end" if one.remaining is None else f"{one.remaining} left"
            print(f"{one.id}  {one.kind:<11}  {one.service} {one.path or 'everywhere'}  met {one.met}, {left}")


@group.command()
def scene(
    name: Annotated[str | None, typer.Argument(help="Its name; shows all of them if left out.")] = None,
    merchant: Annotated[str | None, typer.Option(help="Id of the shop; the first one if left out.")] = None,
) -> None:
    """Let a situation come about in a shop, or show which there are."""
    if name is None:
        for one in SCENES.values():
            print(f"{one.name:<26} {one.shows}")
        return
    told = _at_desk(lambda desk: desk.play_scene(name, merchant))
    for key, value in told.items():
        print(f"{key:<16} {value}")


@group.command()
def autopilot(
    verb: Annotated[str, typer.Argument(help="on, off or show.")] = "show",
    pace: Annotated[
        int, typer.Option(min=1, max=MOST_PACE, help="Orders per hour of the world's time.")
    ] = USUAL_PACE,
    seed: Annotated[str | None, typer.Option(help="What chance follows from; the world's if left out.")] = None,
) -> None:
    """Let the world go on by itself at a pace, let it stop, or show whether it does."""
    match verb:
        case "on" | "off":
            found = _at_desk(lambda desk: desk.switch_autopilot(pace if verb == "on" else None, seed))
        case "show":
            found = _at_desk(lambda desk: desk.look(read_autopilot))
        case _:
            raise SystemExit("The autopilot takes one of: on, off, show.")
    for name, value in tell_autopilot(found).items():
        if value is not None:
            print(f"{name:<6} {str(value).lower() if isinstance(value, bool) else value}")


@group.command()
def settle(
    seconds: Annotated[float, typer.Option(min=0, max=300, help="How long to wait at most.")] = 60.0,
) -> None:
    """Have the chores done, and wait until no job is left to do."""
    found = _at_desk(lambda desk: desk.settle(seconds))
    if not found.settled:
        raise SystemExit(f"Not done. {found.left} things are still to be done; does `tradepost serve` run?")
    print("nothing is left to do")


@group.command()
def snapshot(name: Annotated[str, typer.Argument(help="Letters, digits, underscores and hyphens.")]) -> None:
    """Keep the whole state under a name, in place of what had it."""
    _show_snapshots([_at_desk(lambda desk: desk.take_snapshot(name))])


@group.command()
def restore(name: Annotated[str, typer.Argument(help="Name of a snapshot.")]) -> None:
    """Put everything back to a snapshot."""
    _show_snapshots([_at_desk(lambda desk: desk.restore_snapshot(name))])


@group.command()
def snapshots(
    drop: Annotated[str | None, typer.Option(help="Forget the one of this name first.")] = None,
) -> None:
    """Show the snapshots there are."""
    desk = Desk(_sandbox_settings())
    try:
        if drop is not None:
            asyncio.run(desk.drop_snapshot(drop))
    except Fact as fact:
        raise SystemExit(f"Not done. {in_words(fact)}") from None
    _show_snapshots(desk.list_snapshots())


def _show_snapshots(found: Sequence[Snapshot]) -> None:
    for one in found:
        print(f"{one.name:<24} {one.time:%Y-%m-%d %H:%M:%S}  {one.size / (1 << 20):.1f} MiB")


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


def _moment(text: str) -> datetime:
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise SystemExit(f"{text} is no time such as 2021-05-19T16:37:00Z.") from None


def _clock_change(verb: str, value: str | None) -> ClockChange:
    match verb:
        case "set":
            return ClockChange(set=_moment(value or ""))
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


async def _start_over(settings: Settings, seed: str | None, at: datetime | None) -> seeding.Cast:
    try:
        await prepare_database(settings)
    except MigrationError:
        await seeding.rebuild(settings)
    return await Desk(settings).reset(seed, at)


def _sandbox_settings() -> Settings:
    settings = load_settings()
    if not settings.is_sandbox:
        raise SystemExit("This is a production installation; there is no sandbox in it.")
    return settings


def _told(cast: seeding.Cast, urls: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    def tell(member: seeding.Member, url: str) -> dict[str, Any]:
        told = {key: value for key, value in asdict(member).items() if value is not None}
        return {**told, "base_url": url}

    return {
        "merchants": [tell(member, urls["merchant"]) for member in cast.merchants],
        "wishpost": [tell(member, urls["wishpost"]) for member in cast.wishpost],
    }
