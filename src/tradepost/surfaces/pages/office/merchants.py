"""Merchants: who sells, who may not for now, and what there is of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.domain import merchants
from tradepost.surfaces.pages.lists import asked_text
from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, acting, ask, do, pager, place, show
from tradepost.surfaces.pages.site import Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/merchants"
MOST_TEXT: Final = 320
STAGES: Final = ("1", "2", "3")
FIELDS: Final = {"FineUnusable": "fine"}


async def show_merchants(visit: Visit) -> Response:
    """All shops, the oldest first, or those that a text is found in."""
    text = asked_text(visit, "text", MOST_TEXT)
    async with acting(visit) as ctx:
        found = await ask(visit, ctx, "/merchants", **place(visit), **({"text": text} if text else {}))
    return show(visit, "merchants.html", found=found.merchants, pages=pager(visit, found.next), text=text)


async def show_merchant(visit: Visit, problem: Problem | None = None) -> Response:
    """One shop: its last products and tickets, its infractions, and the form of a new one."""
    merchant_id = visit.blanks["merchant"]
    async with acting(visit) as ctx:
        line = await merchants.find_line(ctx, merchant_id)
        listed = await ask(visit, ctx, "/products", merchant_id=merchant_id, limit="20")
        asked = await ask(visit, ctx, "/tickets", merchant_id=merchant_id, limit="20")
        said = [
            one
            for stage in STAGES
            for one in (
                await ask(visit, ctx, "/infractions", merchant_id=merchant_id, stage=stage, limit="20")
            ).infractions
        ]
    return show(
        visit,
        "merchant.html",
        200 if problem is None else problem.status,
        merchant=line,
        products=listed.products,
        tickets=asked.tickets,
        infractions=said,
        problem=problem,
        sent=visit.sent,
    )


async def suspend(visit: Visit) -> Response:
    """Keep a shop out."""
    return await _set(visit, "/merchants/suspend", "office_suspended")


async def reinstate(visit: Visit) -> Response:
    """Let it act again."""
    return await _set(visit, "/merchants/reinstate", "office_reinstated")


async def _set(visit: Visit, path: str, done: str) -> Response:
    merchant_id = visit.blanks["merchant"]
    async with acting(visit) as ctx:
        await do(visit, ctx, path, merchant_id=merchant_id)
    return visit.done(done, f"{HERE}/{merchant_id}")


async def issue(visit: Visit) -> Response:
    """Tell a merchant what he did, with a fine if there is one."""
    merchant_id = visit.blanks["merchant"]
    try:
        async with acting(visit) as ctx:
            given = {name: visit.form.get(name) for name in ("reason", "extra_reason", "fine")}
            made = await do(visit, ctx, "/infractions/issue", merchant_id=merchant_id, **given)
    except Fact as fact:
        return await show_merchant(visit, visit.problem(fact, FIELDS))
    return visit.done("office_issued", f"{ROOT}/infractions/{merchant_id}/{made.infraction_id}")


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HERE: {"GET": show_merchants},
    f"{HERE}/{{merchant}}": {"GET": show_merchant},
    f"{HERE}/{{merchant}}/suspend": {"POST": suspend},
    f"{HERE}/{{merchant}}/reinstate": {"POST": reinstate},
    f"{HERE}/{{merchant}}/infraction": {"POST": issue},
}
