"""Every page that can be reached: in every language, light, dark and on a phone, it can be read by everybody."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Sandbox
from tests.support.chromium import DESKTOP, PHONE, Chromium, kind_of
from tests.support.program import Client, wait_until
from tradepost.domain.webhooks import BY_NAME

LANGUAGES = ("en", "zh", "fr", "de")
LOOKS = [
    ("desk light", DESKTOP, False),
    ("desk dark", DESKTOP, True),
    ("tablet", (768, 1024), False),
    ("phone dark", PHONE, True),
]
RELEASED = BY_NAME["ORDER_RELEASE"]
FIRST = {
    "nobody": ["/sign-in", "/sandbox/mail"],
    "nobody at wishpost": ["/sign-in", "/sandbox/mail"],
    "merchants": ["/"],
    "wishpost": ["/apps"],
    "operators": ["/operator"],
}
LEAST = {"nobody": 6, "nobody at wishpost": 4, "merchants": 33, "wishpost": 11, "operators": 15}
"""How many kinds of pages each of them sees."""


def reachable(browser: Chromium, first: list[str]) -> tuple[list[str], set[str]]:
    """One page of every kind that links lead to, from the first page on; and the kinds that are not there."""
    found: dict[str, str] = {}
    missing: set[str] = set()
    waiting = list(first)
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(path)
        if kind in found or kind in missing:
            continue
        browser.open(path)
        if browser.driver.execute_script(_STATUS) == 404:
            missing.add(kind)
        elif browser.driver.execute_script("return document.contentType") == "text/html":
            found[kind] = path
            waiting += browser.links()
    return list(found.values()), missing


def kinds(browser: Chromium, path: str) -> set[str]:
    """The kinds of pages that one leads to."""
    browser.open(path)
    return set(map(kind_of, browser.links()))


def ask_for_letters(sandbox: Sandbox, browser: Chromium, base: str, who: str, pages: list[str]) -> None:
    """Have letters in the sandbox's mail with links that are good, to each of these pages."""
    browser.open(base + "/forgotten")
    browser.fill(email=sandbox.member(who)["email"])
    browser.press("Mail me a link")
    if "/confirm" in pages:
        browser.open(base + "/sign-up")
        browser.fill(name="A shop", email="new@attic.example", password="a phrase of mine", currency="EUR")
        browser.press("Sign up")
    wait_until(lambda: set(pages) <= kinds(browser, "/sandbox/mail"), 60, "the letters")


_STATUS = "return performance.getEntriesByType('navigation')[0].responseStatus"


@pytest.mark.parametrize("who", list(FIRST))
def test_every_page_can_be_read_by_everybody(sandbox: Sandbox, browser: Chromium, who: str) -> None:
    if who == "merchants":
        with Client(sandbox.running.merchant, sandbox.member()["access_token"]) as client:
            hook = {"topic_id": RELEASED.id, "endpoint": "https://hooks.example/orders"}
            assert client.post("/api/v3/webhook/subscriptions", hook).status == 200
        sandbox.generate()
    if who == "nobody":
        ask_for_letters(sandbox, browser, sandbox.running.merchant, "merchants", ["/confirm", "/reset"])
    elif who == "nobody at wishpost":
        ask_for_letters(sandbox, browser, sandbox.running.wishpost, "wishpost", ["/reset"])
    else:
        sandbox.sign_in(browser, who)
    if who == "merchants":
        wait_until(lambda: "/calls/…" in kinds(browser, "/calls"), 60, "the call")
    paths, missing = reachable(browser, FIRST[who])
    assert not missing
    assert len(paths) >= LEAST[who]
    browser.complaints()
    wrong = []
    for path in paths:
        for language in LANGUAGES:
            mark = "&" if "?" in path else "?"
            browser.open(f"{path}{mark}locale={language}")
            spoken = browser.driver.execute_script("return document.documentElement.lang")
            wrong += [f"{path} in {spoken} for {language}"] if spoken != language else []
            for look, size, dark in LOOKS:
                browser.show(size, dark=dark)
                wrong += [f"{path} {language} {look}: {problem}" for problem in browser.audit()]
    assert not wrong, "\n".join(wrong[:50])


def test_what_is_not_there_is_told_on_a_page(sandbox: Sandbox, browser: Chromium) -> None:
    sandbox.sign_in(browser)
    browser.complaints()
    browser.open("/orders/000000000000000000000000")
    assert "404" in browser.complaints()[0]
    assert browser.audit() == []


def test_an_auditor_that_finds_nothing_can_find_something(browser: Chromium) -> None:
    browser.open(
        "data:text/html,<body style='background:white'><h1>One</h1><h1>Two</h1><main>"
        "<p style='color:%23999'>grey</p><h3>deep</h3><input name=lost><button></button>"
        "<p id=a></p><p id=a></p><img src='data:,'>"
        "<div style='width:3000px'>wide</div><script>console.error('it says')</script></main>"
    )
    found = "\n".join(browser.audit())
    for problem in (
        "contrast 2.85",
        "no label on lost",
        "nothing says what",
        "2 first headings",
        "leaves a level out",
        "the id a stands there twice",
        "no title",
        "wider than the screen",
        "inline:",
        "no words for",
        "it says",
    ):
        assert problem in found, found
