"""Apps of both services: which are who they say they are, and which are kept out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from tradepost.domain import access, operators
from tradepost.domain.access.failures import AppChanged, AppUnknown, RefusalUnusable
from tradepost.domain.context import OperatorCtx
from tradepost.surfaces.pages.lists import PAGE, Neighbours, one_of
from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, Office, acting, show
from tradepost.surfaces.pages.site import Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/apps"
SERVICES: Final = ("merchant", "wishpost")
WAITING: Final = "waiting"
_ID: Final = re.compile("[0-9a-f]{24}", re.ASCII)
_REVISION: Final = re.compile("[0-9]{1,9}", re.ASCII)


async def show_apps(visit: Visit) -> Response:
    """The apps of one service in the order of their ids, or those that wait, the longest waiting first."""
    service = one_of(visit.query.get("service"), SERVICES, SERVICES[0])
    state = one_of(visit.query.get("state"), (WAITING,))
    after = visit.query.get("after") or ""
    async with acting(visit) as ctx:
        waiting, _ = await access.waiting_apps(ctx, service, PAGE)
        found, more = waiting, False
        if not state:
            found, more = await access.page_apps(ctx, service, after if _ID.fullmatch(after) else "", PAGE)
    before = HERE + visit.query.without("after") if after else ""
    pages = Neighbours(before, HERE + visit.query.with_(after=found[-1].id) if more else "")
    tabs = [(f"{HERE}?service={name}", f"service.{name}", 0, name == service and not state) for name in SERVICES]
    tabs.append((f"{HERE}?service={service}&state={WAITING}", "office.apps_waiting", len(waiting), bool(state)))
    return show(visit, "apps.html", found=found, tabs=tabs, pages=pages)


async def show_app(visit: Visit, problem: Problem | None = None) -> Response:
    """One app as its developer tells of it, and what is to be said about it."""
    service = visit.blanks["service"]
    if service not in SERVICES:
        return visit.trouble("not_there", 404)
    try:
        async with acting(visit) as ctx:
            app = await access.find_app(ctx, service, visit.blanks["app"])
    except AppUnknown:
        return visit.trouble("not_there", 404)
    assert isinstance(visit.site, Office)
    known = next(api.scopes for api in visit.site.apis if api.name == service)
    asked = [name for name in known if app.scopes is None or name in app.scopes]
    status = 200 if problem is None else problem.status
    return show(visit, "app.html", status, app=app, asked=asked, problem=problem, sent=visit.sent)


async def verify(visit: Visit) -> Response:
    """Note that an app is who it says it is: only then can anybody let a public one in."""

    async def note(ctx: OperatorCtx, service: str, app_id: str) -> None:
        await access.verify_app(ctx, service, app_id, _revision(visit))

    return await _change(visit, "verify_app", "office_verified", note)


async def refuse(visit: Visit) -> Response:
    """Tell the developer of an app why it is not verified, or not any more."""

    async def note(ctx: OperatorCtx, service: str, app_id: str) -> None:
        await access.refuse_app(ctx, service, app_id, visit.form.get("reason") or "", _revision(visit))

    try:
        return await _change(visit, "refuse_app", "office_refused", note)
    except RefusalUnusable as fact:
        return await show_app(visit, Problem(visit.say("office.refusal_wrong", most=str(fact.most)), "reason"))


async def disable(visit: Visit) -> Response:
    """Keep an app and all its tokens out."""
    return await _change(visit, "disable_app", "office_disabled", access.disable_app)


async def enable(visit: Visit) -> Response:
    """Let a disabled app in again."""

    async def let_in(ctx: OperatorCtx, service: str, app_id: str) -> None:
        await access.disable_app(ctx, service, app_id, False)

    return await _change(visit, "enable_app", "office_enabled", let_in)


def _revision(visit: Visit) -> int:
    """Which version of the app the page showed; none where the form was tampered with."""
    told = visit.form.get("revision") or ""
    return int(told) if _REVISION.fullmatch(told) else -1


async def _change(
    visit: Visit, verb: str, done: str, change: Callable[[OperatorCtx, str, str], Awaitable[Any]]
) -> Response:
    service, app_id = visit.blanks["service"], visit.blanks["app"]
    try:
        async with acting(visit) as ctx:
            await change(ctx, service, app_id)
            await operators.record_act(ctx, verb, None, {"service": service, "app_id": app_id})
    except AppUnknown:
        return visit.trouble("not_there", 404)
    except AppChanged:
        return visit.trouble("office.app_changed", 409)
    return visit.done(done, f"{HERE}/{service}/{app_id}")


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HERE: {"GET": show_apps},
    f"{HERE}/{{service}}/{{app}}": {"GET": show_app},
    f"{HERE}/{{service}}/{{app}}/verify": {"POST": verify},
    f"{HERE}/{{service}}/{{app}}/refuse": {"POST": refuse},
    f"{HERE}/{{service}}/{{app}}/disable": {"POST": disable},
    f"{HERE}/{{service}}/{{app}}/enable": {"POST": enable},
}
