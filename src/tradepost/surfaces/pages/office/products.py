"""The review queue: products that wait, and what the review of one comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.domain import merchants, products
from tradepost.domain.products import ProductRef
from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, acting, ask, do, names, pager, place, show
from tradepost.surfaces.pages.site import Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/products"


async def show_queue(visit: Visit) -> Response:
    """What waits for its review, the oldest first."""
    async with acting(visit) as ctx:
        found = await ask(visit, ctx, "/products/pending", **place(visit))
        shops = await names(ctx, found.products)
    return show(visit, "products.html", found=found.products, shops=shops, pages=pager(visit, found.next))


async def show_product(visit: Visit, problem: Problem | None = None) -> Response:
    """One product as its buyers would see it, and the form of its review."""
    async with acting(visit) as ctx:
        shop = await merchants.act_for(ctx, visit.blanks["merchant"])
        product = await products.find_product(shop, ProductRef(id=visit.blanks["product"]))
    return show(
        visit,
        "product.html",
        200 if problem is None else problem.status,
        product=product,
        shop=shop.actor,
        problem=problem,
        sent=visit.sent,
    )


async def review(visit: Visit) -> Response:
    """Let a product through, or tell its merchant why not; then on to the queue."""
    try:
        async with acting(visit) as ctx:
            given = {name: visit.form.get(name) for name in ("verdict", "reason", "category")}
            ids = {"merchant_id": visit.blanks["merchant"], "product_id": visit.blanks["product"]}
            told = await do(visit, ctx, "/products/review", **ids, **given)
    except Fact as fact:
        return await show_product(visit, visit.problem(fact))
    return visit.done(f"office_{told.review_status}", HERE)


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HERE: {"GET": show_queue},
    f"{HERE}/{{merchant}}/{{product}}": {"GET": show_product, "POST": review},
}
