"""`tradepost order`: what a storefront, a carrier and the marketplace do about orders, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from tradepost.domain import orders
from tradepost.domain.context import MerchantCtx
from tradepost.domain.orders import Address, Item, Purchase, RefundWish, Scan
from tradepost.opening import order_rules
from tradepost.settings import load_settings
from tradepost.surfaces.cli.accounts import MerchantId, run_for
from tradepost.wire.params import Moment
from tradepost.wire.refusals import NotMoment

group = typer.Typer(help="Orders of shops.", no_args_is_help=True)

OrderId = Annotated[str, typer.Argument(help="Id of the order.")]
_PARTS = ", ".join(Address.__struct_fields__)
_BY = {
    "customer": orders.BY_CUSTOMER,
    "wish": orders.BY_WISH,
    "wish-for-merchant": orders.BY_WISH_FOR_MERCHANT,
}


@group.command("place")
def place_order(
    merchant_id: MerchantId,
    items: Annotated[list[str], typer.Argument(help="SKUs, with the number of pieces behind a colon: ring-red:2.")],
    country: Annotated[str, typer.Option(help="Where the buyer is: ISO 3166 alpha-2.")] = "US",
    name: Annotated[str, typer.Option(help="The buyer.")] = "Robin Example",
    street: Annotated[str, typer.Option(help="Street and number.")] = "1 Example Street",
    city: Annotated[str, typer.Option(help="The town.")] = "Exampleville",
    state: Annotated[str | None, typer.Option(help="State or province, by code or name.")] = None,
    zipcode: Annotated[str | None, typer.Option(help="The postal code.")] = None,
    phone: Annotated[str | None, typer.Option(help="The buyer's telephone.")] = None,
    buyer: Annotated[str | None, typer.Option(help="Id of a buyer who ordered before.")] = None,
    review: Annotated[bool, typer.Option("--review", help="Let it wait for a review.")] = False,
    original: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TEXT",
            help=f"Where the buyer is, if the parcel goes to a centre that sends it on; repeat it for {_PARTS}.",
        ),
    ] = None,
) -> None:
    """Buy something from a shop: takes its stock and makes an order for each SKU."""
    address = Address(
        recipient=name,
        street_address1=street,
        city=city,
        country=country,
        state_or_province=state,
        zipcode=zipcode,
        phone_number=phone,
    )
    wanted = tuple(_item(text) for text in items)
    home = _home(address, original) if original else None
    purchase = Purchase(address=address, items=wanted, buyer_id=buyer, under_review=review, original_address=home)
    rules = order_rules(load_settings())
    placed = run_for(merchant_id, lambda ctx: orders.place_order(ctx, purchase, rules), "place_order")
    print(f"transaction  {placed.transaction_id}")
    for order_id in placed.order_ids:
        print(f"order        {order_id}")


def _home(centre: Address, parts: Sequence[str]) -> Address:
    """Where the buyer himself is; he has the name of the parcel's recipient unless it is told."""
    told = dict(part.split("=", 1) for part in parts if "=" in part)
    known = set(Address.__struct_fields__)
    if wrong := next((part for part in parts if part.partition("=")[0] not in known or "=" not in part), None):
        raise SystemExit(f"{wrong} is no part of an address; there are {_PARTS}, each with = and a text behind it.")
    if missing := next((name for name in ("street_address1", "city", "country") if not told.get(name)), None):
        raise SystemExit(f"An original address needs {missing}.")
    return Address(**{"recipient": centre.recipient, **told})


def _item(text: str) -> Item:
    sku, colon, pieces = text.rpartition(":")
    if not colon:
        return Item(text)
    if not (pieces.isascii() and pieces.isdigit() and len(pieces) < 7):
        raise SystemExit(f"{text} is no SKU with a number of pieces behind a colon.")
    return Item(sku, int(pieces))


@group.command("release")
def release_order(merchant_id: MerchantId, order_id: OrderId) -> None:
    """End the review of an order: the shop may ship it from now on."""
    run_for(merchant_id, lambda ctx: orders.release_order(ctx, order_id), "release_order", order_id=order_id[:64])
    print("released")


@group.command("scan")
def record_scan(
    merchant_id: MerchantId,
    tracking_number: Annotated[str, typer.Argument(help="The number that the shop gave.")],
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(orders.SCAN_KINDS)}.")] = orders.SCAN_KINDS[0],
    place: Annotated[str | None, typer.Option(help="Where it was seen.")] = None,
    at: Annotated[str | None, typer.Option(help="When, YYYY-MM-DDTHH:MM:SS in UTC; now if left out.")] = None,
) -> None:
    """Tell what a carrier saw of a parcel; its orders' tracking is confirmed then."""

    async def record(ctx: MerchantCtx) -> None:
        await orders.record_scan(ctx, tracking_number, Scan(kind, _moment(at) or ctx.now, place))

    run_for(merchant_id, record, "record_scan", tracking_number=tracking_number[:64], kind=kind)
    print(f"{tracking_number}: {kind}")


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else Moment().read("at", text)
    except NotMoment:
        raise SystemExit(f"{text} is no time such as 2021-05-19T16:37:00.") from None


@group.command("cancel-tracking")
def cancel_tracking(merchant_id: MerchantId, order_id: OrderId) -> None:
    """Let an order that did not leave after all be shipped again, within 25 days."""
    run_for(
        merchant_id, lambda ctx: orders.cancel_tracking(ctx, order_id), "cancel_tracking", order_id=order_id[:64]
    )
    print("to be shipped again")


@group.command("refund")
def refund_order(
    merchant_id: MerchantId,
    order_id: OrderId,
    reason: Annotated[str, typer.Argument(help="Why, in words that the shop reads.")],
    by: Annotated[str, typer.Option(help="customer, wish or wish-for-merchant.")] = "wish",
    responsibility: Annotated[int, typer.Option(min=0, max=100, help="The shop's part of it in percent.")] = 100,
) -> None:
    """Refund an order in the name of its buyer or of the marketplace."""
    if by not in _BY:
        raise SystemExit(f"{by} is none of {', '.join(_BY)}.")
    wish = RefundWish(_BY[by], reason, responsibility=responsibility)
    run_for(merchant_id, lambda ctx: orders.refund_for(ctx, order_id, wish), "refund_order", order_id=order_id[:64])
    print("refunded")
