"""Announcements: what an account manager tells all merchants, or one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, acting, do, show
from tradepost.surfaces.pages.site import Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/announcements"
FIELDS: Final = {"RecipientUnknown": "merchant_id", "merchant_ids": "merchant_id"}


async def show_form(visit: Visit, problem: Problem | None = None) -> Response:
    """The form of an announcement."""
    async with acting(visit) as ctx:
        manager = ctx.actor.name
    status = 200 if problem is None else problem.status
    return show(visit, "announcements.html", status, problem=problem, sent=visit.sent, manager=manager)


async def announce(visit: Visit) -> Response:
    """Tell it; merchants have a notification of it."""
    try:
        async with acting(visit) as ctx:
            given = {name: visit.form.get(name) for name in ("title", "message", "manager_name")}
            whom = (visit.form.get("merchant_id") or "").strip()
            one = [whom] if whom else None
            told = await do(visit, ctx, "/announcements/message", **given, merchant_ids=one)
    except Fact as fact:
        return await show_form(visit, visit.problem(fact, FIELDS))
    return visit.done("office_announced", HERE, count=str(told.merchants))


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {HERE: {"GET": show_form, "POST": announce}}
