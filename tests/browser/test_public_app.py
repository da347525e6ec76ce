"""A public app as its developer and an operator see it in a browser: made, refused, verified, deleted."""

from __future__ import annotations

from tests.browser.conftest import Sandbox
from tests.support.chromium import PHONE, Chromium

BACK = "https://connector.example/back"
WHY = "Whose is connector.example?"


def audit(browser: Chromium) -> None:
    """The page can be read in the light, in the dark and on a phone."""
    for dark in (False, True):
        browser.show(PHONE, dark=dark)
        assert browser.audit() == [], browser.path
    browser.show()
    assert browser.audit() == [], browser.path


def state(browser: Chromium, path: str) -> str:
    """How an app stands, by the badge beside its name."""
    browser.open(path)
    return str(browser.first("main .head .badge").text)


def test_a_public_app_waits_for_an_operator(sandbox: Sandbox, browser: Chromium) -> None:
    base = sandbox.running.merchant
    sandbox.sign_in(browser)
    browser.open(base + "/developer/apps")
    browser.fill(app_name="Everybody's connector", kind="public", redirect_uris="http://connector.example")
    browser.press("Make the app")
    assert "One of these is no https URL" in browser.text
    browser.complaints()  # about the status of what was refused
    audit(browser)
    browser.fill(redirect_uris=BACK)
    browser.press("Make the app")
    app_id, _ = (found.text for found in browser.driver.find_elements("css selector", "main dd code"))
    audit(browser)
    browser.press("I have kept it")
    page = f"{base}/developer/apps/{app_id}"
    assert state(browser, page) == "Not verified"
    browser.press("Ask for verification")
    assert "The marketplace looks at it and answers here and by mail." in browser.text
    assert state(browser, page) == "Waits for verification"
    browser.open(f"{base}/v3/oauth/authorize?client_id={app_id}")
    assert "Nobody else can let it in yet." in browser.text
    audit(browser)

    sandbox.sign_in(browser, "operators")
    browser.press("1\nApps to verify")
    browser.press("Everybody's connector")
    desk = browser.path
    audit(browser)
    browser.fill(reason=WHY)
    browser.press("Refuse")
    assert state(browser, base + desk) == "Refused"

    assert state(browser, page) == "Not verified: refused"
    assert WHY in browser.text
    audit(browser)
    browser.press("Ask again")
    browser.open(base + desk)
    browser.press("Verify")
    assert state(browser, base + desk) == "Verified"
    assert state(browser, page) == "Verified"
    browser.open(f"{base}/v3/oauth/authorize?client_id={app_id}")
    assert "Verified by the marketplace" in browser.text

    browser.open(page)
    browser.press("New secret")
    browser.open(page)
    browser.press("End the former secret now")
    assert "The former secret is good no more." in browser.text
    browser.complaints()
    browser.press("Delete the app")
    assert "The app is deleted." in browser.text
    assert app_id not in browser.driver.page_source
    assert browser.complaints() == []
