"""Letting an app in, as a person does it: signs in, reads, agrees or refuses; on both services."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.pages.browser import Browser
from tests.support import consent
from tests.support.market import Market
from tradepost.domain import access
from tradepost.domain.access import challenge_of
from tradepost.domain.context import Ctx
from tradepost.sandbox.cast import ADA, SENDERS

PASSWORD = "correct horse battery staple"
PATHS = [
    ("merchant", "/oauth/authorize"),
    ("merchant", "/v3/oauth/authorize"),
    ("wishpost", "/v3/oauth/authorize"),
    ("wishpost", "/oauth_v3/authorize"),
    ("wishpost", "/oauth/authorize"),
]
EMAIL = {"merchant": ADA.email, "wishpost": SENDERS[0].email}
every_path = pytest.mark.parametrize(("service", "path"), PATHS)


@pytest.fixture(autouse=True)
def _password(market: Market) -> None:
    known = access.password_hash(PASSWORD)
    market.sql("update merchant_user set password_hash = $1", known)
    market.sql("update shipper set password_hash = $1", known)


def link(service: str, path: str = "/v3/oauth/authorize", **more: str) -> str:
    told = {"client_id": consent.APP_IDS[service], **more}
    return f"{path}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in told.items())


def signed_in(market: Market, service: str = "merchant", where: str = "") -> Browser:
    browser = Browser(market, service)
    browser.get(where or link(service))
    browser.sign_in(EMAIL[service], PASSWORD)
    return browser


def came_back(browser: Browser) -> dict[str, str]:
    """What the app is told, when consent has led back to it."""
    assert browser.answer.status == 303, browser.text
    where = browser.answer.headers["location"]
    assert where.startswith(consent.REDIRECT_URI + "&")
    told = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
    assert told.pop("from") == "tradepost"
    return told


@every_path
def test_a_person_lets_an_app_in(market: Market, service: str, path: str) -> None:
    state = "a/b c&d=é<script>"
    challenge = challenge_of(consent.VERIFIER)
    where = link(service, path, state=state, code_challenge=challenge, code_challenge_method="S256")
    browser = signed_in(market, service, where)
    assert browser.answer.status == 200
    assert "Let Example ERP in?" in browser.text
    assert "erp.example" in browser.text
    assert len(browser.page.xpath("//ul[@class='scopes']/li")) == (13 if service == "merchant" else 7)
    assert "https://erp.example" in browser.answer.headers["content-security-policy"]
    browser.submit(button="accept")
    told = came_back(browser)
    assert (told["state"], told["iss"]) == (state, browser.base)
    form = consent.exchange(service) | {"code": told["code"]}
    assert market.post(f"{browser.base}/api/v3/oauth/access_token", None, **form).status == 200


def test_a_person_refuses(market: Market) -> None:
    browser = signed_in(market, where=link("merchant", state="s"))
    browser.submit(button="refuse")
    assert came_back(browser) == {"error": "access_denied", "state": "s", "iss": browser.base}
    assert market.sql("select count(*) from consent") == 4


def test_the_same_form_sent_twice_gives_the_same_code_once(market: Market) -> None:
    browser = signed_in(market)
    shown, body = browser.url, browser.answer
    browser.submit(button="accept")
    first = came_back(browser)
    browser.url, browser.answer = shown, body
    browser.submit(button="accept")
    assert came_back(browser) == first
    form = consent.exchange("merchant") | {"code": first["code"]}
    form.pop("code_verifier")
    assert market.post("/api/v3/oauth/access_token", None, **form).status == 200
    browser.url, browser.answer = shown, body
    browser.submit(button="accept")
    assert "answered this already" in browser.text


def test_only_scopes_that_were_asked_for_are_shown_and_given(market: Market) -> None:
    browser = signed_in(market, where=link("merchant", scope="orders:read tickets:read"))
    assert [item.text for item in browser.page.xpath("//ul[@class='scopes']/li")] == [
        "See your orders", "See your customers’ tickets",
    ]  # fmt: skip
    browser.submit(button="accept")
    assert market.sql("select scopes from consent order by created_at desc, length(scopes::text) limit 1") == [
        "orders:read", "tickets:read",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ("response_type=token", "unsupported_response_type"),
        ("response_mode=fragment", "invalid_request"),
        ("scope=everything", "invalid_scope"),
        ("scope=", "invalid_scope"),
        ("state=a&state=b", "invalid_request"),
        ("code_challenge=short&code_challenge_method=S256", "invalid_request"),
        (f"code_challenge={'a' * 43}&code_challenge_method=plain", "invalid_request"),
        (f"code_challenge={'a' * 43}", "invalid_request"),
        ("state=" + "s" * 1_025, "invalid_request"),
    ],
)
def test_the_app_is_told_what_it_asks_wrongly(market: Market, more: str, error: str) -> None:
    browser = signed_in(market, where=link("merchant") + "&" + more)
    assert came_back(browser)["error"] == error


@pytest.mark.parametrize(
    "query",
    [
        "",
        "client_id=" + "0" * 24,
        "client_id=%00",
        "client_id={id}&client_id={id}",
        "client_id={id}&redirect_uri=https%3A%2F%2Fevil.example",
        "client_id={id}&redirect_uri=",
        "client_id={id}&redirect_uri=%ff",
        "client_id={id}&redirect_uri=javascript%3Aalert(1)",
    ],
)
def test_nobody_is_sent_where_the_app_is_not(market: Market, query: str) -> None:
    browser = signed_in(market)
    browser.get("/v3/oauth/authorize?" + query.replace("{id}", consent.APP_IDS["merchant"]))
    assert browser.answer.status == 400
    assert "location" not in browser.answer.headers


def test_a_link_without_an_address_says_what_it_lacks(market: Market) -> None:
    market.sql("update app set more_redirect_uris = '{https://erp.example/other}'")
    browser = Browser(market)
    assert browser.get(link("merchant")).status == 400
    assert "does not say where it leads back to" in browser.text


def test_whoever_was_signed_out_meanwhile_comes_back_to_the_question(market: Market) -> None:
    where = link("merchant", state="kept")
    browser = signed_in(market, where=where)
    market.sql("update world_clock set fixed_at = fixed_at + interval '31 minutes'")
    browser.submit(button="accept")
    assert "/sign-in?next=" in browser.url
    browser.sign_in(EMAIL["merchant"], PASSWORD)
    assert "Let Example ERP in?" in browser.text
    browser.submit(button="accept")
    assert came_back(browser)["state"] == "kept"


def test_a_form_of_another_session_or_another_link_is_refused(market: Market) -> None:
    mine, theirs = signed_in(market), signed_in(market)
    mine.answer, mine.url = theirs.answer, theirs.url
    mine.submit(button="accept")
    assert mine.answer.status == 403
    wider = signed_in(market, where=link("merchant", scope="orders:read"))
    shown = wider.answer
    wider.get(link("merchant"))
    seal = wider.page.xpath("//form[1]//input[@name='seal']/@value")[0]
    wider.answer = shown
    wider.submit(button="accept", seal=seal)
    assert wider.answer.status == 403
    assert market.sql("select count(*) from consent") == 4


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {}, {"sec_fetch_site": "cross-site"}]
)
def test_a_form_from_elsewhere_is_refused(market: Market, headers: dict[str, str]) -> None:
    browser = signed_in(market)
    browser.submit(button="accept", headers=headers)
    assert browser.answer.status == 403


def test_a_browser_that_says_no_origin_says_where_from(market: Market) -> None:
    browser = signed_in(market)
    browser.submit(button="accept", headers={"origin": "null", "sec_fetch_site": "same-origin"})
    assert "code" in came_back(browser)


def test_signing_in_once_more_where_it_is_asked_for(market: Market) -> None:
    browser = signed_in(market)
    browser.get(link("merchant", force_login="true", state="s"))
    assert "Password" in browser.text
    browser.sign_in(EMAIL["merchant"], PASSWORD)
    browser.submit(button="accept")
    assert came_back(browser)["state"] == "s"


def test_a_private_app_of_somebody_else_cannot_be_let_in(market: Market) -> None:
    own = market.world.merchants["cny"].client_id
    browser = signed_in(market)
    browser.get(f"/oauth/authorize?client_id={own}")
    assert (browser.answer.status, "private app of somebody else" in browser.text) == (400, True)


def test_an_unverified_a_disabled_app_and_a_suspended_account(market: Market) -> None:
    browser = signed_in(market)
    app_id = consent.APP_IDS["merchant"]

    async def unverify(ctx: Ctx) -> None:
        await access.refuse_app(ctx, "merchant", app_id, "nobody knows them")

    market.operate(unverify)
    browser.get(link("merchant"))
    assert "not been verified" in browser.text
    market.sql("update app set verified_at = now(), refusal = null, disabled_at = now()")
    browser.get(link("merchant"))
    assert "may not be used" in browser.text
    market.sql("update app set disabled_at = null")
    market.sql("update merchant set suspended_at = now()")
    browser.get(link("merchant"))
    assert (browser.answer.status, "suspended" in browser.text) == (403, True)


@pytest.mark.parametrize(
    ("locale", "says"), [("zh", "允许"), ("fr", "Autoriser"), ("de", "Erlauben"), ("en", "Allow")]
)
def test_in_four_languages(market: Market, locale: str, says: str) -> None:
    browser = signed_in(market)
    for answer in (
        browser.get(link("merchant", locale=locale)),
        browser.get(link("merchant"), accept_language=locale),
    ):
        assert answer.headers["content-language"] == locale
        assert browser.page.get("lang") == locale
        assert says in browser.text


def test_the_metadata_document_names_what_there_is(market: Market) -> None:
    for service, base in (("merchant", "https://merchant.example"), ("wishpost", "https://wishpost.cn")):
        told = Browser(market, service).get("/.well-known/oauth-authorization-server").json
        assert told["issuer"] == base
        assert "S256" in told["code_challenge_methods_supported"]
        for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
            assert market.post(told[name], None).status in (400, 401)
        assert "/sign-in?next=" in market.get(
            f"{told['authorization_endpoint']}?client_id={consent.APP_IDS[service]}", None
        ).headers["location"]  # fmt: skip
