"""Signing up, by a link that is mailed.

No page here tells whether an address has an account: the answer is the same, and so is what is done before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tradepost.domain import access, merchants, people
from tradepost.domain.context import random_id
from tradepost.domain.merchants import CurrencyUnknown, DetailUnusable
from tradepost.domain.people import LEAST_PASSWORD, NewSignUp
from tradepost.domain.people.failures import AddressTaken
from tradepost.surfaces.pages.account.mailed import (
    FORGOTTEN,
    LINK_TROUBLES,
    SIGN_UP,
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

# fmt: off
CURRENCIES: Final = (
    "USD", "EUR", "GBP", "CNY", "AUD", "CAD", "CHF", "DKK", "HKD",
    "INR", "JPY", "KRW", "MXN", "NOK", "PLN", "SEK", "SGD",
)
# fmt: on
"""Those that a new shop is offered; an operator opens shops in others."""


async def show_sign_up(visit: Visit) -> Response:
    """The form of a new shop; where to go once it is open stands in `next`."""
    return _sign_up_form(visit)


async def sign_up(visit: Visit) -> Response:
    """Mail a link that opens the shop; or, to whoever has an account, that he has one."""
    check_visitor(visit, "sign-up")
    name, email = field_of(visit, "name").strip(), field_of(visit, "email", 400).strip().lower()
    password, currency = visit.form.get("password") or "", field_of(visit, "currency", 8)
    problem = password_problem(visit, password, email, name) or _detail_problem(visit, name, email, currency)
    if problem is not None:
        return _sign_up_form(visit, problem)
    if await is_mailed_too_often(visit, email):
        return _sign_up_form(visit, Problem(visit.say("mail_often"), status=429))
    kept = await slowly(access.password_hash, password)
    new = NewSignUp(email, name, kept, currency, visit.say.locale)
    async with visit.open() as (ctx, _):
        known = await people.find_person(ctx, visit.site.service, email) is not None
    account_id = random_id()
    async with visit.site.database.acting_for(account_id) as connection:
        made = replace(ctx, db=connection)
        await people.ask_sign_up(made, new, visit.seals, account_id, known)
    return keep_following(visit, told(visit, "sign_up_sent.title", "sign_up_sent", email=email))


async def show_confirm(visit: Visit) -> Response:
    """A button and no more: what only looks at mails (filters, previews) follows links and presses none."""
    secret = (visit.query.get("token") or "")[:200]
    await look(visit, "sign_up", secret)
    return visitor_form(visit, "account/confirm.html", "confirm", token=secret)


async def confirm(visit: Visit) -> Response:
    """Open the shop."""
    check_visitor(visit, "confirm")
    await hold_back_links(visit)
    try:
        async with visit.open() as (ctx, _):
            await people.confirm_sign_up(ctx, (visit.form.get("token") or "")[:200], visit.request.client or "")
    except tuple(LINK_TROUBLES) as failure:
        raise Stop(link_trouble(visit, "sign_up", type(failure))) from None
    except AddressTaken:
        return told(visit, "trouble", "address_taken", (SIGN_IN, FORGOTTEN), 400)
    return told(visit, "confirmed.title", "confirmed", (SIGN_IN,))


def _detail_problem(visit: Visit, name: str, email: str, currency: str) -> Problem | None:
    try:
        merchants.check_person(name, email, visit.say.locale)
        merchants.check_currency(currency)
    except DetailUnusable as failure:
        return Problem(visit.say(f"{failure.detail}_wrong"), failure.detail)
    except CurrencyUnknown:
        return Problem(visit.say("currency_wrong"), "currency")
    return None


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
        following=wanted(visit),
        sign_in=on_from(visit, SIGN_IN),
    )


PAGES: Final = {
    SIGN_UP: {"GET": show_sign_up, "POST": sign_up},
    "/confirm": {"GET": show_confirm, "POST": confirm},
}
