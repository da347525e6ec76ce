"""Warehouses, and where they ship to for what price. Chapters *Warehouse* and *Get Shipping Setting*."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from tradepost.domain import reference, shipping, warehouses
from tradepost.domain.context import MerchantCtx
from tradepost.domain.shipping.failures import CountryNotServed, PriceUnusable
from tradepost.domain.warehouses import Warehouse, WarehouseNotFound
from tradepost.surfaces.pages.shop.products import money_of
from tradepost.surfaces.pages.site import Page, Stop, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.wire.http_types import Response
from tradepost.wire.params import Number
from tradepost.wire.refusals import NotDecimal

Settings = dict[str, str]
"""What a warehouse ships to: countries by code, each with its price as text, "" for that of the variations."""


async def show_warehouses(visit: Visit) -> Response:
    """The warehouses, each with how many countries it ships to, and whether the shop ships worldwide."""
    async with visit.shop() as ctx:
        found = await warehouses.list_warehouses(ctx)
        worldwide, settings = await shipping.list_all_settings(ctx)
    counts = {one.name: sum(setting.warehouse == one.name for setting in settings) for one in found}
    return visit.render("shop/warehouses.html", found=found, worldwide=worldwide, counts=counts)


async def set_worldwide(visit: Visit) -> Response:
    """Ship worldwide, or by the settings."""
    async with visit.shop() as ctx:
        await shipping.set_worldwide(ctx, visit.form.get("worldwide") == "yes")
    return visit.done("settings_changed", "/warehouses")


async def show_settings(visit: Visit, problem: Problem | None = None) -> Response:
    """Where a warehouse ships to: every country that it can, with a tick and a price."""
    async with visit.shop() as ctx:
        warehouse, before = await _settings(visit, ctx)
    sent = visit.form.get("seal") is not None
    lines = []
    for code in [warehouse.country] if warehouse.country else sorted(reference.COUNTRIES, key=_name):
        ticked = visit.form.get(f"to.{code}") == "on" if sent else code in before
        price = visit.form.get(f"price.{code}") or "" if sent else before.get(code, "")
        lines.append({"code": code, "name": _name(code), "enabled": ticked, "price": price})
    return visit.render(
        "shop/shipping_settings.html",
        200 if problem is None else problem.status,
        warehouse=warehouse,
        lines=lines,
        money=money_of(ctx),
        problem=problem,
    )


def _name(code: str) -> str:
    return reference.COUNTRIES[code]


async def _settings(visit: Visit, ctx: MerchantCtx) -> tuple[Warehouse, Settings]:
    """The warehouse of this page, and where it ships to as it is."""
    name = visit.blanks["name"]
    warehouse = next((one for one in await warehouses.list_warehouses(ctx) if one.name == name), None)
    if warehouse is None:
        raise Stop(visit.trouble("not_there", 404))
    own = not ctx.actor.paid_in_usd
    before = {}
    for setting in (await shipping.list_all_settings(ctx))[1]:
        if setting.warehouse == name:
            price = setting.price and (setting.price.localized if own else setting.price.usd)
            before[setting.country] = price or ""
    return warehouse, before


async def change_settings(visit: Visit) -> Response:
    """Save where a warehouse ships to, as a whole: what is ticked at its price, what is not no longer."""
    try:
        async with visit.shop() as ctx:
            warehouse, before = await _settings(visit, ctx)
            countries = [warehouse.country] if warehouse.country else list(reference.COUNTRIES)
            by_price: dict[Decimal | None, list[str]] = {}
            for code in countries:
                if visit.form.get(f"to.{code}") != "on":
                    if code in before:
                        await shipping.drop_country(ctx, warehouse.name, code)
                    continue
                text = (visit.form.get(f"price.{code}") or "").strip()
                if code not in before or text != before[code]:
                    by_price.setdefault(_price(visit, ctx, code, text), []).append(code)
            for price, at_price in by_price.items():
                await shipping.set_country(ctx, warehouse.name, at_price, price)
    except _Wrong as wrong:
        return await show_settings(visit, wrong.problem)
    except (PriceUnusable, CountryNotServed, WarehouseNotFound):
        return visit.trouble("unreadable")
    return visit.done("settings_changed", visit.request.path)


class _Wrong(Exception):
    """A price that is none."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def _price(visit: Visit, ctx: MerchantCtx, code: str, text: str) -> Decimal | None:
    """The price of a country as a form has it; None for that of the variations."""
    if not text:
        return None
    most, places = ("1000", 2) if ctx.actor.paid_in_usd else ("9999999999", 2)
    try:
        return Number("0", most, places).read(code, text)
    except NotDecimal:
        told = visit.say("price_wrong", country=_name(code), most=most, places=str(places))
        raise _Wrong(Problem(told, code)) from None


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    "/warehouses": {"GET": show_warehouses},
    "/warehouses/worldwide": {"POST": set_worldwide},
    "/warehouses/{name}": {"GET": show_settings, "POST": change_settings},
}
LARGE: Final = {"/warehouses/{name}": 1 << 17}
