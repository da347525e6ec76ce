"""The request log of all accounts, as an operator searches it when somebody asks what became of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.domain import merchants, request_log
from tradepost.domain.request_log import CallUnknown
from tradepost.surfaces.pages import lists
from tradepost.surfaces.pages.developer.calls import render_call, render_calls, search_for
from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, acting
from tradepost.surfaces.pages.site import Visit
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/calls"


async def show_calls(visit: Visit) -> Response:
    """The calls of everybody, or of one account, the latest first, searched as their own are by others."""
    account = lists.asked_text(visit, "account", 24) or None
    async with acting(visit) as ctx:
        found, problem = await search_for(visit, ctx, None, account)
        names = await merchants.names_of(ctx, [line.account_id for line in found.lines])
    return render_calls(visit, found, problem, names=names)


async def show_call(visit: Visit) -> Response:
    """One call of anybody with all that was said, without secrets."""
    async with acting(visit) as ctx:
        try:
            kept = await request_log.find_call(ctx, None, visit.blanks["id"])
        except CallUnknown:
            return visit.trouble("calls.unknown", 404)
        names = await merchants.names_of(ctx, [kept.account_id])
    return render_call(visit, kept, whose_call=f"{names.get(kept.account_id, '')} {kept.account_id}".strip() or "–")


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HERE: {"GET": show_calls},
    f"{HERE}/{{id}}": {"GET": show_call},
}
