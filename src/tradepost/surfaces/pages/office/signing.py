"""The door of operators: a name and a password, which are given on the command line and nowhere else."""

from __future__ import annotations

from typing import Final

from tradepost.domain import operators, people
from tradepost.domain.access.failures import RateLimitReached
from tradepost.domain.people import MOST_PASSWORD
from tradepost.surfaces.pages.attempts import check_visitor, digest, field_of, hold_back, slowly, visitor_form
from tradepost.surfaces.pages.office.desk import ROOT
from tradepost.surfaces.pages.signing import PER_ADDRESS, PER_EMAIL, PER_EMAIL_THERE, on_to_code, signed_in
from tradepost.surfaces.pages.site import Visit, is_ours
from tradepost.wire.http_types import Response

SIGN_IN: Final = f"{ROOT}/sign-in"
SIGN_OUT: Final = f"{ROOT}/sign-out"
MOST_NAME: Final = 100


async def show_sign_in(visit: Visit) -> Response:
    """The form; where to go afterwards stands in `next`."""
    return _form(visit, visit.query.get("next"))


async def sign_in(visit: Visit) -> Response:
    """Judge a name and a password, and go on; no answer tells whether there is such a name."""
    following = visit.form.get("next")
    check_visitor(visit, "sign-in")
    name, password = visit.form.get("name") or "", visit.form.get("password") or ""
    if (
        not name
        or not password
        or len(name) > MOST_NAME
        or len(password) > MOST_PASSWORD
        or "\0" in name + password
    ):
        return _form(visit, following, "office.sign_in_wrong", 400)
    client = visit.request.client or ""
    known, there = digest(name), digest(f"{name} {client}")
    try:
        async with visit.open() as (ctx, _):
            await hold_back(visit, ctx, ((PER_EMAIL_THERE, there), (PER_EMAIL, known), (PER_ADDRESS, client)))
            person = await operators.find_person(ctx, name)
    except RateLimitReached:
        return _form(visit, following, "sign_in_often", 429)
    is_right = await slowly(people.check_password, person, password)
    if person is None or not is_right:
        return _form(visit, following, "office.sign_in_wrong", 400)
    async with visit.open() as (ctx, _):
        session = await operators.open_session(ctx, person, visit.request.client or "")
        needs_code = await operators.find_session(ctx, session) is None
    return on_to_code(visit, session, following) if needs_code else signed_in(visit, session, following)


async def sign_out(visit: Visit) -> Response:
    """End the session."""
    visit.check_seal("sign-out", visit.session, visit.form.get("seal"))
    async with visit.open() as (ctx, signed):
        if signed is not None:
            await operators.close_session(ctx, signed)
    response = visit.redirect(SIGN_IN)
    response.headers["Set-Cookie"] = visit.cookie("session", "", gone=True)
    return response


def _form(visit: Visit, following: str | None, problem: str | None = None, status: int = 200) -> Response:
    return visitor_form(
        visit,
        "office/sign_in.html",
        "sign-in",
        status,
        following=following if is_ours(visit.site, following) else "",
        problem=None if problem is None else visit.say(problem),
        name=field_of(visit, "name", MOST_NAME),
        locale=visit.say.locale,
    )
