"""S16: every form of every page against whoever has no business with it, and what pages promise to browsers.

    python -m tests.whole.test_pages_guarded --size full --seed 7

A program with two server processes behind what it takes for an https proxy. Pages, those of operators among
them, are found as a visitor finds them, and compared with the table of contents, so that a new page is tried
the day it is made: each of its forms is sent without its seal, with a seal that was made up, cut short or
stolen from somebody else's page, from elsewhere, and by somebody else. Accepted is whatever is not refused as
forged. Then come framing, the policy that every page has, where `next` may lead, cookies, sessions that
somebody else knew before, signing out, another password, wrong ones, and what strangers learn of who has an
account. The time that takes decides in the full size only.

The mutant believes every form; the tests below try another.
"""

from __future__ import annotations

import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

import pytest
from lxml import html

from tests.support.answer import Answer
from tests.support.guest import PROXIES, Form, Guest, forms_of, links_of
from tests.support.jobs import Auditor, Figure, Finding, auditing
from tests.support.program import Program, serving
from tradepost.domain.access import new_session
from tradepost.surfaces.merchant_v2.chapters import api as merchant_v2
from tradepost.surfaces.operator_v1.chapters import api as operator_v1
from tradepost.surfaces.pages.chapters import build_site
from tradepost.surfaces.pages.office.chapters import build_office
from tradepost.surfaces.pages.site import Kit, Site
from tradepost.surfaces.wishpost_v3.chapters import api as wishpost_v3

MOST_VISITS: Final = 3
"""Of one page with blanks in its path."""
MOST_PAGES: Final = 300
ELSEWHERE: Final = (
    "https://evil.test/", "//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test", "/%5cevil.test",
    "/\tevil.test", "/\r\nLocation: https://evil.test", "javascript:alert(1)", "data:text/html,x",
    "https:evil.test", "http:/evil.test", " https://evil.test", "/./evil.test", "/..//evil.test", "/@evil.test",
    "/api/v2/order", "https://127.0.0.1@evil.test/", "/sign-in/../..//evil.test", "ftp://evil.test",
    "/evil.test:80", "%2f%2fevil.test", "/。evil.test", "",
)  # fmt: skip
WRONG_LOGINS: Final = 50
CLOSE: Final = 0.05
MOST_BATCHES: Final = 6


@dataclass
class Stage:
    """One service of a running program: two people in their browsers, a stranger, and what was found wrong."""

    running: Program
    auditor: Auditor
    base: str
    site: Site
    """For operators the member's `email` is the name that he signs in with."""
    members: list[dict[str, str]]
    seen: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)

    def hold(self, what: str, holds: bool, *told: object) -> None:
        """Note what does not hold."""
        self.tried[what.partition(" ")[0]] += 1
        if not holds:
            self.wrong.append(" ".join(map(str, (what, *told)))[:300])

    def guest(self, address: str = "192.0.2.7") -> Guest:
        """Somebody's new browser."""
        return Guest(self.base, address, self.seen)

    def signed_in(self, number: int = 0, address: str = "192.0.2.7") -> Guest:
        """One of the cast, signed in."""
        guest, member = self.guest(address), self.members[number]
        self.auditor.run("truncate tradepost.rate_window")
        self.sign_in(guest, member["email"], member["password"])
        return guest

    def sign_in(self, guest: Guest, email: str, password: str, **more: str) -> Answer:
        """Fill in the form that asks who somebody is."""
        where = self.site.root + "/sign-in"
        form = next(form for form in forms_of(guest.get(where)) if form.action.startswith(where))
        return guest.send(form, None, **{self.login: email}, password=password, **more)

    @property
    def login(self) -> str:
        """The field that says who somebody is."""
        return "name" if self.site.root else "email"

    def is_in(self, guest: Guest) -> bool:
        """Whether somebody sees what only a person who is signed in does."""
        return guest.get(self.site.root + "/account").status == 200

    def template(self, path: str) -> str:
        """The path of the table of contents that leads to this page; "" for none of ours."""
        found = self.site._find(path)
        if found is None:
            return ""
        return next(known for known, methods in self.site.pages.items() if methods is found[0])


def _pages(stage: Stage, guest: Guest, begin: list[str]) -> Iterator[tuple[str, Answer]]:
    """Every page that can be found, some of those with blanks in their paths."""
    netloc, waiting, met = urlsplit(stage.base).netloc, list(begin), set(begin)
    visits: Counter[str] = Counter()
    while waiting and sum(visits.values()) < MOST_PAGES:
        where = waiting.pop(0)
        page = stage.template(where.partition("?")[0])
        if not page or "GET" not in stage.site.pages[page] or visits[page] >= MOST_VISITS:
            continue
        visits[page] += 1
        answer = guest.get(where)
        yield page, answer
        for link in links_of(answer, netloc):
            if link not in met:
                met.add(link)
                waiting.append(link)


def _check_page(stage: Stage, page: str, answer: Answer) -> None:
    """What every page promises to browsers, whatever its status."""
    if answer.status == 303 or "html" not in answer.headers.get("content-type", ""):
        return
    rules = dict(
        (part.strip().partition(" ")[::2]) for part in answer.headers.get("content-security-policy", "").split(";")
    )
    framed = rules.get("frame-ancestors") != "'none'" or answer.headers.get("x-frame-options") != "DENY"
    stage.hold(f"framing {page}", not framed)
    strict = rules.get("default-src") == "'none'" and rules.get("base-uri") == "'none'"
    strict &= not re.search(r"unsafe|\*|data:|http:", " ".join(rules.values()))
    strict &= all(
        rules.get(kind, "'self'") in ("'self'", "'none'") for kind in ("script-src", "style-src", "img-src")
    )
    strict &= rules.get("form-action", "").startswith("'self'")
    stage.hold(f"policy {page}", bool(strict), rules)
    kept = answer.headers.get("cache-control"), answer.headers.get("x-content-type-options")
    safe = kept == ("no-store", "nosniff") and "strict-transport-security" in answer.headers
    stage.hold(f"headers {page}", safe, kept)
    tree: Any = html.fromstring(answer.body)
    inline = tree.xpath("//script[not(@src)]|//style|//@style|//@*[starts-with(name(), 'on')]")
    inline += tree.xpath("//*[@href[contains(., 'javascript:')]]")
    stage.hold(f"inline {page}", not inline, inline[:1])


def _forged(form: Form, stolen: str | None, others: list[Guest], victim: Guest) -> Iterator[tuple[str, Answer]]:
    """A form as nobody may send it, each time with what is answered."""
    seal = form.fields.get("seal", "")
    for name, value in (
        ("no seal", None), ("an empty seal", ""), ("a made-up seal", "0" * 64), ("a seal cut short", seal[:-1]),
        ("a seal made longer", seal + "0"), ("a stolen seal", stolen),
    ):  # fmt: skip
        if name == "a stolen seal" and stolen is None:
            continue
        yield name, victim.send(form, seal=value)
    for name, headers in (
        ("from elsewhere", {"Origin": "https://evil.test"}), ("from nowhere", {"Origin": ""}),
        ("from null", {"Origin": "null", "Sec-Fetch-Site": "cross-site"}),
        ("from a host that begins alike", {"Origin": victim.origin + ".evil.test"}),
        ("without https", {"Origin": victim.origin.replace("https:", "http:")}),
    ):  # fmt: skip
        yield name, victim.send(form, headers)
    for number, other in enumerate(others):
        yield f"by somebody else {number}", other.send(form)


def _try_forms(stage: Stage) -> None:
    """Every form of every page, and every path that takes one whether a form for it was found or not."""
    victim, other, nobody = stage.signed_in(0), stage.signed_in(1), stage.guest()
    begin = [stage.site.first, *(page for page in stage.site.pages if "{" not in page)]
    consent = [page for page in stage.site.pages if page.endswith("/authorize")]
    if consent:
        client_id = _public_app(stage)
        begin += [f"{page}?client_id={client_id}" for page in consent]
    done: set[tuple[str, ...]] = set()
    for page, answer in _pages(stage, victim, begin):
        _check_page(stage, page, answer)
        for form in forms_of(answer):
            template = stage.template(urlsplit(form.action).path)
            stage.hold(f"target {page}", bool(template) and "POST" in stage.site.pages[template], form.action)
            if (template, *form.shape) in done:
                continue
            done.add((template, *form.shape))
            theirs = [one for one in forms_of(other.get(form.action)) if one.fields.keys() == form.fields.keys()]
            stolen = theirs[0].fields.get("seal") if theirs else _any_seal(stage, other)
            for name, told in _forged(form, stolen, [other, nobody], victim):
                stage.hold(f"form {form.action.partition('?')[0]} {name}", _is_refused(told), told.status)
    found = {key[0] for key in done}
    for page, methods in stage.site.pages.items():
        if "POST" in methods and page not in found:
            bare = Form(re.sub(r"\{\w+\}", "0" * 24, page), "application/x-www-form-urlencoded", {"do": "x"})
            for name, told in _forged(bare, _any_seal(stage, other), [other, nobody], victim):
                stage.hold(f"bare {page} {name}", _is_refused(told), told.status)


def _public_app(stage: Stage) -> str:
    """An app that anybody can let in, so that a form of its page is judged whoever sends it."""
    where, service = "https://app.example/cb", ("--service", stage.site.service)
    told = stage.running.told("app", "add", "Anybody's", "--redirect-uri", where, *service)
    client_id: str = re.findall(r"client_id +(\S+)", told)[0]
    stage.running.told("app", "verify", client_id, *service)
    return client_id


def _any_seal(stage: Stage, guest: Guest) -> str:
    return next(
        form.fields["seal"] for form in forms_of(guest.get(stage.site.root + "/account")) if "seal" in form.fields
    )


def _is_refused(told: Answer) -> bool:
    """Refused as forged, or asked to sign in first."""
    return told.status == 403 or (told.status == 303 and "/sign-in" in told.headers["location"])


def _try_redirects(stage: Stage) -> None:
    prove, leave = stage.site.root + "/account/prove", stage.site.root + "/sign-out"
    for where in ELSEWHERE:
        member, guest = stage.members[0], stage.guest()
        stage.auditor.run("truncate tradepost.rate_window")
        told = stage.sign_in(guest, member["email"], member["password"], next=where)
        _leads_home(stage, "sign-in", where, told)
        page = guest.get(f"{prove}?next={quote(where, safe='')}")
        form = next(form for form in forms_of(page) if form.action == prove)
        for following in (form.fields["next"], where):
            _leads_home(stage, "prove", where, guest.send(form, next=following, password=member["password"]))
        _try_kept(stage, where)
        form = next(form for form in forms_of(guest.get(stage.site.root + "/account")) if form.action == leave)
        _leads_home(stage, "sign-out", where, guest.send(form, next=where))


def _try_kept(stage: Stage, where: str) -> None:
    """Where a browser keeps whither somebody wants to go, who has to follow a mailed link first."""
    for page in ("/sign-up", "/forgotten"):
        if not stage.site.has(page):
            continue
        guest = stage.guest()
        answer = guest.get(f"{page}?next={quote(where, safe='')}")
        form = next(form for form in forms_of(answer) if form.action.startswith(page))
        leads = [link for link in links_of(answer, urlsplit(stage.base).netloc) if "/sign-in" in link]
        stage.hold(f"redirect {page} {where!r}", form.fields["next"] == "" and leads == ["/sign-in"], leads)
        stage.auditor.run("truncate tradepost.rate_window")
        filled = {"email": "stranger@attic.example", "name": "A shop", "password": "a phrase of mine"}
        told = guest.send(form, None, next=where, **filled)
        kept = [value for name, value in guest.cookies.items() if name.endswith("following") and value]
        stage.hold(f"redirect kept {page} {where!r}", told.status == 200 and not kept, told.status, kept)


def _leads_home(stage: Stage, page: str, where: str, told: Answer) -> None:
    leads = told.headers.get("location", "")
    on = urlsplit(leads)
    ours = told.status == 303 and leads.startswith("/") and not leads.startswith(("//", "/\\")) and not on.netloc
    inside = stage.site.has(on.path) and "evil" not in on.path and "\r" not in leads
    stage.hold(f"redirect {page} {where!r}", ours and inside, told.status, leads)


def _try_sessions(stage: Stage) -> None:
    """Sessions that somebody knew before, signing out, another password."""
    home, leave = stage.site.root + "/account", stage.site.root + "/sign-out"
    member, attacker = stage.members[0], stage.signed_in(1)
    name = next(name for name in attacker.cookies if name.endswith("-session"))
    for planted in (attacker.cookies[name], new_session(), "x"):
        victim = stage.guest()
        victim.cookies[name] = planted
        stage.auditor.run("truncate tradepost.rate_window")
        stage.sign_in(victim, member["email"], member["password"])
        stage.hold("fixation a session is new", stage.is_in(victim) and victim.cookies[name] != planted)
        thief = stage.guest("198.51.100.9")
        thief.cookies[name] = planted
        shown = thief.get(home).body.decode()
        stage.hold("fixation what was planted opens nothing of his", member["email"] not in shown)
    victim = stage.signed_in(0)
    kept = dict(victim.cookies)
    victim.send(next(form for form in forms_of(victim.get(home)) if form.action == leave))
    victim.cookies = kept
    stage.hold("logout the cookie is worth nothing", not stage.is_in(victim))
    here, there = stage.signed_in(0), stage.signed_in(0, "198.51.100.9")
    changed = "quite another password " + member["password"]
    if stage.site.root:  # operators have theirs changed at the shell
        stage.running.told("operator", "password", member["email"], "--password", changed)
        stage.hold("password sessions end everywhere", not stage.is_in(there) and not stage.is_in(here))
    else:
        _change_password(stage, member, changed, here, there)
    again = stage.sign_in(stage.guest(), member["email"], member["password"])
    stage.hold("password the old one is none", again.status == 400)
    member["password"] = changed


def _change_password(stage: Stage, member: dict[str, str], changed: str, here: Guest, there: Guest) -> None:
    form = next(form for form in forms_of(here.get("/account/password")) if form.action == "/account/password")
    told = here.send(form, old="wrong", password=changed)
    stage.hold("password the old one is asked for", told.status == 400 and stage.is_in(there))
    told = here.send(form, old=member["password"], password=changed)
    stage.hold("password it is changed", told.status == 303 and stage.is_in(here), told.status)
    stage.hold("password sessions elsewhere end", not stage.is_in(there))


def _try_guessing(stage: Stage) -> None:
    """50 wrong passwords: few are judged, and the person himself still gets in from where he is."""
    stage.auditor.run("truncate tradepost.rate_window")
    member, guesser = stage.members[0], stage.guest("203.0.113.5")
    statuses = Counter(
        stage.sign_in(guesser, member["email"], f"wrong {number}").status for number in range(WRONG_LOGINS)
    )
    few = statuses[400] <= 20 and statuses[429] >= WRONG_LOGINS - 20
    stage.hold("guessing few are judged", few, dict(statuses))
    late = stage.sign_in(guesser, member["email"], member["password"])
    stage.hold("guessing the right one comes too late", late.status == 429)
    here = stage.sign_in(stage.guest(), member["email"], member["password"])
    stage.hold("guessing nobody is locked out", here.status == 303)


def _try_strangers(stage: Stage, count: int, source: random.Random, decides: bool) -> dict[str, float]:
    """What a stranger learns of who has an account: nothing by text and status, nor by time.

    They come in pairs, in either order: what follows an answer, such as a letter being sent, would otherwise slow
    the other kind down. Where the times of a size that decides differ, more are taken: what is there stays.
    """
    known, ratios = stage.members[0]["email"], {}
    local, at, host = known.partition("@")
    pages = {stage.site.root + "/sign-in": {"password": "wrong enough"}}
    if stage.site.has("/sign-up"):
        filled = {"name": "A shop", "password": "a phrase of mine", "currency": "EUR"}
        pages["/sign-up"] = filled
    if stage.site.has("/forgotten"):
        pages["/forgotten"] = {}
    for page, values in pages.items():
        texts: set[tuple[int, str]] = set()
        pairs: list[dict[bool, float]] = []
        guest = stage.guest()
        form = next(form for form in forms_of(guest.get(page)) if form.action.startswith(page))
        for number in range(count * (MOST_BATCHES if decides else 1)):
            if number and number % count == 0 and abs(_ratio(pairs) - 1) <= CLOSE / 2:
                break
            pairs.append({})
            for is_known in source.sample((True, False), 2):
                email = known if is_known else f"u{number:0{len(local) - 1}d}{at}{host}"
                stage.auditor.run("truncate tradepost.rate_window")
                began = time.perf_counter()
                told = guest.send(form, None, **{stage.login: email}, **values)
                pairs[-1][is_known] = time.perf_counter() - began
                texts.add((told.status, told.body.decode().replace(email, "ADDRESS")))
        stage.hold(f"strangers {page} text and status", len(texts) == 1, len(texts))
        ratios[page] = _ratio(pairs)
        if decides:
            stage.hold(f"strangers {page} time", abs(ratios[page] - 1) <= CLOSE, ratios[page])
    return ratios


def _ratio(pairs: list[dict[bool, float]]) -> float:
    """How much longer it takes for those whom there are, by the middle of the differences of all pairs."""
    usual = statistics.median(took for pair in pairs for took in pair.values())
    return 1 + statistics.median(pair[True] - pair[False] for pair in pairs) / usual


def _try_cookies(stage: Stage) -> None:
    for cookie in stage.seen:
        (name, _, _), *rules = [part.strip().partition("=") for part in cookie.split(";")]
        told = {rule.lower(): value for rule, _, value in rules}
        good = name.startswith("__Host-") and told.get("path") == "/" and told.get("samesite") == "Lax"
        kept = {"secure", "httponly"} <= told.keys() and "domain" not in told
        stage.hold(f"cookie {name}", good and kept, cookie[:40])


def _operators(running: Program) -> list[dict[str, str]]:
    """Two operators who may sign in."""
    members = [{"email": name, "password": f"the desk of {name}"} for name in ("first-desk", "second-desk")]
    for member in members:
        running.told("operator", "add", member["email"])
        running.told("operator", "password", member["email"], "--password", member["password"])
    return members


def run(size: int, seed: int, spoiled: str | None) -> Finding:
    """Everything for both services and for operators; `size` are the pairs of answers whose times are compared."""
    wrong: list[str] = []
    tried: Counter[str] = Counter()
    ratios: dict[str, str] = {}
    nothing: Any = None
    with (
        serving("--workers", "2", spoiled=spoiled, trusted_proxies=PROXIES) as running,
        auditing(running) as auditor,
    ):
        cast = running.credentials()
        for api, base, found in (
            (merchant_v2, running.merchant, cast["merchants"]),
            (wishpost_v3, running.wishpost, cast["wishpost"]),
            (operator_v1, running.merchant, _operators(running)),
        ):
            build, members = build_office if api is operator_v1 else build_site, list(found)
            random.Random(seed).shuffle(members)
            stage = Stage(running, auditor, base, build(nothing, Kit(api, nothing, nothing)), members)
            for part in (_try_forms, _try_redirects, _try_sessions, _try_guessing):
                try:
                    part(stage)
                except (StopIteration, KeyError) as error:  # a page without what it has to have
                    stage.hold(f"form {part.__name__} comes to its end", False, repr(error))
            took = _try_strangers(stage, size, random.Random(seed), decides=size >= 100)
            ratios |= {f"{api.name}{page}": f"{ratio:.3f}" for page, ratio in took.items()}
            _try_cookies(stage)
            wrong += [f"{api.name}: {line}" for line in stage.wrong]
            tried += stage.tried
            if spoiled is not None and wrong:
                break  # that it is noticed is all there is to know
        assert running.stop() == 0
    told = {"n": sum(tried.values()), **dict(tried), "times": ",".join(f"{k}:{v}" for k, v in ratios.items())}
    return Finding(wrong, tried["form"] > 0 and tried["cookie"] > 0, told)


FIGURE = Figure("S16", "accepted", run, {"smoke": 5, "full": 200}, mutant="forms_unsealed")


# -- tests


def test_pages_are_guarded() -> None:
    found = run(5, random.randrange(1 << 16), None)
    print(found.told)
    assert found.wrong == []
    assert found.tried


@pytest.mark.parametrize("spoiled", ["forms_unsealed", "redirects_anywhere"])
def test_a_protection_that_is_gone_is_noticed(spoiled: str) -> None:
    assert run(2, 1, spoiled).wrong


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
