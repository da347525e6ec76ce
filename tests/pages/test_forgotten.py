"""Forgotten passwords at both services: by mail, once, for an hour, and without a word about who has an account."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from tests.pages.browser import BASE, Browser
from tests.pages.test_consent import EMAIL, PASSWORD, _password, signed_in
from tests.pages.test_joining import NOBODY, asked, letters, link_to
from tests.support.market import Market
from tests.support.webhooks import SEALING_KEYS

__all__ = ["_password"]

OTHER = {"merchant": "wishpost", "wishpost": "merchant"}
NEW = "a new one of his"
at_both = pytest.mark.parametrize("service", list(BASE))


def mailed(market: Market, service: str) -> str:
    """Where the link leads that somebody is mailed who asks for one."""
    asked(market, "/forgotten", service=service, email=EMAIL[service])
    return link_to(market, EMAIL[service], "A new password", BASE[service])


@at_both
def test_a_forgotten_password_is_said_anew_by_mail_once(market: Market, service: str) -> None:
    elsewhere = signed_in(market, service)
    browser = Browser(market, service)
    browser.get("/sign-in")
    (where,) = [where for where in browser.page.xpath("//main//a/@href") if where.startswith("/forgotten")]
    browser.get(where)
    browser.submit(email=EMAIL[service].upper())
    browser.get(link_to(market, EMAIL[service], "A new password", BASE[service]))
    shown = browser.url, browser.answer
    assert browser.submit(password="short").status == 400
    browser.submit(password=NEW)
    assert "Your password is changed" in browser.text
    elsewhere.get("/account")
    assert "Password" in elsewhere.page.xpath("//label/text()")
    browser.url, browser.answer = shown
    assert browser.submit(password="another one of his").status == 400
    assert browser.page.xpath("//main//a/@href") == ["/forgotten", "/sign-in"]
    browser.get("/sign-in")
    assert browser.sign_in(EMAIL[service], PASSWORD).status == 400
    assert browser.sign_in(EMAIL[service], NEW).status == 200
    told = letters(market, EMAIL[service])
    assert sorted(letter.subject for letter in told) == ["A new password", "Your password was changed"]
    name = {"merchant": "Tradepost", "wishpost": "WishPost"}
    for letter in told:
        body = letter.opened(SEALING_KEYS)
        assert (BASE[service] in body, BASE[OTHER[service]] in body) == (True, False)
        assert (name[service] in body, name[OTHER[service]] in body) == (True, False)
    acts = market.sql("select array_agg(verb order by id) from audit_record where actor_kind = 'person'")
    assert acts == ["person.signed_in", "person.password_reset", "person.sessions_ended", "person.signed_in"]


@at_both
@pytest.mark.parametrize(
    ("locale", "subject"), [("zh", "设置新密码"), ("fr", "Un nouveau mot de passe"), ("de", "Ein neues Passwort")]
)
def test_in_the_language_of_the_account(market: Market, service: str, locale: str, subject: str) -> None:
    market.sql(f"update {'merchant' if service == 'merchant' else 'shipper'} set locale = $1", locale)
    asked(market, "/forgotten", service=service, email=EMAIL[service])
    browser = Browser(market, service)
    browser.get(link_to(market, EMAIL[service], subject, BASE[service]) + f"&locale={locale}")
    assert browser.page.xpath("/html/@lang") == [locale]
    assert browser.page.xpath("//main//input[@name='password']")


@at_both
def test_a_new_link_or_password_ends_the_links_before(market: Market, service: str) -> None:
    for _ in range(2):
        asked(market, "/forgotten", service=service, email=EMAIL[service])
    found = [letter.opened(SEALING_KEYS) for letter in letters(market, EMAIL[service])]
    one, other = (re.findall(r"https://\S+", text)[0] for text in found)
    browser = Browser(market, service)
    browser.get(one)
    browser.submit(password=NEW)
    assert browser.get(other).status == 400


@at_both
def test_a_link_for_a_password_lasts_an_hour_and_is_no_other_link(market: Market, service: str) -> None:
    where = mailed(market, service)
    browser = Browser(market, service)
    assert browser.get(where.replace("/reset?", "/confirm?")).status == (400 if service == "merchant" else 404)
    assert browser.get(where[:-1]).status == 400
    assert market.get(f"{BASE[OTHER[service]]}/reset?{urlsplit(where).query}", None).status == 400
    market.sql("update world_clock set fixed_at = fixed_at + interval '59 minutes'")
    assert browser.get(where).status == 200
    market.sql("update world_clock set fixed_at = fixed_at + interval '1 minute'")
    assert browser.submit(password=NEW).status == 400


@at_both
def test_nobody_learns_here_who_has_an_account(market: Market, service: str) -> None:
    told = [asked(market, "/forgotten", service=service, email=email) for email in (EMAIL[service], NOBODY)]
    assert {browser.answer.status for browser in told} == {200}
    assert told[0].text.replace(EMAIL[service], NOBODY) == told[1].text
    (letter,) = letters(market, NOBODY)
    assert letter.subject == "There is no account with this address"
    assert "token" not in letter.opened(SEALING_KEYS)


@at_both
def test_what_one_service_knows_the_other_does_not(market: Market, service: str) -> None:
    asked(market, "/forgotten", service=service, email=EMAIL[OTHER[service]])
    (letter,) = letters(market, EMAIL[OTHER[service]])
    assert letter.subject == "There is no account with this address"


@at_both
def test_letters_are_throttled_by_address_and_by_where_they_are_asked_for(market: Market, service: str) -> None:
    for number in range(4):
        told = asked(market, "/forgotten", f"192.0.2.{number}", service, email=NOBODY)
        assert told.answer.status == 200
    assert asked(market, "/forgotten", "192.0.2.98", service, email=NOBODY.upper()).answer.status == 429
    for number in range(20):
        told = asked(market, "/forgotten", "192.0.2.99", service, email=f"n{number}@x.example")
        assert told.answer.status == 200
    assert asked(market, "/forgotten", "192.0.2.99", service, email="n@x.example").answer.status == 429


@at_both
@pytest.mark.parametrize("page", ["/forgotten", "/reset"])
def test_a_form_of_another_browser_is_refused(market: Market, service: str, page: str) -> None:
    where = page if page == "/forgotten" else mailed(market, service)
    mine, theirs = Browser(market, service), Browser(market, service)
    mine.get(where)
    theirs.get(where)
    mine.answer = theirs.answer
    given = {"email": EMAIL[service], "password": NEW}
    assert mine.submit(0, None, None, **given).status == 403
    assert theirs.submit(0, None, {"origin": "https://evil.example"}, **given).status == 403


@at_both
def test_whoever_tried_too_often_gets_in_with_a_new_password(market: Market, service: str) -> None:
    browser = Browser(market, service)
    browser.get("/sign-in")
    for _ in range(10):
        browser.sign_in(EMAIL[service], "wrong")
    assert browser.sign_in(EMAIL[service], PASSWORD).status == 429
    browser.get("/forgotten")
    browser.submit(email=EMAIL[service])
    browser.get(link_to(market, EMAIL[service], "A new password", BASE[service]))
    browser.submit(password="quite another sentence")
    browser.get("/sign-in")
    assert browser.sign_in(EMAIL[service], "quite another sentence").status == 200


REASONS = {
    "en": "cannot be typed",
    "zh": "无法键入的字符",
    "fr": "caractère qui ne se tape pas",
    "de": "Zeichen, das sich nicht tippen lässt",
}


@pytest.mark.parametrize(("locale", "says"), REASONS.items())
@pytest.mark.parametrize("page", ["/sign-up", "/reset", "/account/password"])
def test_a_password_that_cannot_be_typed_is_told_as_that(market: Market, page: str, locale: str, says: str) -> None:
    browser = signed_in(market) if page == "/account/password" else Browser(market)
    where = mailed(market, "merchant") if page == "/reset" else page
    browser.get(f"{where}{'&' if '?' in where else '?'}locale={locale}")
    new = {"name": "Nora", "email": "nora@notions.example", "currency": "EUR", "old": PASSWORD}
    assert browser.submit(0, None, None, password="a phrase\twith a tab", **new).status == 400
    assert says in browser.text
    assert browser.page.xpath("//*[@aria-invalid='true' and @name='password']")
