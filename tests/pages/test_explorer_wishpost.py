"""The API explorer and the request log of WishPost: calls are sent as the sender who is signed in."""

from __future__ import annotations

import json

import pytest

from tests.pages.browser import Browser
from tests.pages.test_calls import call_id, flush
from tests.pages.test_consent import _password as _password
from tests.pages.test_consent import signed_in
from tests.pages.test_explorer import EXPLORER, again, fill, shown, status
from tests.support.calls import GOOD_BODIES, PARCELS, SURFACES, good_call
from tests.support.market import WISHPOST_URL, Market
from tradepost.wire.describe import operations_of

API = operations_of(SURFACES["wishpost"])
SENT = {name for name, endpoint in API.items() if not endpoint.open}


@pytest.fixture
def browser(market: Market) -> Browser:
    market.let_pages_use(object())
    return signed_in(market, "wishpost", where=EXPLORER)


def test_every_endpoint_has_a_form_and_answers(browser: Browser) -> None:
    browser.get(EXPLORER)
    links = [str(link) for link in browser.page.xpath("//main//li/a/@href")]
    assert sorted(links) == sorted(f"{EXPLORER}/{name}" for name in API)
    answered = {}
    for name, endpoint in API.items():
        if endpoint.body:
            browser.get(f"{EXPLORER}/{name}")
            browser.submit(0, body=json.dumps(GOOD_BODIES[endpoint.path]))
        else:
            fill(browser, name, **good_call("wishpost", endpoint))
        assert browser.answer.status == 200, (name, browser.text)
        if browser.page.xpath("//section[@aria-labelledby='answered']"):
            answered[name] = int(status(browser))
    assert answered.keys() == SENT
    assert not {name: code for name, code in answered.items() if code >= 500}
    assert list(answered.values()).count(200) > len(answered) / 2


def test_a_sender_sees_what_is_his_and_nothing_else(market: Market, browser: Browser) -> None:
    fill(browser, "test_token")
    assert market.world.senders["lan"].account_id in shown(browser, "answered")
    fill(browser, "get_order", id=PARCELS["lan"]["numbered"])
    assert status(browser) == "200"
    [theirs] = [name for name in PARCELS if name != "lan"][:1]
    fill(browser, "get_order", id=PARCELS[theirs]["numbered"])
    assert status(browser) != "200"


def test_a_body_of_json_is_sent_as_it_is_and_stays(market: Market, browser: Browser) -> None:
    name = next(
        name for name, endpoint in API.items() if endpoint.body and endpoint.path.endswith("/orders/cancel")
    )
    body = json.dumps([{"id": "0" * 24, "reason_code": 0, "remark": "<b>'\"`"}])
    browser.get(f"{EXPLORER}/{name}")
    browser.submit(0, body=body)
    assert json.loads(shown(browser, "answered"))["code"] != 1000
    assert browser.page.xpath("//textarea[@name='body']")[0].text.strip() == body
    assert "--data-raw '[{" in shown(browser, "curl")
    browser.submit(0, body="{nothing")
    assert status(browser) == "400"
    compile(shown(browser, "python"), "copied", "exec")


def test_outside_of_a_sandbox_a_call_is_shown_and_not_sent(market: Market) -> None:
    browser = signed_in(market, "wishpost", where=EXPLORER)
    fill(browser, "test_token")
    assert "This call was not sent." in browser.text
    assert "/oauth/test" in shown(browser, "curl")


def test_a_call_of_the_log_is_sent_again(market: Market, browser: Browser) -> None:
    made = call_id(market.get(f"{WISHPOST_URL}/api/v3/oauth/test", as_="wishpost:lan"))
    older = call_id(market.request("POST", f"{WISHPOST_URL}/api/v2/auth_test", "wishpost:lan", b"<root/>"))
    flush(market)
    browser.get(f"/calls/{made}")
    browser.submit(-2)
    assert "The same answer, letter by letter." in browser.text
    browser.get(f"/calls/{older}")
    assert not browser.page.xpath("//main//form")


def test_a_suspended_sender_sends_nothing(market: Market, browser: Browser) -> None:
    market.sql("update shipper set suspended_at = now()")
    browser.get(f"{EXPLORER}/test_token")
    again(browser)
    assert (browser.answer.status, "Your account is suspended." in browser.text) == (403, True)
