"""What pages have that mail links or follow them: limits, links that are no good, and where somebody wanted to go.

Whoever was on his way somewhere (an app's consent, mostly) and has to sign up first, or to ask for a new password,
is mailed a link between. Where he wanted to go waits in his browser meanwhile: never in the letter, which another
may have asked for, and whoever reads the letter elsewhere goes on from there without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

from tradepost.domain import people
from tradepost.domain.people import LEAST_PASSWORD, MOST_PASSWORD, SIGN_UP_HOURS, check_new_password
from tradepost.domain.people import failures as p
from tradepost.surfaces.pages.asked import cookie
from tradepost.surfaces.pages.attempts import digest, is_held_back
from tradepost.surfaces.pages.site import Stop, Visit, cookie_name, is_ours
from tradepost.surfaces.pages.visit import SIGN_IN, Problem
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Response

FORGOTTEN: Final = "/forgotten"
SIGN_UP: Final = "/sign-up"
LINK_TROUBLES: Final[Mapping[type[Exception], str]] = {
    p.LinkUnknown: "link_unknown",
    p.LinkExpired: "link_expired",
    p.LinkUsed: "link_used",
}

PER_ADDRESS: Final = RateLimit("mail_asked", "ip", 20, 3_600)
"""Letters that one address on the network has written, to whomever."""
PER_EMAIL: Final = RateLimit("mail_asked_email", "ip", 4, 3_600)
"""Letters that are written to one e-mail address because somebody asked for them."""
PER_LINK: Final = RateLimit("mailed_link", "ip", 30, 900)
MOST_FOLLOWING: Final = 3_500
"""Characters of a cookie for where somebody wants to go; browsers keep 4,096 with its name and its rules."""
_PLAIN: Final = "/?=&:+-._~"
"""What stands in that cookie as it is, beside letters and digits."""
_COOKIE: Final = "following"
_ONWARD: Final[Mapping[str, Mapping[type[Exception], Sequence[str]]]] = {
    "sign_up": {
        p.LinkUnknown: (SIGN_IN, SIGN_UP),
        p.LinkExpired: (SIGN_UP, SIGN_IN),
        p.LinkUsed: (SIGN_IN,),
    },
    "reset": dict.fromkeys(LINK_TROUBLES, (FORGOTTEN, SIGN_IN)),
}
"""Where whoever came by a link that is no good goes on; the likeliest first."""
_WORDS: Final = {SIGN_IN: "sign_in", SIGN_UP: "sign_up", FORGOTTEN: "forgotten_again"}


async def is_mailed_too_often(visit: Visit, email: str) -> bool:
    """Count a letter that somebody asks for; whether there were too many, to this address or from where he is."""
    return await is_held_back(visit, ((PER_EMAIL, digest(email)), (PER_ADDRESS, visit.request.client or "")))


async def hold_back_links(visit: Visit) -> None:
    """Count a link that somebody uses; stops where there were too many."""
    if await is_held_back(visit, ((PER_LINK, visit.request.client or ""),)):
        raise Stop(visit.trouble("sign_in_often", 429))


async def look(visit: Visit, kind: str, secret: str) -> None:
    """Stop where a link is not good."""
    try:
        async with visit.open() as (ctx, _):
            await people.see_link(ctx, visit.site.service, kind, secret)
    except tuple(LINK_TROUBLES) as failure:
        raise Stop(link_trouble(visit, kind, type(failure))) from None


def link_trouble(visit: Visit, kind: str, failure: type[Exception]) -> Response:
    """A page that says what is wrong with a link, and leads on."""
    key = LINK_TROUBLES[failure]
    own = f"{key}.{kind}"
    text, title = own if own in visit.say else key, f"{own}.title" if f"{own}.title" in visit.say else "trouble"
    return told(visit, title, text, _ONWARD[kind][failure], 400)


def password_problem(visit: Visit, password: str, *known: str) -> Problem | None:
    """What is wrong with a new password, in words; None where nothing is."""
    try:
        check_new_password(password, *known)
    except p.PasswordShort:
        return Problem(visit.say("password_short", least=str(LEAST_PASSWORD)), "password")
    except p.PasswordLong:
        return Problem(visit.say("password_long", most=str(MOST_PASSWORD)), "password")
    except p.PasswordUntypable:
        return Problem(visit.say("password_untypable"), "password")
    except p.PasswordPlain:
        return Problem(visit.say("password_plain"), "password")
    return None


def told(
    visit: Visit, title: str, text: str, onward: Sequence[str] = (), status: int = 200, **blanks: Any
) -> Response:
    """A page that says what was done, or (with another status) what is wrong, with where to go on from there."""
    following = _kept(visit)
    links = [(_on(page, following) if page == SIGN_IN else page, visit.say(_WORDS[page])) for page in onward]
    heading, text = visit.say(title), visit.say(text, **blanks)
    is_wrong = status != 200
    return visit.render(
        "account/said.html", status, bare=True, heading=heading, text=text, is_wrong=is_wrong, links=links
    )


def wanted(visit: Visit) -> str:
    """Where somebody wants to go afterwards, by the form or the link that he came by; "" where that is not ours."""
    where = visit.form.get("next") or visit.query.get("next")
    return where if where and is_ours(visit.site, where) else ""


def on_from(visit: Visit, page: str) -> str:
    """A page, and from there to where somebody wants to go."""
    return _on(page, wanted(visit))


def keep_following(visit: Visit, response: Response) -> Response:
    """Let the browser keep where its person wants to go, for as long as a link is good; or forget what it kept."""
    kept = quote(wanted(visit), safe=_PLAIN)
    if kept and len(kept) <= MOST_FOLLOWING:
        response.headers["Set-Cookie"] = visit.cookie(_COOKIE, kept, seconds=SIGN_UP_HOURS * 3_600)
    elif cookie(visit.request, cookie_name(visit, _COOKIE)):
        response.headers["Set-Cookie"] = visit.cookie(_COOKIE, "", gone=True)
    return response


def _kept(visit: Visit) -> str:
    """Where the person of this browser wanted to go; "" for nowhere, or nowhere of ours."""
    where = unquote(cookie(visit.request, cookie_name(visit, _COOKIE)))
    return where if is_ours(visit.site, where) else ""


def _on(page: str, following: str) -> str:
    return f"{page}?next={quote(following, safe='')}" if following else page
