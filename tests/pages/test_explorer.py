"""The API explorer: a form for every endpoint, calls that are really sent, and calls that can be copied."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.pages.browser import Browser
from tests.pages.test_consent import _password as _password
from tests.pages.test_consent import signed_in
from tests.support.calls import RINGS, SURFACES, WEBHOOKS, good_call
from tests.support.market import MERCHANT_URL, Market
from tradepost.wire.endpoint import Endpoint

EXPLORER = "/developer/explorer"
API = SURFACES["merchant"]
HOSTILE = """<script>'"`$(touch x)\\ {{7*7}} & ö"""


@pytest.fixture
def browser(market: Market) -> Browser:
    market.let_pages_use(object())
    return signed_in(market, where=EXPLORER)


def fill(browser: Browser, name: str, /, **given: str) -> None:
    """Send the form of an endpoint; what is given goes by the names of its parameters."""
    browser.get(f"{EXPLORER}/{name}")
    again(browser, **given)


def again(browser: Browser, /, **given: str) -> None:
    as_ = {"answer_format": given.pop("answer_format")} if "answer_format" in given else {}
    browser.submit(0, **as_, **{f"p.{key}": value for key, value in given.items()})


def shown(browser: Browser, label: str) -> str:
    [text] = browser.page.xpath(f"//pre[@aria-labelledby='{label}']")
    return str(text.text_content())


def status(browser: Browser) -> str:
    [text] = browser.page.xpath("//section[@aria-labelledby='answered']//span[contains(@class, 'badge')]/text()")
    return str(text)


def test_whoever_is_not_signed_in_sees_nothing(market: Market) -> None:
    browser = Browser(market)
    for where in (EXPLORER, f"{EXPLORER}/auth_test"):
        browser.get(where)
        assert browser.url.endswith(f"/sign-in?next={where.replace('/', '%2F')}")


def test_every_endpoint_has_a_form_with_all_that_it_takes(browser: Browser) -> None:
    browser.get(EXPLORER)
    links = [str(link) for link in browser.page.xpath("//main//li/a/@href")]
    assert links == [f"{EXPLORER}/{endpoint.name}" for endpoint in by_chapter()]
    for endpoint in API.endpoints:
        assert browser.get(f"{EXPLORER}/{endpoint.name}").status == 200, endpoint.name
        fields = browser.page.xpath("//main//form//*[starts-with(@name, 'p.')]")
        assert [field.get("name") for field in fields] == [f"p.{param.name}" for param in endpoint.params]
        for field, param in zip(fields, endpoint.params, strict=True):
            [label] = browser.page.xpath(f"//label[@for='{field.get('id')}']")
            assert label.text_content().split()[0] == param.name
            assert (field.get("aria-required") == "true") is param.required
            offered = [option for option in field.xpath(".//option/@value") if option]
            assert offered == list(param.reader.schema().get("enum", ())), param.name


def by_chapter() -> list[Any]:
    chapters = list(dict.fromkeys(endpoint.chapter for endpoint in API.endpoints))
    return sorted(API.endpoints, key=lambda endpoint: chapters.index(endpoint.chapter))


def test_what_is_no_endpoint_is_not_there(browser: Browser) -> None:
    assert browser.get(f"{EXPLORER}/nothing").status == 404
    browser.get(f"{EXPLORER}/get_product")
    seal = browser.page.xpath("//main//input[@name='seal']/@value")[0]
    assert browser.send_to(f"{EXPLORER}/nothing", f"seal={seal}".encode()).status == 404


def test_nothing_is_sent_by_a_form_from_elsewhere(browser: Browser) -> None:
    assert browser.send_to(f"{EXPLORER}/update_inventory", b"p.sku=x&p.inventory=1").status == 403


@pytest.mark.parametrize("kind", ["json", "xml"])
def test_a_read_is_answered_as_the_merchant(market: Market, browser: Browser, kind: str) -> None:
    fill(browser, "get_product", id=RINGS["usd"][0], answer_format=kind)
    assert (browser.answer.status, status(browser)) == (200, "200")
    answer = shown(browser, "answered")
    assert answer.startswith('{\n  "message": "",\n  "code": 0' if kind == "json" else "<?xml")
    assert RINGS["usd"][0] in answer
    assert "Wish-Request-Id" in browser.text
    fill(browser, "get_product", id=RINGS["cny"][0])
    assert status(browser) != "200", "another merchant's is not his"


def test_a_write_is_done_and_kept(market: Market, browser: Browser) -> None:
    usd = market.world.merchants["usd"].account_id
    living = "select sku from variation where merchant_id = $1 and sku not like '%removed%' order by sku limit 1"
    sku = market.sql(living, usd)
    fill(browser, "update_inventory", sku=sku, inventory="4321")
    assert status(browser) == "200"
    assert market.sql("select count(*) from stock where merchant_id = $1 and inventory = 4321", usd) == 1


def test_a_bad_value_gets_the_error_of_the_api_and_stays(market: Market, browser: Browser) -> None:
    fill(browser, "update_inventory", sku="ring", inventory="many", answer_format="xml")
    told = market.post("/api/v2/variant/update-inventory", sku="ring", inventory="many")
    assert status(browser) == str(told.status)
    assert told.json["message"] in " ".join(shown(browser, "answered").split())
    values = {field.get("name"): field.get("value") for field in browser.page.xpath("//main//form//input")}
    assert (values["p.sku"], values["p.inventory"]) == ("ring", "many")
    assert browser.page.xpath("//option[@selected]/@value") == ["xml"]
    fill(browser, "update_inventory")
    assert "Missing parameter 'sku'." in shown(browser, "answered")


def test_what_stands_in_the_path_goes_there(browser: Browser) -> None:
    fill(browser, "get_subscription", id=WEBHOOKS["usd"])
    assert f"/api/v3/webhook/subscriptions/{WEBHOOKS['usd']}" in shown(browser, "curl")
    for nothing in ("", "..", "/"):
        again(browser, id=nothing)
        assert browser.answer.status == 400
        assert not browser.page.xpath("//pre")
        assert browser.page.xpath("//input[@name='p.id']/@aria-invalid") == ["true"]


def test_a_family_has_a_line_for_each_of_its_names(browser: Browser) -> None:
    fill(browser, "update_multi_shipping", id=RINGS["usd"][0], **{"<CC>": "US=3.50\r\n\r\n DE = 4 "})
    assert status(browser) == "200", shown(browser, "answered")
    assert "--data-urlencode US=3.50" in shown(browser, "curl")
    assert "--data-urlencode DE=4" in shown(browser, "curl")
    for wrong in ("US=1\nUS=2", "XX=1", "US"):
        again(browser, **{"<CC>": wrong})
        assert browser.answer.status == (200 if wrong == "US" else 400)
        assert browser.page.xpath("//textarea[@name='p.<CC>']")[0].text.strip() == wrong


def test_what_is_typed_is_text_wherever_it_is_shown(browser: Browser) -> None:
    fill(browser, "update_inventory", sku=HOSTILE, inventory="1")
    body = browser.answer.body.decode()
    assert "<script" not in body
    assert browser.page.xpath("//input[@name='p.sku']/@value") == [HOSTILE]
    assert HOSTILE in [field.text_content() for field in browser.page.xpath("//dd//code")]
    calls = [node for node in ast.walk(ast.parse(shown(browser, "python"))) if isinstance(node, ast.Call)]
    [data] = [word.value for call in calls for word in call.keywords if word.arg == "data"]
    assert ast.literal_eval(data) == {"sku": HOSTILE, "inventory": "1"}


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on this machine that writes down what it is asked."""
    asked: list[dict[str, Any]] = []

    class Taker(BaseHTTPRequestHandler):
        def take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kinds = {"authorization": self.headers["Authorization"], "content-type": self.headers["Content-Type"]}
            asked.append({"method": self.command, "path": self.path, "body": body, "headers": kinds})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = do_DELETE = take

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = HTTPServer(("127.0.0.1", 0), Taker)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("how", ["curl", "python"])
@pytest.mark.parametrize(
    ("name", "given", "method"),
    [
        ("update_inventory", {"sku": HOSTILE, "inventory": "1"}, "POST"),
        ("get_product", {"parent_sku": HOSTILE, "answer_format": "xml"}, "GET"),
        ("change_subscription", {"id": WEBHOOKS["usd"], "endpoint": "https://shop.example/a?b=c&d"}, "PUT"),
    ],
)
def test_what_is_copied_makes_the_very_call(
    market: Market, browser: Browser, how: str, name: str, given: dict[str, str], method: str
) -> None:
    fill(browser, name, **given)
    token = market.token("usd")
    assert token not in browser.answer.body.decode()
    with listening() as (base, asked):
        text = shown(browser, how).replace(MERCHANT_URL, base)
        command = ["sh", "-c", text] if how == "curl" else [sys.executable, "-c", text]
        made = {"PATH": os.environ["PATH"], "TOKEN": token, "NO_PROXY": "*", "no_proxy": "*"}
        subprocess.run(command, env=made, check=True, timeout=60, capture_output=True)
    [call] = asked
    assert call["method"] == method
    assert call["headers"]["authorization"] == f"Bearer {token}"
    said = dict(parse_qsl(call["body"].decode())) | dict(parse_qsl(urlsplit(call["path"]).query))
    fields = {key: value for key, value in given.items() if key not in ("answer_format", "id")}
    assert said == fields | ({"format": "xml"} if "answer_format" in given else {})
    headers = {key: value for key, value in call["headers"].items() if value}
    again = market.request(method, MERCHANT_URL + call["path"], None, call["body"], headers)
    assert again.status < 500
    if name != "change_subscription":  # which is the app's, and not sent from the page
        assert str(again.status) == status(browser)


def test_outside_of_a_sandbox_a_call_is_shown_and_not_sent(market: Market) -> None:
    usd = market.world.merchants["usd"].account_id
    browser = signed_in(market, where=EXPLORER)
    fill(browser, "update_inventory", sku="ring", inventory="4321")
    assert not browser.page.xpath("//section[@aria-labelledby='answered']")
    assert "This call was not sent." in browser.text
    assert "sku=ring" in shown(browser, "curl")
    assert market.sql("select count(*) from stock where merchant_id = $1 and inventory = 4321", usd) == 0


def test_what_is_sent_is_answered_by_every_endpoint(browser: Browser) -> None:
    answered = {}
    for endpoint in API.endpoints:
        given = {name: value for name, value in good_call("merchant", endpoint).items() if is_field(endpoint, name)}
        fill(browser, endpoint.name, **given)
        assert browser.answer.status == 200, (endpoint.name, browser.text)
        if browser.page.xpath("//section[@aria-labelledby='answered']"):
            answered[endpoint.name] = int(status(browser))
    assert not {name: code for name, code in answered.items() if code >= 500}
    told = {endpoint.name for endpoint in API.endpoints if endpoint.chapter not in ("oauth", "webhooks")}
    assert answered.keys() >= told
    assert list(answered.values()).count(200) > len(answered) / 2


def is_field(endpoint: Endpoint, name: str) -> bool:
    return any(param.name == name for param in endpoint.params)


def test_what_an_app_calls_with_its_secret_is_shown_and_not_sent(browser: Browser) -> None:
    fill(browser, "get_old_token", client_id="one", client_secret="two")
    assert not browser.page.xpath("//section[@aria-labelledby='answered']")
    assert "$TOKEN" not in shown(browser, "curl")
    assert "client_id=one" in shown(browser, "curl")
