"""`tradepost sender`, `channel`, `parcel` and `announce`: what carriers, banks and editors do, by hand."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from tradepost.domain import announcements, ledger, parcels
from tradepost.domain.context import Ctx, ShipperCtx
from tradepost.domain.parcels import NewShipper, ParcelFilter, Scan
from tradepost.surfaces.cli.accounts import Email, remove_factor_of, run

sender_group = typer.Typer(help="Users of the logistics service, and their money.", no_args_is_help=True)
channel_group = typer.Typer(help="The ways to send a parcel.", no_args_is_help=True)
parcel_group = typer.Typer(help="Parcels, and what their carriers tell.", no_args_is_help=True)

Result = TypeVar("Result")
SenderId = Annotated[str, typer.Argument(help="Id of the user.")]
ShopId = Annotated[str, typer.Argument(help="Id of the shop, which is a merchant's.")]
Number = Annotated[str, typer.Argument(help="The parcel's number, the carrier's or ours.")]


def run_for(sender_id: str, verb: Callable[[ShipperCtx], Awaitable[Result]], act: str = "", **about: str) -> Result:
    """Run a verb on behalf of a user."""

    async def acting(ctx: Ctx) -> Result:
        return await verb(await parcels.act_for(ctx, sender_id))

    return run(acting, act, sender_id, **about)


@sender_group.command("add")
def add_sender(
    name: str,
    email: str,
    locale: Annotated[str, typer.Option(help="Language of messages: en, zh.")] = "en",
    password: Annotated[str | None, typer.Option(help="Without it one is made up and shown.")] = None,
) -> None:
    """Open an account of the logistics service, with nothing in it and no credit."""
    chosen = password or secrets.token_urlsafe(12)
    sender_id = run(lambda ctx: parcels.add_shipper(ctx, NewShipper(name, email, chosen, locale)))
    print(f"sender    {sender_id}\npassword  {chosen if password is None else '(as given)'}")


@sender_group.command("verify")
def verify_sender(sender_id: SenderId) -> None:
    """Note that a user has shown by his real name who he is, so that he may book parcels."""
    run(lambda ctx: parcels.set_verified(ctx, sender_id, True))
    print("verified")


@sender_group.command("unverify")
def unverify_sender(sender_id: SenderId) -> None:
    """Let a user book no parcels until he has shown by his real name who he is; what is booked stays."""
    run(lambda ctx: parcels.set_verified(ctx, sender_id, False))
    print("not verified")


@sender_group.command("factor-off")
def remove_factor(email: Email) -> None:
    """Let a user sign in by his password alone, who has lost what makes his codes and his recovery codes."""
    remove_factor_of("wishpost", email)


@sender_group.command("deposit")
def deposit(sender_id: SenderId, amount: Annotated[str, typer.Argument(help="How much, in CNY.")]) -> None:
    """Note what a user paid in."""
    money = _decimal(amount)
    balances = run_for(sender_id, lambda ctx: ledger.deposit(ctx, sender_id, money), "deposit", amount=f"{money:f}")
    print(f"{balances.remaining} CNY can be spent")


@sender_group.command("credit")
def set_credit(sender_id: SenderId, limit: Annotated[str, typer.Argument(help="How much, in CNY.")]) -> None:
    """Say how much a user may owe."""
    money = _decimal(limit)
    run_for(sender_id, lambda ctx: ledger.set_debt_limit(ctx, sender_id, money), "set_credit", limit=f"{money:f}")
    print(f"may owe {money} CNY")


@sender_group.command("bind")
def bind_shop(sender_id: SenderId, merchant_id: ShopId) -> None:
    """Let a user send for a shop: its orders may go with WishPost in parcels that he booked for them."""
    run_for(sender_id, lambda ctx: parcels.bind_shop(ctx, merchant_id))
    print("bound")


@sender_group.command("unbind")
def unbind_shop(sender_id: SenderId, merchant_id: ShopId) -> None:
    """Let a user no longer send for a shop; what is shipped already stays so."""
    run_for(sender_id, lambda ctx: parcels.unbind_shop(ctx, merchant_id))
    print("not bound")


@channel_group.command("list")
def list_channels() -> None:
    """Show the open channels with what they cost."""
    for channel in run(parcels.list_channels):
        cost = f"{channel.fee:>8} CNY and {channel.fee_per_kg:>8} for a kg, to {channel.most_weight} kg"
        print(f"{channel.otype:<8}{cost}  {channel.channel_name_en}")


@channel_group.command("tariff")
def set_tariff(
    otype: Annotated[str, typer.Argument(help="The channel.")],
    fee: Annotated[str | None, typer.Option(help="CNY for a parcel.")] = None,
    per_kg: Annotated[str | None, typer.Option(help="CNY for a kg.")] = None,
    most_weight: Annotated[str | None, typer.Option(help="The heaviest parcel, in kg.")] = None,
) -> None:
    """Change what a channel costs and how much it carries; parcels that were booked keep their fee."""
    given = {"fee": fee, "fee_per_kg": per_kg, "most_weight": most_weight}
    changes: dict[str, Any] = {name: _decimal(text) for name, text in given.items() if text is not None}

    async def change(ctx: Ctx) -> None:
        channel = await parcels.find_channel(ctx, otype)
        await parcels.set_channel(ctx, msgspec.structs.replace(channel, **changes))

    run(change, "set_tariff", channel=otype[:64])
    print("changed" if changes else "nothing to change")


@parcel_group.command("list")
def list_parcels(
    sender_id: SenderId,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
) -> None:
    """Show the parcels of a user."""
    wanted = ParcelFilter(limit, "created_at", descending=True)
    for parcel in run_for(sender_id, lambda ctx: parcels.list_parcels(ctx, wanted)):
        print(f"{parcel.wish_id}  {parcel.tracking_number or '-':<20}{parcel.state:<12}{parcel.fee:>9} CNY")


@parcel_group.command("hand-over")
def hand_over(sender_id: SenderId, number: Number) -> None:
    """Note that the carrier has a parcel, which is charged for now."""
    print(
        run_for(sender_id, lambda ctx: parcels.hand_over(ctx, number), "hand_over_parcel", number=number[:64]).state
    )


@parcel_group.command("scan")
def scan(
    sender_id: SenderId,
    number: Number,
    status: Annotated[
        int, typer.Argument(min=2, max=parcels.MOST_STATUS, help="What was seen, as tracking tells.")
    ],
    at: Annotated[
        str | None, typer.Option(help="When, such as 2021-05-19T10:00:00+08:00; now if left out.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Country code of where.")] = None,
    province: Annotated[str | None, typer.Option(help="Province or state of where.")] = None,
    city: Annotated[str | None, typer.Option(help="Town of where.")] = None,
    remark: Annotated[str | None, typer.Option(help="Anything besides.")] = None,
) -> None:
    """Note what a carrier saw of a parcel; the first scan ends the time to cancel it."""
    moment = _moment(at) if at else None

    async def note(ctx: ShipperCtx) -> str:
        seen = Scan(moment or ctx.now, status, country, province, city, remark)
        return (await parcels.note_scan(ctx, number, seen)).state

    print(run_for(sender_id, note, "record_parcel_scan", number=number[:64], status=str(status)))


def announce(
    title: Annotated[str, typer.Argument(help="What it is about.")],
    words: Annotated[list[str], typer.Argument(help="Its paragraphs.")],
    url: Annotated[str | None, typer.Option(help="Where there is more of it.")] = None,
) -> None:
    """Tell something to everybody who sends parcels."""
    print(run(lambda ctx: announcements.publish(ctx, title, words, url), "announce_to_senders"))


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise SystemExit(f"{text!r} is no amount.") from None


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SystemExit(f"{text!r} is no time.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
