"""What all pages of somebody who is signed in have: the menu, paths with blanks, what was done, seals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages.browser import Browser
from tests.pages.test_consent import EMAIL, PASSWORD, _password, signed_in
from tests.support.calls import SURFACES
from tests.support.market import Market
from tradepost.surfaces.pages.chapters import build_site
from tradepost.surfaces.pages.navigation import Entry, Group
from tradepost.surfaces.pages.site import Kit, Site, Visit
from tradepost.surfaces.pages.words import LOCALES, words
from tradepost.wire.http_types import Response

__all__ = ["_password"]


async def nothing(visit: Visit) -> Response:
    return visit.trouble("not_there")


@pytest.fixture
def site() -> Site:
    pages = {
        path: {"GET": nothing} for path in ("/things", "/things/new", "/things/{id}", "/things/{id}/parts/{n}")
    }
    none: Any = None
    return Site(none, [Group("menu.shop", pages, [Entry("/things", "home")])], Kit(SURFACES["merchant"], none))


@pytest.mark.parametrize(
    ("path", "has"),
    [
        ("/things", True),
        ("/things/new", True),
        ("/things/7", True),
        ("/things/7/parts/8", True),
        ("/things/", False),
        ("/things/7/", False),
        ("/things/7/parts", False),
        ("/thing/7", False),
        ("things/7", False),
        ("", False),
    ],
)
def test_a_path_may_have_blanks(site: Site, path: str, has: bool) -> None:
    assert site.has(path) is has


def test_the_menu_marks_the_line_that_leads_nearest(site: Site) -> None:
    ((_, lines),) = site.navigation("/things/7")
    assert [line.is_here for line in lines] == [True]
    ((_, lines),) = site.navigation("/thingsandmore")
    assert [line.is_here for line in lines] == [False]


def test_every_line_of_the_menu_leads_to_a_page_and_has_words() -> None:
    none: Any = None
    for service in ("merchant", "wishpost"):
        site = build_site(none, Kit(SURFACES[service], none))
        for group in site.groups:
            for entry in group.entries:
                assert site.has(entry.path)
                assert all(entry.word in words(locale) and group.word in words(locale) for locale in LOCALES)


def test_a_signed_in_merchant_comes_to_his_shop_with_a_menu(market: Market) -> None:
    browser = Browser(market)
    browser.get("/")
    assert browser.url.endswith("/sign-in?next=%2F")
    browser.sign_in(EMAIL["merchant"], PASSWORD)
    assert browser.answer.status == 200
    assert browser.page.xpath("//nav[@id='menu']//a[@aria-current='page']/@href") == ["/"]
    assert browser.page.xpath("//a[@class='skip']/@href") == ["#main"]
    assert browser.answer.headers["cache-control"] == "no-store"


def test_a_suspended_merchant_sees_why_and_nothing_else(market: Market) -> None:
    browser = signed_in(market, where="/")
    market.sql("update merchant set suspended_at = now()")
    browser.get("/")
    assert (browser.answer.status, "suspended" in browser.text) == (403, True)


def test_a_language_that_was_chosen_stays(market: Market) -> None:
    browser = signed_in(market, where="/")
    browser.get("/?locale=de")
    browser.get("/")
    assert browser.page.get("lang") == "de"
    assert "Übersicht" in browser.text


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_the_bare_address_of_a_service_leads_to_its_pages(market: Market, service: str) -> None:
    browser = Browser(market, service)
    browser.get("/")
    assert browser.url.endswith("/sign-in?next=%2F")
    browser.sign_in(EMAIL[service], PASSWORD)
    assert browser.answer.status == 200
    assert browser.url == browser.base + {"merchant": "/", "wishpost": "/apps"}[service]


def test_a_sandbox_makes_no_browser_ask_for_https_for_ever(market: Market) -> None:
    name = "strict-transport-security"
    assert Browser(market).get("/sign-in").headers[name] == "max-age=31536000"
    market.let_pages_use(object())
    assert Browser(market).get("/sign-in").headers[name] == "max-age=0"
