"""S05: everything that an app, a person or somebody between them can do wrong on the way to a token.

    python -m tests.whole.test_consent --size full --seed 7

A program with two server processes; merchants consent in pages that a browser over sockets reads. Each variant of
the list is hostile: wrong is one that leads to a code where there should be none, to a token, or to an address that
is not the app's. Between them the good flow is tried again and again, without which nothing is shown. In the full
size each variant runs for three apps (plain, one that must use PKCE, one on this machine), and once more when there
are consents already.

The mutant lets consent lead back to whatever begins like an address of the app; the tests below try others.
"""

from __future__ import annotations

import random
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from tests.support.answer import Answer
from tests.support.jobs import Auditor, Figure, Finding, auditing
from tests.support.program import Client, Program, serving
from tests.support.visitor import Visitor
from tradepost.domain.access import challenge_of

LIMITS: Final = '{"merchant/oauth": 1000000, "merchant/default": 1000000}'
VERIFIER: Final = "v3rifier-" + "x" * 40
CHALLENGE: Final = challenge_of(VERIFIER)
STATE: Final = "st<a>te&é"
PAGE: Final = "/v3/oauth/authorize"
TOKEN: Final = "/api/v3/oauth/access_token"

REDIRECTS: Final = (
    "https://other.example/cb", "https://app.example.evil.test/cb", "https://evil.test/app.example",
    "https://app.example@evil.test/cb", "https://app.example:443/cb", "http://app.example/cb", "https://app.example/cb/",
    "https://app.example/cb/../x", "https://app.example/cb%2f..", "https://app.example/CB", "https://app.example//cb",
    "https://app.example/cb?x=1", "https://app.example/cb#f", "https://app.example/cb%00", "https://app.example/cb\0",
    "https://app.example/cb\r\nSet-Cookie:x", "https://app.example/cb ", "https://app.example/cb\t",
    "https://app.example/cb\n", "https://app.example/cb.", "https://APP.example/cb", "https://аpp.example/cb",
    "https:\\\\app.example\\cb", "https://app。example/cb", "javascript:alert(1)", "data:text/html,x", "",
    "https://app.example/" + "c" * 10_000, "https://*.example/cb", "https://app.example/*", "http://127.0.0.1/other",
    "http://127.0.0.1:1/other", "http://localhost/cb", "http://127.0.0.1.evil.test/cb", "http://127.1/cb",
    "//app.example/cb",
)  # fmt: skip


@dataclass
class App:
    """An app as it was registered, with its secret."""

    client_id: str
    secret: str
    redirect_uri: str
    needs_pkce: bool

    @property
    def usual(self) -> dict[str, str]:
        """What its links ask for."""
        told = {
            "client_id": self.client_id,
            "response_type": "code",
            "state": STATE,
            "redirect_uri": self.redirect_uri,
        }
        return told | ({"code_challenge": CHALLENGE, "code_challenge_method": "S256"} if self.needs_pkce else {})


class Stage:
    """Two merchants in their browsers, an attacker in his, and the app that is tried."""

    def __init__(
        self, running: Program, auditor: Auditor, app: App, other: App, people: dict[str, Visitor]
    ) -> None:
        self.running = running
        self.auditor = auditor
        self.app = app
        self.other = other
        self.victim, self.attacker = people["victim"], people["attacker"]
        self.good = 0

    def page(self, who: Visitor | None = None, raw: str | None = None, **changes: str | None) -> Answer:
        """The consent page that a link with changes leads to."""
        told = {name: value for name, value in (self.app.usual | changes).items() if value is not None}
        return (who or self.victim).get(f"{PAGE}?{raw if raw is not None else urlencode(told)}")

    def code_of(self, answer: Answer) -> str:
        """The code that an answer gives to the app, empty for none; AssertionError where it leads elsewhere."""
        where = answer.headers.get("location", "")
        if not where or where.startswith("/sign-in"):
            return ""
        assert where.startswith(self.app.redirect_uri + "?"), f"leads to {where[:80]}"
        return parse_qs(urlsplit(where).query).get("code", [""])[0]

    def code(self, who: Visitor | None = None, **changes: str | None) -> str:
        """A code that is given as it should be."""
        page = self.page(who, **changes)
        assert page.status == 200, page.status
        answer = (who or self.victim).submit(page, decision="accept")
        told = parse_qs(urlsplit(answer.headers["location"]).query)
        assert (told["state"], told["iss"]) == ([STATE], [self.victim.base])
        return told["code"][0]

    def exchange(self, code: str, raw: bytes | None = None, headers: Any = None, **changes: str | None) -> Answer:
        """A token call with changes."""
        told = {
            "client_id": self.app.client_id,
            "client_secret": self.app.secret,
            "code": code,
            "grant_type": "authorization_code",
            "redirect_uri": self.app.redirect_uri,
        }
        if self.app.needs_pkce:
            told["code_verifier"] = VERIFIER
        sent = {name: value for name, value in (told | changes).items() if value is not None}
        body = raw if raw is not None else urlencode(sent).encode()
        return Visitor(self.victim.base).ask("POST", TOKEN, body, headers)

    def works(self) -> None:
        """The good flow; AssertionError where it does not lead to a token that opens something."""
        answer = self.exchange(self.code())
        assert answer.status == 200, answer.body
        assert answer.headers["cache-control"] == "no-store"
        assert self.opens(answer) == 200
        self.good += 1

    def opens(self, answer: Answer) -> int:
        """The status of a call with a token out of an answer."""
        with Client(self.victim.base, answer.data["access_token"]) as client:
            return client.get("/api/v2/auth_test").status


Variant = tuple[str, Callable[[Stage], bool]]
"""What is tried, and how; True is what must not be: it was accepted."""


def _given(stage: Stage, **how: Any) -> bool:
    """Whether a link leads to a page that gives a code, or to a code, or away from the app."""
    page = stage.page(**how)
    if page.status == 303:
        return bool(stage.code_of(page))
    if page.status != 200:
        return "location" in page.headers
    return bool(stage.code_of(stage.victim.submit(page, decision="accept")))


def _redirects() -> Iterator[Variant]:
    for uri in REDIRECTS:
        yield (
            f"redirect_uri {uri[:40]!r}",
            lambda stage, uri=uri: (  # type: ignore[misc]
                stage.app.redirect_uri != uri and _given(stage, redirect_uri=uri)
            ),
        )
    again = "redirect_uri twice"
    yield (
        again,
        lambda stage: _given(
            stage, raw=urlencode([*stage.app.usual.items(), ("redirect_uri", "https://evil.test/")])
        ),
    )
    yield (
        "redirect_uri array",
        lambda stage: _given(
            stage,
            raw=urlencode({**stage.app.usual, "redirect_uri": ""} | {"redirect_uri[]": stage.app.redirect_uri}),
        ),
    )
    yield (
        "redirect_uri at the token call",
        lambda stage: stage.exchange(stage.code(), redirect_uri=stage.app.redirect_uri + "/").status == 200,
    )
    yield (
        "no redirect_uri at the token call",
        lambda stage: stage.exchange(stage.code(), redirect_uri=None).status == 200,
    )


def _pkce() -> Iterator[Variant]:
    for name, challenge, method in (
        ("plain", CHALLENGE, "plain"), ("no method", CHALLENGE, None), ("unknown method", CHALLENGE, "S512"),
        ("lower method", CHALLENGE, "s256"), ("42", CHALLENGE[:-1], "S256"), ("44", CHALLENGE + "a", "S256"),
        ("padded", CHALLENGE[:-1] + "=", "S256"), ("not base64url", CHALLENGE[:-1] + "+", "S256"),
        ("empty", "", "S256"), ("method alone", None, "S256"),
    ):  # fmt: skip
        yield (
            f"challenge {name}",
            lambda stage, c=challenge, m=method: _given(  # type: ignore[misc]
                stage, code_challenge=c, code_challenge_method=m
            ),
        )
    yield (
        "no challenge where it is needed",
        lambda stage: stage.app.needs_pkce and _given(stage, code_challenge=None, code_challenge_method=None),
    )
    asked = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    for name, verifier in (
        ("none", None), ("42", VERIFIER[:42]), ("129", "v" * 129), ("wrong", VERIFIER[:-1] + "y"), ("empty", ""),
        ("the challenge", CHALLENGE), ("another case", VERIFIER.upper()), ("with a blank", VERIFIER + " x"),
    ):  # fmt: skip
        yield (
            f"verifier {name}",
            lambda stage, v=verifier: (  # type: ignore[misc]
                stage.exchange(stage.code(**asked), code_verifier=v).status == 200
            ),
        )
    yield (
        "verifier without a challenge",
        lambda stage: (
            not stage.app.needs_pkce and (stage.exchange(stage.code(), code_verifier=VERIFIER).status == 200)
        ),
    )
    yield (
        "verifier of another request",
        lambda stage: (
            stage.exchange(
                stage.code(code_challenge=challenge_of("w" * 43), code_challenge_method="S256"),
                code_verifier=VERIFIER,
            ).status
            == 200
        ),
    )


def _codes() -> Iterator[Variant]:
    def reused(stage: Stage) -> bool:
        code = stage.code()
        first = stage.exchange(code)
        return stage.exchange(code).status == 200 or stage.opens(first) == 200

    def together(stage: Stage) -> bool:
        code, came = stage.code(), []
        threads = [threading.Thread(target=lambda: came.append(stage.exchange(code).status)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return came.count(200) != 1

    def late(stage: Stage, seconds: int = 60) -> bool:
        code = stage.code()
        stage.auditor.run(f"update world_clock set shift = shift + interval '{seconds} seconds'")
        return stage.exchange(code).status == 200

    def after(stage: Stage, change: str, undo: str) -> bool:
        code = stage.code()
        stage.auditor.run(change)
        try:
            return stage.exchange(code).status == 200
        finally:
            stage.auditor.run(undo)

    yield "a code used again", reused
    yield "a code used by twenty at once", together
    yield "a code a minute later", late
    yield (
        "a code of a suspended merchant",
        lambda stage: after(
            stage, "update merchant set suspended_at = now()", "update merchant set suspended_at = null"
        ),
    )
    yield (
        "a code of a disabled app",
        lambda stage: after(
            stage,
            "update app set disabled_at = now()",
            "update app set disabled_at = null where deleted_at is null",
        ),
    )
    yield (
        "a code of a consent that was withdrawn",
        lambda stage: after(
            stage,
            "update consent set ended_at = now(), ended_because = 'withdrawn' where ended_at is null",
            "select 1",
        ),
    )
    yield (
        "a code at another app",
        lambda stage: (
            stage.exchange(stage.code(), client_id=stage.other.client_id, client_secret=stage.other.secret).status
            == 200
        ),
    )
    yield "a code cut short", lambda stage: stage.exchange(stage.code()[:-1]).status == 200
    yield "a code made longer", lambda stage: stage.exchange(stage.code() + "0").status == 200
    yield "a code in another case", lambda stage: stage.exchange(stage.code().swapcase()).status == 200
    yield "no code", lambda stage: stage.exchange("").status == 200
    yield (
        "a token for a code",
        lambda stage: stage.exchange(stage.exchange(stage.code()).data["refresh_token"]).status == 200,
    )


def _requests() -> Iterator[Variant]:
    for name, changes in (
        ("token", {"response_type": "token"}), ("id_token", {"response_type": "id_token"}),
        ("code token", {"response_type": "code token"}), ("fragment", {"response_mode": "fragment"}),
        ("form_post", {"response_mode": "form_post"}), ("unknown scope", {"scope": "everything"}),
        ("scope twice", {"scope": "orders:read orders:read"}), ("no scope", {"scope": ""}),
        ("more scope than the app has", {"scope": "orders:read returns:write admin"}),
        ("a long state", {"state": "s" * 10_000}), ("no app", {"client_id": None}),
        ("another app", {"client_id": "0" * 24}),
    ):  # fmt: skip
        yield f"request with {name}", lambda stage, c=changes: _given(stage, **c)  # type: ignore[misc]
    for name in ("client_id", "state", "scope", "response_type"):
        yield (
            f"{name} twice",
            lambda stage, n=name: _given(  # type: ignore[misc]
                stage, raw=urlencode([*stage.app.usual.items(), (n, stage.app.usual.get(n, "x")), (n, "y")])
            ),
        )

    def sent(stage: Stage, who: Visitor | None = None, **how: Any) -> bool:
        page = stage.page()
        return bool(stage.code_of((who or stage.victim).submit(page, decision="accept", **how)))

    def wider(stage: Stage) -> bool:
        narrow, wide = stage.page(scope="orders:read"), stage.page()
        action = re.findall(rb'action="([^"]+)"', wide.body)[0].decode().replace("&amp;", "&")
        return bool(stage.code_of(stage.victim.submit(narrow, decision="accept", action=action)))

    def replayed(stage: Stage) -> bool:
        page = stage.page()
        first = stage.code_of(stage.victim.submit(page, decision="accept"))
        assert stage.exchange(first).status == 200
        again = stage.code_of(stage.victim.submit(page, decision="accept"))
        return bool(again) and stage.exchange(again).status == 200

    def clicked_twice(stage: Stage) -> bool:
        page = stage.page()
        codes = {stage.code_of(stage.victim.submit(page, decision="accept")) for _ in range(2)}
        return len(codes) != 1

    yield "a form without its seal", lambda stage: sent(stage, seal=None)
    yield "a form with a made-up seal", lambda stage: sent(stage, seal="0" * 64)
    yield "a form with another nonce", lambda stage: sent(stage, nonce="n")
    yield "a form of another session", lambda stage: sent(stage, stage.attacker)
    yield "a form of nobody", lambda stage: sent(stage, Visitor(stage.victim.base))
    yield "a form from elsewhere", lambda stage: sent(stage, headers={"Origin": "https://evil.test"})
    yield "a form from nowhere", lambda stage: sent(stage, headers={"Origin": ""})
    yield "a form from null", lambda stage: sent(stage, headers={"Origin": "null", "Sec-Fetch-Site": "cross-site"})
    yield "a form of more scopes than were shown", wider
    yield "a form once more", replayed
    yield "a double click", clicked_twice
    yield "a form by GET", lambda stage: bool(stage.code_of(stage.page(decision="accept")))
    yield (
        "a page in a frame",
        lambda stage: "frame-ancestors 'none'" not in stage.page().headers["content-security-policy"],
    )
    yield "a page with markup", lambda stage: STATE.encode() in stage.page().body or b"<a>te" in stage.page().body
    yield (
        "the code in a referrer",
        lambda stage: (
            stage.victim.submit(stage.page(), decision="accept").headers["referrer-policy"] != "no-referrer"
        ),
    )
    yield (
        "another's code in one's own session",
        lambda stage: (
            stage.exchange(stage.code(stage.attacker)).data["merchant_id"]
            == stage.exchange(stage.code()).data["merchant_id"]
        ),
    )


def _clients() -> Iterator[Variant]:
    import base64

    def basic(name: str, password: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}

    def outlived(stage: Stage) -> bool:
        before = stage.app.secret
        stage.app.secret = stage.running.told("app", "secret", stage.app.client_id).split()[-1]
        # The former is good for a day, so that no app has to change in the same second.
        for less in ("0", "23 hours 50 minutes"):
            stage.auditor.run(f"update app set old_secret_expires_at = old_secret_expires_at - interval '{less}'")
            for secret in (before, stage.app.secret):
                assert stage.exchange(stage.code(), client_secret=secret).status == 200, less
        stage.auditor.run("update app set old_secret_expires_at = old_secret_expires_at - interval '10 minutes'")
        assert stage.exchange(stage.code()).status == 200
        return stage.exchange(stage.code(), client_secret=before).status == 200

    yield "a former secret after its day", outlived
    for name, changes in (
        ("no secret", {"client_secret": None}), ("an empty secret", {"client_secret": ""}),
        ("a wrong secret", {"client_secret": "s"}), ("no id", {"client_id": None}),
    ):  # fmt: skip
        yield f"an app with {name}", lambda stage, c=changes: stage.exchange(stage.code(), **c).status == 200  # type: ignore[misc]
    yield (
        "a secret in another case",
        lambda stage: stage.exchange(stage.code(), client_secret=stage.app.secret.swapcase()).status == 200,
    )
    yield (
        "a secret with a line feed",
        lambda stage: stage.exchange(stage.code(), client_secret=stage.app.secret + "\n").status == 200,
    )
    yield (
        "header and body disagree",
        lambda stage: (
            stage.exchange(stage.code(), headers=basic(stage.other.client_id, stage.other.secret)).status == 200
        ),
    )
    yield (
        "a secret of another app",
        lambda stage: stage.exchange(stage.code(), client_secret=stage.other.secret).status == 200,
    )
    yield (
        "a header that is none",
        lambda stage: (
            stage.exchange(stage.code(), headers={"Authorization": "Basic !!!"}, client_secret=None).status == 200
        ),
    )
    yield "another grant", lambda stage: stage.exchange(stage.code(), grant_type="password").status == 200
    yield (
        "a parameter twice",
        lambda stage: stage.exchange("", raw=b"code=a&code=" + quote(stage.code()).encode()).status == 200,
    )


def _public_apps() -> Iterator[Variant]:
    where, back = "/developer/apps", "https://app.example/cb"

    def make(stage: Stage, **changes: Any) -> tuple[str, str]:
        """The attacker makes an app for everybody; gives its id and its secret."""
        told: Any = {"app_name": "Free gifts", "kind": "public", "redirect_uris": back} | changes
        page = stage.attacker.submit(stage.attacker.get(where), 1, **told)
        app_id, secret = re.findall(r"<code>(\w+)</code>", page.body.decode())
        return app_id, secret

    def act(stage: Stage, app_id: str, do: str, **changes: Any) -> None:
        """What its maker does on its page."""
        page = stage.attacker.get(f"{where}/{app_id}")
        answer = stage.attacker.submit(page, 1, do=do, **changes)
        assert (answer.status, answer.headers["location"].startswith(where)) == (303, True)

    def is_asked(stage: Stage, app_id: str) -> bool:
        """Whether the victim is asked to let it in."""
        return stage.victim.get(f"{PAGE}?client_id={app_id}").status == 200

    def unverified(stage: Stage) -> bool:
        return is_asked(stage, make(stage)[0])

    def refused(stage: Stage) -> bool:
        app_id, _ = make(stage)
        act(stage, app_id, "ask")
        stage.running.told("app", "refuse", app_id, "--reason", "no")
        act(stage, app_id, "ask")
        return is_asked(stage, app_id)

    def changed(stage: Stage, before: dict[str, Any], after: dict[str, Any]) -> bool:
        app_id, _ = make(stage, **before)
        stage.running.told("app", "verify", app_id)
        assert is_asked(stage, app_id)
        same = {"redirect_uris": back} | before
        act(stage, app_id, "change", **(same | after))
        return is_asked(stage, app_id)

    def deleted(stage: Stage) -> bool:
        app_id, secret = make(stage)
        told = stage.attacker.submit(stage.attacker.get(f"{PAGE}?client_id={app_id}"), decision="accept")
        (code,) = re.findall(r"[?&]code=(\w+)", told.headers["location"])
        stage.auditor.run("update person_session set proved_at = world_now()")
        act(stage, app_id, "delete")
        mine: Any = {"client_id": app_id, "client_secret": secret, "redirect_uri": back, "code_verifier": None}
        return stage.exchange(code, **mine).status == 200

    before, after = {"scope.orders:write": None}, {"scope.orders:write": "on"}
    yield "a public app that nobody verified", unverified
    yield "a public app that was refused and asks again", refused
    yield (
        "a verified app that leads elsewhere since",
        lambda stage: changed(stage, {}, {"redirect_uris": f"{back}\nhttps://evil.test/"}),
    )
    yield (
        "a verified app that asks for more since",
        lambda stage: changed(stage, before, after),
    )
    yield "the code of a deleted app", deleted


VARIANTS: Final = [*_redirects(), *_pkce(), *_codes(), *_requests(), *_clients(), *_public_apps()]


def _app(running: Program, name: str, uri: str, *more: str) -> App:
    told = running.told("app", "add", name, "--redirect-uri", uri, *more)
    found = dict(re.findall(r"(client_\w+) +(\S+)", told))
    running.told("app", "verify", found["client_id"])
    return App(found["client_id"], found["client_secret"], uri, "--pkce" in more)


def run(size: tuple[int, int], seed: int, spoiled: str | None) -> Finding:
    """Every variant for so many apps, in so many states of consent."""
    apps, states = size
    wrong: list[str] = []
    tried = good = 0
    with serving("--workers", "2", spoiled=spoiled, rate_limits=LIMITS) as running, auditing(running) as auditor:
        cast = running.credentials()["merchants"]
        people = {"victim": Visitor(running.merchant), "attacker": Visitor(running.merchant)}
        for who, member in zip(people.values(), cast, strict=False):
            who.sign_in(member["email"], member["password"])
        known = [
            _app(running, "Plain", "https://app.example/cb"),
            _app(running, "Strict", "https://app.example/cb", "--pkce"),
            _app(running, "Local", "http://127.0.0.1/cb"),
        ]
        for number in range(apps):
            stage = Stage(running, auditor, known[number], known[number - 1], people)
            for state in range(states):
                order = list(VARIANTS)
                random.Random(seed + number + state).shuffle(order)
                for name, is_accepted in order:
                    tried += 1
                    # So that nobody's session ends by all the minutes that codes are let expire by.
                    auditor.run("update world_clock set shift = '0'")
                    try:
                        if is_accepted(stage):
                            wrong.append(f"{name} (app {number + 1}) was accepted")
                    except (AssertionError, OSError, HTTPException) as error:
                        wrong.append(f"{name} (app {number + 1}): {error!r}")
                    if tried % 20 == 0:
                        stage.works()
                stage.works()
            good += stage.good
        assert running.stop() == 0
    return Finding(wrong, good > 0, {"n": tried, "variants": len(VARIANTS), "good": good})


FIGURE = Figure("S05", "accepted", run, {"smoke": (1, 1), "full": (3, 2)}, mutant="redirects_by_prefix")


# -- tests


def test_nothing_hostile_is_accepted() -> None:
    found = run((1, 1), random.randrange(1 << 16), None)
    print(found.told)
    assert found.wrong == []
    assert found.tried


@pytest.mark.parametrize(
    "spoiled",
    [
        *("redirects_by_prefix", "verifiers_unasked", "codes_for_ever", "forms_unsealed", "unverified_let_in"),
        "former_secrets_for_ever",
    ],
)
def test_a_protection_that_is_gone_is_noticed(spoiled: str) -> None:
    assert run((1, 1), 1, spoiled).wrong


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
