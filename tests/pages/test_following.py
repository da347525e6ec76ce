"""Whoever follows an app's link, and has no account yet or has forgotten his password, comes back to that link."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

from tests.pages.browser import BASE, Browser
from tests.pages.test_consent import EMAIL, _password, came_back, link
from tests.pages.test_joining import NEW, asked, link_to
from tests.support.market import Market
from tests.whole.test_pages_guarded import ELSEWHERE

__all__ = ["_password"]

STATE = "a/b c&d=é<script>%2e"
ADDRESS = "nora@notions.example"
COOKIE = "__Host-merchant-following"


def signing_up(market: Market, where: str) -> Browser:
    """A stranger who opens a link, is asked to sign in, and signs up instead."""
    browser = Browser(market)
    browser.get(where)
    (page,) = [href for href in browser.page.xpath("//main//a/@href") if href.startswith("/sign-up")]
    browser.get(page)
    browser.submit(0, None, None, **NEW)
    assert browser.answer.status == 200
    return browser


def onward(browser: Browser) -> list[str]:
    """Where the buttons of a page lead that says what was done."""
    found: list[str] = browser.page.xpath("//main//a[contains(@class, 'button')]/@href")
    return found


def language_link(browser: Browser, locale: str) -> str:
    """Where the same page is in another language."""
    (where,) = browser.page.xpath("//footer//a[@hreflang=$locale]/@href", locale=locale)
    return str(where)


def confirmation(market: Market) -> str:
    """Where the letter leads that confirms an address."""
    return link_to(market, ADDRESS, "Confirm your address")


def test_who_has_to_sign_up_first_comes_back_to_the_consent_page(market: Market) -> None:
    browser = signing_up(market, link("merchant", state=STATE))
    where = confirmation(market)
    assert "authorize" not in unquote(where), "the letter is for whoever has the address"
    browser.get(where)
    browser.submit()
    assert "Your shop is open" in browser.text
    browser.get(onward(browser)[0])
    browser.sign_in(ADDRESS, NEW["password"])
    assert "Let Example ERP in?" in browser.text
    browser.submit(button="accept")
    assert came_back(browser)["state"] == STATE


def test_who_presses_confirm_twice_comes_back_as_well(market: Market) -> None:
    browser = signing_up(market, link("merchant", state=STATE))
    browser.get(confirmation(market))
    shown = browser.url, browser.answer
    browser.submit()
    browser.url, browser.answer = shown
    browser.submit()
    assert "Confirmed already" in browser.text
    browser.get(onward(browser)[0])
    browser.sign_in(ADDRESS, NEW["password"])
    assert "Let Example ERP in?" in browser.text


def test_a_form_that_was_refused_still_knows_where_to_go_in_another_language(market: Market) -> None:
    browser = Browser(market)
    browser.get("/sign-up?next=" + quote(link("merchant"), safe=""))
    browser.submit(0, None, None, **NEW | {"password": "short"})
    browser.get(language_link(browser, "de"))
    browser.submit(0, None, None, **NEW | {"password": "kurz"})
    browser.get(language_link(browser, "en"))
    browser.submit(0, None, None, **NEW)
    browser.get(confirmation(market))
    browser.submit()
    assert parse_qs(urlsplit(onward(browser)[0]).query)["next"] == [link("merchant")]


@pytest.mark.parametrize("service", list(BASE))
def test_who_has_forgotten_his_password_comes_back_as_well(market: Market, service: str) -> None:
    browser = Browser(market, service)
    browser.get(link(service, state=STATE))
    (page,) = [href for href in browser.page.xpath("//main//a/@href") if href.startswith("/forgotten")]
    browser.get(page)
    browser.submit(email=EMAIL[service])
    browser.get(link_to(market, EMAIL[service], "A new password", BASE[service]))
    browser.submit(password="a new one of his")
    browser.get(onward(browser)[0])
    browser.sign_in(EMAIL[service], "a new one of his")
    assert "Let Example ERP in?" in browser.text


def test_a_link_is_not_lost_in_another_language(market: Market) -> None:
    browser = signing_up(market, link("merchant"))
    browser.get(confirmation(market))
    browser.submit()
    browser.get(language_link(browser, "de"))
    assert "Schon bestätigt" in browser.text
    assert onward(browser)
    asked(market, "/forgotten", email=EMAIL["merchant"])
    browser.get(link_to(market, EMAIL["merchant"], "A new password"))
    browser.submit(password="short")
    browser.get(language_link(browser, "fr"))
    assert browser.submit(password="a new one of his").status == 200


def test_another_browser_is_led_nowhere(market: Market) -> None:
    signing_up(market, link("merchant"))
    other = Browser(market)
    other.get(confirmation(market))
    other.submit()
    assert onward(other) == ["/sign-in"]


def test_the_last_one_who_asks_says_where_to_go(market: Market) -> None:
    browser = signing_up(market, link("merchant"))
    assert COOKIE in browser.cookies
    browser.get("/sign-up")
    browser.submit(0, None, None, **NEW | {"email": "other@notions.example"})
    assert COOKIE not in browser.cookies


def test_what_no_browser_would_keep_is_not_kept(market: Market) -> None:
    """A link with a state that is as long as one may be, and one that is longer."""
    kept = signing_up(market, link("merchant", state="s" * 1_024)).cookies[COOKIE]
    assert unquote(kept) == link("merchant", state="s" * 1_024)
    long = asked(market, "/sign-up?next=" + quote(link("merchant", scope="x" * 4_000), safe=""), **NEW)
    assert (long.answer.status, COOKIE in long.cookies) == (200, False)


@pytest.mark.parametrize("where", ELSEWHERE)
def test_nobody_is_led_elsewhere(market: Market, where: str) -> None:
    """Neither by a link, nor by a form that was tampered with, nor by a cookie that somebody planted."""
    browser = Browser(market)
    browser.get(f"/sign-up?next={quote(where, safe='')}")
    assert browser.page.xpath("//main//form//input[@name='next']/@value") == [""]
    assert browser.page.xpath("//main//a/@href")[-1] == "/sign-in"
    browser.submit(0, None, None, **NEW, next=where)
    assert COOKIE not in browser.cookies
    page = confirmation(market)
    for planted in (where.encode("ascii", "ignore").decode(), quote(where, safe="")):
        browser.cookies[COOKIE] = planted
        browser.get(page)
        if not onward(browser):  # the button, the first time; then it is confirmed already
            browser.submit()
        assert onward(browser) == ["/sign-in"]
