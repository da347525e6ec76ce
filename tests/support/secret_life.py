"""A life full of secrets: everything that people and apps show is done against a running program, and kept in mind.

What was used is marked here, by kind; the figures about secrets look for it afterwards where none may be.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from lxml import html

from tests.support.answer import Answer
from tests.support.guest import Form, Guest, forms_of
from tests.support.jobs import Auditor, link_of, start_download
from tests.support.program import Client, Program, alive, kill, wait_until
from tradepost.domain.access import challenge_of
from tradepost.domain.people import code_at

URI: Final = "https://app.example/cb"
LIMITS: Final = json.dumps({"merchant/oauth": 1_000_000, "merchant/default": 1_000_000})
_BASE64 = re.compile(rb"^.{1,4}|.{1,4}$", re.DOTALL)


@dataclass
class Marked:
    """Secrets by their kind."""

    kinds: dict[str, set[str]] = field(default_factory=dict)

    def add(self, kind: str, *secrets: str) -> None:
        """Mark some; what is too short to be told from other things is none."""
        self.kinds.setdefault(kind, set()).update(secret for secret in secrets if len(secret) >= 10)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(map(len, self.kinds.values()))

    def found_in(self, haystack: bytes) -> Iterator[tuple[str, str]]:
        """Kind and beginning of each secret that stands in some bytes: plain, URL-encoded, base64 or in JSON."""
        for kind, secrets in self.kinds.items():
            for secret in secrets:
                if any(needle in haystack for needle in needles(secret)):
                    yield kind, secret[:12]


def needles(secret: str) -> set[bytes]:
    """A secret in every form that is looked for."""
    plain = secret.encode()
    found = {plain, quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}
    found.add(json.dumps(secret, ensure_ascii=False)[1:-1].encode())
    for shift in range(3):
        # Of base64 the ends depend on what stands beside it.
        found.add(_BASE64.sub(b"", base64.b64encode(b"\0" * shift + plain)))
        found.add(_BASE64.sub(b"", base64.urlsafe_b64encode(b"\0" * shift + plain)))
    return found


@dataclass
class Life:
    """Whoever does all that."""

    running: Program
    auditor: Auditor
    source: random.Random
    marked: Marked = field(default_factory=Marked)
    cast: dict[str, Any] = field(default_factory=dict)
    kills: int = 0
    followed: set[str] = field(default_factory=set)
    """Links of letters that somebody came by already."""

    def begin(self) -> None:
        """Mark what the cast comes with."""
        self.cast = self.running.credentials()
        for member in [*self.cast["merchants"], *self.cast["wishpost"]]:
            self.marked.add("password", member["password"])
            self.marked.add("app secret", member["client_secret"])
            self.marked.add("access token", member["access_token"])

    def run(self, rounds: int) -> None:
        """So many rounds of everything, with a crash now and then."""
        self.begin()
        for number in range(rounds):
            self.auditor.rows("truncate tradepost.rate_window")
            for part in (self._person, self._sender, self._app, self._own_app, self._mistakes, self._faults):
                part(number)
            if number % 5 == 0:
                self._operator(number)
                self._download()
            if number % 5 == 2:
                self._crash()
        self.running.told("operator", "add", "night shift")
        self.marked.add("operator token", self.running.told("operator", "token", "issue", "night shift").strip())

    def guest(self, base: str = "") -> Guest:
        """A browser, at the merchant service or at another; its cookies are marked when `remember` is told."""
        return Guest(base or self.running.merchant, f"192.0.2.{self.source.randrange(1, 255)}")

    def remember(self, guest: Guest) -> None:
        """Mark the cookies of a browser."""
        for name, value in guest.cookies.items():
            if name.rpartition("-")[2] in ("session", "half", "visitor"):
                self.marked.add("session", value)

    def letters(self, to: str) -> str:
        """Everything that was mailed to somebody, as the sandbox shows it."""
        page = self.guest().get("/sandbox/mail")
        tree: Any = html.fromstring(page.body)
        sheets = tree.xpath("//article")
        return "\n".join(sheet.text_content() for sheet in sheets if to in sheet.text_content())

    def link(self, to: str, page: str) -> str:
        """The link to a page that was mailed to somebody and that he has not followed yet."""
        found: list[str] = []

        def look() -> bool:
            mailed = re.findall(rf"{page}\?token=(mp_ln_\w+)", self.letters(to))
            found[:] = [link for link in mailed if link not in self.followed]
            return bool(found)

        wait_until(look, 60, f"a letter to {to}")
        self.marked.add("mailed link", *found)
        self.followed.add(found[0])
        return f"{page}?token={found[0]}"

    def _person(self, number: int) -> None:
        """Somebody signs up, gets a second factor, loses his password, and changes it."""
        email, first = f"person{number}@shop.example", f'first phrase {self.source.randrange(1 << 40)} "ü"'
        guest = self.guest()
        self._fill(guest, "/sign-up", email=email, name=f"Shop {number}", password=first, currency="EUR")
        guest.send(_form(guest.get(self.link(email, "/confirm")), "/confirm"))
        self._fill(guest, "/sign-in", email=email, password=first)
        self.remember(guest)
        guest.send(_with(guest.get("/account/two-factor"), "do", "begin"))
        page = guest.get("/account/two-factor")
        (key,) = _codes(page)
        plain = base64.b32decode(key.replace(" ", ""))
        self.marked.add("factor key", key, key.replace(" ", ""), plain.hex())
        answer = guest.send(_with(page, "do", "confirm"), code=code_at(plain, time.time()))
        codes = _codes(answer)
        assert len(codes) == 10, answer.body
        self.marked.add("recovery code", *codes)
        codes = _codes(guest.send(_with(guest.get("/account/two-factor"), "do", "renew")))
        assert len(codes) == 10
        self.marked.add("recovery code", *codes)
        self._fill(guest, "/forgotten", email=email)
        where, second = self.link(email, "/reset"), f"second phrase {self.source.randrange(1 << 40)}"
        guest.send(_form(guest.get(where), "/reset"), password=second)
        self._fill(guest, "/sign-in", email=email, password=second)
        self.remember(guest)
        guest.send(_form(guest.get("/sign-in/code"), "/sign-in/code"), code=codes[0])
        self.remember(guest)
        third = f"third phrase {self.source.randrange(1 << 40)}"
        guest.send(_form(guest.get("/account/password"), "/account/password"), old=second, password=third)
        assert guest.get("/account").status == 200
        self.marked.add("password", first, second, third)

    def _sender(self, number: int) -> None:
        """Somebody who sends parcels says that he has lost his password, and takes the same again."""
        member, guest = self.source.choice(self.cast["wishpost"]), self.guest(self.running.wishpost)
        self._fill(guest, "/forgotten", email=member["email"])
        where = self.link(member["email"], "/reset")
        guest.send(_form(guest.get(where), "/reset"), password=member["password"])
        assert self._fill(guest, "/sign-in", email=member["email"], password=member["password"]).status == 303
        self.remember(guest)

    def _operator(self, number: int) -> None:
        """An operator signs in with a password from the shell, gets a second factor and other recovery codes."""
        name, page = f"desk {number}", "/operator/account/two-factor"
        self.running.told("operator", "add", name)
        password = self.running.told("operator", "password", name).split()[-1]
        guest = self.guest()
        assert self._fill(guest, "/operator/sign-in", name=name, password=password).status == 303
        self.remember(guest)
        guest.send(_with(guest.get(page), "do", "begin"))
        (key,) = _codes(guest.get(page))
        plain = base64.b32decode(key.replace(" ", ""))
        self.marked.add("password", password)
        self.marked.add("factor key", key, key.replace(" ", ""), plain.hex())
        first = _codes(guest.send(_with(guest.get(page), "do", "confirm"), code=code_at(plain, time.time())))
        codes = _codes(guest.send(_with(guest.get(page), "do", "renew")))
        assert len(first) == len(codes) == 10
        self.marked.add("recovery code", *first, *codes)
        again = self.guest()
        self._fill(again, "/operator/sign-in", name=name, password=password)
        self.remember(again)
        where = "/operator/sign-in/code"
        assert again.send(_form(again.get(where), where), code=codes[0]).status == 303
        self.remember(again)

    def _download(self) -> None:
        """A merchant has his catalogue written and follows the signed link; a letter about it goes out, too."""
        member = self.source.choice(self.cast["merchants"])
        with Client(self.running.merchant, member["access_token"]) as client:
            job_id = start_download(client)
            wait_until(lambda: bool(link_of(client, job_id)), 60, "the download")
            link = urlsplit(str(link_of(client, job_id)))
            assert client.get(f"{link.path}?{link.query}").status == 200
            client.get(f"{link.path}?{link.query}0")
        self.marked.add("signed link", *parse_qs(link.query)["signature"])

    def _faults(self, number: int) -> None:
        """Where the program is made to, it meets a fault of its own with secrets in hand."""
        member, guest = self.source.choice(self.cast["merchants"]), self.guest()
        password, broken = f"broken phrase {self.source.randrange(1 << 40)}", {"User-Agent": "breaker"}
        self.marked.add("password", password)
        form = _form(guest.get("/sign-in"), "/sign-in")
        guest.send(form, broken, email=password, password=password)
        guest.ask("GET", f"/sign-in?token={quote(password)}", headers=broken)
        with Client(self.running.merchant, member["access_token"]) as client:
            client.get("/api/v2/auth_test", headers=broken)

    def _fill(self, guest: Guest, where: str, **fields: str) -> Answer:
        answer = guest.send(_form(guest.get(where), where), None, **fields)
        assert answer.status < 500, f"{where}: {answer.status}"
        return answer

    def _app(self, number: int) -> None:
        """An app is made, let in, exchanges, refreshes, subscribes, and is taken back."""
        told = self.running.told("app", "add", f"App {number}", "--redirect-uri", URI)
        app = dict(re.findall(r"(client_\w+) +(\S+)", told))
        self.marked.add("app secret", app["client_secret"])
        self.running.told("app", "verify", app["client_id"])
        member, guest = self.source.choice(self.cast["merchants"]), self.guest()
        self._fill(guest, "/sign-in", email=member["email"], password=member["password"])
        self.remember(guest)
        verifier = f"verifier-{self.source.randrange(1 << 60):020d}-{'v' * 20}"
        asked = {"client_id": app["client_id"], "code_challenge": challenge_of(verifier)}
        page = guest.get("/v3/oauth/authorize?" + urlencode(asked | {"code_challenge_method": "S256"}))
        answer = guest.send(_with(page, "nonce"), decision="accept")
        (code,) = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
        self.marked.add("code", code)
        self.marked.add("verifier", verifier)
        form = {**app, "code": code, "redirect_uri": URI, "code_verifier": verifier}
        first = self._token("access_token", form | {"grant_type": "authorization_code"})
        second = self._token(
            "refresh_token", {**app, "refresh_token": first["refresh_token"], "grant_type": "refresh_token"}
        )
        with Client(self.running.merchant, second["access_token"]) as client:
            assert client.get(f"/api/v2/product/multi-get?access_token={second['access_token']}").status < 500
            made = client.post(
                "/api/v3/webhook/subscriptions", {"topic_id": "2", "endpoint": f"https://h.example/{number}"}
            )
            self._webhook_secret(made)
            # One secret ends at once, and another one signs beside the last.
            hook = {"subscription_id": made.data["id"]}
            for hours in (0, 24):
                self._webhook_secret(client.post("/api/v3/webhook/secret", hook | {"overlap_hours": hours}))
            client.post("/api/v3/oauth/revoke_token", {**app, "token": second["refresh_token"]})

    def _own_app(self, number: int) -> None:
        """Somebody makes a public app, gets another secret, asks to be verified, is refused and deletes it."""
        member, guest = self.source.choice(self.cast["merchants"]), self.guest()
        self._fill(guest, "/sign-in", email=member["email"], password=member["password"])
        self.remember(guest)
        where = "/developer/apps"
        made = self._fill(guest, where, app_name=f"Public {number}", kind="public", redirect_uris=URI)
        app_id, first = re.findall(r"<code>(\w+)</code>", made.body.decode())
        page = f"{where}/{app_id}"
        (second,) = re.findall(r"mp_cs_\w+", guest.send(_with(guest.get(page), "do", "secret")).body.decode())
        self.marked.add("app secret", first, second)
        for act in ("end_secret", "ask"):
            assert guest.send(_with(guest.get(page), "do", act)).status == 303
        self.running.told("app", "refuse", app_id, "--reason", "whose is app.example?")
        assert guest.send(_with(guest.get(page), "do", "delete")).headers["location"] == where

    def _webhook_secret(self, told: Answer) -> None:
        assert told.status == 200, told.body
        self.marked.add("webhook secret", told.data["secret"], told.data["secret"].removeprefix("whsec_"))

    def _token(self, verb: str, form: dict[str, str]) -> dict[str, str]:
        with Client(self.running.merchant) as client:
            answer = client.post(f"/api/v3/oauth/{verb}", form)
        assert answer.status == 200, answer.body
        self.marked.add("access token", answer.data["access_token"])
        self.marked.add("refresh token", answer.data["refresh_token"])
        return dict(answer.data)

    def _mistakes(self, number: int) -> None:
        """Secrets where they do not belong: in paths, in queries, in bodies that are none, and too long."""
        member = self.source.choice(self.cast["merchants"])
        secret, token = member["client_secret"], member["access_token"]
        guest = self.guest()
        with Client(self.running.merchant, token) as client:
            client.get(f"/api/v2/{quote(secret)}/order?key={token}")
            client.get(f"/api/v2/product?id={token}&access_token={token}")
            client.post_json("/api/v2/order/refund", {"client_secret": secret, "id": token})
            client.post_body("/api/v2/variant/bulk-sku-update", b'{"updates": [{"sku": "' + token.encode())
            client.post("/api/v3/oauth/access_token", {"client_id": "x", "client_secret": secret, "code": token})
            client.get("/api/v2/order", token=token + "x")
        guest.ask("POST", f"/sign-in?password={quote(member['password'])}", b"email=%ff&password=" + token.encode())
        self._fill(guest, "/sign-in", email=member["password"], password=member["password"] + "\0")
        guest.get(f"/confirm?token={secret}")
        guest.get(f"/reset?token={token}")
        guest.ask(
            "GET", "/account", headers={"Cookie": f"merchant-session={secret}; __Host-merchant-session={token}"}
        )

    def _crash(self) -> None:
        """A server process, or a backend of the database, ends in the middle of it."""
        # Where one backend is killed the database ends them all, but not at once: until then all looks well.
        servers, backends = self.running.web_pids(), self.running.everybody()[-3:]
        gone = [self.source.choice(servers)] if self.kills % 2 == 0 else backends
        with contextlib.suppress(OSError, http.client.HTTPException, AssertionError):
            kill(self.source.choice(gone))
            self.guest().get("/sign-in")
        self.kills += 1
        wait_until(lambda: not any(map(alive, gone)), 30, "the end of what was killed")
        wait_until(self.running.is_ready, 30, "coming back")


def _codes(page: Answer) -> list[str]:
    """What a page shows to be copied."""
    tree: Any = html.fromstring(page.body)
    return [str(text) for text in tree.xpath("//main//code/text()")]


def _form(page: Answer, action: str) -> Form:
    found = [form for form in forms_of(page) if form.action.partition("?")[0] == action]
    assert found, f"{action} is on no page: {page.status} {page.headers.get('location')}"
    return found[0]


def _with(page: Answer, name: str, value: str | None = None) -> Form:
    return next(form for form in forms_of(page) if name in form.fields and value in (None, form.fields[name]))
