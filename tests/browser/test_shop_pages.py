"""Pages of a shop that do more, or are narrower, than their HTML alone can show."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from selenium.webdriver.common.by import By

from tests.browser.conftest import Sandbox
from tests.support.chromium import DESKTOP, PHONE, Chromium
from tests.support.program import wait_until

PLACE = "return document.getElementById('since').getBoundingClientRect().top"


@contextmanager
def nobody_works(sandbox: Sandbox) -> Iterator[None]:
    """Whatever is asked for meanwhile has to wait."""
    wait_until(lambda: sandbox.running.worker_pid() is not None, what="the worker")
    pid = sandbox.running.worker_pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def press(browser: Chromium, button: str) -> None:
    """Press a button that others have the words of."""
    browser.driver.execute_script("document.querySelector(arguments[0]).focus()", button)
    browser.enter()


def test_work_is_followed_and_whoever_does_something_else_is_left_alone(
    sandbox: Sandbox, browser: Chromium
) -> None:
    sandbox.sign_in(browser)
    browser.show(PHONE)
    browser.open("/files")
    driver = browser.driver
    with nobody_works(sandbox):
        press(browser, "form[action='/files/orders'] button")
        assert driver.find_elements(By.TAG_NAME, "progress")
        job = driver.find_element(By.CSS_SELECTOR, "tr[data-told]").get_attribute("id")
        driver.find_element(By.ID, "since").send_keys("05192021")
        driver.execute_script(
            "document.querySelector('tbody button').focus(); scrollTo(0, 300); window.stays = true"
        )
        before = driver.execute_script(PLACE)
    done = f"document.querySelector('#{job} a[download]')"
    wait_until(lambda: driver.execute_script(f"return {done} !== null"), 60, "the link")
    assert driver.execute_script("return window.stays"), "it is the page that was there"
    assert driver.find_element(By.ID, "since").get_attribute("value") == "2021-05-19"
    assert driver.execute_script(f"return document.activeElement === {done}"), (
        "it took the place of what had the focus"
    )
    assert abs(driver.execute_script(PLACE) - before) < 5, "what is being read stays where it is"
    assert driver.find_element(By.ID, "following-status").text == "Orders as a file: finished"
    assert not driver.find_elements(By.CSS_SELECTOR, "[data-from]"), "there is nothing to follow any more"
    assert browser.audit() == []


def test_whoever_stopped_following_has_no_script(sandbox: Sandbox, browser: Chromium) -> None:
    sandbox.sign_in(browser)
    browser.open("/files")
    with nobody_works(sandbox):
        driver = browser.driver
        press(browser, "form[action='/files/orders'] button")
        assert driver.find_elements(By.TAG_NAME, "script")
        browser.press("Stop updating")
        assert not driver.find_elements(By.TAG_NAME, "script")
        assert "Update by itself" in browser.text
        press(browser, "tbody form button")
        assert "cancelled" in browser.text


def test_amounts_and_their_currency_stay_whole_on_a_phone(sandbox: Sandbox, browser: Chromium) -> None:
    sandbox.sign_in(browser)
    browser.open("/products")
    browser.show(PHONE)
    product = next(link for link in browser.links() if link.startswith("/products/") and "new" not in link)
    for where in ("/products", product):
        browser.open(where)
        lines = browser.driver.execute_script(
            "return Array.from(document.querySelectorAll('td form .small'), one => one.getClientRects().length"
            " && one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).lineHeight))"
        )
        assert lines
        assert max(lines) < 1.5, where


def test_what_a_search_was_given_is_shown_as_it_was_written(sandbox: Sandbox, browser: Chromium) -> None:
    sandbox.sign_in(browser)
    for where in ("/calls?from=9.3.26&to=never&code=x", "/orders?view=all&from=9.3.26&to=never"):
        browser.open(where)
        assert browser.driver.find_element(By.ID, "from").get_attribute("value") == "9.3.26"
        assert browser.driver.find_element(By.ID, "to").get_attribute("value") == "never"
        for size in (DESKTOP, PHONE):
            browser.show(size)
            assert [line for line in browser.audit() if "400 (Bad Request)" not in line] == []


def test_the_matrix_of_each_warehouse_fits_a_phone(sandbox: Sandbox, browser: Chromium) -> None:
    sandbox.sign_in(browser)
    browser.open("/products")
    product = next(link for link in browser.links() if link.startswith("/products/") and "new" not in link)
    browser.open(f"{product}/shipping")
    browser.show(PHONE)
    assert browser.audit() == []
    browser.fill(warehouse="EXPRESS-US")
    browser.press("Show")
    assert browser.path == f"{product}/shipping?warehouse=EXPRESS-US"
    assert browser.audit() == []
    browser.fill(**{"price.US": "4.75"})
    browser.press("Save the shipping")
    assert "The shipping is saved." in browser.text
    assert browser.driver.find_element(By.NAME, "price.US").get_attribute("value") == "4.75"
