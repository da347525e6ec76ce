"""A person's browser over a socket: keeps cookies, sends forms, and follows nothing by itself."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from lxml import html

from tests.support.answer import Answer

FORM = "application/x-www-form-urlencoded"


class Visitor:
    """One browser at one service."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One request with our cookies."""
        sent = {"Content-Type": FORM, "Origin": self.base} if method == "POST" else {}
        sent |= dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=30)
        try:
            connection.request(method, path, body or None, {k: v for k, v in sent.items() if v})
            came = connection.getresponse()
            answer = Answer(came.status, {name.lower(): value for name, value in came.getheaders()}, came.read())
        finally:
            connection.close()
        if cookie := answer.headers.get("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def get(self, path: str) -> Answer:
        """A page, or where it sends us."""
        return self.ask("GET", path)

    def submit(
        self,
        page: Answer,
        number: int = 0,
        headers: Mapping[str, str] | None = None,
        action: str | None = None,
        **values: str | None,
    ) -> Answer:
        """Send a form of a page with these values; None leaves a field out."""
        tree: Any = html.fromstring(page.body)
        form = tree.xpath("//form")[number]
        fields = {field.get("name"): field.get("value") or "" for field in form.xpath(".//input")} | values
        told = urlencode({name: value for name, value in fields.items() if value is not None}).encode()
        return self.ask("POST", action or form.get("action"), told, headers)

    def sign_in(self, email: str, password: str) -> None:
        """Come in; AssertionError where that does not work."""
        answer = self.submit(self.get("/sign-in"), email=email, password=password)
        assert answer.status == 303, answer.body
