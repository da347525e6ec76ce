"""Webhooks on pages: how subscriptions fare, what was sent, sending it again, and letting a stopped one go on."""

from __future__ import annotations

from tests.pages.browser import Browser
from tests.pages.shop import ShopBrowser
from tests.pages.test_consent import PASSWORD
from tests.pages.test_consent import _password as _password
from tests.support.calls import DELIVERIES, WEBHOOKS
from tests.support.market import Market
from tests.support.webhooks import ENDPOINT, TOPIC

WHERE = "/developer/webhooks"
MINE, SENT = WEBHOOKS["usd"], DELIVERIES["usd"]
HOOK, DELIVERY = f"{WHERE}/{MINE}", f"{WHERE}/{MINE}/{SENT}"
STATE = "select state from webhook_delivery where id = $1"


def stop(market: Market, because: str | None) -> None:
    """The subscription is stopped."""
    market.sql(
        "update webhook_subscription set is_active = false, failures = 7, failing_since = created_at, "
        "stopped_because = $2 where id = $1",
        MINE,
        because,
    )


def test_a_subscription_is_found_with_what_it_was_told(market: Market) -> None:
    ada = ShopBrowser(market, WHERE)
    assert TOPIC in ada.text
    assert ENDPOINT in ada.text
    assert "Active" in ada.text
    assert HOOK in ada.page.xpath("//main//a/@href")
    assert "Delivered" in ada.open(HOOK)
    assert DELIVERY in ada.page.xpath("//main//a/@href")
    text = ada.open(DELIVERY)
    assert "No answer in time" in text
    assert "HTTP 204" in text
    assert "order_released" in text
    assert "whsec_" not in text


def test_a_delivery_is_sent_again(market: Market) -> None:
    ada = ShopBrowser(market, DELIVERY)
    text = ada.send(DELIVERY)
    assert ada.said() == "It is on its way."
    assert "Waiting" in text
    assert market.sql(STATE, SENT) == "pending"
    assert market.sql("select due_at is not null from webhook_subscription where id = $1", MINE)


def test_a_stopped_subscription_says_why_and_goes_on(market: Market) -> None:
    ada = ShopBrowser(market, DELIVERY)
    seal = ada.seal()
    stop(market, "gone")
    assert "Activate it again first" in ada.open(DELIVERY)
    assert not [form for form in ada.page.xpath("//main//form") if form.get("action") == DELIVERY]
    assert ada.browser.send_to(DELIVERY, f"seal={seal}".encode()).status >= 400
    assert market.sql(STATE, SENT) == "delivered"
    for because, told in (("gone", "410 Gone"), ("failing", "nothing arrived"), (None, "by the marketplace")):
        stop(market, because)
        assert told in ada.open(WHERE)
        assert told in ada.open(HOOK)
    ada.send(HOOK)
    assert ada.said() == "The subscription is active."
    assert market.sql("select is_active and failures = 0 from webhook_subscription where id = $1", MINE)
    assert market.sql("select verb from audit_record order by id desc limit 1") == "webhook.changed"


def secrets_shown(ada: ShopBrowser) -> list[str]:
    """The secrets that a page shows."""
    return [text for text in ada.page.xpath("//code/text()") if text.startswith("whsec_")]


def press(ada: ShopBrowser, do: str, **values: str) -> None:
    """Press one of the buttons of a subscription's page."""
    forms = ada.page.xpath("//main//form")
    ada.browser.submit(next(n for n, form in enumerate(forms) if form.xpath(f".//input[@value='{do}']")), **values)


def test_a_secret_is_replaced_and_shown_once_and_the_former_one_is_ended(market: Market) -> None:
    former = "select cardinality(former_until) from webhook_subscription where id = $1"
    ada = ShopBrowser(market, HOOK)
    assert "signs until" not in ada.text
    press(ada, "secret")
    (first,) = secrets_shown(ada)
    assert "signs until" in ada.text
    assert market.sql(former, MINE) == 1
    assert first not in ada.open(HOOK)
    assert "The former secret signs until 20 May 2021, 16:37 UTC." in ada.text
    press(ada, "overlap")
    assert ada.said() == "Messages are signed with the present secret alone."
    assert market.sql(former, MINE) == 0
    assert not ada.page.xpath("//main//input[@value='overlap']")
    press(ada, "secret", former="ends")
    assert secrets_shown(ada) not in ([], [first])
    assert "signs until" not in ada.text
    assert market.sql(former, MINE) == 0
    assert market.sql("select verb from audit_record order by id desc limit 1") == "webhook.secret_replaced"


def test_a_new_secret_takes_a_fresh_proof(market: Market) -> None:
    ada = ShopBrowser(market, HOOK)
    press(ada, "secret")
    ada.open(HOOK)
    market.sql("update world_clock set fixed_at = fixed_at + interval '10 minutes'")
    before = market.sql("select secret from webhook_subscription where id = $1", MINE)
    for do in ("secret", "overlap"):
        ada.open(HOOK)
        press(ada, do)
        assert "/account/prove" in ada.browser.url
    assert market.sql("select secret from webhook_subscription where id = $1", MINE) == before
    ada.browser.submit(password=PASSWORD)
    assert ada.browser.url.endswith(HOOK)
    press(ada, "overlap")
    assert ada.said()


def test_what_is_active_stays_as_it_is(market: Market) -> None:
    market.sql("update webhook_subscription set failures = 3, failing_since = created_at where id = $1", MINE)
    ada = ShopBrowser(market, DELIVERY)
    assert "Failed 3 times in a row" in ada.open(WHERE)
    ada.open(DELIVERY)
    assert ada.browser.send_to(HOOK, f"seal={ada.seal()}".encode()).status == 200
    assert market.sql("select failures from webhook_subscription where id = $1", MINE) == 3


def test_nobody_sees_or_changes_what_another_shop_is_told(market: Market) -> None:
    ada = ShopBrowser(market, DELIVERY)
    seal = ada.seal()
    theirs, sent = WEBHOOKS["cny"], DELIVERIES["cny"]
    assert theirs not in ada.open(WHERE)
    market.sql("update webhook_subscription set is_active = false where id = $1", theirs)
    for where in (f"{WHERE}/{theirs}", f"{WHERE}/{theirs}/{sent}", f"{WHERE}/{MINE}/{sent}", f"{WHERE}/9/9"):
        ada.open(where, 404)
        assert ada.browser.send_to(where, f"seal={seal}".encode()).status == 404
        assert ada.browser.send_to(where, b"seal=x").status == 403
    for do in ("secret", "overlap"):
        assert ada.browser.send_to(f"{WHERE}/{theirs}", f"seal={seal}&do={do}".encode()).status == 404
        assert ada.browser.send_to(HOOK, f"seal=x&do={do}".encode()).status == 403
    assert not market.sql("select is_active from webhook_subscription where id = $1", theirs)
    assert market.sql(STATE, sent) == "delivered"


def test_senders_have_no_webhooks(market: Market) -> None:
    assert Browser(market, "wishpost").get(WHERE).status == 404
