"""Signing in and out, and the apps that somebody let in."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from tradepost.domain import access, consents, people
from tradepost.domain.access.failures import RateLimitReached
from tradepost.domain.context import Ctx
from tradepost.surfaces.pages.asked import cookie
from tradepost.surfaces.pages.site import Visit, cookie_name, is_ours
from tradepost.surfaces.pages.visit import SIGN_IN as SIGN_IN
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Response

SIGN_OUT: Final = "/sign-out"
APPS: Final = "/apps"
MOST_PASSWORD: Final = 1_000
PER_ADDRESS: Final = RateLimit("sign_in", "ip", 60, 900)
PER_EMAIL_THERE: Final = RateLimit("sign_in_email_there", "ip", 10, 900)
"""For one e-mail address from one address: few, and yet nobody else is kept out of his own account by them."""
PER_EMAIL: Final = RateLimit("sign_in_email", "ip", 100, 900)
# Each takes 19 MiB and 30 ms of a processor.
_checking = asyncio.Semaphore(4)


@dataclass(frozen=True, slots=True)
class _Try:
    """Something that is counted by whom it is about."""

    service: str
    limits: tuple[RateLimit, ...]
    client: str
    token: str = ""
    scope: str | None = None
    agent: str = ""


async def show_sign_in(visit: Visit) -> Response:
    """The form; where to go afterwards stands in `next`."""
    return _form(visit, visit.query.get("next"))


async def sign_in(visit: Visit) -> Response:
    """Judge an address and a password, and go on; no answer tells whether there is such an address."""
    following = visit.form.get("next")
    visit.check_seal("sign-in", cookie(visit.request, cookie_name(visit, "visitor")), visit.form.get("seal"))
    email, password = visit.form.get("email") or "", visit.form.get("password") or ""
    if not email or not password or len(email) > 320 or len(password) > MOST_PASSWORD or "\0" in email + password:
        return _form(visit, following, "sign_in_wrong", 400)
    service, client = visit.site.service, visit.request.client or ""
    known, there = (_digest(text) for text in (email.strip().lower(), f"{email.strip().lower()} {client}"))
    try:
        async with visit.open() as (ctx, _):
            for limit, whom in ((PER_EMAIL_THERE, there), (PER_EMAIL, known), (PER_ADDRESS, client)):
                await access.admit_anybody(ctx.db, _Try(service, (limit,), whom))
            person = await people.find_person(ctx, service, email)
    except RateLimitReached:
        return _form(visit, following, "sign_in_often", 429)
    async with _checking:
        is_right = await asyncio.to_thread(people.check_password, person, password)
    if person is None or not is_right:
        return _form(visit, following, "sign_in_wrong", 400)
    async with visit.site.database.acting_for(person.account_id) as connection:
        now = await connection.fetchval("select world_now()")
        session = await people.open_session(Ctx(connection, now, None), service, person)
    response = visit.redirect(following if following and is_ours(visit.site, following) else visit.site.first)
    response.headers["Set-Cookie"] = visit.cookie("session", session)
    return response


async def sign_out(visit: Visit) -> Response:
    """End the session."""
    visit.check_seal("sign-out", visit.session, visit.form.get("seal"))
    async with visit.open() as (ctx, signed):
        if signed is not None:
            await people.close_session(ctx, signed)
    following = visit.form.get("next")
    where = f"?next={quote(following, safe='')}" if following and is_ours(visit.site, following) else ""
    response = visit.redirect(SIGN_IN + where)
    response.headers["Set-Cookie"] = visit.cookie("session", "", gone=True)
    return response


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


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


def _form(visit: Visit, following: str | None, problem: str | None = None, status: int = 200) -> Response:
    name = cookie_name(visit, "visitor")
    visitor = cookie(visit.request, name)
    is_known = access.looks_right(visitor, access.SESSION_PREFIX)
    visitor = visitor if is_known else access.new_session()
    response = visit.render(
        "sign_in.html",
        status,
        following=following if is_ours(visit.site, following) else "",
        seal=visit.seal("sign-in", visitor),
        problem=None if problem is None else visit.say(problem),
        email=(visit.form.get("email") or "")[:320],
        locale=visit.say.locale,
    )
    if not is_known:
        response.headers["Set-Cookie"] = visit.cookie("visitor", visitor)
    return response
