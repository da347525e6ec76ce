"""Apps of both services: which are who they say they are, and which are kept out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from tradepost.domain import access, operators
from tradepost.domain.access.failures import AppUnknown
from tradepost.domain.context import OperatorCtx
from tradepost.surfaces.pages.lists import PAGE, Neighbours, one_of
from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, acting, show
from tradepost.surfaces.pages.site import Visit
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/apps"
SERVICES: Final = ("merchant", "wishpost")
_ID: Final = re.compile("[0-9a-f]{24}", re.ASCII)


async def show_apps(visit: Visit) -> Response:
    """The apps of one service, in the order of their ids."""
    service = one_of(visit.query.get("service"), SERVICES, SERVICES[0])
    after = visit.query.get("after") or ""
    async with acting(visit) as ctx:
        found, more = await access.page_apps(ctx, service, after if _ID.fullmatch(after) else "", PAGE)
    before = HERE + visit.query.without("after") if after else ""
    pages = Neighbours(before, HERE + visit.query.with_(after=found[-1].id) if more else "")
    return show(visit, "apps.html", found=found, service_of=service, services=SERVICES, pages=pages)


async def verify(visit: Visit) -> Response:
    """Note that an app is who it says it is: only then can anybody let a public one in."""
    return await _change(visit, "verify_app", "office_verified", access.verify_app)


async def disable(visit: Visit) -> Response:
    """Keep an app and all its tokens out."""
    return await _change(visit, "disable_app", "office_disabled", access.disable_app)


async def enable(visit: Visit) -> Response:
    """Let a disabled app in again."""

    async def let_in(ctx: OperatorCtx, service: str, app_id: str) -> None:
        await access.disable_app(ctx, service, app_id, False)

    return await _change(visit, "enable_app", "office_enabled", let_in)


async def _change(
    visit: Visit, verb: str, done: str, change: Callable[[OperatorCtx, str, str], Awaitable[None]]
) -> Response:
    service, app_id = visit.blanks["service"], visit.blanks["app"]
    try:
        async with acting(visit) as ctx:
            await change(ctx, service, app_id)
            await operators.record_act(ctx, verb, None, {"service": service, "app_id": app_id})
    except AppUnknown:
        return visit.trouble("not_there", 404)
    return visit.done(done, f"{HERE}?service={service}")


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HERE: {"GET": show_apps},
    f"{HERE}/{{service}}/{{app}}/verify": {"POST": verify},
    f"{HERE}/{{service}}/{{app}}/disable": {"POST": disable},
    f"{HERE}/{{service}}/{{app}}/enable": {"POST": enable},
}
