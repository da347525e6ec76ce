"""Signing in and out, what a session is worth, and taking apps' access back."""

from __future__ import annotations

import re

import pytest

from tests.pages.browser import Browser
from tests.pages.test_consent import EMAIL, PASSWORD, _password, link, signed_in
from tests.support import consent
from tests.support.market import Market

__all__ = ["_password"]


def test_a_session_is_new_each_time_and_kept_as_a_hash(market: Market) -> None:
    one, other = signed_in(market), signed_in(market)
    name = "__Host-merchant-session"
    assert one.cookies[name] != other.cookies[name]
    cookie = one.market.request("GET", "https://merchant.example/sign-in", None).headers["set-cookie"]
    assert re.fullmatch(r"__Host-merchant-visitor=\w+; Path=/; HttpOnly; SameSite=Lax; Secure", cookie)
    assert market.sql("select count(*) from person_session where length(hash) = 32") == 2


@pytest.mark.parametrize(("span", "is_in"), [("29 minutes", True), ("30 minutes", False)])
def test_an_idle_session_ends(market: Market, span: str, is_in: bool) -> None:
    browser = signed_in(market)
    market.sql("update world_clock set fixed_at = fixed_at + $1::text::interval", span)
    browser.get("/apps")
    assert ("Password" not in browser.text) is is_in


def test_no_session_lasts_longer_than_twelve_hours(market: Market) -> None:
    browser = signed_in(market)
    for _ in range(28):
        market.sql("update world_clock set fixed_at = fixed_at + interval '25 minutes'")
        browser.get("/apps")
        assert "Password" not in browser.text
    market.sql("update world_clock set fixed_at = fixed_at + interval '25 minutes'")
    browser.get("/apps")
    assert "Password" in browser.text


def test_signing_out_ends_the_session_everywhere(market: Market) -> None:
    browser = signed_in(market)
    copied = dict(browser.cookies)
    browser.submit(1)
    assert "Password" in browser.text
    browser.cookies = copied
    browser.get("/apps")
    assert "Password" in browser.text


def test_wrong_is_wrong_whoever_it_is(market: Market) -> None:
    told = []
    for email, password in ((EMAIL["merchant"], "wrong"), ("nobody@attic.example", "wrong"), ("x", "\0")):
        browser = Browser(market)
        browser.get("/sign-in")
        browser.sign_in(email, password)
        told.append((browser.answer.status, browser.text))
        assert "session" not in str(browser.cookies)
    assert len(set(told)) == 1


def test_attempts_are_throttled_by_address_and_by_email(market: Market) -> None:
    browser, elsewhere = Browser(market), Browser(market, client="198.51.100.1")
    browser.get("/sign-in")
    for _ in range(10):
        assert browser.sign_in(EMAIL["merchant"], "wrong").status == 400
    assert browser.sign_in(EMAIL["merchant"].upper(), PASSWORD).status == 429
    assert browser.sign_in("lan@lanterns.example", PASSWORD).status == 200
    elsewhere.get("/sign-in")
    assert elsewhere.sign_in(EMAIL["merchant"], PASSWORD).status == 200


@pytest.mark.parametrize("group", ["sign_in_email", "sign_in"])
def test_attempts_from_everywhere_and_for_everybody_are_counted_together(market: Market, group: str) -> None:
    browser = Browser(market)
    browser.get("/sign-in")
    assert browser.sign_in(EMAIL["merchant"], "wrong").status == 400
    full = "update rate_window set used = 1000, started_at = started_at + interval '15 minutes' where key like $1"
    market.sql(full, f"merchant/{group}/ip:%")
    assert browser.sign_in(EMAIL["merchant"], PASSWORD).status == 429


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/",
        "//evil.example/apps",
        "/\\evil.example",
        "/apps\r\nX: y",
        "javascript:x",
        "/api/v2/order",
        "",
    ],
)
def test_signing_in_leads_to_our_own_pages_only(market: Market, following: str) -> None:
    browser = Browser(market)
    browser.get("/sign-in")
    browser.submit(email=EMAIL["merchant"], password=PASSWORD, next=following)
    assert browser.url == "https://merchant.example/"


def test_without_the_seal_of_this_browser_nobody_is_signed_in(market: Market) -> None:
    one, other = Browser(market), Browser(market)
    one.get("/sign-in")
    other.get("/sign-in")
    one.answer = other.answer
    assert one.sign_in(EMAIL["merchant"], PASSWORD).status == 403


def test_taking_back_ends_tokens(market: Market) -> None:
    token = market.post("/api/v3/oauth/refresh_token", None, **consent.refresh("merchant")).data["access_token"]
    browser = signed_in(market)
    browser.get("/apps")
    assert "Example ERP" in browser.text
    browser.submit()
    assert "not let any app in" in browser.text
    answer = market.request("GET", "/api/v2/auth_test", None, headers={"authorization": f"Bearer {token}"})
    assert answer.code == 1016


def test_somebody_of_the_other_service_is_nobody_here(market: Market) -> None:
    browser = Browser(market)
    browser.get("/sign-in")
    assert browser.sign_in(EMAIL["wishpost"], PASSWORD).status == 400


def test_every_page_keeps_strangers_out(market: Market) -> None:
    """Frames, scripts and styles of others; whatever happens it is a page."""
    browser = signed_in(market)
    for method, path, status in (
        ("GET", "/sign-in", 200),
        ("GET", "/apps", 303),
        ("PUT", "/apps", 405),
        ("GET", "/sign-out", 405),
        ("GET", link("merchant"), 303),
        ("GET", "/v3/oauth/authorize?" + "x" * 20_000, 400),
    ):
        answer = market.request(method, path, None)
        assert answer.status == status
        assert answer.headers["cache-control"] == "no-store"
        if status != 303:
            rules = answer.headers["content-security-policy"]
            assert "unsafe" not in rules
            assert rules.startswith("default-src 'none'; style-src 'self'")
            assert "frame-ancestors 'none'" in rules
            assert answer.headers["x-frame-options"] == "DENY"
            assert "strict-transport-security" in answer.headers
    page = browser.page
    assert not page.xpath("//script|//style|//@style|//@onclick")
    (style,) = page.xpath("//link[@rel='stylesheet']/@href")
    assert market.get(style, None).headers["content-type"].startswith("text/css")
    for field in page.xpath("//input[not(@type='hidden')]"):
        assert page.xpath(f"//label[@for='{field.get('id')}']")


def test_an_api_call_takes_no_cookie_and_a_page_no_token(market: Market) -> None:
    browser = signed_in(market)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    assert market.request("GET", "/api/v2/auth_test", None, headers={"cookie": cookie}).status == 401
    assert market.get("/apps", "usd").status == 303


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_a_language_that_was_chosen_stays_on_the_way_to_signing_in(market: Market, service: str) -> None:
    browser = Browser(market, service)
    browser.get("/account?locale=fr")
    assert "/sign-in" in browser.url
    assert browser.page.get("lang") == "fr"
    browser.sign_in(EMAIL[service], PASSWORD)
    assert browser.url.endswith("/account?locale=fr")
    for later in ("/account", "/account?locale=xx"):
        browser.get(later)
        assert browser.page.get("lang") == "fr"
