"""What an app may ask for and where it may lead back to, judged without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tradepost.domain.access import App, can_lead_back, challenge_of, looks_right, made_of
from tradepost.domain.access.failures import AppDisabled
from tradepost.domain.access.token import REFRESH_PREFIX
from tradepost.domain.consents import Asking, check_app, check_asking
from tradepost.domain.consents.consent import check_verifier, judge_refresh
from tradepost.domain.consents.failures import (
    AppNotVerified,
    AppOfAnother,
    AskedUnusably,
    RedirectRefused,
    ScopeRefused,
    VerifierRefused,
)

URI = "https://app.example/cb"
APP = App("merchant", "a" * 24, "An app", (URI,), None, True, False, None, False, b"", None, None)
SCOPES = ("products:read", "orders:read")
CHALLENGE = challenge_of("v" * 43)


def test_consent_leads_back_to_the_only_url_or_to_one_that_is_named() -> None:
    assert check_app(APP, None, None) == URI
    two = replace(APP, redirect_uris=(URI, "https://app.example/other"))
    assert check_app(two, None, "https://app.example/other") == "https://app.example/other"
    for app, uri in ((two, None), (replace(APP, redirect_uris=()), None), (APP, ""), (APP, URI + "/")):
        with pytest.raises(RedirectRefused):
            check_app(app, None, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb/", "https://app.example:443/cb", "http://app.example/cb", "https://app.example/cb?x=1",
        "https://app.example/cb#f", "https://APP.example/cb", "https://app.example/CB", "https://app.example//cb",
        "https://app.example@evil.test/cb", "https://app.example.evil.test/cb", " " + URI,
        "https://app.example/cb/../x", "javascript:alert(1)", "https://app。example/cb", r"https:\\app.example\cb",
    ],
)  # fmt: skip
def test_a_url_is_compared_letter_by_letter(uri: str) -> None:
    assert not APP.leads_back_to(uri)


def test_only_what_listens_on_this_machine_may_have_another_port() -> None:
    local = replace(APP, redirect_uris=("http://127.0.0.1/cb", "http://[::1]:1/cb"))
    assert local.leads_back_to("http://127.0.0.1:50123/cb")
    assert local.leads_back_to("http://[::1]:50123/cb")
    for uri in (
        "http://127.0.0.1:50123/other",
        "http://localhost/cb",
        "https://127.0.0.1:1/cb",
        "http://127.0.0.1:x/cb",
    ):
        assert not local.leads_back_to(uri)


@pytest.mark.parametrize("uri", [URI, "http://127.0.0.1/cb", "http://localhost:5000/cb", "https://a.example"])
def test_an_app_may_have_such_a_url(uri: str) -> None:
    assert can_lead_back(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example/cb", "https://app.example/cb#f", "https://u@app.example/", "https://app.example/../x",
        "https://app.example/%2e%2e/x", "ftp://app.example/", "https:///cb", "https://app.example/ ", "/cb", "",
        "https://app.example:0/", "https://app.example/" + "a" * 1_000,
    ],
)  # fmt: skip
def test_an_app_may_not_have_such_a_url(uri: str) -> None:
    assert not can_lead_back(uri)


def test_who_may_let_an_app_in() -> None:
    private = replace(APP, owner_id="b" * 24, verified=False)
    assert check_app(private, "b" * 24, None) == URI
    with pytest.raises(AppOfAnother):
        check_app(private, "c" * 24, None)
    with pytest.raises(AppNotVerified):
        check_app(replace(APP, verified=False), "b" * 24, None)
    tried = replace(APP, verified=False, developer_id="b" * 24)
    assert check_app(tried, "b" * 24, None) == check_app(tried, None, None) == URI
    with pytest.raises(AppNotVerified):
        check_app(tried, "c" * 24, None)
    with pytest.raises(AppDisabled):
        check_app(replace(APP, disabled=True), "b" * 24, None)


def test_scopes_are_those_that_are_named_or_all_that_the_app_may_have() -> None:
    assert check_asking(APP, Asking(), SCOPES) == SCOPES
    assert check_asking(replace(APP, scopes=("orders:read",)), Asking(), SCOPES) == ("orders:read",)
    assert check_asking(APP, Asking(scope="orders:read"), SCOPES) == ("orders:read",)
    for scope in ("", " ", "orders:read ", "orders:read orders:read", "ORDERS:READ", "orders:write"):
        with pytest.raises(ScopeRefused):
            check_asking(APP, Asking(scope=scope), SCOPES)
    with pytest.raises(ScopeRefused):
        check_asking(replace(APP, scopes=("orders:read",)), Asking(scope="products:read"), SCOPES)


@pytest.mark.parametrize(
    "asking",
    [
        Asking(response_type="token"),
        Asking(response_type="code token"),
        Asking(response_mode="fragment"),
        Asking(state="s" * 1_025),
        Asking(method="S256"),
        Asking(challenge=CHALLENGE),
        Asking(challenge=CHALLENGE, method="plain"),
        Asking(challenge=CHALLENGE[:-1], method="S256"),
        Asking(challenge=CHALLENGE + "a", method="S256"),
        Asking(challenge=CHALLENGE[:-1] + "=", method="S256"),
    ],
)
def test_what_no_answer_could_follow_from_is_refused(asking: Asking) -> None:
    with pytest.raises(AskedUnusably):
        check_asking(APP, asking, SCOPES)


def test_an_app_that_needs_pkce_must_use_it() -> None:
    strict = replace(APP, needs_pkce=True)
    with pytest.raises(AskedUnusably):
        check_asking(strict, Asking(), SCOPES)
    assert check_asking(strict, Asking(challenge=CHALLENGE, method="S256"), SCOPES) == SCOPES


def test_a_verifier_and_its_challenge_belong_together() -> None:
    # The example of RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    check_verifier(challenge, verifier)
    check_verifier(None, None)
    for told, kept in ((None, challenge), (verifier, None), (verifier.lower(), challenge), (challenge, challenge)):
        with pytest.raises(VerifierRefused):
            check_verifier(kept, told)
    for length in (42, 129):
        with pytest.raises(VerifierRefused):
            check_verifier(challenge_of("v" * length), "v" * length)


def test_a_used_refresh_token_is_good_for_the_same_answer_for_a_minute() -> None:
    now = datetime(2021, 5, 19, tzinfo=UTC)
    assert judge_refresh(None, False, now) == "good"
    assert judge_refresh(now, True, now + timedelta(seconds=59, milliseconds=999)) == "repeat"
    assert judge_refresh(now, True, now + timedelta(seconds=60)) == "reused"
    assert judge_refresh(now, False, now) == "reused"


def test_successors_take_both_the_old_token_and_the_seed() -> None:
    made = made_of(REFRESH_PREFIX, "old", b"seed")
    assert made == made_of(REFRESH_PREFIX, "old", b"seed")
    assert looks_right(made, REFRESH_PREFIX)
    assert not looks_right(made)
    others = {made_of(REFRESH_PREFIX, "old", b"other"), made_of(REFRESH_PREFIX, "new", b"seed")}
    assert made not in others
    assert len(others) == 2
