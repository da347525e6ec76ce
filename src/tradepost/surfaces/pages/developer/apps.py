"""Apps that somebody makes for his own account: their secrets, where they lead back to, whether they may act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.domain import access
from tradepost.domain.access.failures import AppNameUnusable, AppUnknown, RedirectUnusable, TooManyApps
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response

OWN_APPS: Final = "/developer/apps"
_TROUBLES: Final[Mapping[type[Fact], tuple[str, str]]] = {
    AppNameUnusable: ("app_name", "own.name_wrong"),
    RedirectUnusable: ("redirect_uris", "own.redirect_wrong"),
    TooManyApps: ("", "own.too_many"),
}


async def show_own_apps(visit: Visit, problem: Problem | None = None, about: str = "") -> Response:
    """The apps of an account, a form for each, and one for another; `about` is the app that a problem is about."""
    async with visit.open() as (ctx, signed):
        visit.need_signed(signed)
        found = await access.list_own_apps(ctx, visit.site.service)
    return visit.render(
        "developer/apps.html",
        200 if problem is None else problem.status,
        found=found,
        problem=problem,
        about=about,
        sent=visit.sent,
    )


async def add(visit: Visit) -> Response:
    """Make an app, and show its secret this once."""
    try:
        async with visit.open() as (ctx, signed):
            person = visit.need_signed(signed)
            visit.check_form()
            name, uris = visit.form.get("app_name") or "", _uris(visit)
            app_id, secret = await access.add_own_app(ctx, visit.site.service, person.account_id, name, uris)
    except tuple(_TROUBLES) as fact:
        return await show_own_apps(visit, _problem(visit, fact), "new")
    return visit.render("developer/secret.html", name=name, app_id=app_id, secret=secret)


async def replace_secret(visit: Visit) -> Response:
    """Give an app another secret, and show it this once."""
    app_id = visit.blanks["id"]
    try:
        async with visit.open() as (ctx, signed):
            visit.need_signed(signed)
            visit.check_form()
            person = visit.need_proved(signed)
            secret = await access.replace_own_secret(ctx, visit.site.service, person.account_id, app_id)
    except AppUnknown:
        return visit.trouble("not_there", 404)
    return visit.render("developer/secret.html", name="", app_id=app_id, secret=secret)


async def change(visit: Visit) -> Response:
    """Change where an app leads back to, and whether it may act."""
    app_id = visit.blanks["id"]
    try:
        async with visit.open() as (ctx, signed):
            person = visit.need_signed(signed)
            visit.check_form()
            is_disabled = visit.form.get("disabled") == "yes"
            uris = _uris(visit)
            await access.change_own_app(ctx, visit.site.service, person.account_id, app_id, uris, is_disabled)
    except AppUnknown:
        return visit.trouble("not_there", 404)
    except RedirectUnusable as fact:
        return await show_own_apps(visit, _problem(visit, fact), app_id)
    return visit.done("app_changed", OWN_APPS)


def _uris(visit: Visit) -> list[str]:
    """What a field has, a URL to a line."""
    return [line.strip() for line in (visit.form.get("redirect_uris") or "").splitlines() if line.strip()]


def _problem(visit: Visit, fact: Fact) -> Problem:
    field, key = _TROUBLES[type(fact)]
    return Problem(visit.say(key), field)


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    OWN_APPS: {"GET": show_own_apps, "POST": add},
    f"{OWN_APPS}/{{id}}": {"POST": change},
    f"{OWN_APPS}/{{id}}/secret": {"POST": replace_secret},
}
