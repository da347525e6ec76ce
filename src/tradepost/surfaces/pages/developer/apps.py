"""Apps that somebody makes: private and public ones, what they may ask for, their secrets, and being verified."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from tradepost.domain import access
from tradepost.domain.access import App, NewApp
from tradepost.domain.access import failures as a
from tradepost.domain.context import Ctx
from tradepost.domain.people import Signed
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.surfaces.pages.visit import Problem, Stop
from tradepost.values import Fact
from tradepost.wire.http_types import Response

OWN_APPS: Final = "/developer/apps"
SCOPE: Final = "scope."
"""What the field of a scope is called, with its name."""
_TROUBLES: Final[Mapping[type[Fact], tuple[str, str]]] = {
    a.AppNameUnusable: ("app_name", "own.name_wrong"),
    a.RedirectUnusable: ("redirect_uris", "own.redirect_wrong"),
    a.ScopesMissing: ("scopes", "own.scopes_wrong"),
    a.TooManyApps: ("", "own.too_many"),
}


async def show_own_apps(visit: Visit, problem: Problem | None = None) -> Response:
    """The apps of an account, and a form for another one."""
    async with visit.open() as (ctx, signed):
        visit.need_signed(signed)
        found = await access.list_own_apps(ctx, visit.site.service)
    asked = dict.fromkeys(visit.site.scopes, True) if problem is None else _ticked(visit)
    status = 200 if problem is None else problem.status
    return visit.render("developer/apps.html", status, found=found, problem=problem, sent=visit.sent, asked=asked)


async def add(visit: Visit) -> Response:
    """Make an app, and show its secret this once."""
    try:
        async with visit.open() as (ctx, signed):
            person = visit.need_signed(signed)
            visit.check_form()
            owner = None if visit.form.get("kind") == "public" else person.account_id
            new = _said(visit, visit.form.get("app_name") or "", owner)
            told = (visit.site.service, person.account_id, new, visit.site.scopes)
            app_id, secret = await access.add_own_app(ctx, *told)
    except tuple(_TROUBLES) as fact:
        return await show_own_apps(visit, _problem(visit, fact))
    return _show_secret(visit, app_id, secret)


async def show_own_app(visit: Visit, problem: Problem | None = None) -> Response:
    """One app: how it stands, what it may, and what can be done about it."""
    async with visit.open() as (ctx, signed):
        visit.need_signed(signed)
        try:
            app = await access.find_own_app(ctx, visit.site.service, visit.blanks["id"])
        except a.AppUnknown:
            return visit.trouble("not_there", 404)
        has_old = app.old_secret_expires_at is not None and ctx.now < app.old_secret_expires_at
    asked = {name: app.scopes is None or name in app.scopes for name in visit.site.scopes}
    return visit.render(
        "developer/app.html",
        200 if problem is None else problem.status,
        app=app,
        has_old_secret=has_old,
        problem=problem,
        sent=visit.sent,
        asked=asked if problem is None else _ticked(visit),
    )


async def act(visit: Visit) -> Response:
    """Do what a form of an app's page asks for."""
    do = _ACTS.get(visit.form.get("do") or "")
    try:
        async with visit.open() as (ctx, signed):
            person = visit.need_signed(signed)
            visit.check_form()
            if do is None:
                raise Stop(visit.trouble("unreadable"))
            return await do(visit, ctx, person)
    except a.AppUnknown:
        return visit.trouble("not_there", 404)
    except a.AppVerified:
        return visit.trouble("own.is_verified", 409)
    except tuple(_TROUBLES) as fact:
        return await show_own_app(visit, _problem(visit, fact))


async def _change(visit: Visit, ctx: Ctx, person: Signed) -> Response:
    service, app_id = visit.site.service, visit.blanks["id"]
    before = await access.find_own_app(ctx, service, app_id)
    changed = _said(visit, before.name, before.owner_id)
    disabled = visit.form.get("disabled") == "yes"
    app = await access.change_own_app(ctx, service, person.account_id, app_id, changed, visit.site.scopes, disabled)
    key = "app_unverified" if before.verified and not app.verified else "app_changed"
    return visit.done(key, _page_of(app))


async def _replace_secret(visit: Visit, ctx: Ctx, person: Signed) -> Response:
    visit.need_proved(person)
    app_id = visit.blanks["id"]
    secret = await access.replace_own_secret(ctx, visit.site.service, person.account_id, app_id)
    return _show_secret(visit, app_id, secret)


async def _end_secret(visit: Visit, ctx: Ctx, person: Signed) -> Response:
    app_id = visit.blanks["id"]
    await access.end_own_old_secret(ctx, visit.site.service, person.account_id, app_id)
    return visit.done("old_secret_ended", f"{OWN_APPS}/{app_id}")


async def _ask(visit: Visit, ctx: Ctx, person: Signed) -> Response:
    app_id = visit.blanks["id"]
    await access.ask_verification(ctx, visit.site.service, person.account_id, app_id)
    return visit.done("verification_asked", f"{OWN_APPS}/{app_id}")


async def _delete(visit: Visit, ctx: Ctx, person: Signed) -> Response:
    visit.need_proved(person)
    await access.delete_own_app(ctx, visit.site.service, person.account_id, visit.blanks["id"])
    return visit.done("app_deleted", OWN_APPS)


_ACTS: Final[Mapping[str, Callable[[Visit, Ctx, Signed], Awaitable[Response]]]] = {
    "change": _change,
    "secret": _replace_secret,
    "end_secret": _end_secret,
    "ask": _ask,
    "delete": _delete,
}


def _said(visit: Visit, name: str, owner: str | None) -> NewApp:
    """What a form says of an app; URLs stand on lines of their own."""
    lines = (visit.form.get("redirect_uris") or "").splitlines()
    uris = tuple(line.strip() for line in lines if line.strip())
    scopes = tuple(scope for scope, is_ticked in _ticked(visit).items() if is_ticked)
    return NewApp(name, uris, owner, visit.form.get("pkce") == "yes", scopes)


def _ticked(visit: Visit) -> dict[str, bool]:
    """The scopes of the service, and whether the form has a tick at each."""
    return {scope: visit.form.get(SCOPE + scope) == "on" for scope in visit.site.scopes}


def _show_secret(visit: Visit, app_id: str, secret: str) -> Response:
    return visit.render("developer/secret.html", app_id=app_id, secret=secret)


def _page_of(app: App) -> str:
    return f"{OWN_APPS}/{app.id}"


def _problem(visit: Visit, fact: Any) -> Problem:
    field, key = _TROUBLES[type(fact)]
    return Problem(visit.say(key), field)


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    OWN_APPS: {"GET": show_own_apps, "POST": add},
    f"{OWN_APPS}/{{id}}": {"GET": show_own_app, "POST": act},
}
