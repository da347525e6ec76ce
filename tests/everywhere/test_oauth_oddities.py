"""What real connectors of the older token calls send and read."""

from __future__ import annotations

from ast import literal_eval
from urllib.parse import quote

import pytest
from lxml import etree

from tests.support import consent
from tests.support.market import MERCHANT_URL, Market

CODE, REFRESH = "/api/v2/oauth/access_token", "/api/v2/oauth/refresh_token"
GOOD = {CODE: consent.exchange("merchant"), REFRESH: consent.refresh("merchant")}


@pytest.mark.parametrize("path", GOOD)
def test_tokens_in_xml_are_the_text_of_a_dictionary(market: Market, path: str) -> None:
    answer = market.post(MERCHANT_URL + path, None, **GOOD[path], format="xml")
    data = etree.fromstring(answer.body).find("Data")
    assert data is not None
    assert len(data) == 0
    assert data.text is not None
    assert data.text.startswith("{u'access_token': u'mp_at_")
    told = literal_eval(data.text)
    assert told["token_type"] == "access_token"
    assert told["expires_in"] == 2_592_000
    assert market.get(f"{MERCHANT_URL}/api/v2/auth_test", None, access_token=told["access_token"]).status == 200


def test_a_redirect_url_that_was_encoded_twice_is_the_one_that_was_meant(market: Market) -> None:
    other = quote("https://erp.example/other", safe="")
    refused = market.post(MERCHANT_URL + CODE, None, **GOOD[CODE] | {"redirect_uri": other})
    assert (refused.status, refused.code) == (401, 4000)
    twice = quote(consent.REDIRECT_URI, safe="")
    assert market.post(MERCHANT_URL + CODE, None, **GOOD[CODE] | {"redirect_uri": twice}).status == 200
