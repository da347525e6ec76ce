"""Signing in and out, and the apps that somebody let in."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from tradepost.domain import consents, people
from tradepost.domain.access.failures import RateLimitReached
from tradepost.domain.context import Ctx
from tradepost.domain.people import MOST_PASSWORD
from tradepost.surfaces.pages.account.mailed import FORGOTTEN, SIGN_UP
from tradepost.surfaces.pages.asked import cookie
from tradepost.surfaces.pages.attempts import (
    check_visitor,
    device_of,
    digest,
    hold_back,
    is_held_back,
    slowly,
    visitor_form,
)
from tradepost.surfaces.pages.site import Visit, cookie_name, is_ours
from tradepost.surfaces.pages.visit import SIGN_IN as SIGN_IN
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Response

SIGN_OUT: Final = "/sign-out"
SIGN_IN_CODE: Final = "/sign-in/code"
APPS: Final = "/apps"
PER_ADDRESS: Final = RateLimit("sign_in", "ip", 60, 900)
PER_EMAIL_THERE: Final = RateLimit("sign_in_email_there", "ip", 10, 900)
"""For one e-mail address from one address: few, and yet nobody else is kept out of his own account by them."""
PER_EMAIL: Final = RateLimit("sign_in_email", "ip", 100, 900)
PER_PERSON: Final = RateLimit("one_time_code", "ip", 10, 900)
"""One-time codes of one person, who has shown his password before."""


async def show_sign_in(visit: Visit) -> Response:
    """The form; where to go afterwards stands in `next`."""
    return _form(visit, visit.query.get("next"))


async def sign_in(visit: Visit) -> Response:
    """Judge an address and a password, and go on; no answer tells whether there is such an address."""
    following = visit.form.get("next")
    check_visitor(visit, "sign-in")
    email, password = visit.form.get("email") or "", visit.form.get("password") or ""
    if not email or not password or len(email) > 320 or len(password) > MOST_PASSWORD or "\0" in email + password:
        return _form(visit, following, "sign_in_wrong", 400)
    service, client = visit.site.service, visit.request.client or ""
    try:
        async with visit.open() as (ctx, _):
            person = await people.find_person(ctx, service, email)
            # Of this password: whoever tried too often and was mailed a way to another gets in with that one.
            counted = f"{email.strip().lower()} {'' if person is None else person.password_hash}"
            known, there = digest(counted), digest(f"{counted} {client}")
            await hold_back(visit, ctx, ((PER_EMAIL_THERE, there), (PER_EMAIL, known), (PER_ADDRESS, client)))
    except RateLimitReached:
        return _form(visit, following, "sign_in_often", 429)
    is_right = await slowly(people.check_password, person, password)
    if person is None or not is_right:
        return _form(visit, following, "sign_in_wrong", 400)
    async with visit.site.database.acting_for(person.account_id) as connection:
        now = await connection.fetchval("select world_now()")
        ctx = Ctx(connection, now, None)
        needs_code = await people.has_factor(ctx, person.account_id, person.user_id)
        session = await people.open_session(ctx, service, person, device_of(visit), needs_code=needs_code)
    return on_to_code(visit, session, following) if needs_code else signed_in(visit, session, following)


async def show_code(visit: Visit) -> Response:
    """The form that asks for the one-time code."""
    return await _code_form(visit, visit.query.get("next"))


async def enter_code(visit: Visit) -> Response:
    """Judge a one-time code, and sign in with a session that nobody had before."""
    following, half = visit.form.get("next"), cookie(visit.request, cookie_name(visit, "half"))
    visit.check_seal("code", half, visit.form.get("seal"))
    code, session = (visit.form.get("code") or "")[:64], None
    async with visit.open() as (ctx, _):
        waiting = await visit.site.find_session(ctx, half, needs_code=True)
    if waiting is not None and await is_held_back(visit, ((PER_PERSON, digest(waiting.user_id)),)):
        return await _code_form(visit, following, "sign_in_often", 429)
    async with visit.open() as (ctx, _):
        waiting = await visit.site.find_session(ctx, half, needs_code=True)
        if waiting is not None:
            session = await visit.site.enter_code(ctx, waiting, code, visit.seals, device_of(visit))
    if session is None:
        return await _code_form(visit, following, "code_wrong", 400)
    return signed_in(visit, session, following)


def on_to_code(visit: Visit, half: str, following: str | None) -> Response:
    """Go on to where the one-time code is asked for, with a session that opens nothing yet."""
    response = visit.redirect(visit.site.root + SIGN_IN_CODE + _on(visit, following))
    response.headers["Set-Cookie"] = visit.cookie("half", half)
    return response


def signed_in(visit: Visit, session: str, following: str | None) -> Response:
    """Go on with a new session."""
    response = visit.redirect(following if following and is_ours(visit.site, following) else visit.site.first)
    response.headers["Set-Cookie"] = visit.cookie("session", session)
    return response


async def sign_out(visit: Visit) -> Response:
    """End the session."""
    visit.check_seal("sign-out", visit.session, visit.form.get("seal"))
    async with visit.open() as (ctx, signed):
        if signed is not None:
            await people.close_session(ctx, signed)
    response = visit.redirect(SIGN_IN + _on(visit, visit.form.get("next")))
    response.headers["Set-Cookie"] = visit.cookie("session", "", gone=True)
    return response


async def show_first(visit: Visit) -> Response:
    """What the bare address of a service leads to: the first line of the menu."""
    async with visit.open() as (_, signed):
        visit.need_signed(signed)
    return visit.redirect(visit.site.first)


async def show_apps(visit: Visit) -> Response:
    """The apps that have been let in, each with what it may do and a button that takes it back."""
    async with visit.open() as (ctx, signed):
        signed = visit.need_signed(signed)
        found = await consents.list_given(ctx, signed.account_id)
    given: dict[str, dict[str, Any]] = {}
    for row in found:  # of several consents to one app the latest comes first, and all are taken back together
        app = given.setdefault(row["app_id"], {"app_id": row["app_id"], "name": row["name"], "scopes": {}})
        app["since"] = f"{row['created_at']:%Y-%m-%d}"
        app["scopes"] |= {scope: visit.say(f"scope.{scope}") for scope in row["scopes"]}
    return visit.render(
        "apps.html",
        given=[{**app, "scopes": list(app["scopes"].values())} for app in given.values()],
        seal=visit.seal("withdraw", visit.session),
    )


async def withdraw(visit: Visit) -> Response:
    """Take back what an app was let do."""
    visit.check_seal("withdraw", visit.session, visit.form.get("seal"))
    async with visit.open() as (ctx, signed):
        signed = visit.need_signed(signed)
        await consents.withdraw(ctx, signed.account_id, (visit.form.get("app_id") or "")[:64].replace("\0", ""))
    return visit.redirect(APPS + visit.query.without())


def _on(visit: Visit, following: str | None) -> str:
    return f"?next={quote(following, safe='')}" if following and is_ours(visit.site, following) else ""


def _form(visit: Visit, following: str | None, problem: str | None = None, status: int = 200) -> Response:
    return visitor_form(
        visit,
        "sign_in.html",
        "sign-in",
        status,
        following=following if is_ours(visit.site, following) else "",
        problem=None if problem is None else visit.say(problem),
        email=(visit.form.get("email") or "")[:320],
        locale=visit.say.locale,
        onward=[
            (page + _on(visit, following), visit.say(word))
            for page, word in ((FORGOTTEN, "forgotten"), (SIGN_UP, "sign_up"))
            if visit.site.has(page)
        ],
    )


async def _code_form(
    visit: Visit, following: str | None, problem: str | None = None, status: int = 200
) -> Response:
    half = cookie(visit.request, cookie_name(visit, "half"))
    async with visit.open() as (ctx, _):
        if await visit.site.find_session(ctx, half, needs_code=True) is None:
            return visit.redirect(visit.site.root + SIGN_IN + _on(visit, following))
    return visit.render(
        "account/code.html",
        status,
        bare=True,
        following=following if is_ours(visit.site, following) else "",
        problem=None if problem is None else visit.say(problem),
        seal=visit.seal("code", half),
    )
