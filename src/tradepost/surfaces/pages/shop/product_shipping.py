"""Where a product is shipped to, and for what price: its matrix of countries. Chapter *Get Shipping Prices*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tradepost.domain import products, reference, shipping
from tradepost.domain.products import ProductRef
from tradepost.domain.warehouses import STANDARD
from tradepost.surfaces.pages.shop.products import money_of
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response


async def show_shipping(visit: Visit, problem: Problem | None = None) -> Response:
    """The countries that the shop ships to from its STANDARD warehouse, each with a tick and a price."""
    product_id = visit.blanks["id"]
    async with visit.shop() as ctx:
        product = await products.find_product(ctx, ProductRef(id=product_id), None)
        worldwide, _ = await shipping.list_all_settings(ctx)
        offers = [] if worldwide else (await shipping.list_offers(ctx, ProductRef(id=product_id))).countries
    money = money_of(ctx)
    lines = [_line(visit, country, money["own"]) for country in offers]
    return visit.render(
        "shop/product_shipping.html",
        200 if problem is None else problem.status,
        product=product,
        worldwide=worldwide,
        lines=[line for line in lines if line is not None],
        money=money,
        problem=problem,
    )


def _line(visit: Visit, country: Any, own: bool) -> dict[str, Any] | None:
    """A country as the form shows it: as it is, or as it was sent."""
    offer = next((one for one in country.offers if one.warehouse == STANDARD), None)
    if offer is None:
        return None
    price = None if offer.price is None else (offer.price.localized if own else offer.price.usd)
    code = country.country
    line = {"code": code, "name": reference.COUNTRIES[code], "enabled": offer.enabled, "price": price or ""}
    if visit.form.get("seal") is not None:
        line |= {"enabled": visit.form.get(f"to.{code}") == "on", "price": visit.form.get(f"price.{code}") or ""}
    return line


async def change_shipping(visit: Visit) -> Response:
    """Save the whole matrix: what is ticked is shipped to, and what has another price than before gets it."""
    product_id = visit.blanks["id"]
    try:
        async with visit.shop() as ctx:
            money = money_of(ctx)
            offers = (await shipping.list_offers(ctx, ProductRef(id=product_id))).countries
            given = _changes(visit, offers, money["own"])
            if given:
                localized = any(name.startswith("localized_") for name in given)
                own = {"localized_currency_code": money["currency"]} if localized else {}
                await visit.call(ctx, "/product/update-multi-shipping", {**given, **own, "id": product_id})
    except Fact as fact:
        return await show_shipping(visit, visit.problem(fact))
    return visit.done("shipping_changed", f"/products/{product_id}/shipping")


def _changes(visit: Visit, offers: Any, own: bool) -> dict[str, str]:
    """What a form says differently from how it is, as the endpoint takes it."""
    on: list[str] = []
    off: list[str] = []
    by_variation: list[str] = []
    prices: dict[str, str] = {}
    for country in offers:
        offer = next((one for one in country.offers if one.warehouse == STANDARD), None)
        if offer is None:
            continue
        code = country.country
        wanted = visit.form.get(f"to.{code}") == "on"
        if wanted != offer.enabled:
            (on if wanted else off).append(code)
        before = None if offer.price is None else (offer.price.localized if own else offer.price.usd)
        price = (visit.form.get(f"price.{code}") or "").strip()
        if price and price != before:
            prices[f"localized_{code}" if own else code] = price
        elif not price and before:
            by_variation.append(code)
    given = {
        "enabled_countries": ",".join(on),
        "disabled_countries": ",".join(off),
        "use_product_shipping_countries": ",".join(by_variation),
    }
    return {name: text for name, text in given.items() if text} | prices


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    "/products/{id}/shipping": {"GET": show_shipping, "POST": change_shipping},
}
LARGE: Final = {"/products/{id}/shipping": 1 << 17}
