"""Browsers behind a proxy that speaks https for them: cookies and headers are those of a real installation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from lxml import html

from tests.support.answer import Answer
from tests.support.visitor import FORM, Visitor

PROXIES: Final = '["127.0.0.0/8"]'
"""The setting by which a program believes us what we say of where a request comes from."""


@dataclass
class Form:
    """A form as it stands on a page: where it leads, how it is sent, and what its fields hold."""

    action: str
    encoding: str
    fields: dict[str, str]

    @property
    def shape(self) -> tuple[str, ...]:
        """What tells it from other forms of its path."""
        return (*sorted(self.fields), self.fields.get("do", ""))


@dataclass
class Guest(Visitor):
    """One browser; `address` is where it seems to be, and `seen` all cookies that were set, as they came."""

    address: str = "192.0.2.7"
    seen: list[str] = field(default_factory=list)

    def __init__(self, base: str, address: str = "192.0.2.7", seen: list[str] | None = None) -> None:
        super().__init__(base)
        self.address = address
        self.seen = [] if seen is None else seen

    @property
    def origin(self) -> str:
        """What the browser says that it shows."""
        return "https://" + urlsplit(self.base).netloc

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One request with our cookies, as the proxy hands it on."""
        proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": self.address}
        proxied |= {"X-Forwarded-Host": urlsplit(self.base).netloc}
        if method == "POST":
            proxied |= {"Origin": self.origin}
        answer = super().ask(method, path, body, proxied | dict(headers or {}))
        if cookie := answer.headers.get("set-cookie"):
            self.seen.append(cookie)
        return answer

    def send(self, form: Form, headers: Mapping[str, str] | None = None, **changes: str | None) -> Answer:
        """Send a form with changes; None leaves a field out."""
        told = {name: value for name, value in (form.fields | changes).items() if value is not None}
        if form.encoding == FORM:
            return self.ask("POST", form.action, urlencode(told).encode(), headers)
        line = "the-line-between"
        parts = [f'--{line}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in told.items()]
        kind = {"Content-Type": f"multipart/form-data; boundary={line}"}
        return self.ask(
            "POST", form.action, "".join([*parts, f"--{line}--\r\n"]).encode(), kind | dict(headers or {})
        )


def forms_of(answer: Answer) -> list[Form]:
    """The forms of a page that are sent by POST."""
    if not answer.body:
        return []
    tree: Any = html.fromstring(answer.body)
    found = []
    for form in tree.xpath("//form[translate(@method, 'POST', 'post') = 'post']"):
        fields = {field.get("name"): field.get("value") or "" for field in form.xpath(".//input[@name]")}
        fields |= {field.get("name"): field.text or "" for field in form.xpath(".//textarea[@name]")}
        for choice in form.xpath(".//select[@name]"):
            chosen = choice.xpath(".//option[@selected]/@value") or choice.xpath(".//option/@value") or [""]
            fields[choice.get("name")] = chosen[0]
        found.append(Form(form.get("action"), form.get("enctype") or FORM, fields))
    return found


def links_of(answer: Answer, netloc: str) -> list[str]:
    """Where a page leads on the same host, as paths with their queries."""
    if not answer.body or "html" not in answer.headers.get("content-type", ""):
        return []
    tree: Any = html.fromstring(answer.body)
    parts = [urlsplit(where) for where in tree.xpath("//a/@href")]
    ours: Sequence[Any] = [part for part in parts if part.netloc in ("", netloc) and part.path.startswith("/")]
    return [part.path + (f"?{part.query}" if part.query else "") for part in ours]
