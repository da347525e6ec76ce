"""A browser without a screen: keeps cookies, follows redirects to pages of ours, sends the forms that it finds."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

from lxml import html

from tests.support.answer import Answer
from tests.support.market import MERCHANT_URL, WISHPOST_URL, Market

BASE: Final = {"merchant": MERCHANT_URL, "wishpost": WISHPOST_URL}
FORM: Final = "application/x-www-form-urlencoded"


class Browser:
    """One person's browser at one service. What it got last is `answer`, at `url`."""

    def __init__(self, market: Market, service: str = "merchant", client: str = "192.0.2.7") -> None:
        self.market = market
        self.base = BASE[service]
        self.cookies: dict[str, str] = {}
        self.client = client
        self.url = self.base + "/"
        self.answer = Answer(0, {}, b"")

    @property
    def page(self) -> Any:
        """The page as a tree."""
        return html.fromstring(self.answer.body)

    @property
    def text(self) -> str:
        """What a person reads."""
        return " ".join(self.page.text_content().split())

    def get(self, where: str, **headers: str) -> Answer:
        """Go to a page, and on to wherever it sends us as long as that is ours."""
        return self._go("GET", urljoin(self.url, where), b"", headers)

    def submit(self, number: int = 0, button: str | None = None, headers: Any = None, **values: str) -> Answer:
        """Send a form of the page, with the values filled in, by the button of this value."""
        form = [*self.page.xpath("//main//form"), *self.page.xpath("//header//form")][number]
        fields = {field.get("name"): field.get("value") or "" for field in form.xpath(".//input")}
        for area in form.xpath(".//textarea"):
            fields[area.get("name")] = area.text or ""
        for choice in form.xpath(".//select"):
            chosen = choice.xpath(".//option[@selected]") or choice.xpath(".//option")
            fields[choice.get("name")] = chosen[0].get("value")
        fields |= values
        if button is not None:
            fields["decision"] = button
        sent = {"origin": self.base} if headers is None else headers
        return self._go("POST", urljoin(self.url, form.get("action")), urlencode(fields).encode(), sent)

    def send_to(self, where: str, body: bytes, kind: str = FORM) -> Answer:
        """Send a form to somewhere else than it leads."""
        return self._go("POST", urljoin(self.url, where), body, {"origin": self.base, "content_type": kind})

    def sign_in(self, email: str, password: str) -> Answer:
        """Fill in the form that asks who we are."""
        return self.submit(email=email, password=password)

    def _go(self, method: str, url: str, body: bytes, headers: Any) -> Answer:
        for _ in range(5):
            sent = {"content-type": FORM} if body else {}
            sent |= {name.replace("_", "-"): value for name, value in headers.items()}
            if self.cookies:
                sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            self.answer = self.market.request(method, url, None, body, sent, (self.client, 50000))
            self.url = url
            self._keep(self.answer.headers.get("set-cookie"))
            where = self.answer.headers.get("location")
            if where is None or urlsplit(urljoin(url, where)).netloc != urlsplit(self.base).netloc:
                return self.answer
            method, url, body, headers = "GET", urljoin(url, where), b"", {}
        raise AssertionError("it goes round and round")

    def _keep(self, cookie: str | None) -> None:
        if cookie is None:
            return
        (name, _, value), *rules = [part.strip().partition("=") for part in cookie.split(";")]
        if ("Max-Age", "=", "0") in rules:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value
