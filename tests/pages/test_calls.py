"""The request log as a person sees it: searched, one call whole, and the same call once more."""

from __future__ import annotations

import json
import subprocess
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.pages.browser import Browser
from tests.pages.test_consent import _password as _password
from tests.pages.test_consent import signed_in
from tests.support.answer import Answer
from tests.support.market import Market


def call_id(answer: Answer) -> str:
    return answer.headers["wish-request-id"]


def seen(browser: Browser) -> list[str]:
    """The ids of the calls on the page."""
    return [str(link.get("href")).removeprefix("/calls/") for link in browser.page.xpath("//tbody//th/a")]


def flush(market: Market) -> None:
    market.run(market.calls.flush())


def test_whoever_is_not_signed_in_sees_nothing(market: Market) -> None:
    browser = Browser(market)
    answer = market.get("/api/v2/auth_test")
    flush(market)
    for where in ("/calls", f"/calls/{call_id(answer)}"):
        browser.get(where)
        assert browser.url.endswith(f"/sign-in?next={where.replace('/', '%2F')}")


def test_calls_are_listed_and_searched(market: Market) -> None:
    made = [
        market.get("/api/v2/product/multi-get", limit=1),
        market.get("/api/v2/product?id=0"),
        market.post("/api/v2/variant/update-inventory", sku="none", inventory=3),
        market.get("/api/v2/nothing"),
    ]
    theirs = market.get("/api/v2/auth_test", as_="cny")
    flush(market)
    browser = signed_in(market, where="/calls")
    browser.get("/calls")
    assert seen(browser) == [call_id(one) for one in reversed(made)]
    browser.get("/calls?q=product")
    assert seen(browser) == [call_id(made[1]), call_id(made[0])]
    browser.get("/calls?status=2")
    assert seen(browser) == [call_id(made[0])]
    browser.get("/calls?from=2020-01-01&to=2020-01-02")
    assert seen(browser) == []
    browser.get(f"/calls?q={call_id(made[3]).upper()}")
    assert browser.url.endswith(f"/calls/{call_id(made[3])}")
    assert browser.get(f"/calls/{call_id(theirs)}").status == 404, "another merchant's is not there"
    assert browser.get("/calls/x").status == 404


def test_an_app_is_chosen_by_its_name_and_a_code_by_its_number(market: Market) -> None:
    made = [market.get("/api/v2/product/multi-get", limit=1), market.get("/api/v2/product?id=0")]
    flush(market)
    usd = market.world.merchants["usd"].account_id
    app_id, name = market.sql("select array[a.id, a.name] from access_token t join app a on a.id = t.app_id "
                              "where t.account_id = $1 limit 1", usd)  # fmt: skip
    browser = signed_in(market, where="/calls")
    browser.get("/calls")
    choices = {one.get("value"): one.text for one in browser.page.xpath("//select[@name='app']/option")}
    assert choices[app_id] == name
    assert browser.page.xpath("//tbody//td[@data-label='App']")[0].text_content() == name
    browser.get(f"/calls?app={app_id}")
    assert len(seen(browser)) == 2
    assert browser.page.xpath("//select[@name='app']/option[@selected]/@value") == [app_id]
    browser.get(f"/calls?app={'0' * 24}")
    assert seen(browser) == []
    assert browser.page.xpath("//select[@name='app']/option[@selected]/text()") == ["0" * 24]
    code = made[1].json["code"]
    browser.get(f"/calls?code={code}")
    assert seen(browser) == [call_id(made[1])]
    browser.get(f"/calls/{call_id(made[0])}")
    assert name in browser.text


@pytest.mark.parametrize(
    ("field", "value"), [("from", "09.03.2026"), ("to", "2026-02-30"), ("code", "1004x"), ("code", "-1")]
)
def test_what_a_search_cannot_use_is_told_at_its_field(market: Market, field: str, value: str) -> None:
    market.get("/api/v2/product/multi-get", limit=1)
    flush(market)
    browser = signed_in(market, where="/calls")
    assert browser.get(f"/calls?{field}={value}").status == 400
    assert browser.page.xpath("//*[@aria-invalid='true']/@name") == [field]
    assert browser.page.xpath("//*[@aria-invalid='true']/@value") == [value]
    [told] = browser.page.xpath("//p[@class='wrong-text']/text()")
    assert value in told
    assert ("1004" if field == "code" else "2026-03-09") in told
    assert seen(browser) == []
    assert "No call is like this" not in browser.text
    assert browser.get(f"/calls?{field}=").status == 200


def in_a_shell(line: str, **variables: str) -> list[str]:
    """What a shell calls curl with."""
    told = "curl() { printf '%s\\0' \"$@\"; }\n" + line
    done = subprocess.run(["bash", "-uc", told], env=variables, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("kind", ["form", "json"])
def test_what_is_copied_needs_the_secrets_in_variables_and_says_so(market: Market, kind: str) -> None:
    secrets = {"client_secret": "it's", "Password": "x"}
    fields = {**secrets, "sku": "none $such", "inventory": "3", "note": market.token("usd")}
    body = json.dumps(fields).encode() if kind == "json" else urlencode(fields).encode()
    label = "application/json" if kind == "json" else "application/x-www-form-urlencoded"
    target = "/api/v2/variant/update-inventory?note=a%26b&code=77"
    made = market.request("POST", target, "usd", body, {"content-type": label})
    flush(market)
    browser = signed_in(market, where="/calls")
    browser.get(f"/calls/{call_id(made)}")
    names = browser.page.xpath("//details//p/code/text()")
    assert names == ["$TOKEN", "$CODE", "$CLIENT_SECRET", "$PASSWORD", "$SECRET"]
    [line] = browser.page.xpath("//pre[@aria-label='curl']/text()")
    values = {"TOKEN": "t", "CODE": "77", "CLIENT_SECRET": "its", "PASSWORD": "x", "SECRET": "s"}
    method, verb, url, *rest = in_a_shell(line, **values)
    assert (method, verb, url) == ("-X", "POST", browser.base + target)
    assert "Authorization: Bearer t" in rest
    read = json.loads if kind == "json" else lambda text: dict(parse_qsl(text))
    assert read(rest[-1]) == {**fields, "client_secret": "its", "note": "s"}


def test_pages_of_the_list_follow_each_other(market: Market) -> None:
    made = [call_id(market.get("/api/v2/auth_test")) for _ in range(60)]
    flush(market)
    browser = signed_in(market, where="/calls")
    browser.get("/calls")
    first = seen(browser)
    [following] = browser.page.xpath("//a[@rel='next']/@href")
    browser.get(following)
    assert first + seen(browser) == made[::-1]


def test_a_call_is_shown_whole_and_without_secrets(market: Market) -> None:
    token = market.token("usd")
    answer = market.post(
        f"/api/v2/variant/update-inventory?access_token={token}&locale=de", sku="none", inventory=3
    )
    flush(market)
    browser = signed_in(market, where="/calls")
    browser.get(f"/calls/{call_id(answer)}")
    assert token not in browser.answer.body.decode()
    assert "[removed]" in browser.text
    assert "sku=none&inventory=3" in browser.text
    assert answer.json["message"] in browser.text
    assert "update_inventory" in browser.text


@pytest.mark.parametrize("as_xml", [False, True])
def test_a_call_is_sent_again_as_the_merchant(market: Market, as_xml: bool) -> None:
    market.let_pages_use(object())
    usd = market.world.merchants["usd"].account_id
    living = "select sku from variation where merchant_id = $1 and sku not like '%removed%' order by sku limit 1"
    sku = market.sql(living, usd)
    target = f"/api/v2/variant/update-inventory{'?format=xml' if as_xml else ''}"
    made = market.post(target, sku=sku, inventory=41)
    market.sql("update stock set inventory = 7 where merchant_id = $1", usd)
    flush(market)
    browser = signed_in(market, where="/calls")
    browser.get(f"/calls/{call_id(made)}")
    browser.submit(0)  # the page has no other form
    assert browser.answer.status == 200
    assert browser.page.xpath("//section[@aria-labelledby='again']//span[text()='200']"), browser.text
    assert "letter by letter" in browser.text
    assert market.sql("select count(*) from stock where merchant_id = $1 and inventory = 41", usd) == 1


def _sent(token: str, kind: str) -> tuple[bytes, str]:
    """A call with its access token in the body, as connectors of all times have sent it, and what kind of body."""
    fields = {"access_token": token, "sku": "none such", "inventory": "3"}
    if kind == "json":
        return json.dumps(fields).encode(), "application/json"
    if kind == "parts":
        part = '--edge\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        text = "".join(part.format(name, value) for name, value in fields.items()) + "--edge--\r\n"
        return text.encode(), "multipart/form-data; boundary=edge"
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


@pytest.mark.parametrize("kind", ["form", "json", "parts"])
def test_a_call_with_its_token_in_the_body_is_whole_and_sent_again(market: Market, kind: str) -> None:
    market.let_pages_use(object())
    body, content_type = _sent(market.token("usd"), kind)
    target = "/api/v2/variant/update-inventory"
    made = market.request("POST", target, None, body, {"content-type": content_type})
    assert (made.status, made.json["code"]) == (400, 1004)
    flush(market)
    browser = signed_in(market, where="/calls")
    browser.get(f"/calls/{call_id(made)}")
    assert "the beginning of it" not in browser.text
    [shell] = browser.page.xpath("//pre[@aria-label='curl']/text()")
    assert "none" in shell
    assert "access_token" not in shell, "curl shows the token in its header, and nowhere else"
    browser.submit(0)
    assert browser.answer.status == 200
    assert "letter by letter" in browser.text, browser.text


def test_a_body_of_which_only_the_beginning_is_kept_says_so(market: Market) -> None:
    market.let_pages_use(object())
    made = market.post("/api/v2/variant/update-inventory", sku="none", inventory=3, access_token="x" * 20_000)
    flush(market)
    browser = signed_in(market, where="/calls")
    browser.get(f"/calls/{call_id(made)}")
    assert "the beginning of it" in browser.text
    assert not browser.page.xpath("//form[contains(@action, '/again')]")


def test_who_was_signed_out_before_sending_again_comes_back_to_the_call(market: Market) -> None:
    market.let_pages_use(object())
    made = market.get("/api/v2/product/multi-get", limit=1)
    flush(market)
    browser = signed_in(market, where="/calls")
    browser.get(f"/calls/{call_id(made)}")
    market.sql("update world_clock set fixed_at = fixed_at + interval '31 minutes'")
    browser.submit(0)
    assert browser.url.endswith(f"/sign-in?next=%2Fcalls%2F{call_id(made)}"), "no page is at where the form led"
