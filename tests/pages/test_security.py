"""What somebody does for his safety: another password, his sessions, a second factor, showing who he is."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import pytest

from tests.pages.browser import Browser
from tests.pages.test_consent import EMAIL, PASSWORD, _password, signed_in
from tests.support.market import Market
from tradepost.domain import people
from tradepost.domain.people import code_at
from tradepost.domain.people.factor import STEP_SECONDS, key_text, recovery_hash, step_of
from tradepost.surfaces.pages.words import words

__all__ = ["_password"]

KEY = b"a key of twenty byte"


def key_shown(browser: Browser) -> bytes:
    """The key that a page shows."""
    return base64.b32decode(browser.page.xpath("//main//code/text()")[0].replace(" ", ""))


def with_factor(market: Market, service: str = "merchant") -> tuple[Browser, bytes, list[str]]:
    """Somebody who has set up a second factor: his browser, the key, and his recovery codes."""
    browser = signed_in(market, service, where="/account/two-factor")
    browser.submit()
    key = key_shown(browser)
    browser.submit(code=code_at(key, time.time()))
    assert browser.answer.status == 200, browser.text
    return browser, key, browser.page.xpath("//main//li/code/text()")


def asked_for_code(market: Market, service: str = "merchant") -> Browser:
    """Somebody who has shown his password."""
    browser = Browser(market, service)
    browser.get("/sign-in")
    browser.sign_in(EMAIL[service], PASSWORD)
    return browser


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_another_password_signs_out_everywhere_else(market: Market, service: str) -> None:
    elsewhere, browser = signed_in(market, service, "/account"), signed_in(market, service, "/account/password")
    browser.submit(old=PASSWORD, password="quite another one")
    assert "Your password is changed" in browser.text
    browser.get("/account")
    assert browser.url.endswith("/account")
    elsewhere.get("/account")
    assert "/sign-in" in elsewhere.url
    assert elsewhere.sign_in(EMAIL[service], PASSWORD).status == 400
    assert elsewhere.sign_in(EMAIL[service], "quite another one").status == 200


@pytest.mark.parametrize(
    ("old", "new", "field", "says"),
    [
        ("wrong", "quite another one", "old", "not your password"),
        ("", "quite another one", "old", "not your password"),
        ("\0", "quite another one", "old", "not your password"),
        ("x" * 2_000, "quite another one", "old", "not your password"),
        (PASSWORD, "short", "password", "8 characters"),
        (PASSWORD, "x" * 1_001, "password", "at most"),
        (PASSWORD, EMAIL["merchant"], "password", "guessed first"),
    ],
)
def test_a_password_that_cannot_be_changed_so(market: Market, old: str, new: str, field: str, says: str) -> None:
    browser = signed_in(market, where="/account/password")
    browser.submit(old=old, password=new)
    assert (browser.answer.status, says in browser.text) == (400, True), browser.text
    assert browser.page.xpath("//*[@aria-invalid='true']/@name") == [field]


def test_whoever_is_signed_in_guesses_ten_times(market: Market) -> None:
    browser = signed_in(market, where="/account/password")
    for _ in range(10):
        assert browser.submit(old="wrong", password="quite another one").status == 400
    assert browser.submit(old=PASSWORD, password="quite another one").status == 429


def test_sessions_are_listed_with_where_they_are_and_ended_one_by_one_or_all(market: Market) -> None:
    others = [Browser(market, client=f"198.51.100.{number}") for number in range(3)]
    for other in others:
        other.get("/sign-in", user_agent=f"Browser <{other.client}>")
        other.sign_in(EMAIL["merchant"], PASSWORD)
    mine = signed_in(market, where="/account/sessions")
    assert len(mine.page.xpath("//tbody/tr")) == 4
    assert "198.51.100.2" in mine.text
    mine.submit()
    assert "Signed out there" in mine.text
    assert len(mine.page.xpath("//tbody/tr")) == 3
    mine.submit(2)
    assert len(mine.page.xpath("//tbody/tr")) == 1
    for other in others:
        other.get("/account")
        assert "/sign-in" in other.url
    assert mine.get("/account").status == 200


def test_nobody_ends_the_session_of_somebody_else(market: Market) -> None:
    theirs = Browser(market)
    theirs.get("/sign-in")
    theirs.sign_in("lan@lanterns.example", PASSWORD)
    whose = market.world.merchants["cny"].account_id
    their_id = market.sql("select id from person_session where account_id = $1", whose)
    signed_in(market)
    mine = signed_in(market, where="/account/sessions")
    mine.submit(0, session=their_id)
    theirs.get("/account")
    assert theirs.url.endswith("/account")


def test_a_second_factor_is_set_up_asked_for_and_good_once(market: Market) -> None:
    browser, key, codes = with_factor(market)
    assert len(set(codes)) == 10
    half = asked_for_code(market)
    assert half.url.endswith("/sign-in/code?next=%2F") or half.url.endswith("/sign-in/code")
    half.get("/account")
    assert "/sign-in" in half.url, "a password alone opens nothing"
    half.get("/sign-in/code")
    used = code_at(key, time.time())
    assert half.submit(code=used).status == 400, "it turned the factor on, and so was used"
    assert half.submit(code=code_at(key, time.time() + STEP_SECONDS)).status == 200
    assert half.get("/account").status == 200
    assert half.url.endswith("/account")
    again = asked_for_code(market)
    assert again.submit(code=codes[0].upper().replace("-", " ")).status == 200
    other = asked_for_code(market)
    assert other.submit(code=codes[0]).status == 400
    browser.get("/account/two-factor")
    assert "9 recovery codes left" in browser.text


def test_the_session_of_a_code_is_another_one_and_waits_for_ten_minutes(market: Market) -> None:
    _, _, codes = with_factor(market)
    half = asked_for_code(market)
    name = "__Host-merchant-half"
    before = half.cookies[name]
    half.cookies["__Host-merchant-session"] = before
    half.get("/account")
    assert "/sign-in" in half.url
    market.sql("update world_clock set fixed_at = fixed_at + interval '10 minutes'")
    half.get("/sign-in/code")
    assert half.url.endswith("/sign-in")
    half = asked_for_code(market)
    half.submit(code=codes[0])
    assert half.cookies["__Host-merchant-session"] not in (before, half.cookies[name])


def test_codes_are_throttled_by_person(market: Market) -> None:
    _, _, codes = with_factor(market)
    half = asked_for_code(market)
    for _ in range(9):
        assert half.submit(code="000000").status == 400
    assert half.submit(code=codes[0]).status == 429
    assert asked_for_code(market).submit(code=codes[0]).status == 429


@pytest.mark.parametrize("code", ["", "000000", "abc", "1" * 100, "\0", "１２３４５６", "-" * 16])
def test_codes_that_are_none(market: Market, code: str) -> None:
    with_factor(market)
    half = asked_for_code(market)
    assert half.submit(code=code).status == 400
    assert "not the code of the moment" in half.text


@pytest.mark.parametrize("locale", ["en", "zh", "fr", "de"])
@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_the_account_page_says_how_the_factor_stands(market: Market, service: str, locale: str) -> None:
    say = words(locale)

    def told() -> str:
        browser.get(f"/account?locale={locale}")
        (section,) = browser.page.xpath("//section[.//a[contains(@href, 'two-factor')]]")
        return " ".join(section.text_content().split())

    browser = signed_in(market, service, where="/account/two-factor")
    assert told() == " ".join([say("factor"), say("factor_off"), say("factor_intro"), say("factor_open")])
    browser.get("/account/two-factor")
    browser.submit()
    key = key_shown(browser)
    assert told() == " ".join([say("factor"), say("factor_off"), say("factor_begun"), say("factor_go_on")])
    browser.get("/account/two-factor")
    browser.submit(code=code_at(key, time.time()))
    stands = [say("factor_on"), say("factor_about"), say("factor_left", count="10")]
    assert told() == " ".join([say("factor"), *stands, say("factor_change")])
    assert say("factor_change") != say("factor_open")


def test_taking_a_factor_off_and_giving_up_setting_it_up(market: Market) -> None:
    browser, _, _ = with_factor(market)
    browser.get("/account/two-factor")
    browser.submit(1)
    assert "asked for no code" in browser.text
    assert asked_for_code(market).url.endswith("/")
    browser.submit()
    first = key_shown(browser)
    browser.get("/account/two-factor")
    assert key_shown(browser) == first
    assert browser.submit(code="000000").status == 400
    browser.submit(1)
    assert "Set it up" in browser.text
    browser.submit()
    assert key_shown(browser) != first
    assert asked_for_code(market).url.endswith("/"), "nothing was confirmed"


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_whoever_has_lost_everything_is_helped_by_an_operator(market: Market, service: str) -> None:
    with_factor(market, service)
    assert asked_for_code(market, service).url.endswith("/code")

    def helped(email: str) -> object:
        return market.operate(lambda ctx: people.remove_factor_of(ctx, service, email))

    assert helped("nobody@attic.example") is False
    assert asked_for_code(market, service).url.endswith("/code")
    assert helped(f" {EMAIL[service].upper()}") is True
    assert helped(EMAIL[service]) is False
    assert not asked_for_code(market, service).url.endswith("/code")
    assert market.sql("select count(*) from audit_record where verb = 'person.factor_removed'") == 1


def test_secrets_are_shown_to_whoever_has_just_shown_his_password(market: Market) -> None:
    browser = signed_in(market, where="/account/two-factor")
    browser.submit()
    market.sql("update world_clock set fixed_at = fixed_at + interval '10 minutes'")
    browser.get("/account/two-factor")
    assert "/account/prove" in browser.url
    assert browser.submit(password="wrong").status == 400
    browser.submit(password=PASSWORD)
    assert browser.url.endswith("/account/two-factor")
    assert len(key_shown(browser)) == 20
    elsewhere = signed_in(market, where="/account/prove?next=https://evil.example/")
    elsewhere.submit(password=PASSWORD)
    assert elsewhere.url == "https://merchant.example/account"


def test_the_picture_is_of_the_key(market: Market) -> None:
    browser = signed_in(market, where="/account/two-factor")
    browser.submit()
    (path,) = browser.page.xpath("//svg//path/@d") or browser.page.xpath("//*[local-name()='svg']/*/@d")
    side = int(re.findall(r'viewBox="-4 -4 (\d+) ', browser.answer.body.decode(), re.IGNORECASE)[0]) - 8
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1", path)}
    assert read_picture(dark, side).startswith("otpauth://totp/")
    text = read_picture(dark, side)
    assert base64.b32encode(key_shown(browser)).decode() in text


def read_picture(dark: set[tuple[int, int]], side: int) -> str:
    """What a reader of barcodes sees."""
    import zxingcpp
    from PIL import Image

    image = Image.new("L", ((side + 8) * 4,) * 2, 255)
    for x, y in dark:
        image.paste(0, ((x + 4) * 4, (y + 4) * 4, (x + 5) * 4, (y + 5) * 4))
    (found,) = zxingcpp.read_barcodes(image)
    return str(found.text)


@pytest.mark.parametrize(("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B, the last six digits."""
    assert code_at(b"12345678901234567890", seconds) == code
    assert step_of(b"12345678901234567890", f"{code[:3]} {code[3:]}", seconds, 0) == seconds // STEP_SECONDS


@pytest.mark.parametrize(("late", "is_good"), [(0, True), (30, True), (-30, True), (60, False), (-60, False)])
def test_clocks_may_differ_by_half_a_minute(late: int, is_good: bool) -> None:
    code = code_at(KEY, 1_000_000 * STEP_SECONDS)
    assert (step_of(KEY, code, 1_000_000 * STEP_SECONDS + late, 0) is not None) is is_good
    assert step_of(KEY, code, 1_000_000 * STEP_SECONDS + late, 1_000_000) is None


def test_a_key_is_typed_and_a_code_written_in_any_way() -> None:
    assert key_text(KEY).replace(" ", "") == base64.b32encode(KEY).decode()
    hashes = {recovery_hash("a", text) for text in ("ab12-cd34", "AB12CD34", " ab12 cd34 ")}
    assert len(hashes) == 1
    assert recovery_hash("b", "ab12-cd34") not in hashes


def test_what_is_kept_of_a_factor_is_of_no_use(market: Market) -> None:
    _, key, codes = with_factor(market)
    kept: Any = market.sql("select string_agg(t::text, ' ') from person_factor t")
    assert key.hex() not in kept
    assert market.sql("select count(*) from recovery_code where length(hash) = 32 and used_at is null") == 10
    for code in codes:
        assert code not in market.sql("select string_agg(t::text, ' ') from recovery_code t")


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_recovery_codes_are_made_anew(market: Market, service: str) -> None:
    browser, _, codes = with_factor(market, service)
    browser.get("/account/two-factor")
    market.sql("update person_session set proved_at = proved_at - interval '11 minutes'")
    browser.submit(do="renew")
    assert "/account/prove" in browser.url, "it takes more than being signed in"
    browser.submit(password=PASSWORD)
    browser.submit(do="renew")
    fresh = browser.page.xpath("//main//li/code/text()")
    assert (len(fresh), set(fresh) & set(codes)) == (10, set())
    other = asked_for_code(market, service)
    other.submit(code=codes[0])
    assert other.answer.status == 400
    other.submit(code=fresh[9])
    assert other.answer.status == 200
    verbs = market.sql("select array_agg(verb order by id desc) from audit_record")
    assert verbs[:3] == ["person.signed_in", "person.recovery_code_used", "person.recovery_codes_renewed"]
    browser.get("/account/two-factor")
    browser.submit(1)
    browser.send_to("/account/two-factor", f"seal={_seal(browser)}&do=renew".encode())
    assert not browser.page.xpath("//main//li/code"), "there is nothing to renew"


def _seal(browser: Browser) -> str:
    return str(browser.page.xpath("//main//input[@name='seal']/@value")[0])
