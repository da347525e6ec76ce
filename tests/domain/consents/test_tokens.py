"""Tokens over their life: exchanged, refreshed, repeated, reused, revoked; by calls to the real application."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import consent
from tests.support.answer import Answer
from tests.support.market import MERCHANT_URL, WISHPOST_URL, Market
from tradepost.domain import access, consents
from tradepost.domain.context import Ctx

BASE = {"merchant": MERCHANT_URL, "wishpost": WISHPOST_URL}
PATH = "/api/v3/oauth/"
services = pytest.mark.parametrize("service", consent.SERVICES)


# The status of a call with a token that opens nothing any more.
REFUSED = {"merchant": 400, "wishpost": 401}


def ask(market: Market, service: str, verb: str, **form: str) -> Answer:
    return market.post(BASE[service] + PATH + verb, None, **form)


def exchange(market: Market, service: str) -> dict[str, Any]:
    answer = ask(market, service, "access_token", **consent.exchange(service))
    assert answer.status == 200, answer.body
    return dict(answer.data)


def refresh(market: Market, service: str, token: str = "") -> Answer:
    given = consent.refresh(service) | ({"refresh_token": token} if token else {})
    return ask(market, service, "refresh_token", **given)


def opens(market: Market, service: str, token: str) -> int:
    """The status of a call with a token."""
    return market.request(
        "GET", f"{BASE[service]}{PATH}test", None, headers={"authorization": f"Bearer {token}"}
    ).status


def later(market: Market, span: str) -> None:
    market.sql("update world_clock set fixed_at = fixed_at + $1::text::interval", span)


@services
def test_a_code_opens_what_was_agreed_to_for_thirty_days_from_then_on(market: Market, service: str) -> None:
    later(market, "20 seconds")
    token = exchange(market, service)["access_token"]
    assert opens(market, service, token) == 200
    later(market, "30 days - 21 seconds")
    assert opens(market, service, token) == 200
    later(market, "1 second")
    assert opens(market, service, token) == REFUSED[service]


@services
def test_a_code_that_comes_again_takes_everything_back(market: Market, service: str) -> None:
    pair = exchange(market, service)
    assert ask(market, service, "access_token", **consent.exchange(service)).status == 400
    assert opens(market, service, pair["access_token"]) == REFUSED[service]
    assert refresh(market, service, pair["refresh_token"]).status == 400


@services
def test_a_refresh_revokes_what_was_before_and_is_repeated_for_a_minute(market: Market, service: str) -> None:
    pair = exchange(market, service)
    first = refresh(market, service, pair["refresh_token"])
    assert opens(market, service, pair["access_token"]) == REFUSED[service]
    later(market, "59 seconds")
    again = refresh(market, service, pair["refresh_token"])
    same = ("access_token", "refresh_token", "expiry_time")
    assert [first.data[name] for name in same] == [again.data[name] for name in same]
    assert opens(market, service, first.data["access_token"]) == 200
    later(market, "1 second")
    assert refresh(market, service, pair["refresh_token"]).status == 400
    assert opens(market, service, first.data["access_token"]) == REFUSED[service]
    assert refresh(market, service, first.data["refresh_token"]).status == 400
    assert market.sql("select count(*) from consent where ended_because = 'refresh_reused'") == 1
    told = market.sql("select count(*) from notification where topic = $1", consents.REUSED_TOPIC)
    assert told == (1 if service == "merchant" else 0)
    market.work()
    letters = market.sql("select count(*) from mail where body like '%Example ERP%'")
    assert letters == 1  # and WishPost has no notifications


@services
def test_no_answer_is_repeated_once_its_successor_was_used(market: Market, service: str) -> None:
    """Whoever got the answer does not ask for it again: somebody else does."""
    pair = exchange(market, service)
    second = refresh(market, service, pair["refresh_token"]).data
    third = refresh(market, service, second["refresh_token"]).data
    assert refresh(market, service, pair["refresh_token"]).status == 400
    assert opens(market, service, third["access_token"]) == REFUSED[service]


@services
def test_what_answers_were_made_of_is_forgotten(market: Market, service: str) -> None:
    first = refresh(market, service)
    assert first.status == 200
    seeds = "select count(seed) from refresh_token"

    async def forget(ctx: Ctx) -> int:
        return await consents.forget_seeds(ctx)

    now = market.sql("select world_now()")
    assert market.operate(forget, now) == 0
    assert market.sql(seeds) == 1
    later(market, "61 seconds")
    assert market.operate(forget, market.sql("select world_now()")) == 1
    assert market.sql(seeds) == 0


@services
def test_nothing_lasts_longer_than_its_consent(market: Market, service: str) -> None:
    later(market, "350 days")
    token = refresh(market, service).data["access_token"]
    later(market, "14 days - 1 second")
    assert opens(market, service, token) == 200
    later(market, "1 second")
    assert opens(market, service, token) == REFUSED[service]
    assert refresh(market, service).status == 400


@services
def test_a_new_secret_and_for_a_day_the_old_one(market: Market, service: str) -> None:
    app_id = consent.APP_IDS[service]

    async def replace_secret(ctx: Ctx) -> str:
        return await access.replace_secret(ctx, service, app_id)

    fresh = market.operate(replace_secret)
    shown = {"token": "t", "client_id": app_id}
    for secret in (fresh, consent.SECRET):
        assert ask(market, service, "revoke_token", **shown, client_secret=secret).status == 200
    later(market, "1 day")
    assert ask(market, service, "revoke_token", **shown, client_secret=fresh).status == 200
    assert ask(market, service, "revoke_token", **shown, client_secret=consent.SECRET).status in (400, 401)


@services
def test_revoking_one_access_token_leaves_the_refresh_token(market: Market, service: str) -> None:
    pair = exchange(market, service)
    assert ask(market, service, "revoke_token", **consent.client(service), token=pair["access_token"]).status == 200
    assert opens(market, service, pair["access_token"]) == REFUSED[service]
    assert refresh(market, service, pair["refresh_token"]).status == 200


@services
def test_another_app_neither_revokes_nor_sees_a_token(market: Market, service: str) -> None:
    pair = exchange(market, service)

    async def add(ctx: Ctx) -> tuple[str, str]:
        return await access.add_app(ctx, service, access.NewApp("Another app"))

    app_id, secret = market.operate(add)
    shown = {"client_id": app_id, "client_secret": secret}
    for token in (pair["access_token"], pair["refresh_token"]):
        assert ask(market, service, "revoke_token", **shown, token=token).status == 200
        assert ask(market, service, "introspect_token", **shown, token=token).data == {"active": False}
        told = ask(market, service, "introspect_token", **consent.client(service), token=token).data
        assert told["active"] is True
    assert opens(market, service, pair["access_token"]) == 200
    theirs = {**consent.refresh(service), **shown, "refresh_token": pair["refresh_token"]}
    assert ask(market, service, "refresh_token", **theirs).status == 400


@services
def test_what_is_not_good_any_more_is_told_as_that_and_nothing_else(market: Market, service: str) -> None:
    pair = exchange(market, service)
    refresh(market, service, pair["refresh_token"])
    for token in (pair["access_token"], pair["refresh_token"], "nonsense"):
        told = ask(market, service, "introspect_token", **consent.client(service), token=token)
        assert told.data == {"active": False}


@services
def test_withdrawing_ends_every_consent_even_one_whose_code_waits(market: Market, service: str) -> None:
    account_id = market.sql("select account_id from consent where service = $1 limit 1", service)

    async def withdraw(ctx: Ctx) -> int:
        return await consents.withdraw(ctx, account_id, consent.APP_IDS[service])

    assert market.operate(withdraw) == 2
    assert ask(market, service, "access_token", **consent.exchange(service)).status == 400
    assert refresh(market, service).status == 400


@services
def test_a_suspended_account_gets_no_tokens(market: Market, service: str) -> None:
    market.sql("update merchant set suspended_at = now()")
    market.sql("update shipper set suspended_at = now()")
    for answer in (refresh(market, service), ask(market, service, "access_token", **consent.exchange(service))):
        assert answer.status in (400, 403)
    assert market.sql("select count(*) from consent where ended_at is not null") == 0


@services
def test_nothing_of_a_secret_is_kept(market: Market, service: str) -> None:
    pair = exchange(market, service)
    kept = market.sql(
        "select (select string_agg(c::text, '') from consent c)"
        " || (select string_agg(t::text, '') from access_token t)"
        " || (select string_agg(r::text, '') from refresh_token r) || (select string_agg(a::text, '') from app a)"
    )
    for secret in (pair["access_token"], pair["refresh_token"], consent.CODES[service], consent.SECRET):
        assert secret not in kept
        assert secret.encode().hex() not in kept
