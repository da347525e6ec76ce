"""Without a mouse: signing in, letting an app in or not, another language, going out; the focus is always seen."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Sandbox
from tests.support.chromium import Chromium
from tests.support.receivers import Receivers, receivers


@pytest.fixture(scope="module")
def app() -> Iterator[Receivers]:
    """Where apps are led back to."""
    with receivers({}) as met:
        yield met


def add_app(sandbox: Sandbox, app: Receivers, owner: str, service: str) -> str:
    """A private app; gives its id."""
    words = ("app", "add", "Keys", "--redirect-uri", app.url("callback"), "--owner", owner, "--service", service)
    return dict(line.split() for line in sandbox.running.told(*words).splitlines())["client_id"]


@pytest.mark.parametrize(("who", "service"), [("merchants", "merchant"), ("wishpost", "wishpost")])
@pytest.mark.parametrize(("button", "told"), [("Allow", "code"), ("Refuse", "error")])
def test_an_app_is_let_in_or_not(
    sandbox: Sandbox, browser: Chromium, app: Receivers, who: str, service: str, button: str, told: str
) -> None:
    member = sandbox.member(who)
    client = add_app(sandbox, app, member["id"], service)
    base = sandbox.running.merchant if service == "merchant" else sandbox.running.wishpost
    back = quote(app.url("callback"), safe="")
    browser.open(
        f"{base}/v3/oauth/authorize?client_id={client}&response_type=code&redirect_uri={back}&state=as-it-was"
    )
    # The field for the address has the focus by itself.
    browser.type(member["email"], Keys.TAB, member["password"])
    browser.enter()
    assert "Let Keys in?" in browser.text
    browser.tab_to(button)
    browser.enter()
    answer = parse_qs(urlsplit(browser.driver.current_url).query)
    assert browser.driver.current_url.startswith(app.url("callback"))
    assert (told in answer, answer["state"]) == (True, ["as-it-was"])


def test_the_way_in_around_and_out(sandbox: Sandbox, browser: Chromium) -> None:
    member = sandbox.member()
    browser.open(sandbox.running.merchant + "/sign-in")
    browser.type("nobody@shop.example", Keys.TAB, "wrong")
    browser.enter()
    assert "The e-mail address or the password is wrong." in browser.text
    assert browser.driver.switch_to.active_element.get_attribute("name") == "password"
    browser.fill(email="", password="")
    browser.driver.find_element("name", "email").click()
    browser.type(member["email"], Keys.TAB, member["password"])
    browser.enter()
    assert member["name"] in browser.text
    browser.tab_to("Skip to the content")
    browser.type(Keys.ENTER)
    assert browser.driver.switch_to.active_element.get_attribute("id") == "main"
    browser.tab_to("Deutsch")
    browser.enter()
    assert browser.driver.execute_script("return document.documentElement.lang") == "de"
    browser.tab_to("English")
    browser.enter()
    browser.tab_to("Orders")
    browser.enter()
    assert browser.path.startswith("/orders")
    browser.tab_to("Sign out")
    browser.enter()
    assert browser.path.startswith("/sign-in")
    browser.open("/orders")
    assert browser.path.startswith("/sign-in")


def test_the_tab_key_comes_to_everything(sandbox: Sandbox, browser: Chromium) -> None:
    sandbox.sign_in(browser)
    for path in ("/", "/orders", "/apps", "/account"):
        browser.open(path)
        wanted = browser.driver.execute_script(
            "return Array.from(document.querySelectorAll("
            "'a[href], button, summary, input:not([type=hidden]), select, textarea'))"
            ".filter(one => one.checkVisibility() && !one.closest('details:not([open]) > :not(summary)')).length"
        )
        met = set()
        for _ in range(wanted + 30):
            browser.type(Keys.TAB)
            met.add(browser.driver.execute_script(_WHICH))
        met.discard(-1)
        assert len(met) == wanted, path


_WHICH = (
    "return Array.from(document.querySelectorAll("
    "'a[href], button, summary, input:not([type=hidden]), select, textarea')).indexOf(document.activeElement)"
)
