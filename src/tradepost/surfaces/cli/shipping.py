"""`tradepost warehouse` and `shipping`: what a merchant does on the pages of his settings, by hand."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

import typer

from tradepost.domain import shipping, warehouses
from tradepost.domain.context import MerchantCtx
from tradepost.domain.warehouses import STANDARD
from tradepost.surfaces.cli.accounts import MerchantId, run_for

warehouse_group = typer.Typer(help="Warehouses of shops.", no_args_is_help=True)
shipping_group = typer.Typer(help="What shops ship to, and for what price.", no_args_is_help=True)

_PRICE = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
WarehouseOption = Annotated[str, typer.Option("--warehouse", help="STANDARD, or an Express warehouse.")]


@warehouse_group.command("add")
def add_warehouse(
    merchant_id: MerchantId, country: Annotated[str, typer.Argument(help="The country it ships to, such as DE.")]
) -> None:
    """Open an Express warehouse for a country."""
    opened = run_for(
        merchant_id,
        lambda ctx: shipping.open_warehouse(ctx, merchant_id, country),
        "open_warehouse",
        country=country[:64],
    )
    print(f"{opened.id}  {opened.name}")


@warehouse_group.command("list")
def list_warehouses(merchant_id: MerchantId) -> None:
    """Show the warehouses of a shop."""
    for warehouse in run_for(merchant_id, warehouses.list_warehouses):
        print(f"{warehouse.id}  {warehouse.name}")


@shipping_group.command("list")
def list_settings(merchant_id: MerchantId) -> None:
    """Show what a shop ships to from each warehouse."""
    worldwide, settings = run_for(merchant_id, shipping.list_all_settings)
    if worldwide:
        print("worldwide, at the shipping prices of the variations; the settings below do not count")
    for setting in settings:
        price = setting.price
        amount = (
            "as the variations say" if price is None else price.usd if price.usd is not None else price.localized
        )
        print(f"{setting.country}  {setting.warehouse:<10}  {amount}")


@shipping_group.command("set")
def set_countries(
    merchant_id: MerchantId,
    countries: Annotated[list[str], typer.Argument(help="Countries such as CA FR.")],
    price: Annotated[
        str | None, typer.Option(help="In the currency the shop is paid in; without it the variations say it.")
    ] = None,
    warehouse: WarehouseOption = STANDARD,
) -> None:
    """Let a shop ship to countries from a warehouse, at a price where its products say none."""
    if price is not None and not _PRICE.fullmatch(price):
        raise SystemExit(f"{price} is no price.")
    amount = None if price is None else Decimal(price)
    once = list(dict.fromkeys(countries))
    run_for(
        merchant_id,
        lambda ctx: shipping.set_country(ctx, warehouse, once, amount),
        "set_shipping",
        warehouse=warehouse[:64],
    )
    print(f"ships to {', '.join(once)} from {warehouse}")


@shipping_group.command("drop")
def drop_countries(
    merchant_id: MerchantId,
    countries: Annotated[list[str], typer.Argument(help="Countries such as CA FR.")],
    warehouse: WarehouseOption = STANDARD,
) -> None:
    """Let a shop no longer ship to countries from a warehouse; what its products say of them is kept."""

    once = list(dict.fromkeys(countries))

    async def drop(ctx: MerchantCtx) -> None:
        for country in once:
            await shipping.drop_country(ctx, warehouse, country)

    run_for(merchant_id, drop, "drop_shipping", warehouse=warehouse[:64])
    print(f"no longer ships to {', '.join(once)} from {warehouse}")


@shipping_group.command("worldwide")
def set_worldwide(
    merchant_id: MerchantId,
    on: Annotated[bool, typer.Option("--on/--off", help="By his settings again with --off.")] = True,
) -> None:
    """Let a shop ship everywhere at the shipping prices of its variations, without prices by country."""
    run_for(merchant_id, lambda ctx: shipping.set_worldwide(ctx, on), "set_worldwide", on=str(on))
    print("ships worldwide" if on else "ships by its settings")
