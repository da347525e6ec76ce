"""What tests with a real browser share: the browser, one for all of them, and a program with its cast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.chromium import Chromium, chromium
from tests.support.program import Program, serving


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Chromium]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def browser(_chromium: Chromium) -> Chromium:
    """The browser as somebody has it who was never here."""
    _chromium.open("about:blank")
    _chromium.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    _chromium.show()
    _chromium.complaints()
    return _chromium


@dataclass(frozen=True)
class Sandbox:
    """A program that answers, and whose pages can be visited."""

    running: Program

    def member(self, who: str = "merchants") -> dict[str, str]:
        """The first of the cast's merchants or senders."""
        return self.running.credentials()[who][0]

    def generate(self) -> None:
        """Give the first merchant a past that is long enough for everything to have happened in it."""
        self.running.told("sandbox", "generate", "--orders", "500")

    def sign_in(self, browser: Chromium, who: str = "merchants") -> None:
        """Sign in as that member, or as an operator."""
        if who == "operators":
            self.running.told("operator", "add", "olga")
            self.running.told("operator", "password", "olga", "--password", "a desk by the window")
            browser.open(self.running.merchant + "/operator")
            browser.fill(name="olga", password="a desk by the window")
        else:
            member = self.member(who)
            browser.open((self.running.merchant if who == "merchants" else self.running.wishpost) + "/sign-in")
            browser.fill(email=member["email"], password=member["password"])
        browser.press("Sign in")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of a module's own."""
    with serving() as running:
        yield Sandbox(running)
