"""A real Chromium without a window, driven as a person would, and an auditor of the pages that it shows."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.support.program import wait_until

LEAST_CONTRAST: Final = 4.5
"""WCAG 2.2, 1.4.3, of which the exception for large letters is not used."""
DESKTOP: Final = (1280, 900)
PHONE: Final = (360, 740)
LOUD: Final = ("SEVERE", "WARNING")
_ID = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24}|mp_[A-Za-z0-9_]+|\d+"
    r"|(?<=/explorer/)\w+|(?<=/reference/)\w+"
)
_SWITCHES: Final = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--lang=en",
)
_AUDIT: Final = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")


_LINKS = "return Array.from(document.links).filter(link => !link.hasAttribute('download')).map(link => link.href)"


class Chromium:
    """One browser; what it complains about is gathered until somebody asks."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    @property
    def path(self) -> str:
        """Where it is, with the query."""
        parts = urlsplit(self.driver.current_url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def text(self) -> str:
        """What a person reads."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def open(self, url: str) -> None:
        """Go to an address; one that begins with a slash is of the same place."""
        self.driver.get(urljoin(self.driver.current_url, url))

    def forget(self) -> None:
        """Be somebody who was never here."""
        self.driver.delete_all_cookies()

    def show(self, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> None:
        """Be a screen of a size in CSS pixels, light or dark."""
        width, height = size
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def first(self, selector: str) -> WebElement:
        """What a CSS selector finds first; where it finds nothing, the page is told."""
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        assert found, f"nothing is {selector!r} in {self.path}: {self.text!r}"
        return found[0]

    def field(self, label: str) -> WebElement:
        """The field that a label is of, found as people find it."""
        for found in self.driver.find_elements(By.TAG_NAME, "label"):
            if found.is_displayed() and found.text.removesuffix("*").strip() == label:
                return self.driver.find_element(By.ID, str(found.get_attribute("for")))
        raise AssertionError(f"no field is called {label!r} in {self.text!r}")

    def fill(self, **values: str) -> None:
        """Write into fields by their names."""
        for name, value in values.items():
            field = self.driver.find_element(By.NAME, name)
            if field.tag_name == "select":
                field.find_element(By.CSS_SELECTOR, f"option[value='{value}']").click()
            else:
                field.clear()
                field.send_keys(value)

    def press(self, words: str) -> None:
        """Press the button or follow the link of these words, and wait for the page that it leads to."""
        for kind in ("button", "a", "summary"):
            for found in self.driver.find_elements(By.TAG_NAME, kind):
                if found.is_displayed() and found.text.strip() == words:
                    self._leave(found.click)
                    return
        raise AssertionError(f"nothing says {words!r} in {self.text!r}")

    def type(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def enter(self) -> None:
        """Press Enter where the focus is, and wait for the page that it leads to."""
        self._leave(lambda: self.type(Keys.ENTER))

    def tab_to(self, words: str) -> None:
        """Press Tab until what has the focus says this; it has to be seen that it has it."""
        for _ in range(300):
            self.type(Keys.TAB)
            told = self.driver.execute_script(_FOCUS)
            if told is None:
                continue
            assert told["seen"], f"the focus on {told['says']!r} is not to be seen"
            if words in (told["says"], told["name"]):
                return
        raise AssertionError(f"the Tab key never comes to {words!r}")

    def complaints(self) -> list[str]:
        """What the console says since it was asked last."""
        return [f"{line['level']}: {line['message']}" for line in self._log() if line["level"] in LOUD]

    def _log(self) -> list[dict[str, Any]]:
        driver: Any = self.driver  # whose method tells no types
        return list(driver.get_log("browser"))

    def audit(self) -> list[str]:
        """What is wrong with the page: contrast, labels, names, headings, width, language, and the console."""
        found: list[str] = self.driver.execute_script(_AUDIT, LEAST_CONTRAST)
        return found + self.complaints()

    def links(self) -> list[str]:
        """The pages of the same place that this one leads to, with their queries; files are none."""
        here = urlsplit(self.driver.current_url)
        found = self.driver.execute_script(_LINKS)
        parts = (urlsplit(link) for link in found)
        return [p.path + (f"?{p.query}" if p.query else "") for p in parts if p.netloc == here.netloc]

    def _leave(self, action: Any) -> None:
        """Do something that leads to another page, and wait until that is there."""
        before = self.driver.find_element(By.TAG_NAME, "html")
        action()

        def is_there() -> bool:
            now = self.driver.find_elements(By.TAG_NAME, "html")
            ready = self.driver.execute_script("return document.readyState") == "complete"
            return ready and bool(now) and now[0] != before

        wait_until(is_there, 60, "another page")


_FOCUS: Final = """
    const at = document.activeElement;
    if (!at || at === document.body || at.id === "main") return null;
    const look = getComputedStyle(at);
    const seen = (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0) || look.boxShadow !== "none";
    return {says: (at.innerText || "").trim(), name: at.name || "", seen: seen};
"""


def kind_of(path: str) -> str:
    """Pages that differ in what they are about alone are of one kind."""
    return _ID.sub("…", path.partition("?")[0])


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser with a profile of its own, gone in the end. `make test` installs both programs."""
    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, found in programs.items() if found is None]
    assert not missing, f"{' and '.join(missing)} must be installed; `make browser` does that on Debian"
    with tempfile.TemporaryDirectory(prefix="tradepost-browser-", ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        options.binary_location = str(programs["chromium"])
        for switch in (*_SWITCHES, f"--user-data-dir={profile}", *(["--no-sandbox"] * (os.geteuid() == 0))):
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = Chrome(options, Service(str(programs["chromedriver"])))
        try:
            yield Chromium(driver)
        finally:
            driver.quit()
