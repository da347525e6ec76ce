"""A kept call is what was sent: shown, copied and sent again letter by letter; or the page says that it is not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.pages.browser import Browser
from tests.pages.test_calls import call_id, flush, in_a_shell
from tests.pages.test_consent import _password as _password
from tests.pages.test_consent import signed_in
from tests.support.market import Market
from tradepost.surfaces.pages.developer import showing

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
UPDATE = "/api/v2/product/update"
WHOLE = "can be neither copied nor sent again"


def opened(market: Market, made: Any) -> Browser:
    """The page of a call in a sandbox."""
    market.let_pages_use(object())
    flush(market)
    browser = signed_in(market, where="/calls")
    assert browser.get(f"/calls/{call_id(made)}").status == 200
    return browser


def is_offered(browser: Browser) -> tuple[int, int]:
    """Whether the page has something to copy, and whether it sends the call again."""
    found = ("//pre[@aria-label='curl']", "//form[contains(@action, '/again')]")
    return len(browser.page.xpath(found[0])), len(browser.page.xpath(found[1]))


def refused(browser: Browser) -> bool:
    """Whether a call is not sent again by a form that the page of another one has."""
    here, other = browser.url, browser.market.get("/api/v2/product/multi-get", limit=1)
    flush(browser.market)
    browser.get(f"/calls/{call_id(other)}")
    seal = browser.page.xpath("//main//input[@name='seal']/@value")[0]
    answer = browser.send_to(f"{here}/again", f"seal={seal}".encode())
    return answer.status == 400 and "cannot be sent again" in browser.text


def product(market: Market) -> str:
    usd = market.world.merchants["usd"].account_id
    return str(market.sql("select id from product where merchant_id = $1 and removed_at is null limit 1", usd))


def description(market: Market, product_id: str) -> str:
    return str(market.sql("select description from product where id = $1", product_id))


def test_a_call_whose_query_is_kept_in_part_is_not_sent_again(market: Market) -> None:
    """Sent again it would change data: a description would end where the log does."""
    product_id, text = product(market), "x" * 9_003
    made = market.post(f"{UPDATE}?id={product_id}&description={text}")
    assert made.status == 200, made.body
    browser = opened(market, made)
    assert WHOLE in browser.text
    assert browser.text.index(WHOLE) < browser.text.index(text[:99]), "it is said before pages of what there is"
    assert is_offered(browser) == (0, 0)
    assert refused(browser)
    assert description(market, product_id) == text
    short = market.post(f"{UPDATE}?id={product_id}&description={'y' * 800}")
    browser = opened(market, short)
    assert WHOLE not in browser.text
    assert is_offered(browser) == (1, 1)


@pytest.mark.parametrize(
    ("target", "label"),
    [
        ("/api/v2/product/update?" + "id=1&" * 1_700, FORM),
        ("/api/v2/" + "x" * 600, FORM),
        (UPDATE, FORM + "; note=" + "x" * 200),
    ],
)
def test_whatever_is_cut_of_a_call_the_page_says_so(market: Market, target: str, label: str) -> None:
    browser = opened(market, market.request("POST", target, "usd", b"name=x", {"content-type": label}))
    assert WHOLE in browser.text
    assert is_offered(browser) == (0, 0)
    assert refused(browser)


PART = b'--edge\r\nContent-Disposition: form-data; name="description"\r\n\r\n\xff\xfe\r\n--edge--\r\n'


@pytest.mark.parametrize(
    ("query", "body", "label"),
    [
        ("", b"description=\xff\xfe", FORM),
        ("", b'{"description": "\xff\xfe"}', JSON),
        ("", PART, "multipart/form-data; boundary=edge"),
        ("", b'{"description": "\\u0061', JSON),
        ("", b"description=" + quote('{"a": "\\u0061').encode(), FORM),
        ("&description=" + quote('{"a": "\\u0061'), b"", FORM),
    ],
)
def test_what_stands_for_a_body_that_was_not_kept_is_never_sent(
    market: Market, query: str, body: bytes, label: str
) -> None:
    product_id = product(market)
    before = description(market, product_id)
    made = market.request("POST", f"{UPDATE}?id={product_id}{query}", "usd", body, {"content-type": label})
    before = description(market, product_id) if made.status == 200 else before
    browser = opened(market, made)
    assert "[not kept" in browser.text
    assert WHOLE in browser.text
    assert is_offered(browser) == (0, 0)
    assert refused(browser)
    assert description(market, product_id) == before


@pytest.mark.parametrize("query", ["access_token=%s&access_token=%s", "client_secret=x&x=%s", "a=%s"])
def test_a_call_that_needs_what_was_removed_from_its_query_is_not_sent_again(market: Market, query: str) -> None:
    token = market.token("usd")
    made = market.request("GET", f"/api/v2/product/multi-get?{query.replace('%s', token)}", "usd")
    browser = opened(market, made)
    assert WHOLE not in browser.text
    assert is_offered(browser) == (1, 0)
    assert refused(browser)


def test_bytes_that_are_no_text_are_sent_again_as_they_were(market: Market) -> None:
    """A letter that stands for them would be written into the product."""
    product_id = product(market)
    before = description(market, product_id)
    made = market.post(f"{UPDATE}?id={product_id}&description=%ff")
    assert made.status == 400
    browser = opened(market, made)
    browser.submit(0)
    assert "letter by letter" in browser.text
    assert description(market, product_id) == before


ODD = '{"sku":"no\\u0065 \\/","sku":"é","inventory":10000000000000000000001, "price" : 1.10, "x":[ ],"y":1E400}'


@pytest.mark.parametrize("secret", ["", '"access_token":"%s",', '"acc\\u0065ss_token" : "%s" , '])
def test_a_body_is_shown_letter_by_letter(market: Market, secret: str) -> None:
    """But for where it breaks its lines: doubled names, 1.10 and large numbers are what somebody looks for."""
    body = "{" + secret.replace("%s", market.token("usd")) + ODD[1:]
    made = market.request("POST", "/api/v2/variant/update-inventory", "usd", body.encode(), {"content-type": JSON})
    browser = opened(market, made)
    shown = browser.page.xpath("//section[@aria-labelledby='asked']/pre/text()")[0]
    for part in ('"sku": "no\\u0065 \\/"', '"sku": "é"', "10000000000000000000001", '"price": 1.10', "1E400"):
        assert part in shown, shown
    [line] = browser.page.xpath("//pre[@aria-label='curl']/text()")
    assert in_a_shell(line, TOKEN="t")[-1] == ODD


def test_only_the_token_of_the_object_itself_is_left_out(market: Market) -> None:
    token = market.token("usd")
    within = json.dumps({"a": {"access_token": token}, "access_token": token})
    made = market.request("POST", UPDATE, "usd", within.encode(), {"content-type": JSON})
    browser = opened(market, made)
    assert is_offered(browser) == (1, 0)
    assert refused(browser)


def test_xml_is_indented_and_nothing_else() -> None:
    text = "<?xml version=\"1.0\"?><a  b='>'><c> x\n\n y </c><d> </d><e/><f><g>&#10;1.10</g></f></a>\n"
    assert showing.pretty(text) == (
        "<?xml version=\"1.0\"?>\n<a  b='>'>\n  <c> x\n\n y </c>\n  <d> </d>\n  <e/>\n  <f>\n    <g>&#10;1.10</g>\n"
        "  </f>\n</a>\n"
    )
    for odd in ("<a><b></a>", "<!DOCTYPE a><a/>", '{"a": 1', "[" * 5_000, "x", ""):
        assert showing.pretty(odd) == odd


BODIES = ("@/etc/passwd", "@-", "a=1&b='\\n'\r\nc\td!", '--x\r\nX: "$HOME"\r\n\r\n\x01\x7f\r\n', "-d", "\\'$(id)\n")


@pytest.mark.parametrize("body", BODIES)
def test_what_is_copied_has_the_body_byte_by_byte(market: Market, body: str) -> None:
    kind = f"{FORM}; note='@x'"
    made = market.request("POST", f"{UPDATE}?d=[1-9]{{e}}", "usd", body.encode(), {"content-type": kind})
    browser = opened(market, made)
    [line] = browser.page.xpath("//pre[@aria-label='curl']/text()")
    *_, url, _, authorization, _, label, option, sent = in_a_shell(line, TOKEN="t")
    assert (option, sent) == ("--data-raw", body), "by any other option curl reads a file where @ begins it"
    assert (authorization, label) == ("Authorization: Bearer t", f"Content-Type: {kind}")
    assert url.endswith(f"{UPDATE}?d=%5B1-9%5D%7Be%7D"), "brackets and braces are patterns of curl"
    assert showing.address("/a [b]{c}?#", "d=[e]&f=%5B+é") == "/a%20%5Bb%5D%7Bc%7D%3F%23?d=%5Be%5D&f=%5B+%C3%A9"


@pytest.mark.parametrize("body", BODIES)
def test_what_the_explorer_gives_to_copy_has_the_body_byte_by_byte(body: str) -> None:
    line = showing.curl("POST", "https://shop.example/x", showing.json_options(body))
    assert in_a_shell(line, TOKEN="t")[-2:] == ["--data-raw", body]
    asked: dict[str, Any] = {}
    told = showing.python("POST", "https://shop.example/x", [("a", "@b")], [], body, has_token=False)
    stub = "class requests:\n def request(method, url, **more):\n  asked.update(more)\n  raise SystemExit\n"
    with pytest.raises(SystemExit):
        exec(told.replace("import requests\n", stub), {"asked": asked})
    assert (asked["data"], asked["params"]) == (body.encode(), {"a": "@b"})
    [option, field] = in_a_shell(f"curl {showing.form_options([('name', body)])[0]}")
    assert (option, field) == ("--data-urlencode", f"name={body}"), "= before @ is no file"
