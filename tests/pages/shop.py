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

    def send(self, action: str, status: int = 200, **values: str) -> str:
        """Fill in the form that leads somewhere and send it; gives what the page after it says."""
        forms = self.page.xpath("//main//form")
        at = next(n for n, form in enumerate(forms) if form.get("action") == action)
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
