"""What somebody who is signed in does for his safety: password, sessions, second factor, showing who he is."""

from __future__ import annotations

from typing import Any, Final

import segno

from tradepost.domain import access, people
from tradepost.domain.people import LEAST_PASSWORD, MOST_PASSWORD, Signed
from tradepost.domain.people import failures as p
from tradepost.surfaces.pages.account.mailed import password_problem
from tradepost.surfaces.pages.attempts import digest, is_held_back, slowly
from tradepost.surfaces.pages.signing import PER_PERSON
from tradepost.surfaces.pages.site import Visit, is_ours
from tradepost.surfaces.pages.visit import PROVE, Problem
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Response

ACCOUNT: Final = "/account"
PASSWORD: Final = "/account/password"
SESSIONS: Final = "/account/sessions"
FACTOR: Final = "/account/two-factor"
PER_PASSWORD: Final = RateLimit("own_password", "ip", 10, 900)
"""Passwords that somebody who is signed in shows again."""


async def show_account(visit: Visit) -> Response:
    """Where everything is, and how it stands. Operators change their passwords elsewhere."""
    async with visit.open() as (ctx, signed):
        signed = visit.need_signed(signed)
        person, email = await visit.site.person_of(ctx, signed)
        has_list = visit.site.has(visit.site.root + SESSIONS)
        count = len(await people.list_sessions(ctx, signed)) if has_list else None
        state = await people.factor_state(ctx, signed)
        left = await people.count_recovery(ctx, signed)
    return visit.render(
        "account/account.html", email=email, name=person.name, sessions=count, state=state, left=left
    )


async def show_password(visit: Visit) -> Response:
    """The form for another password."""
    return await _password_form(visit)


async def change_password(visit: Visit) -> Response:
    """Let the password be another one; whoever is signed in elsewhere is signed out."""
    old, new = visit.form.get("old") or "", visit.form.get("password") or ""
    problem, signed = await _show_password(visit, old, "old")
    if problem is None:
        async with visit.open() as (ctx, _):
            person, email = await visit.site.person_of(ctx, signed)
        problem = password_problem(visit, new, email, person.name)
    if problem is not None:
        return await _password_form(visit, problem)
    kept = await slowly(access.password_hash, new)
    async with visit.open() as (ctx, again):
        await people.change_password(ctx, visit.site.service, visit.need_signed(again), kept)
    return visit.done("password_changed", ACCOUNT)


async def show_sessions(visit: Visit) -> Response:
    """Where somebody is signed in."""
    async with visit.open() as (ctx, signed):
        signed = visit.need_signed(signed)
        lines = await people.list_sessions(ctx, signed)
    sessions = [
        {
            "id": line.id,
            "client": line.client or "–",
            "agent": line.agent or "–",
            "since": f"{line.created_at:%Y-%m-%d %H:%M}",
            "used": f"{line.used_at:%Y-%m-%d %H:%M}",
            "is_this": line.id == signed.session_id,
        }
        for line in lines
    ]
    return visit.render("account/sessions.html", sessions=sessions)


async def end_sessions(visit: Visit) -> Response:
    """Sign somebody out in one other place, or in all."""
    async with visit.open() as (ctx, signed):
        signed = visit.need_signed(signed)
        visit.check_form()
        if visit.form.get("session"):
            await people.end_session(ctx, signed, (visit.form.get("session") or "")[:24].replace("\0", ""))
        else:
            await people.end_sessions(ctx, signed.account_id, signed.user_id, signed.session_id)
    return visit.done("session_ended", SESSIONS)


async def show_factor(visit: Visit) -> Response:
    """How the second factor stands; while it is being set up, its key as text and as a picture."""
    return await _factor_page(visit)


async def change_factor(visit: Visit) -> Response:
    """Begin to set it up, confirm it with a code, take it off, or have other recovery codes."""
    verb, seals, here = visit.form.get("do"), visit.seals, visit.site.root + FACTOR
    async with visit.open() as (_, signed):
        visit.check_form()
        whose = digest(visit.need_proved(signed).user_id)
    if verb == "confirm" and await is_held_back(visit, ((PER_PERSON, whose),)):
        return await _factor_page(visit, Problem(visit.say("sign_in_often"), status=429))
    try:
        async with visit.open() as (ctx, again):
            signed = visit.need_proved(again)
            if verb == "begin":
                await people.begin_factor(ctx, signed, seals)
            elif verb == "confirm":
                codes = await people.confirm_factor(ctx, signed, (visit.form.get("code") or "")[:64], seals)
            elif verb == "remove":
                await people.remove_factor(ctx, signed.account_id, signed.user_id)
            elif verb == "renew":
                codes = await people.renew_recovery(ctx, signed)
    except p.OneTimeCodeWrong:
        return await _factor_page(visit, Problem(visit.say("code_wrong"), "code"))
    except (p.FactorThere, p.FactorMissing):
        return visit.redirect(here)
    if verb in ("confirm", "renew"):
        return visit.render("account/recovery.html", codes=codes, is_new=verb == "confirm")
    return visit.done("factor_removed", here) if verb == "remove" else visit.redirect(here)


async def show_prove(visit: Visit) -> Response:
    """The form that asks once more who somebody is."""
    async with visit.open() as (_, signed):
        visit.need_signed(signed)
    return _prove_form(visit, visit.query.get("next"))


async def prove(visit: Visit) -> Response:
    """Judge the password, and go on to what takes it."""
    following = visit.form.get("next")
    problem, _ = await _show_password(visit, visit.form.get("password") or "", "password")
    if problem is not None:
        return _prove_form(visit, following, problem)
    async with visit.open() as (ctx, again):
        await visit.site.prove(ctx, visit.need_signed(again))
    return visit.redirect(following if following and is_ours(visit.site, following) else visit.site.root + ACCOUNT)


async def _show_password(visit: Visit, password: str, name: str) -> tuple[Problem | None, Signed]:
    """Whether somebody who is signed in knows his password; what is wrong, in words, where he does not."""
    async with visit.open() as (ctx, found):
        signed = visit.need_signed(found)
        visit.check_form()
        person, _ = await visit.site.person_of(ctx, signed)
    if await is_held_back(visit, ((PER_PASSWORD, digest(signed.user_id)),)):
        return Problem(visit.say("sign_in_often"), name, 429), signed
    usable = 0 < len(password) <= MOST_PASSWORD and "\0" not in password
    if not usable or not await slowly(people.check_password, person, password):
        return Problem(visit.say("own_password_wrong"), name), signed
    return None, signed


async def _factor_page(visit: Visit, problem: Problem | None = None) -> Response:
    told: dict[str, Any] = {"key": "", "picture": "", "side": 0, "left": 0}
    async with visit.open() as (ctx, signed):
        signed = visit.need_signed(signed)
        state = await people.factor_state(ctx, signed)
        if state == "begun":
            visit.need_proved(signed)
            key = await people.begin_factor(ctx, signed, visit.seals)
            _, email = await visit.site.person_of(ctx, signed)
            uri = people.key_uri(key, email, visit.say(f"service.{visit.site.service}"))
            told["key"] = people.key_text(key)
            told["picture"], told["side"] = _picture(uri)
        elif state == "on":
            told["left"] = await people.count_recovery(ctx, signed)
    status = 200 if problem is None else problem.status
    return visit.render("account/factor.html", status, state=state, problem=problem, **told)


def _picture(uri: str) -> tuple[str, int]:
    """A QR code as the path of an SVG, squares with sides of one, and how many there are along an edge."""
    matrix = segno.make(uri, error="m", micro=False).matrix
    squares = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, is_dark in enumerate(row) if is_dark]
    return "".join(squares), len(matrix)


async def _password_form(visit: Visit, problem: Problem | None = None) -> Response:
    async with visit.open() as (ctx, signed):
        _, email = await visit.site.person_of(ctx, visit.need_signed(signed))
    status, hint = 200 if problem is None else problem.status, visit.say("password_hint", least=str(LEAST_PASSWORD))
    return visit.render("account/password.html", status, problem=problem, hint=hint, email=email)


def _prove_form(visit: Visit, following: str | None, problem: Problem | None = None) -> Response:
    status, where = 200 if problem is None else problem.status, following if is_ours(visit.site, following) else ""
    return visit.render("account/prove.html", status, problem=problem, following=where)


PAGES: Final = {
    ACCOUNT: {"GET": show_account},
    PASSWORD: {"GET": show_password, "POST": change_password},
    SESSIONS: {"GET": show_sessions, "POST": end_sessions},
    FACTOR: {"GET": show_factor, "POST": change_factor},
    PROVE: {"GET": show_prove, "POST": prove},
}
