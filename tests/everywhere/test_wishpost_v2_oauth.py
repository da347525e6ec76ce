"""Tokens by XML: what they open, and how an app shows who it is."""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.support import consent
from tests.support.market import Market
from tests.support.older import read, send

TEST, CODE, REFRESH = "/api/v2/auth_test", "/api/v2/oauth/access_token", "/api/v2/oauth/refresh_token"
EXCHANGE = consent.exchange("wishpost")
PATHS = {CODE: EXCHANGE, REFRESH: consent.refresh("wishpost")}


@pytest.mark.parametrize("path", PATHS)
def test_the_token_opens_calls(market: Market, path: str) -> None:
    root = read(send(market, path, PATHS[path], who=None))[2]
    token = root.findtext("access_token")
    assert read(send(market, TEST, {"access_token": token}, who=None))[0] == 0
    assert root.findtext("expires_in") == str(30 * 86_400)
    market.sql("update world_clock set fixed_at = fixed_at + interval '30 days'")
    assert read(send(market, TEST, {"access_token": token}, who=None))[0] == 1007


@pytest.mark.parametrize("path", PATHS)
def test_an_app_shows_itself_in_one_place_or_alike_in_several(market: Market, path: str) -> None:
    good = PATHS[path]
    bare = {name: value for name, value in good.items() if not name.startswith("client_")}
    basic = b64encode(f"{good['client_id']}:{consent.SECRET}".encode()).decode()
    header = {"authorization": f"Basic {basic}"}
    for missing in (bare, good | {"client_secret": ""}, good | {"client_id": ""}):
        assert read(send(market, path, missing, who=None))[:2] == (
            1001,
            "Missing Param: 'client_id' and 'client_secret'",
        )
    assert read(send(market, path, good | {"client_id": "0" * 24}, who=None, headers=header))[0] == 4000
    assert read(send(market, path, good, who=None, client_id="0" * 24))[0] == 1000
    assert read(send(market, path, good | {"client_secret": "s"}, who=None))[0] == 4000
    assert read(send(market, path, good | {"client_id": {"a": "b"}}, who=None))[0] == 1000
    assert read(send(market, path, bare, who=None, headers=header))[0] == 0


def test_codes_end(market: Market) -> None:
    assert read(send(market, CODE, EXCHANGE | {"grant_type": "password"}, who=None))[0] == 1000
    assert read(send(market, CODE, EXCHANGE, who=None))[0] == 0
    assert read(send(market, CODE, EXCHANGE, who=None))[0] == 1010
