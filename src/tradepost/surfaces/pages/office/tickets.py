"""Tickets that were brought to support, and any other: read, answered, closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, acting, ask, do, names, pager, place, show
from tradepost.surfaces.pages.site import Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/tickets"


async def show_waiting(visit: Visit) -> Response:
    """Those that wait for support, the longest waiting first."""
    async with acting(visit) as ctx:
        found = await ask(visit, ctx, "/tickets/awaiting-support", **place(visit))
        shops = await names(ctx, found.tickets)
    return show(visit, "tickets.html", found=found.tickets, shops=shops, pages=pager(visit, found.next))


async def show_ticket(visit: Visit, problem: Problem | None = None) -> Response:
    """One ticket with all that was written."""
    async with acting(visit) as ctx:
        ticket = await ask(visit, ctx, "/tickets/get", **_ids(visit))
        shops = await names(ctx, [ticket])
    return show(
        visit,
        "ticket.html",
        200 if problem is None else problem.status,
        ticket=ticket,
        shop=shops[ticket.merchant_id],
        problem=problem,
        sent=visit.sent,
    )


async def answer(visit: Visit) -> Response:
    """Write in a ticket, as support."""
    try:
        async with acting(visit) as ctx:
            await do(visit, ctx, "/tickets/answer", **_ids(visit), message=visit.form.get("message"))
    except Fact as fact:
        return await show_ticket(visit, visit.problem(fact))
    return visit.done("office_answered", _path(visit))


async def close(visit: Visit) -> Response:
    """Close a ticket, as support."""
    try:
        async with acting(visit) as ctx:
            await do(visit, ctx, "/tickets/close", **_ids(visit))
    except Fact as fact:
        return await show_ticket(visit, visit.problem(fact))
    return visit.done("office_closed", _path(visit))


def _ids(visit: Visit) -> dict[str, str]:
    return {"merchant_id": visit.blanks["merchant"], "ticket_id": visit.blanks["ticket"]}


def _path(visit: Visit) -> str:
    return f"{HERE}/{visit.blanks['merchant']}/{visit.blanks['ticket']}"


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HERE: {"GET": show_waiting},
    f"{HERE}/{{merchant}}/{{ticket}}": {"GET": show_ticket},
    f"{HERE}/{{merchant}}/{{ticket}}/answer": {"POST": answer},
    f"{HERE}/{{merchant}}/{{ticket}}/close": {"POST": close},
}
