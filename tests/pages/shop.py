"""A merchant's browser, signed in, and where things are on his pages."""

from __future__ import annotations

from typing import Any

from tests.pages.browser import Browser
from tests.pages.test_consent import signed_in
from tests.support.market import Market


class ShopBrowser:
    """A browser of Ada, who is paid in US dollars."""

    def __init__(self, market: Market, where: str = "/") -> None:
        self.browser: Browser = signed_in(market, where=where)
        assert self.browser.answer.status == 200, self.browser.text

    def open(self, where: str, status: int = 200) -> str:
        """Go to a page; gives what a person reads."""
        self.browser.get(where)
        assert self.browser.answer.status == status, self.browser.text
        return self.browser.text

    @property
    def page(self) -> Any:
        """The page as a tree."""
        return self.browser.page

    @property
    def text(self) -> str:
        """What a person reads."""
        return self.browser.text

    def send(self, action: str, status: int = 200, /, **values: str) -> str:
        """Fill in the form that leads somewhere and send it; gives what the page after it says."""
        forms = self.page.xpath("//main//form")
        wanted = ("post", action)
        at = next(n for n, form in enumerate(forms) if (form.get("method"), form.get("action")) == wanted)
        self.browser.submit(at, **values)
        assert self.browser.answer.status == status, self.browser.text
        return self.browser.text

    def said(self) -> str:
        """What the page says that was done."""
        return " ".join(self.page.xpath("//p[@class='done']/text()"))

    def wrong(self) -> tuple[str, str]:
        """The field that is marked as wrong, and what is said of it."""
        names = self.page.xpath("//*[@aria-invalid='true']/@name")
        texts = self.page.xpath("//p[@class='wrong-text' or @class='problem']/text()")
        return ", ".join(names), " ".join(texts)

    def seal(self) -> str:
        """The seal that the forms of this page have."""
        found: str = self.page.xpath("//main//input[@name='seal']/@value")[0]
        return found

    def upload(self, action: str, name: str, text: str, status: int = 200, **values: str) -> str:
        """Send a file, as a browser does, with the form that leads somewhere; gives what the page after it says."""
        form = next(form for form in self.page.xpath("//main//form") if form.get("action") == action)
        fields = {
            one.get("name"): one.get("value") or "" for one in form.xpath(".//input[@type='hidden']")
        } | values
        begin = "--xyz\r\nContent-Disposition: form-data; name="
        parts = [f'{begin}"{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
        parts.append(f'{begin}"{name}"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n{text}\r\n--xyz--\r\n')
        self.browser.send_to(action, "".join(parts).encode(), "multipart/form-data; boundary=xyz")
        assert self.browser.answer.status == status, self.text
        return self.text
