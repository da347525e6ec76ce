"""Tickets as conversations. Chapter *Tickets*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.domain import tickets
from tradepost.surfaces.pages import lists
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Bookmark, Fact
from tradepost.values import Page as Stretch
from tradepost.wire.http_types import Response

VIEWS: Final = ("todo", "all")


async def show_tickets(visit: Visit) -> Response:
    """The tickets that await the merchant, after-sale ones first; or all, the last changed first."""
    view = lists.one_of(visit.query.get("view"), VIEWS, "todo")
    async with visit.shop() as ctx:
        if view == "todo":
            found, pages = [], lists.Neighbours()
            for kind in (tickets.POST_PURCHASE, tickets.PRE_PURCHASE):
                found += (await tickets.list_awaiting(ctx, kind, Stretch(0, 250)))[0]
        else:
            found, more = await tickets.page_tickets(ctx, lists.bookmark(visit), lists.PAGE)
            last = Bookmark(found[-1].updated_at, found[-1].id) if found else None
            pages = lists.behind(visit, last, more)
        waiting = await tickets.count_awaiting(ctx)
    return visit.render("shop/tickets.html", view=view, found=found, pages=pages, waiting=waiting)


async def show_ticket(visit: Visit, problem: Problem | None = None, about: str = "") -> Response:
    """One ticket with everything that was said, and what can be done; `about` is the form that is wrong."""
    async with visit.shop() as ctx:
        ticket = await tickets.find_ticket(ctx, visit.blanks["id"])
    names = [name for reply in ticket.replies for name in reply.pictures]
    keys = ctx.link_keys
    links = (
        {name: tickets.link_path(keys, ctx.actor.id, ticket.id, name, ctx.now) for name in names} if keys else {}
    )
    return visit.render(
        "shop/ticket.html",
        200 if problem is None else problem.status,
        ticket=ticket,
        links=links,
        problem=problem,
        about=about,
        sent=visit.sent,
    )


async def _change(visit: Visit, path: str, names: tuple[str, ...], done: str) -> Response:
    """Do something with a ticket by an endpoint; or show what is wrong with the form."""
    ticket_id = visit.blanks["id"]
    given = {name: (visit.form.get(name) or "").replace("\r\n", "\n") for name in names} | {"id": ticket_id}
    try:
        async with visit.shop() as ctx:
            await visit.call(ctx, path, given)
    except Fact as fact:
        return await show_ticket(visit, visit.problem(fact), done)
    return visit.done(done, f"/tickets/{ticket_id}")


async def reply(visit: Visit) -> Response:
    """Write to the buyer."""
    return await _change(visit, "/ticket/reply", ("reply",), "replied")


async def close(visit: Visit) -> Response:
    """Close a ticket."""
    return await _change(visit, "/ticket/close", (), "ticket_closed")


async def appeal(visit: Visit) -> Response:
    """Ask support to step in."""
    return await _change(visit, "/ticket/appeal-to-wish-support", (), "appealed")


async def reopen(visit: Visit) -> Response:
    """Open a closed ticket again, and tell why."""
    return await _change(visit, "/ticket/re-open", ("reply",), "reopened")


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    "/tickets": {"GET": show_tickets},
    "/tickets/{id}": {"GET": show_ticket},
    "/tickets/{id}/reply": {"POST": reply},
    "/tickets/{id}/close": {"POST": close},
    "/tickets/{id}/appeal": {"POST": appeal},
    "/tickets/{id}/reopen": {"POST": reopen},
}
LARGE: Final = {"/tickets/{id}/reply": 1 << 16, "/tickets/{id}/reopen": 1 << 16}
