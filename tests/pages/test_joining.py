"""Signing up: by mail, once, for a while, and without a word about who has an account."""

from __future__ import annotations

import re
import unicodedata

import pytest

from tests.pages.browser import Browser
from tests.pages.test_consent import EMAIL, _password
from tests.support.market import MERCHANT_URL, Market
from tests.support.webhooks import SEALING_KEYS
from tradepost.domain import outbox
from tradepost.domain.context import Ctx
from tradepost.domain.outbox import Mail

__all__ = ["_password"]

NEW = {"name": "Nora’s Notions", "email": "Nora@Notions.example", "password": "a phrase of hers", "currency": "EUR"}
NOBODY = "nobody@attic.example"


def letters(market: Market, to: str) -> list[Mail]:
    """What somebody has got, the latest last; jobs are done before."""
    market.work()

    async def look(ctx: Ctx) -> list[Mail]:
        return await outbox.list_mail(ctx, 1000)

    found: list[Mail] = market.operate(look)
    return [
        letter for letter in found if letter.recipient == to and letter.sent_at and "download" not in letter.subject
    ]


def link_to(market: Market, to: str, subject: str, base: str = MERCHANT_URL) -> str:
    """Where the link of a letter leads, to the service at `base`."""
    (found,) = [letter for letter in letters(market, to) if letter.subject == subject]
    (link,) = re.findall(r"https://\S+", found.opened(SEALING_KEYS))
    assert link.startswith(base + "/")
    return str(link)


def asked(
    market: Market, page: str = "/sign-up", client: str = "192.0.2.7", service: str = "merchant", **fields: str
) -> Browser:
    """Somebody who has filled in the form of a page."""
    browser = Browser(market, service, client)
    browser.get(page)
    browser.submit(0, None, None, **fields)
    return browser


def test_a_stranger_signs_up_confirms_and_signs_in(market: Market) -> None:
    browser = asked(market, **NEW)
    assert (browser.answer.status, "nora@notions.example" in browser.text) == (200, True)
    assert market.sql("select count(*) from merchant_user where email = 'nora@notions.example'") == 0
    where = link_to(market, "nora@notions.example", "Confirm your address")
    browser.get(where)
    assert market.sql("select count(*) from merchant_user where email = 'nora@notions.example'") == 0, "only seen"
    browser.submit()
    assert "Your shop is open" in browser.text
    browser.get("/sign-in")
    browser.sign_in("nora@notions.example", NEW["password"])
    assert browser.url == "https://merchant.example/"
    shop = market.sql(
        "select m.id from merchant m where name = $1 and currency = 'EUR' and locale = 'en'", NEW["name"]
    )
    assert market.sql("select count(*) from warehouse where merchant_id = $1 and name = 'STANDARD'", shop) == 1
    acts = "select array_agg(verb order by id) from audit_record where subject = $1"
    assert market.sql(acts, shop) == ["merchant.signed_up", "person.signed_in"]


@pytest.mark.parametrize("email", ["nora@notions.example", EMAIL["merchant"]])
@pytest.mark.parametrize("locale", ["en", "zh", "fr", "de"])
def test_nobody_writes_to_strangers_by_the_name_that_he_types(market: Market, email: str, locale: str) -> None:
    name = "You have won! Collect it at https://evil.example/prize 恭喜"
    asked(market, f"/sign-up?locale={locale}", **NEW | {"email": email, "name": name})
    (letter,) = letters(market, email)
    told = letter.subject + letter.opened(SEALING_KEYS)
    assert not [word for word in ("You have won", "Collect", "evil.example", "prize", "恭喜") if word in told]
    kept = "select count(*) from event where topic like 'sign_up_%' and about::text like '%evil.example%'"
    assert market.sql(kept) == 0


def test_in_the_language_of_the_page(market: Market) -> None:
    asked(market, "/sign-up?locale=de", **NEW)
    assert "/confirm?token=mp_ln_" in link_to(market, "nora@notions.example", "Bestätigen Sie Ihre Adresse")


def test_a_link_opens_one_shop_once_and_for_a_day(market: Market) -> None:
    asked(market, **NEW)
    where = link_to(market, "nora@notions.example", "Confirm your address")
    browser = Browser(market)
    browser.get(where)
    shown = browser.url, browser.answer
    browser.submit()
    browser.url, browser.answer = shown
    for is_pressed in (True, False):  # the button once more, or the link
        told = browser.submit() if is_pressed else browser.get(where)
        assert told.status == 400
        assert "Confirmed already" in browser.text
        assert browser.page.xpath("//main//a/@href") == ["/sign-in"]
    asked(market, client="192.0.2.8", **NEW | {"email": "late@notions.example"})
    late = link_to(market, "late@notions.example", "Confirm your address")
    market.sql("update world_clock set fixed_at = fixed_at + interval '24 hours'")
    assert browser.get(late).status == 400
    assert "time of this link is over" in browser.text
    assert browser.page.xpath("//main//a/@href") == ["/sign-up", "/sign-in"]
    browser.get("/confirm?token=mp_ln_" + "x" * 43)
    assert "Perhaps your address is confirmed already" in browser.text
    assert browser.page.xpath("//main//a/@href") == ["/sign-in", "/sign-up"]


def test_of_two_sign_ups_with_one_address_the_first_confirmed_has_it(market: Market) -> None:
    for name in ("One", "Two"):
        asked(market, **NEW | {"name": name})
    found = [letter.opened(SEALING_KEYS) for letter in letters(market, "nora@notions.example")]
    first, second = (re.findall(r"https://\S+", text)[0] for text in found)
    browser = Browser(market)
    browser.get(first)
    browser.submit()
    browser.get(second)
    browser.submit()
    assert (browser.answer.status, "in the meantime" in browser.text) == (400, True)
    assert browser.page.xpath("//main//a/@href") == ["/sign-in", "/forgotten"]
    assert market.sql("select count(*) from merchant_user where email = 'nora@notions.example'") == 1
    assert market.sql("select count(*) from merchant where name in ('One', 'Two')") == 1


def test_an_address_that_is_known_gets_a_letter_that_says_so(market: Market) -> None:
    before = market.sql("select password_hash from merchant_user where email = $1", EMAIL["merchant"])
    known, unknown = asked(market, **NEW | {"email": EMAIL["merchant"]}), asked(market, **NEW)
    assert known.answer.status == unknown.answer.status
    assert known.text == unknown.text.replace("nora@notions.example", EMAIL["merchant"])
    (letter,) = letters(market, EMAIL["merchant"])
    assert letter.subject == "You have an account already"
    assert "/confirm" not in letter.opened(SEALING_KEYS)
    assert market.sql("select password_hash from merchant_user where email = $1", EMAIL["merchant"]) == before


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "", "1 to 200"),
        ("name", "x" * 201, "1 to 200"),
        ("name", "a\nb", "1 to 200"),
        ("email", "a@b", "no e-mail address"),
        ("email", "a b@c.example", "no e-mail address"),
        ("email", "a@b.example\r\nBcc: c@d.example", "no e-mail address"),
        ("email", "x" * 400 + "@c.example", "no e-mail address"),
        ("email", "a\0@c.example", "no e-mail address"),
        ("password", "x", "8 characters or more"),
        ("password", "short 7", "8 characters or more"),
        ("password", "x" * 4_096, "1000 characters at most"),
        ("password", "        ", "guessed first"),
        ("password", "aaaaaaaaaa", "guessed first"),
        ("password", "nora@notions.example", "guessed first"),
        ("password", "with \0 in it", "cannot be typed"),
        ("password", "with a\ttab in it", "cannot be typed"),
        ("password", "with a\nline break", "cannot be typed"),
        ("password", "with a\u0085next line", "cannot be typed"),
        ("currency", "XXX", "no such currency"),
        ("currency", "", "no such currency"),
    ],
)
def test_a_form_that_is_refused_keeps_what_was_filled_in(market: Market, field: str, value: str, says: str) -> None:
    before = market.sql("select count(*) from sign_up")
    browser = asked(market, **NEW | {field: value})
    assert (browser.answer.status, says in browser.text) == (400, True), browser.text
    assert browser.page.xpath(f"//*[@aria-invalid='true' and @name='{field}']")
    if field != "name":
        assert browser.page.xpath("//input[@name='name']/@value") == [NEW["name"]]
    assert browser.page.xpath("//input[@name='password']/@value") == [""]
    assert market.sql("select count(*) from sign_up") == before


@pytest.mark.parametrize(
    "password",
    [
        "p" * 71 + "q",
        "p" * 127 + "q",
        "é" * 7 + "e\u0301 x",
        "密码密码密码密码!",
        "密码　是　很长　的",  # with the wide blank of Chinese keyboards
        "mère\u00a0: l’été\u202f!",
        "a 👩\u200d🔬 at work",
        "x" * 999 + "y",
    ],
)
def test_passwords_are_any_text_and_the_same_however_they_are_typed(market: Market, password: str) -> None:
    browser = asked(market, **NEW | {"password": password})
    browser.get(link_to(market, "nora@notions.example", "Confirm your address"))
    browser.submit()
    browser.get("/sign-in")
    browser.sign_in("nora@notions.example", unicodedata.normalize("NFD", password))
    assert browser.url == "https://merchant.example/"
    longer = Browser(market)
    longer.get("/sign-in")
    assert longer.sign_in("nora@notions.example", password[:-1]).status == 400


def test_letters_are_throttled_by_address_and_by_where_they_are_asked_for(market: Market) -> None:
    for number in range(4):
        assert asked(market, client=f"192.0.2.{number}", **NEW).answer.status == 200
    assert asked(market, client="192.0.2.99", **NEW).answer.status == 429
    assert asked(market, "/forgotten", client="192.0.2.98", email=NEW["email"].upper()).answer.status == 429
    for number in range(20):
        assert asked(market, "/forgotten", client="192.0.2.99", email=f"n{number}@x.example").answer.status == 200
    assert asked(market, "/forgotten", client="192.0.2.99", email="n@x.example").answer.status == 429


def test_no_secret_of_a_link_is_in_the_database(market: Market) -> None:
    asked(market, **NEW)
    asked(market, "/forgotten", email=EMAIL["merchant"])
    found = (
        link_to(market, "nora@notions.example", "Confirm your address"),
        link_to(market, EMAIL["merchant"], "A new password"),
    )
    for link in found:
        secret = link.partition("token=")[2]
        for table in ("mail", "event", "person_link", "sign_up", "job", "audit_record"):
            assert market.sql(f"select count(*) from {table} t where t::text like $1", f"%{secret}%") == 0


@pytest.mark.parametrize("page", ["/sign-up", "/forgotten", "/confirm", "/reset"])
def test_a_form_of_another_browser_is_refused(market: Market, page: str) -> None:
    asked(market, **NEW)
    asked(market, "/forgotten", email=EMAIL["merchant"])
    links = {
        "/confirm": lambda: link_to(market, "nora@notions.example", "Confirm your address"),
        "/reset": lambda: link_to(market, EMAIL["merchant"], "A new password"),
    }
    where = links[page]() if page in links else page
    mine, theirs = Browser(market), Browser(market)
    mine.get(where)
    theirs.get(where)
    mine.answer = theirs.answer
    assert mine.submit(0, None, None, **NEW).status == 403
    assert theirs.submit(0, None, {"origin": "https://evil.example"}, **NEW).status == 403
