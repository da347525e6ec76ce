"""As a new user would: from signing up to a webhook that arrives, in a real browser, with curl beside it."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from standardwebhooks.webhooks import Webhook

from tests.support.chromium import PHONE, Chromium
from tests.support.program import Program, serving, wait_until
from tests.support.receivers import Receivers, receivers

EMAIL = "ida@ida.example"
PASSWORD = "a shop on the corner"
TRACKING = "LX123456789CN"


def curl(base: str, path: str, token: str | None = None, **fields: str) -> Any:
    """What curl says to a form, or to nothing."""
    words = ["curl", "--silent", "--show-error", "--noproxy", "*", base + path]
    words += ["-H", f"Authorization: Bearer {token}"] if token else []
    for name, value in fields.items():
        words += ["--data-urlencode", f"{name}={value}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    answer = json.loads(done.stdout)
    assert answer["code"] == 0, answer
    return answer["data"]


def sign_up(browser: Chromium, running: Program) -> None:
    """A shop is opened, by the link of the letter that comes."""
    browser.open(running.merchant + "/sign-up")
    browser.fill(name="Ida's Corner", email=EMAIL, password=PASSWORD, currency="USD")
    browser.press("Sign up")
    assert f"We have written to {EMAIL}." in browser.text

    def has_come() -> bool:
        browser.open(running.merchant + "/sandbox/mail")
        return EMAIL in browser.text

    wait_until(has_come, 60, "the letter")
    (link,) = {path for path in browser.links() if path.startswith("/confirm")}
    browser.open(link)
    browser.press("Open my shop")
    assert "You can sign in now." in browser.text
    browser.open("/sign-in")
    browser.fill(email=EMAIL, password=PASSWORD)
    browser.press("Sign in")
    assert "Ida's Corner" in browser.text


def let_in(browser: Chromium, running: Program, back: str) -> str:
    """An app of one's own is made, let in, and exchanges its code; gives the token."""
    browser.open(running.merchant + "/developer/apps")
    browser.fill(app_name="Connector", redirect_uris=back)
    browser.press("Make the app")
    app_id, secret = (found.text for found in browser.driver.find_elements("css selector", "main dd code"))
    browser.open(f"/v3/oauth/authorize?client_id={app_id}&response_type=code&redirect_uri={quote(back, safe='')}")
    assert "Let Connector in?" in browser.text
    browser.press("Allow")
    (code,) = parse_qs(urlsplit(browser.driver.current_url).query)["code"]
    tokens = curl(
        running.merchant, "/api/v3/oauth/access_token?grant_type=authorization_code",
        client_id=app_id, client_secret=secret, code=code, redirect_uri=back,
    )  # fmt: skip
    return str(tokens["access_token"])


def see_call(browser: Chromium, running: Program, token: str) -> None:
    """A call is found in the request log by its id, without its secret, and sent again."""
    words = [
        "curl",
        "--silent",
        "--noproxy",
        "*",
        "--output",
        "/dev/null",
        "--write-out",
        "%header{wish-request-id}",
    ]
    url = f"{running.merchant}/api/v2/auth_test?access_token={token}"
    request_id = subprocess.run([*words, url], capture_output=True, text=True, timeout=60, check=True).stdout

    def is_kept() -> bool:
        browser.open(f"{running.merchant}/calls?q={request_id}")
        return "/api/v2/auth_test" in browser.text

    wait_until(is_kept, 60, "the call")
    assert browser.path == f"/calls/{request_id}"
    browser.complaints()  # about the page that was not there yet
    assert "Ida's Corner" in browser.text.partition("What was answered")[2]
    assert token not in browser.driver.page_source
    browser.press("Send it again")
    assert "The same answer, letter by letter." in browser.text


def fill_shop(running: Program, token: str) -> None:
    """A product with some variations, by the API."""
    common = {"price": "9.99", "shipping": "1.50", "inventory": "500"}
    curl(
        running.merchant, "/api/v2/product/add", token, name="A ring", description="With a stone.", tags="ring",
        sku="ring-1", parent_sku="ring", color="red", main_image="https://pictures.example/ring.jpg", **common,
    )  # fmt: skip
    for number, color in ((2, "blue"), (3, "green")):
        sku = f"ring-{number}"
        curl(running.merchant, "/api/v2/variant/add", token, parent_sku="ring", sku=sku, color=color, **common)


def fulfil_one(browser: Chromium, running: Program) -> str:
    """Orders are made up, and one of them is said to be on its way; gives its id."""
    browser.open(running.merchant + "/orders")
    assert "Nothing to ship at the moment." in browser.text
    browser.fill(orders="40")
    browser.press("Generate")
    assert "orders were generated." in browser.text
    browser.open("/orders")
    order = browser.first("main table a").text
    browser.press(order)
    browser.fill(tracking_number=TRACKING)
    carrier = browser.first("select[name=tracking_provider] option:nth-child(2)")
    carrier.click()
    browser.press("Mark as shipped")
    assert "The order is marked as shipped." in browser.text
    assert TRACKING in browser.text
    return order


def arrived(met: Receivers, secret: str, order: str) -> list[Any]:
    """The messages about an order, each signed so that the published library takes it."""
    messages = [message for message in met.messages if message.path == "ok"]
    told = [Webhook(secret).verify(message.body, dict(message.headers)) for message in messages]
    return [one for one in told if order in json.dumps(one)]


def see_delivery(browser: Chromium, running: Program) -> None:
    """The latest message is found on the pages of webhooks with what came of it, and sent again."""
    browser.open(running.merchant + "/developer/webhooks")
    browser.press(browser.first("main table a").text)

    def is_delivered() -> bool:
        browser.open(browser.path)
        return "Delivered" in browser.text and "Waiting" not in browser.text

    wait_until(is_delivered, 60, "the receipt")
    browser.press(browser.first("main table a").text)
    assert "HTTP 2" in browser.text
    browser.press("Redeliver")
    assert "It is on its way." in browser.text

    def is_tried_twice() -> bool:
        browser.open(browser.path)
        return len(browser.driver.find_elements("css selector", "main table tbody tr")) == 2

    wait_until(is_tried_twice, 60, "the second attempt")
    for dark in (False, True):
        browser.show(PHONE, dark=dark)
        assert browser.audit() == []
    browser.show()


def test_from_signing_up_to_a_signed_webhook(browser: Chromium) -> None:
    with receivers({}) as met, serving(egress_allow=json.dumps([f"127.0.0.1:{met.port}"])) as running:
        sign_up(browser, running)
        token = let_in(browser, running, met.url("callback"))
        assert curl(running.merchant, "/api/v2/auth_test", token)["merchant_username"] == "Ida's Corner"
        see_call(browser, running, token)
        browser.open(running.merchant + "/apps")
        assert "Connector" in browser.text
        fill_shop(running, token)
        subscribed = curl(
            running.merchant, "/api/v3/webhook/subscriptions", token, topic_id="6", endpoint=met.url("ok")
        )
        order = fulfil_one(browser, running)
        wait_until(lambda: bool(arrived(met, subscribed["secret"], order)), 60, "a webhook")
        assert re.fullmatch(r"[0-9a-f]{24}", order)
        see_delivery(browser, running)
        browser.open("/developer/tokens")
        assert "Connector" in browser.text
        assert curl(running.merchant, f"/api/v2/order?id={order}", token)["Order"]["tracking_number"] == TRACKING
        assert browser.complaints() == []
        assert running.stop() == 0
