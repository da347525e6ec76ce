"""Apps that an account makes: secrets shown once, public ones verified by an operator, nobody else's to change."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.pages.browser import Browser
from tests.pages.test_consent import EMAIL, PASSWORD, signed_in
from tests.pages.test_consent import _password as _password
from tests.pages.test_joining import letters
from tests.pages.test_office import OfficeBrowser
from tests.pages.test_office import office as office
from tests.support.market import Market
from tests.support.webhooks import SEALING_KEYS
from tradepost.domain import access
from tradepost.domain.access import App, NewApp
from tradepost.domain.access.failures import AppDisabled, ClientRefused
from tradepost.domain.access.own import MOST_OWN_APPS
from tradepost.domain.context import Ctx
from tradepost.surfaces.scopes import SCOPES

WHERE = "/developer/apps"
REDIRECT = "https://erp.example/callback"
UNTICKED = {"scope.tickets:write": "", "scope.orders:write": "off"}


def shows(market: Market, service: str, app_id: str, secret: str) -> App:
    """The app that somebody is let in as who shows an id and a secret."""
    app: App = market.operate(lambda ctx: access.authenticate_app(ctx, service, app_id, secret))
    return app


def make(browser: Browser, **values: str) -> tuple[str, str]:
    """Make an app by its form; gives its id and its secret."""
    browser.get(WHERE)
    browser.submit(-2, **{"app_name": "My ERP", "redirect_uris": REDIRECT} | values)
    app_id, secret = browser.page.xpath("//dd/code/text()")
    return app_id, secret


def do(browser: Browser, app_id: str, act: str, **values: str) -> str:
    """Send one of the forms of an app's page; gives what the page after it says."""
    browser.get(f"{WHERE}/{app_id}")
    acts = [form.xpath("string(.//input[@name='do']/@value)") for form in browser.page.xpath("//main//form")]
    browser.submit(acts.index(act), **values)
    return browser.text


def lets_in(browser: Browser, app_id: str) -> str:
    """What the consent page of an app says."""
    browser.get(f"/v3/oauth/authorize?client_id={app_id}")
    return browser.text


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_an_app_is_made_and_its_secret_works(market: Market, service: str) -> None:
    browser = signed_in(market, service, WHERE)
    made = len(browser.page.xpath("//tbody/tr"))
    app_id, secret = make(browser, redirect_uris=f"{REDIRECT}\r\n")
    app = shows(market, service, app_id, secret)
    assert app.redirect_uris == (REDIRECT,)
    assert app.owner_id == app.developer_id is not None
    assert set(app.scopes or ()) == set(SCOPES[service])
    browser.get(WHERE)
    assert secret not in browser.answer.body.decode()
    assert len(browser.page.xpath("//tbody/tr")) == made + 1
    browser.get(f"{WHERE}/{app_id}")
    assert secret not in browser.answer.body.decode()


def test_a_form_that_is_wrong_keeps_what_it_held(market: Market) -> None:
    browser = signed_in(market, where=WHERE)
    browser.submit(-2, app_name="My ERP", redirect_uris="ftp://x", kind="public", **UNTICKED)
    assert browser.answer.status == 400
    assert browser.page.xpath("//textarea[@aria-invalid='true']")[0].text.strip() == "ftp://x"
    assert browser.page.xpath("//select[@name='kind']/option[@selected]/@value") == ["public"]
    unticked = browser.page.xpath("//input[@type='checkbox'][not(@checked)]/@name")
    assert set(unticked) == set(UNTICKED)
    browser.submit(-2, app_name=" ", redirect_uris=REDIRECT)
    assert browser.page.xpath("//input[@aria-invalid='true']/@name") == ["app_name"]
    browser.submit(-2, app_name="Everybody's", redirect_uris="", kind="public")
    assert browser.page.xpath("//textarea[@aria-invalid='true']/@name") == ["redirect_uris"]
    none = dict.fromkeys(browser.page.xpath("//input[@type='checkbox']/@name"), "")
    browser.submit(-2, app_name="My ERP", redirect_uris=REDIRECT, **none)
    assert "tick at least one" in browser.page.xpath("string(//fieldset[@class='wrong'])")


def test_only_so_many_are_made_and_deleted(market: Market) -> None:
    browser = signed_in(market, where=WHERE)
    app_id, _ = make(browser)
    owner = market.sql("select developer_id from app where id = $1", app_id)
    market.sql(
        "insert into app (service, id, name, secret_hash, developer_id, created_at) "
        "select 'merchant', lpad(n::text, 24, 'e'), 'App ' || n, sha256(''), $1, world_now() "
        "from generate_series(1, $2 - (select count(*) from app where developer_id = $1)::int) n",
        owner,
        MOST_OWN_APPS,
    )
    do(browser, app_id, "delete")
    browser.get(WHERE)
    browser.submit(-2, app_name="One more", redirect_uris=REDIRECT)
    assert "as many apps as it may have" in browser.page.xpath("string(//p[@role='alert'])")
    market.sql("update app set deleted_at = deleted_at - $2::interval where id = $1", app_id, timedelta(days=2))
    assert make(browser)


def test_an_app_is_changed_kept_out_and_gets_a_new_secret(market: Market) -> None:
    browser = signed_in(market, where=WHERE)
    app_id, first = make(browser)
    assert "Saved." in do(
        browser, app_id, "change", redirect_uris="http://localhost/x", disabled="yes", pkce="yes", **UNTICKED
    )
    app: App = market.operate(lambda ctx: access.find_app(ctx, "merchant", app_id))
    assert (app.redirect_uris, app.disabled, app.needs_pkce) == (("http://localhost/x",), True, True)
    assert "orders:read" in (app.scopes or ())
    assert "orders:write" not in (app.scopes or ())
    do(browser, app_id, "change", disabled="no")
    do(browser, app_id, "secret")
    second = browser.page.xpath("//dd/code/text()")[1]
    assert first != second
    for secret in (first, second):
        assert shows(market, "merchant", app_id, secret).id == app_id
    assert "The former secret is good no more." in do(browser, app_id, "end_secret")
    assert shows(market, "merchant", app_id, second).id == app_id
    with pytest.raises(ClientRefused):
        shows(market, "merchant", app_id, first)
    do(browser, app_id, "change", redirect_uris="javascript:x")
    assert browser.page.xpath("//textarea[@aria-invalid='true']")[0].text.strip() == "javascript:x"
    market.operate(lambda ctx: access.disable_app(ctx, "merchant", app_id))
    do(browser, app_id, "change", disabled="no")
    with pytest.raises(AppDisabled):  # an operator's word stays
        shows(market, "merchant", app_id, second)


def test_who_makes_a_public_app_tries_it_and_others_wait_for_an_operator(
    market: Market, office: OfficeBrowser
) -> None:
    browser = signed_in(market, where=WHERE)
    app_id, _ = make(browser, kind="public")
    page = f"/apps/merchant/{app_id}"
    stranger = signed_in(market, where=WHERE)
    assert market.sql("select owner_id is null from app where id = $1", app_id)
    assert "Nobody else can let it in yet." in lets_in(browser, app_id)
    nobody = Browser(market)
    assert "Sign in" in lets_in(nobody, app_id)
    market.sql("update app set developer_id = $2 where id = $1", app_id, "f" * 24)
    assert "has not been verified" in lets_in(stranger, app_id)
    mine = market.world.merchants["usd"].account_id
    market.sql("update app set developer_id = $2 where id = $1", app_id, mine)

    assert "answers here" in do(browser, app_id, "ask")
    assert "My ERP" in office.open("/apps?state=waiting")
    assert "1 Apps to verify" in office.open("")
    office.open(page)
    assert "See your orders" in office.browser.text
    office.send(f"{page}/refuse", 400, reason=" ")
    assert office.wrong() == "reason"
    office.send(f"{page}/refuse", reason="Whose is erp.example?\nTell us <b>more</b>.")
    assert "Refused" in office.browser.text
    assert "My ERP" not in office.open("/apps?state=waiting")
    browser.get(f"{WHERE}/{app_id}")
    assert "Whose is erp.example? Tell us <b>more</b>." in browser.text

    do(browser, app_id, "ask")
    office.open(page)
    office.send(f"{page}/verify")
    assert "Verified" in office.browser.text
    shown = lets_in(stranger, app_id)
    assert "Verified by the marketplace" in shown
    maker = market.sql("select name from merchant where id = $1", mine)
    assert f"Made by {maker}" in " ".join(shown.split())
    market.sql("update app set developer_id = null where id = $1", app_id)
    assert "Made by The operators of this marketplace" in " ".join(lets_in(stranger, app_id).split())
    verbs = market.sql("select array_agg(verb order by id) from audit_record where verb like 'app.%'")
    assert verbs[-4:] == ["app.verification_asked", "app.refused", "app.verification_asked", "app.verified"]


def test_what_was_verified_is_what_was_seen(market: Market, office: OfficeBrowser) -> None:
    browser = signed_in(market, where=WHERE)
    app_id, _ = make(browser, kind="public", redirect_uris=f"{REDIRECT}\nhttps://other.example/", **UNTICKED)
    is_verified = "select verified_at is not null from app where id = $1"
    do(browser, app_id, "ask")
    office.open(f"/apps/merchant/{app_id}")
    do(browser, app_id, "change", redirect_uris="https://evil.example/")
    office.send(f"/apps/merchant/{app_id}/verify", 409)
    assert not market.sql(is_verified, app_id)
    office.open(f"/apps/merchant/{app_id}")
    office.send(f"/apps/merchant/{app_id}/verify")

    less = UNTICKED | {"scope.tickets:read": ""}
    do(browser, app_id, "change", redirect_uris="https://evil.example/", **less)
    assert market.sql(is_verified, app_id), "less than before"
    for wider in (less | {"redirect_uris": f"https://evil.example/\n{REDIRECT}"}, UNTICKED):
        market.sql("update app set verified_at = now() where id = $1", app_id)
        assert "not verified any more" in do(browser, app_id, "change", **wider)
        assert not market.sql(is_verified, app_id)


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_what_an_operator_says_is_mailed_to_the_developer(
    market: Market, office: OfficeBrowser, service: str
) -> None:
    browser = signed_in(market, service, WHERE)
    app_id, _ = make(browser, kind="public")
    page = f"/apps/{service}/{app_id}"
    do(browser, app_id, "ask")
    office.open(page)
    for _ in range(2):  # pressing twice says nothing new
        office.send(f"{page}/refuse", reason="Whose is erp.example?\nTell us more.")
    (refused,) = letters(market, EMAIL[service])
    assert refused.subject == "Your app My ERP is not verified"
    body = refused.opened(SEALING_KEYS)
    assert "\nWhose is erp.example?\nTell us more.\n" in body
    (where,) = re.findall(r"https://\S+", body)
    browser.get(where)
    assert "Whose is erp.example? Tell us more." in browser.text
    do(browser, app_id, "ask")
    office.open(page)
    office.send(f"{page}/verify")
    market.operate(lambda ctx: access.verify_app(ctx, service, app_id))
    (verified,) = [letter for letter in letters(market, EMAIL[service]) if letter.subject != refused.subject]
    assert verified.subject == "Your app My ERP is verified"
    assert where in verified.opened(SEALING_KEYS)
    office.send(f"{page}/refuse", reason="Whose is erp.example?")
    subjects = [letter.subject for letter in letters(market, EMAIL[service])]
    assert sorted(subjects) == [refused.subject, refused.subject, verified.subject]


def test_nobody_is_written_to_about_an_app_that_waits_for_nobody(market: Market) -> None:
    """A private one, and a public one that an operator has added."""

    async def judge(ctx: Ctx) -> None:
        public, _ = await access.add_app(ctx, "merchant", NewApp("The marketplace's own"))
        private, _ = await access.add_app(ctx, "merchant", NewApp("Ada's", owner_id=ada))
        for app_id in (public, private):
            await access.verify_app(ctx, "merchant", app_id)
            await access.refuse_app(ctx, "merchant", app_id, "No more.")

    ada = market.world.merchants["usd"].account_id
    market.operate(judge)
    assert market.sql("select count(*) from event where topic = any($1)", list(access.JUDGED_TOPICS)) == 0


def test_a_deleted_app_is_gone_for_everybody(market: Market, office: OfficeBrowser) -> None:
    browser = signed_in(market, where=WHERE)
    app_id, secret = make(browser)
    lets_in(browser, app_id)
    browser.submit(button="accept")
    (code,) = re.findall("code=([^&]+)", browser.answer.headers["location"])
    form = {"client_id": app_id, "client_secret": secret, "code": code, "redirect_uri": REDIRECT}
    told = market.post("/api/v3/oauth/access_token", None, grant_type="authorization_code", **form)
    token = told.json["data"]["access_token"]
    assert market.get(f"/api/v2/auth_test?access_token={token}", None).status == 200
    assert "The app is deleted." in do(browser, app_id, "delete")
    assert market.get(f"/api/v2/auth_test?access_token={token}", None).status == 401
    with pytest.raises(ClientRefused):
        shows(market, "merchant", app_id, secret)
    for where in (WHERE, "/apps", "/developer/tokens"):
        browser.get(where)
        assert app_id not in browser.answer.body.decode()
    lets_in(browser, app_id)
    assert browser.answer.status == 400
    browser.get(f"{WHERE}/{app_id}")
    assert browser.answer.status == 404
    office.open(f"/apps/merchant/{app_id}", 404)


def test_a_secret_and_a_deletion_ask_once_more_who_it_is(market: Market) -> None:
    browser = signed_in(market, where=WHERE)
    app_id, secret = make(browser)
    for act in ("secret", "delete"):
        market.sql("update person_session set proved_at = proved_at - interval '1 day'")
        assert "password" in do(browser, app_id, act).lower()
        assert shows(market, "merchant", app_id, secret).id == app_id
        browser.submit(0, password=PASSWORD)
        assert browser.url.endswith(f"{WHERE}/{app_id}")


def test_nobody_changes_an_app_of_somebody_else(market: Market) -> None:
    theirs = market.world.merchants["cny"].client_id
    before = market.sql("select app::text from app where id = $1", theirs)
    browser = signed_in(market, where=WHERE)
    assert theirs not in browser.answer.body.decode()
    browser.get(f"{WHERE}/{theirs}")
    assert browser.answer.status == 404
    browser.get(WHERE)
    seal = browser.page.xpath("//main//input[@name='seal']/@value")[0]
    for act in ("change", "secret", "end_secret", "ask", "delete"):
        body = f"seal={seal}&do={act}&redirect_uris=&scope.orders:read=on"
        assert browser.send_to(f"{WHERE}/{theirs}", body.encode()).status == 404
        assert browser.send_to(f"{WHERE}/{theirs}", f"seal=x&do={act}".encode()).status == 403
    assert browser.send_to(f"{WHERE}/{theirs}", f"seal={seal}&do=nothing".encode()).status == 400
    assert market.sql("select app::text from app where id = $1", theirs) == before


def test_a_private_app_needs_no_verification(market: Market) -> None:
    browser = signed_in(market, where=WHERE)
    app_id, _ = make(browser)
    browser.get(WHERE)
    seal = browser.page.xpath("//main//input[@name='seal']/@value")[0]
    assert browser.send_to(f"{WHERE}/{app_id}", f"seal={seal}&do=ask".encode()).status == 409
    assert market.sql("select waits_since is null from app where id = $1", app_id)
