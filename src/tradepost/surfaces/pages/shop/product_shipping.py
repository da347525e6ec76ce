"""Where a product is shipped to, and for what price: its matrix of countries. Chapter *Get Shipping Prices*.

Each warehouse has a matrix of its own: STANDARD, and the Express ones of one country each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from tradepost.domain import products, reference, shipping, warehouses
from tradepost.domain.products import ProductRef
from tradepost.domain.shipping import CountryOffers, Offer
from tradepost.domain.warehouses import STANDARD
from tradepost.surfaces.pages.shop.products import money_of
from tradepost.surfaces.pages.site import Page, Stop, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response

HERE: Final = "warehouse"
"""The name of the warehouse that a matrix is of, in the query and in the form; STANDARD without it."""


async def show_shipping(visit: Visit, problem: Problem | None = None) -> Response:
    """The countries that the shop ships to from a warehouse, each with a tick and a price."""
    product_id, name = visit.blanks["id"], _warehouse(visit)
    async with visit.shop() as ctx:
        found = {one.name: one for one in await warehouses.list_warehouses(ctx)}
        if name not in found:
            raise Stop(visit.trouble("not_there", 404))
        product = await products.find_product(ctx, ProductRef(id=product_id), name)
        worldwide, _ = await shipping.list_all_settings(ctx)
        offers = [] if worldwide else (await shipping.list_offers(ctx, ProductRef(id=product_id))).countries
    money = money_of(ctx)
    return visit.render(
        "shop/product_shipping.html",
        200 if problem is None else problem.status,
        product=product,
        worldwide=worldwide,
        warehouse=found[name],
        stock=sum(variation.inventory or 0 for variation in product.variations),
        warehouses=[(one, one) for one in sorted(found, key=lambda one: (one != STANDARD, one))],
        lines=[_line(visit, code, offer, money["own"]) for code, offer in _from(offers, name)],
        money=money,
        problem=problem,
    )


def _warehouse(visit: Visit) -> str:
    given = visit.form if visit.request.method == "POST" else visit.query
    return given.get(HERE) or STANDARD


def _from(countries: Sequence[CountryOffers], warehouse: str) -> Iterator[tuple[str, Offer]]:
    """What a warehouse ships, by country."""
    for country in countries:
        for offer in country.offers:
            if offer.warehouse == warehouse:
                yield country.country, offer


def _price(offer: Offer, own: bool) -> str:
    """A price as the form has it, "" for that of the variations."""
    price = None if offer.price is None else offer.price.localized if own else offer.price.usd
    return price or ""


def _line(visit: Visit, code: str, offer: Offer, own: bool) -> dict[str, Any]:
    """A country as the form shows it: as it is, or as it was sent."""
    line = {"code": code, "name": reference.COUNTRIES[code]}
    if visit.form.get("seal") is not None:
        return line | {"enabled": _is_ticked(visit, code), "price": visit.form.get(f"price.{code}") or ""}
    return line | {"enabled": offer.enabled, "price": _price(offer, own)}


def _is_ticked(visit: Visit, code: str) -> bool:
    return visit.form.get(f"to.{code}") == "on"


async def change_shipping(visit: Visit) -> Response:
    """Save the whole matrix: what is ticked is shipped to, and what has another price than before gets it."""
    product_id, name = visit.blanks["id"], _warehouse(visit)
    try:
        async with visit.shop() as ctx:
            money = money_of(ctx)
            await warehouses.known_name(ctx, name)
            offers = (await shipping.list_offers(ctx, ProductRef(id=product_id))).countries
            given = _changes(visit, dict(_from(offers, name)), money["own"])
            if given:
                localized = any(name.startswith("localized_") for name in given)
                own = {"localized_currency_code": money["currency"]} if localized else {}
                about = {"id": product_id, "warehouse_name": name}
                await visit.call(ctx, "/product/update-multi-shipping", {**given, **own, **about})
    except Fact as fact:
        return await show_shipping(visit, visit.problem(fact))
    where = "" if name == STANDARD else f"?{HERE}={quote(name)}"
    return visit.done("shipping_changed", f"/products/{product_id}/shipping{where}")


def _changes(visit: Visit, offers: Mapping[str, Offer], own: bool) -> dict[str, str]:
    """What a form says differently from how it is, as the endpoint takes it.

    A price that is set ships there as well, so what is not ticked is said as well wherever something is.
    """
    on: list[str] = []
    off: list[str] = []
    by_variation: list[str] = []
    prices: dict[str, str] = {}
    for code, offer in offers.items():
        before, price = _price(offer, own), (visit.form.get(f"price.{code}") or "").strip()
        if price and price != before:
            prices[f"localized_{code}" if own else code] = price
        elif not price and before:
            by_variation.append(code)
        is_ticked = _is_ticked(visit, code)
        if is_ticked and not offer.enabled:
            on.append(code)
        elif not is_ticked and (offer.enabled or price != before):
            off.append(code)
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
