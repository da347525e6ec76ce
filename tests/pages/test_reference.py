"""The reference on pages: every generated file is there, every link leads somewhere, nothing in it is markup."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest

from tests.pages.browser import Browser
from tests.pages.test_consent import _password as _password
from tests.pages.test_consent import signed_in
from tests.support.calls import SURFACES
from tests.support.market import Market
from tradepost.surfaces.pages.markdown import coded, document
from tradepost.wire.describe import operations_of

WHERE = "/developer/reference"
DOCS = Path(__file__).parents[2] / "docs"
services = pytest.mark.parametrize("service", ["merchant", "wishpost"])


def pages(service: str) -> dict[str, Path]:
    """Where each file of a service's reference is to be read."""
    folder = DOCS / {"merchant": "merchant-v2", "wishpost": "wishpost-v3"}[service]
    found = {f"{WHERE}/{file.stem}": file for file in folder.glob("*.md") if file.stem != "index"}
    found[WHERE] = folder / "index.md"
    if service == "wishpost":
        found[f"{WHERE}/v2"] = DOCS / "wishpost-v2" / "index.md"
    return found


def test_whoever_is_not_signed_in_sees_nothing(market: Market) -> None:
    browser = Browser(market)
    for where in (WHERE, f"{WHERE}/oauth"):
        browser.get(where)
        assert browser.url.endswith(f"/sign-in?next={where.replace('/', '%2F')}")


@services
def test_every_page_is_there_and_its_links_lead_somewhere(market: Market, service: str) -> None:
    browser = signed_in(market, service, where=WHERE)
    anchors: dict[str, set[str]] = {}
    links: set[str] = set()
    for where, file in pages(service).items():
        assert browser.get(where).status == 200, where
        markup = file.read_text(encoding="utf-8")
        assert browser.page.xpath("string(//h1)") == markup.partition("\n# ")[2].partition("\n")[0]
        ids = [str(one) for one in browser.page.xpath("//@id")]
        assert len(ids) == len(set(ids)), where
        assert not browser.page.xpath("//script|//iframe|//*[@onclick]|//@style")
        assert "<!--" not in browser.answer.body.decode()
        anchors[where] = set(ids)
        links |= {urljoin(where, link) for link in browser.page.xpath("//div[@class='reference']//a/@href")}
        text = browser.page.xpath("string(//div[@class='reference'])")
        assert text.count("```") == text.count("| --- |") == 0, where
        assert len(browser.page.xpath("//div[@class='reference']//pre")) == markup.count("\n```") // 2
        for row in browser.page.xpath("//div[@class='reference']//tbody/tr"):
            assert all(cell.get("data-label") is not None for cell in row.xpath("td"))
    for link in links:
        page, anchor = urldefrag(link)
        if page in anchors:
            assert not anchor or anchor in anchors[page], link
        else:
            assert page.startswith("/developer/explorer/"), link
            assert browser.get(page).status == 200, link


@services
def test_forms_and_reference_lead_to_each_other(market: Market, service: str) -> None:
    browser = signed_in(market, service, where=WHERE)
    for name, endpoint in operations_of(SURFACES[service]).items():
        form = f"/developer/explorer/{name}"
        browser.get(form)
        [told_at] = browser.page.xpath(f"//main//a[starts-with(@href, '{WHERE}')]/@href")
        page, anchor = urldefrag(told_at)
        browser.get(page)
        [heading] = browser.page.xpath(f"//h2[@id='{anchor}']")
        assert heading.text_content() == endpoint.title
        assert heading.xpath("following-sibling::p[1]/a/@href") == [form]


@pytest.mark.parametrize("name", ["nothing", "..%2findex", "index.md", "%00"])
def test_what_is_no_page_is_not_there(market: Market, name: str) -> None:
    browser = signed_in(market, where=WHERE)
    assert browser.get(f"{WHERE}/{name}").status == 404


def test_what_stands_between_backticks_is_code_and_the_rest_is_text() -> None:
    assert str(coded("`a<b` & *c* <i>, `d")) == "<code>a&lt;b</code> &amp; *c* &lt;i&gt;, `d"
    assert str(coded("`` a`b ``\nc")) == "<code>a`b</code>\nc"


def test_a_document_has_no_markup_but_its_own() -> None:
    text = (
        "<!-- a comment -->\n\n# One `two`\n\n<details><summary>More &amp; <b>more</summary>\n\n"
        "<details><summary>a &lt;i> b</summary>\n\n```sh\n<x>\n```\n\n</details>\n\n"
        "<script>alert(1)</script>\n\na <img src=x onerror=y> b [c](javascript:d) [e](f.md#g)\n\n"
        "| H | I |\n| --- | --- |\n| j \\| k | <u> |\n"
    )
    told = str(document(text, lambda target: f"/{target}", {"one-two": "<p>beside</p>"}))
    for mark in ("<script", "<img", "<u>", "<b>", "<i>", "<!--", "comment"):
        assert mark not in told, mark
    assert 'href="javascript' not in told
    for part in (
        '<h1 id="one-two">One <code>two</code></h1>\n<p>beside</p>',
        "<details><summary>a &lt;i&gt; b</summary>",
        '<pre tabindex="0"><code>&lt;x&gt;\n</code></pre>',
        '<a href="/f.md#g">e</a>',
        '<th scope="col">H</th>',
        '<td data-label="H">j | k</td>',
    ):
        assert part in told, told
