"""Infractions that wait for the marketplace, and any other: read, answered, closed with or without their fine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, acting, ask, do, names, pager, place, show
from tradepost.surfaces.pages.site import Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/infractions"


async def show_waiting(visit: Visit) -> Response:
    """Those that a merchant has answered, the longest waiting first."""
    async with acting(visit) as ctx:
        found = await ask(visit, ctx, "/infractions/awaiting-marketplace", **place(visit))
        shops = await names(ctx, found.infractions)
    return show(visit, "infractions.html", found=found.infractions, shops=shops, pages=pager(visit, found.next))


async def show_infraction(visit: Visit, problem: Problem | None = None) -> Response:
    """One infraction with its proofs and all that was written."""
    async with acting(visit) as ctx:
        found = await ask(visit, ctx, "/infractions/get", **_ids(visit))
        shops = await names(ctx, [found.infraction])
    return show(
        visit,
        "infraction.html",
        200 if problem is None else problem.status,
        one=found.infraction,
        messages=found.messages,
        shop=shops[found.infraction.merchant_id],
        problem=problem,
        sent=visit.sent,
    )


async def answer(visit: Visit) -> Response:
    """Write about an infraction, as the marketplace."""
    try:
        async with acting(visit) as ctx:
            await do(visit, ctx, "/infractions/answer", **_ids(visit), message=visit.form.get("message"))
    except Fact as fact:
        return await show_infraction(visit, visit.problem(fact))
    return visit.done("office_answered", _path(visit))


async def close(visit: Visit) -> Response:
    """Close an infraction for good; its fine stays, or is taken back."""
    try:
        async with acting(visit) as ctx:
            await do(visit, ctx, "/infractions/close", **_ids(visit), waive=visit.form.get("waive") == "yes")
    except Fact as fact:
        return await show_infraction(visit, visit.problem(fact))
    return visit.done("office_closed", _path(visit))


def _ids(visit: Visit) -> dict[str, str]:
    return {"merchant_id": visit.blanks["merchant"], "infraction_id": visit.blanks["infraction"]}


def _path(visit: Visit) -> str:
    return f"{HERE}/{visit.blanks['merchant']}/{visit.blanks['infraction']}"


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HERE: {"GET": show_waiting},
    f"{HERE}/{{merchant}}/{{infraction}}": {"GET": show_infraction},
    f"{HERE}/{{merchant}}/{{infraction}}/answer": {"POST": answer},
    f"{HERE}/{{merchant}}/{{infraction}}/close": {"POST": close},
}
