"""A day's work without a mouse: Tab, Enter, Space and arrows alone do what merchants, operators and developers do.

And on the pages of the work: what has the focus looks otherwise than without it, and the focus goes as one reads.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Sandbox
from tests.support.chromium import Chromium, kind_of

TRACKING = "LX987654321CN"
MOST_STOPS = 400
WORK = ("/", "/orders", "/orders/…", "/products", "/products/…", "/products/…/pictures", "/tickets/…", "/files")
LIST = {"/orders/…": "/orders", "/products/…": "/products", "/products/…/pictures": "/products/…"}
LIST |= {"/tickets/…": "/tickets?view=all"}


def focused(browser: Chromium, what: str) -> str:
    """A property of what has the focus."""
    return str(browser.driver.switch_to.active_element.get_attribute(what))


def write_over(browser: Chromium, text: str) -> None:
    """Put a text in place of what a field holds."""
    browser.type(Keys.END, *[Keys.BACKSPACE] * 20, text)


def choose(browser: Chromium) -> str:
    """Take the next choice of a list with an arrow key; gives what it stands for."""
    browser.type(Keys.ARROW_DOWN)
    assert focused(browser, "value"), "an arrow key chooses"
    return focused(browser, "value")


def go(browser: Chromium, words: str) -> None:
    """Come to a link and follow it."""
    browser.tab_to(words)
    browser.enter()


def open_kind(browser: Chromium, kind: str) -> None:
    """Go to some page of a kind, by a link of the page that leads to such."""
    if kind not in LIST:
        browser.open(kind)
        return
    open_kind(browser, LIST[kind])
    browser.open(next(link for link in browser.links() if kind_of(link) == kind))


@pytest.fixture
def merchant(sandbox: Sandbox, browser: Chromium) -> Chromium:
    """The browser of a merchant who is signed in and has orders to ship."""
    sandbox.generate()
    sandbox.sign_in(browser)
    return browser


def test_a_merchant_finds_a_product_and_edits_its_stock(merchant: Chromium) -> None:
    go(merchant, "Products")
    name = merchant.first("main tbody th a").text
    merchant.tab_to("text")
    merchant.type(name)
    merchant.enter()
    assert name in [link.text for link in merchant.driver.find_elements("css selector", "main tbody th a")]
    go(merchant, name)
    merchant.tab_to("inventory")
    write_over(merchant, "4711")
    merchant.enter()
    assert "is saved." in merchant.text
    stocks = merchant.driver.find_elements("name", "inventory")
    assert [one.get_attribute("value") for one in stocks].count("4711") == 1


def test_a_merchant_fulfils_one_order_and_refunds_another(merchant: Chromium) -> None:
    go(merchant, "Orders")
    first, second = [link.text for link in merchant.driver.find_elements("css selector", "main tbody th a")][:2]
    go(merchant, first)
    merchant.tab_to("tracking_provider")
    choose(merchant)
    merchant.tab_to("tracking_number")
    merchant.type(TRACKING)
    merchant.tab_to("Mark as shipped")
    merchant.enter()
    assert "The order is marked as shipped." in merchant.text
    assert TRACKING in merchant.text
    go(merchant, "Orders")
    go(merchant, second)
    merchant.tab_to("Refund this order")
    merchant.type(Keys.SPACE)
    merchant.tab_to("reason_code")
    choose(merchant)
    merchant.tab_to("Refund")
    merchant.enter()
    assert "The order is refunded." in merchant.text


def test_a_merchant_answers_a_ticket(merchant: Chromium) -> None:
    go(merchant, "Tickets")
    go(merchant, merchant.first("main tbody th a").text)
    merchant.tab_to("reply")
    merchant.type("It is on its way.", Keys.ENTER, "Truly.")
    merchant.tab_to("Send")
    merchant.enter()
    assert "Your message is sent." in merchant.text
    assert "It is on its way.\nTruly." in merchant.text


def test_an_operator_finds_a_merchant_and_suspends_him(sandbox: Sandbox, browser: Chromium) -> None:
    other = sandbox.running.credentials()["merchants"][-1]
    sandbox.sign_in(browser, "operators")
    go(browser, "Merchants")
    browser.tab_to("text")
    browser.type(other["email"])
    browser.enter()
    go(browser, other["name"])
    go(browser, "Suspend")
    assert "The merchant is suspended." in browser.text
    go(browser, "Reinstate")
    assert "The merchant may act again." in browser.text


def test_a_developer_makes_an_app(merchant: Chromium) -> None:
    go(merchant, "My apps")
    merchant.tab_to("app_name")
    merchant.type("Keyboard", Keys.TAB, "https://keys.example/callback")
    merchant.tab_to("Make the app")
    merchant.enter()
    found = [code.text for code in merchant.driver.find_elements("css selector", "main dd code")]
    assert any(re.fullmatch("[0-9a-f]{24}", text) for text in found), merchant.text


def walk(browser: Chromium, kind: str) -> list[str]:
    """Press Tab from the top of a page to its end; gives what is wrong with where the focus goes."""
    browser.driver.execute_script(_REMEMBER)
    stops: list[dict[str, Any]] = []
    wrong = []
    for _ in range(MOST_STOPS):
        browser.type(Keys.TAB)
        at = browser.driver.execute_script(_STOP)
        if at is None:  # it goes on to the browser itself
            break
        says = f"{kind}: {at['says']!r}"
        if not at["differs"] or at["bottom"] <= at["top"]:
            wrong.append(f"{says} looks as it does without the focus")
        if stops and at["number"] < stops[-1]["number"]:
            wrong.append(f"{says} comes before {stops[-1]['says']!r}")
        is_back = stops and at["bottom"] <= stops[-1]["top"] and at["left"] <= stops[-1]["left"]
        if is_back and not stops[-1]["is_skip"]:
            wrong.append(f"{says} stands above {stops[-1]['says']!r}")
        stops.append(at)
    if len({at["number"] for at in stops}) <= 15 or not stops[-1]["is_language"]:
        wrong.append(f"{kind}: the focus does not go through menu, page and footer")
    return wrong


def test_the_focus_is_seen_and_goes_as_one_reads(merchant: Chromium) -> None:
    wrong = []
    for kind in WORK:
        open_kind(merchant, kind)
        wrong += walk(merchant, kind)
    assert not wrong, "\n".join(wrong[:30])


_REMEMBER = """
    window.look = one => {
        const now = getComputedStyle(one);
        return [now.outlineStyle === "none" ? "" : now.outline, now.boxShadow].join();
    };
    window.plain = new Map(Array.from(document.querySelectorAll("*")).map(one => [one, window.look(one)]));
"""
_STOP = """
    const at = document.activeElement;
    if (!at || at === document.body || at === document.documentElement) return null;
    const place = at.getBoundingClientRect();
    return {
        says: (at.innerText || at.name || "").trim(), differs: window.look(at) !== window.plain.get(at),
        number: Array.from(document.querySelectorAll("*")).indexOf(at),
        top: place.top + scrollY, bottom: place.bottom + scrollY, left: place.left,
        is_skip: at.classList.contains("skip"), is_language: at.hasAttribute("hreflang"),
    };
"""
