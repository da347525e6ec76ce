"""A new password for whoever has forgotten his, by a link that is mailed; of shops as of those who send parcels.

No page here tells whether an address has an account: the answer is the same, and so is what is done before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tradepost.domain import access, merchants, people
from tradepost.domain.context import random_id
from tradepost.domain.merchants import DetailUnusable
from tradepost.domain.people import LEAST_PASSWORD
from tradepost.surfaces.pages.account.mailed import (
    FORGOTTEN,
    LINK_TROUBLES,
    hold_back_links,
    is_mailed_too_often,
    keep_following,
    link_trouble,
    look,
    on_from,
    password_problem,
    told,
    wanted,
)
from tradepost.surfaces.pages.attempts import check_visitor, field_of, slowly, visitor_form
from tradepost.surfaces.pages.site import Stop, Visit
from tradepost.surfaces.pages.visit import SIGN_IN, Problem
from tradepost.wire.http_types import Response


async def show_forgotten(visit: Visit) -> Response:
    """The form that asks for an address."""
    return _forgotten_form(visit)


async def forgotten(visit: Visit) -> Response:
    """Mail a link; or, to an address that no account has, that it has none."""
    check_visitor(visit, "forgotten")
    email, service = field_of(visit, "email", 400).strip().lower(), visit.site.service
    try:
        merchants.check_person("x", email, visit.say.locale)
    except DetailUnusable:
        return _forgotten_form(visit, Problem(visit.say("email_wrong"), "email"))
    if await is_mailed_too_often(visit, email):
        return _forgotten_form(visit, Problem(visit.say("mail_often"), status=429))
    async with visit.open() as (ctx, _):
        person = await people.find_person(ctx, service, email)
    account_id, user_id = (random_id(), None) if person is None else (person.account_id, person.user_id)
    to = {
        "email": email,
        "name": "" if person is None else person.name,
        "locale": visit.say.locale if person is None else person.locale,
    }
    async with visit.site.database.acting_for(account_id) as connection:
        await people.ask_reset(replace(ctx, db=connection), service, to, visit.seals, account_id, user_id)
    return keep_following(visit, told(visit, "reset_sent.title", "reset_sent", email=email))


async def show_reset(visit: Visit) -> Response:
    """The form for a new password."""
    secret = (visit.query.get("token") or "")[:200]
    await look(visit, "reset", secret)
    return _reset_form(visit, secret)


async def reset(visit: Visit) -> Response:
    """Let the password be another one; whoever is signed in with the old one is signed out."""
    check_visitor(visit, "reset")
    await hold_back_links(visit)
    secret, password = (visit.form.get("token") or "")[:200], visit.form.get("password") or ""
    await look(visit, "reset", secret)
    if problem := password_problem(visit, password):
        return _reset_form(visit, secret, problem)
    kept = await slowly(access.password_hash, password)
    try:
        async with visit.open() as (ctx, _):
            await people.reset_password(ctx, visit.site.service, secret, kept, visit.request.client or "")
    except tuple(LINK_TROUBLES) as failure:
        raise Stop(link_trouble(visit, "reset", type(failure))) from None
    return told(visit, "reset_done.title", "reset_done", (SIGN_IN,))


def _forgotten_form(visit: Visit, problem: Problem | None = None) -> Response:
    return visitor_form(
        visit,
        "account/forgotten.html",
        "forgotten",
        200 if problem is None else problem.status,
        problem=problem,
        email=field_of(visit, "email", 400),
        following=wanted(visit),
        sign_in=on_from(visit, SIGN_IN),
    )


def _reset_form(visit: Visit, secret: str, problem: Problem | None = None) -> Response:
    status, hint = 200 if problem is None else problem.status, visit.say("password_hint", least=str(LEAST_PASSWORD))
    return visitor_form(visit, "account/reset.html", "reset", status, problem=problem, token=secret, hint=hint)


PAGES: Final = {
    FORGOTTEN: {"GET": show_forgotten, "POST": forgotten},
    "/reset": {"GET": show_reset, "POST": reset},
}
