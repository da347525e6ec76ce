"""Tokens on a page: those that are good, without their secrets, and taking one back."""

from __future__ import annotations

import pytest

from tests.pages.browser import Browser
from tests.pages.test_consent import _password as _password
from tests.pages.test_consent import signed_in
from tests.support.market import Market
from tradepost.domain import access

WHERE = "/developer/tokens"
WHO = {"merchant": "usd", "wishpost": "lan"}


def id_of(market: Market, token: str) -> str:
    """The id of a token."""
    return str(market.sql("select id from access_token where hash = $1", access.fingerprint(token)))


def press_revoke(browser: Browser, token_id: str) -> None:
    """Send the form of one token."""
    ids = browser.page.xpath("//main//form//input[@name='token_id']/@value")
    browser.submit(ids.index(token_id))


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_tokens_are_listed_without_their_secrets(market: Market, service: str) -> None:
    browser = signed_in(market, service, WHERE)
    assert browser.answer.status == 200
    ids = browser.page.xpath("//main//form//input[@name='token_id']/@value")
    good = (
        "select array_agg(id) from access_token where account_id = (select account_id from access_token "
        "where id = $1) and revoked_at is null and expires_at > world_now()"
    )
    assert ids
    assert sorted(ids) == sorted(market.sql(good, ids[0]))
    assert "mp_at_" not in browser.answer.body.decode()
    assert browser.page.xpath("//main//ul[@class='scopes']/li/text()")


def test_a_token_that_is_revoked_is_good_for_nothing_and_leaves_its_row(market: Market) -> None:
    token_id = id_of(market, market.token("usd"))
    assert market.get("/api/v2/auth_test").code == 0
    browser = signed_in(market, where=WHERE)
    seal = browser.page.xpath("//main//input[@name='seal']/@value")[0]
    press_revoke(browser, token_id)
    assert "The token is revoked." in browser.text
    assert token_id not in browser.answer.body.decode()
    assert market.get("/api/v2/auth_test").code == 1016
    assert market.sql("select verb from audit_record order by id desc limit 1") == "token.revoked"
    assert token_id in market.sql("select about from audit_record order by id desc limit 1")
    assert browser.send_to(WHERE, f"seal={seal}&token_id={token_id}".encode()).status == 404


def test_revoking_is_one_press_however_long_ago_somebody_came_in_but_takes_the_seal(market: Market) -> None:
    token_id = id_of(market, market.token("usd"))
    browser = signed_in(market, where=WHERE)
    assert browser.send_to(WHERE, f"seal=x&token_id={token_id}".encode()).status == 403
    assert market.sql("select revoked_at is null from access_token where id = $1", token_id)
    browser.get(WHERE)
    market.sql("update world_clock set fixed_at = fixed_at + interval '10 minutes'")
    press_revoke(browser, token_id)
    assert browser.url.endswith(WHERE)
    assert market.sql("select revoked_at is not null from access_token where id = $1", token_id)


def call(market: Market, address: str, agent: str, who: str = "usd") -> None:
    """A call that was taken down."""
    path = "/api/v3/oauth/test" if ":" in who else "/api/v2/auth_test"
    assert market.request("GET", path, who, headers={"user-agent": agent}, client=(address, 1)).status == 200
    market.run(market.uses.flush())


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_the_page_shows_where_a_token_was_used_last_and_marks_a_new_place(market: Market, service: str) -> None:
    who = "wishpost:lan" if service == "wishpost" else "usd"
    token_id = id_of(market, market.token(who))
    browser = signed_in(market, service, WHERE)
    sheet = f"//section[@aria-labelledby='token-{token_id}']"

    def shown(what: str) -> str:
        browser.get(WHERE)
        return " ".join(" ".join(browser.page.xpath(f"{sheet}{what}//text()")).split())

    assert "not yet" in shown("//dl")
    call(market, "192.0.2.7", "example-erp/2.1", who)
    assert "192.0.2.7" in shown("//dl")
    assert "example-erp/2.1" in shown("//dl")
    assert "New place" not in shown("")
    call(market, "2001:db8::7", "<b>'evil\"/1", who)
    assert "2001:db8::7" in shown("//dl")
    assert "<b>'evil\"/1" in shown("//dl"), "as text and not as markup"
    call(market, "192.0.2.7", "example-erp/2.1", who)
    assert "192.0.2.7" in shown("//dl"), "the last use is the last"
    rows = f"{sheet}//tbody/tr"
    assert "New place" in shown("//tbody/tr[1]"), "the new place stays on top"
    assert "2001:db8::7" in shown("//tbody/tr[1]")
    assert "New place" not in shown("//tbody/tr[2]")
    assert len(browser.page.xpath(rows)) == 2
    assert browser.page.xpath(f"{sheet}//details[@open]")


def test_of_many_places_some_are_shown_and_the_others_counted(market: Market) -> None:
    browser = signed_in(market, where=WHERE)
    for number in range(12):
        call(market, f"203.0.{number}.1", "erp")
    browser.get(WHERE)
    sheet = f"//section[@aria-labelledby='token-{id_of(market, market.token('usd'))}']"
    assert len(browser.page.xpath(f"{sheet}//tbody/tr")) == 10
    assert "and 2 other places" in browser.text


def test_nobody_revokes_a_token_of_somebody_else(market: Market) -> None:
    theirs = id_of(market, market.token("cny"))
    browser = signed_in(market, where=WHERE)
    assert theirs not in browser.answer.body.decode()
    seal = browser.page.xpath("//main//input[@name='seal']/@value")[0]
    for told in (theirs, "", "%00", "9" * 99):
        assert browser.send_to(WHERE, f"seal={seal}&token_id={told}".encode()).status == 404
    assert market.sql("select revoked_at is null from access_token where id = $1", theirs)
