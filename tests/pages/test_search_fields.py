"""Whatever stands in the query of a page, in a field of a search or not: it is never a fault of ours."""

from __future__ import annotations

import inspect
import re
from collections import deque
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit

import pytest

from tests.pages.browser import Browser
from tests.pages.test_calls import call_id, flush
from tests.pages.test_consent import _password as _password
from tests.pages.test_consent import signed_in
from tests.pages.test_office import OfficeBrowser, let_in
from tests.support.market import Market
from tradepost.surfaces.pages.site import Site

ODD: Final = (
    "%00", "a%00b", "9999-12-31", "9999-12-30", "0001-01-01", "2026-13-45", "%ED%A0%80", "%ff", "9" * 40, "-1",
    "9" * 16 + "~" + "f" * 24, "ffffffff-ffff-7fff-bfff-ffffffffffff", "00000000-0000-7000-8000-000000000000",
)  # fmt: skip
"""NULs, days at the ends of the calendar, halves of letters, large numbers, and ids of no moment that there is."""
_READ: Final = re.compile(r"""(?:query\.get|asked_\w+)\((?:visit, )?["'](\w+)["']""", re.ASCII)
_LISTS: Final = {"stretch": "start", "bookmark": "after", "place(": "after"}
MOST_VISITS: Final = 1
NEWS: Final = {"title": "News", "body": "Read this.", "link": "https://shop.example/news", "action": "Look at it"}


def _names(page: Any, browser: Browser) -> list[str]:
    """What a page may read of its query: what its module names, what it asks for itself, where its links lead."""
    source = inspect.getsource(inspect.getmodule(page))  # type: ignore[arg-type]
    found = {*_READ.findall(source), *(name for call, name in _LISTS.items() if call in source)}
    if browser.answer.body:
        found |= {*browser.page.xpath("//form[not(@method='post')]//*[self::input or self::select]/@name")}
        for link in browser.page.xpath("//main//a/@href"):
            if urlsplit(link).path in ("", urlsplit(browser.url).path):
                found |= {name for name, _ in parse_qsl(urlsplit(link).query)}
    return sorted(found)


def _sweep(site: Site, browser: Browser, begin: list[str]) -> tuple[set[str], set[str]]:
    """Every page that links lead to, with what is odd in each field: the fields that were tried, and the faults."""
    waiting, met = deque(begin), set(begin)
    visited: dict[int, int] = {}
    tried, wrong = set(), set()
    netloc = urlsplit(browser.base).netloc
    while waiting:
        path = waiting.popleft()
        found = site._find(path)
        if found is None or "GET" not in found[0] or visited.get(id(found[0]), 0) >= MOST_VISITS:
            continue
        visited[id(found[0])] = visited.get(id(found[0]), 0) + 1
        if "html" not in browser.get(path).headers.get("content-type", ""):
            continue
        for link in browser.page.xpath("//a/@href"):
            where = urlsplit(urljoin(browser.url, link))
            if where.netloc == netloc and where.path not in met:
                met.add(where.path)
                waiting.append(where.path)
        for name in _names(found[0]["GET"], browser):
            tried.add(f"{path}?{name}")
            for value in ODD:
                status = browser.get(f"{path}?{name}={value}").status
                if status >= 500:
                    wrong.add(f"{path}?{name}={value}: {status}")
    return tried, wrong


def _entries(site: Site) -> list[str]:
    plain = [path for path, methods in site.pages.items() if "{" not in path and "GET" in methods]
    return [*(entry.path for group in site.groups for entry in group.entries), *plain]


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_nothing_in_a_query_is_a_fault_of_ours(market: Market, service: str) -> None:
    path, who = ("/api/v2/auth_test", "usd") if service == "merchant" else ("/api/v3/channels", "wishpost:lan")
    made = market.get(path, as_=who)
    flush(market)
    browser = signed_in(market, service, "/calls")
    site = market._sites[service]
    tried, wrong = _sweep(site, browser, [f"/calls/{call_id(made)}", *_entries(site)])
    assert not wrong
    known = {"/calls?q", "/calls?from", "/calls?to", "/calls?app", "/calls?code", "/calls?before"}
    if service == "merchant":
        known |= {"/orders?q", "/orders?from", "/orders?to", "/orders?after", "/products?text", "/products?after"}
    assert known <= tried, known - tried
    for odd in ODD[-2:]:
        assert browser.get(f"/calls/{quote(odd)}").status == 404


def test_nothing_in_a_query_of_an_operator_is_a_fault_of_ours(market: Market) -> None:
    let_in(market)
    flush(market)
    browser = OfficeBrowser(market).browser
    site = market._sites["operator"]
    tried, wrong = _sweep(site, browser, _entries(site))
    assert not wrong
    known = {
        f"/operator/{field}" for field in ("calls?account", "calls?q", "calls?to", "merchants?text", "apps?after")
    }
    assert known <= tried, known - tried


def _send_odd(browser: Browser, where: str) -> tuple[set[str], set[str]]:
    """Each form of a page with what is odd in each field for a day: the fields that were tried, and the faults."""
    tried, wrong = set(), set()
    browser.get(where)
    forms = [*browser.page.xpath("//main//form")]
    for at, form in enumerate(forms):
        for field in form.xpath(".//input[@type='date']/@name"):
            tried.add(field)
            for value in map(unquote, ODD[:6]):
                browser.get(where)
                status = browser.submit(at, **NEWS, **{field: value}).status
                if status >= 500:
                    wrong.add(f"{where} {field}={value!r}: {status}")
    return tried, wrong


def test_no_day_in_a_form_is_a_fault_of_ours(market: Market) -> None:
    let_in(market)
    shop, office = signed_in(market, where="/files"), OfficeBrowser(market).browser
    assert _send_odd(shop, "/files") == ({"since", "start", "end"}, set())
    assert _send_odd(office, "/operator/announcements") == ({"action_at"}, set())
