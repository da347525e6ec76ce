"""Signing up, and a new password for whoever has forgotten his: both by a link that is mailed.

No page here tells whether an address has an account: the answer is the same, and so is what is done before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tradepost.domain import access, merchants, people
from tradepost.domain.context import random_id
from tradepost.domain.merchants import CurrencyUnknown, DetailUnusable
from tradepost.domain.people import LEAST_PASSWORD, MOST_PASSWORD, NewSignUp, check_new_password
from tradepost.domain.people import failures as p
from tradepost.surfaces.pages.attempts import check_visitor, digest, field_of, is_held_back, slowly, visitor_form
from tradepost.surfaces.pages.site import Stop, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Response

# fmt: off
CURRENCIES: Final = (
    "USD", "EUR", "GBP", "CNY", "AUD", "CAD", "CHF", "DKK", "HKD",
    "INR", "JPY", "KRW", "MXN", "NOK", "PLN", "SEK", "SGD",
)
# fmt: on
"""Those that a new shop is offered; an operator opens shops in others."""
LINK_TROUBLES: Final = {p.LinkUnknown: "link_unknown", p.LinkExpired: "link_expired", p.LinkUsed: "link_used"}
PER_ADDRESS: Final = RateLimit("mail_asked", "ip", 20, 3_600)
"""Letters that one address on the network has written, to whomever."""
PER_EMAIL: Final = RateLimit("mail_asked_email", "ip", 4, 3_600)
"""Letters that are written to one e-mail address because somebody asked for them."""
PER_LINK: Final = RateLimit("mailed_link", "ip", 30, 900)


async def show_sign_up(visit: Visit) -> Response:
    """The form of a new shop."""
    return _sign_up_form(visit)


async def sign_up(visit: Visit) -> Response:
    """Mail a link that opens the shop; or, to whoever has an account, that he has one."""
    check_visitor(visit, "sign-up")
    name, email = field_of(visit, "name").strip(), field_of(visit, "email", 400).strip().lower()
    password, currency = visit.form.get("password") or "", field_of(visit, "currency", 8)
    problem = password_problem(visit, password, email, name) or _detail_problem(visit, name, email, currency)
    if problem is not None:
        return _sign_up_form(visit, problem)
    if await is_held_back(visit, ((PER_EMAIL, digest(email)), (PER_ADDRESS, visit.request.client or ""))):
        return _sign_up_form(visit, Problem(visit.say("mail_often"), status=429))
    kept = await slowly(access.password_hash, password)
    new = NewSignUp(email, name, kept, currency, visit.say.locale)
    async with visit.open() as (ctx, _):
        known = await people.find_person(ctx, visit.site.service, email) is not None
    account_id = random_id()
    async with visit.site.database.acting_for(account_id) as connection:
        made = replace(ctx, db=connection)
        await people.ask_sign_up(made, new, visit.seals, account_id, known)
    return _said(visit, "sign_up_sent", email=email)


async def show_confirm(visit: Visit) -> Response:
    """A button and no more: what only looks at mails (filters, previews) follows links and presses none."""
    secret = (visit.query.get("token") or "")[:200]
    await _look(visit, "sign_up", secret)
    return visitor_form(visit, "account/confirm.html", "confirm", token=secret)


async def confirm(visit: Visit) -> Response:
    """Open the shop."""
    check_visitor(visit, "confirm")
    await _hold_back_links(visit)
    try:
        async with visit.open() as (ctx, _):
            await people.confirm_sign_up(ctx, (visit.form.get("token") or "")[:200], visit.request.client or "")
    except tuple(LINK_TROUBLES) as failure:
        raise Stop(visit.trouble(LINK_TROUBLES[type(failure)])) from None
    except p.AddressTaken:
        return visit.trouble("address_taken")
    return _said(visit, "confirmed", onward=True)


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
    if await is_held_back(visit, ((PER_EMAIL, digest(email)), (PER_ADDRESS, visit.request.client or ""))):
        return _forgotten_form(visit, Problem(visit.say("mail_often"), status=429))
    async with visit.open() as (ctx, _):
        person = await people.find_person(ctx, service, email)
    account_id, user_id = (random_id(), None) if person is None else (person.account_id, person.user_id)
    to = {
        "email": email,
        "name": email if person is None else person.name,
        "locale": visit.say.locale if person is None else person.locale,
    }
    async with visit.site.database.acting_for(account_id) as connection:
        await people.ask_reset(replace(ctx, db=connection), service, to, visit.seals, account_id, user_id)
    return _said(visit, "reset_sent", email=email)


async def show_reset(visit: Visit) -> Response:
    """The form for a new password."""
    secret = (visit.query.get("token") or "")[:200]
    await _look(visit, "reset", secret)
    return _reset_form(visit, secret)


async def reset(visit: Visit) -> Response:
    """Let the password be another one; whoever is signed in with the old one is signed out."""
    check_visitor(visit, "reset")
    await _hold_back_links(visit)
    secret, password = (visit.form.get("token") or "")[:200], visit.form.get("password") or ""
    await _look(visit, "reset", secret)
    if problem := password_problem(visit, password):
        return _reset_form(visit, secret, problem)
    kept = await slowly(access.password_hash, password)
    try:
        async with visit.open() as (ctx, _):
            await people.reset_password(ctx, visit.site.service, secret, kept, visit.request.client or "")
    except tuple(LINK_TROUBLES) as failure:
        raise Stop(visit.trouble(LINK_TROUBLES[type(failure)])) from None
    return _said(visit, "reset_done", onward=True)


def password_problem(visit: Visit, password: str, *known: str) -> Problem | None:
    """What is wrong with a new password, in words; None where nothing is."""
    try:
        check_new_password(password, *known)
    except p.PasswordShort:
        return Problem(visit.say("password_short", least=str(LEAST_PASSWORD)), "password")
    except p.PasswordLong:
        return Problem(visit.say("password_long", most=str(MOST_PASSWORD)), "password")
    except p.PasswordPlain:
        return Problem(visit.say("password_plain"), "password")
    return None


def _detail_problem(visit: Visit, name: str, email: str, currency: str) -> Problem | None:
    try:
        merchants.check_person(name, email, visit.say.locale)
        merchants.check_currency(currency)
    except DetailUnusable as failure:
        return Problem(visit.say(f"{failure.detail}_wrong"), failure.detail)
    except CurrencyUnknown:
        return Problem(visit.say("currency_wrong"), "currency")
    return None


async def _look(visit: Visit, kind: str, secret: str) -> None:
    """Stop where a link is not good."""
    try:
        async with visit.open() as (ctx, _):
            await people.see_link(ctx, visit.site.service, kind, secret)
    except tuple(LINK_TROUBLES) as failure:
        raise Stop(visit.trouble(LINK_TROUBLES[type(failure)])) from None


async def _hold_back_links(visit: Visit) -> None:
    if await is_held_back(visit, ((PER_LINK, visit.request.client or ""),)):
        raise Stop(visit.trouble("sign_in_often", 429))


def _sign_up_form(visit: Visit, problem: Problem | None = None) -> Response:
    return visitor_form(
        visit,
        "account/sign_up.html",
        "sign-up",
        200 if problem is None else problem.status,
        problem=problem,
        given={name: field_of(visit, name, 400) for name in ("name", "email", "currency")},
        currencies=[(code, code) for code in CURRENCIES],
        hint=visit.say("password_hint", least=str(LEAST_PASSWORD)),
    )


def _forgotten_form(visit: Visit, problem: Problem | None = None) -> Response:
    status, email = 200 if problem is None else problem.status, field_of(visit, "email", 400)
    return visitor_form(visit, "account/forgotten.html", "forgotten", status, problem=problem, email=email)


def _reset_form(visit: Visit, secret: str, problem: Problem | None = None) -> Response:
    status, hint = 200 if problem is None else problem.status, visit.say("password_hint", least=str(LEAST_PASSWORD))
    return visitor_form(visit, "account/reset.html", "reset", status, problem=problem, token=secret, hint=hint)


def _said(visit: Visit, key: str, onward: bool = False, **blanks: Any) -> Response:
    """A page that says what was done; `onward` leads to the page where people sign in."""
    title, text = visit.say(f"{key}.title"), visit.say(key, **blanks)
    return visit.render("account/said.html", bare=True, heading=title, text=text, onward=onward)


PAGES: Final = {
    "/sign-up": {"GET": show_sign_up, "POST": sign_up},
    "/confirm": {"GET": show_confirm, "POST": confirm},
    "/forgotten": {"GET": show_forgotten, "POST": forgotten},
    "/reset": {"GET": show_reset, "POST": reset},
}
