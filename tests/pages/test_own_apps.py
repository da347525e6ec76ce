"""Apps that a merchant makes himself: their secrets are shown once and work, and nobody else has a hold on them."""

from __future__ import annotations

import pytest

from tests.pages.test_consent import _password as _password
from tests.pages.test_consent import signed_in
from tests.support.market import Market
from tradepost.domain import access
from tradepost.domain.access import App

WHERE = "/developer/apps"
REDIRECT = "https://erp.example/callback"


def shows(market: Market, service: str, app_id: str, secret: str) -> App:
    """The app that somebody is let in as who shows an id and a secret."""
    app: App = market.operate(lambda ctx: access.authenticate_app(ctx, service, app_id, secret))
    return app


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_an_app_is_made_and_its_secret_works(market: Market, service: str) -> None:
    browser = signed_in(market, service, WHERE)
    made = len(browser.page.xpath("//section")) - 1
    browser.submit(-2, app_name="My ERP", redirect_uris=f"{REDIRECT}\r\n")
    app_id, secret = browser.page.xpath("//dd/code/text()")
    app = shows(market, service, app_id, secret)
    assert app.redirect_uris == (REDIRECT,)
    assert app.owner_id == market.sql("select owner_id from app where id = $1", app_id) is not None
    browser.get(WHERE)
    assert secret not in browser.answer.body.decode()
    assert len(browser.page.xpath("//section")) - 1 == made + 1


def test_a_form_that_is_wrong_keeps_what_it_held(market: Market) -> None:
    browser = signed_in(market, where=WHERE)
    browser.submit(-2, app_name="My ERP", redirect_uris="ftp://x")
    assert browser.answer.status == 400
    assert browser.page.xpath("//textarea[@aria-invalid='true']")[0].text.strip() == "ftp://x"
    browser.submit(-2, app_name=" ", redirect_uris=REDIRECT)
    assert browser.page.xpath("//input[@aria-invalid='true']/@name") == ["app_name"]


def test_an_app_is_changed_kept_out_and_gets_a_new_secret(market: Market) -> None:
    browser = signed_in(market, where=WHERE)
    browser.submit(-2, app_name="My ERP", redirect_uris=REDIRECT)
    app_id, first = browser.page.xpath("//dd/code/text()")
    browser.get(WHERE)
    action = [form.get("action") for form in browser.page.xpath("//main//form")]
    browser.submit(action.index(f"{WHERE}/{app_id}"), redirect_uris="http://localhost/x", disabled="yes")
    assert market.sql("select redirect_uri from app where id = $1", app_id) == "http://localhost/x"
    assert market.sql("select disabled_at is not null from app where id = $1", app_id)
    action = [form.get("action") for form in browser.page.xpath("//main//form")]
    browser.submit(action.index(f"{WHERE}/{app_id}"), disabled="no")
    action = [form.get("action") for form in browser.page.xpath("//main//form")]
    browser.submit(action.index(f"{WHERE}/{app_id}/secret"))
    second = browser.page.xpath("//dd/code/text()")[1]
    assert first != second
    for secret in (first, second):
        assert shows(market, "merchant", app_id, secret).id == app_id
    market.operate(lambda ctx: access.disable_app(ctx, "merchant", app_id))
    browser.get(WHERE)
    action = [form.get("action") for form in browser.page.xpath("//main//form")]
    browser.submit(action.index(f"{WHERE}/{app_id}"), disabled="no")
    assert market.sql("select disabled_at is not null from app where id = $1", app_id), "an operator's word stays"


def test_nobody_changes_an_app_of_somebody_else(market: Market) -> None:
    theirs = market.world.merchants["cny"].client_id
    before = market.sql("select app::text from app where id = $1", theirs)
    browser = signed_in(market, where=WHERE)
    assert theirs not in browser.answer.body.decode()
    seal = browser.page.xpath("//main//input[@name='seal']/@value")[0]
    for where in (f"{WHERE}/{theirs}", f"{WHERE}/{theirs}/secret"):
        assert browser.send_to(where, f"seal={seal}&redirect_uris=".encode()).status == 404
        assert browser.send_to(where, b"seal=x").status == 403
    assert market.sql("select app::text from app where id = $1", theirs) == before
