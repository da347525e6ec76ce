"""JSON and XML say the same thing: every answer parses, and both hold the same tree."""

from __future__ import annotations

import asyncio
import json
import re
from ast import literal_eval
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.support.answer import Answer
from tests.support.calls import ENDPOINTS, caller, good_call, url
from tests.support.market import Market, World
from tests.support.xmltree import differences
from tradepost.wire.answers import Envelope, Ready, to_json, to_xml
from tradepost.wire.endpoint import Endpoint

ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
IN_PYTHON = ("/api/v2/oauth/access_token", "/api/v2/oauth/refresh_token")
"""What the original had no elements for."""
FRAME = {"message": "Message", "code": "Code", "data": "Data", "type": "Type"}

# A carriage return is no character of any answer (`clean_text`), and XML would read it as a line feed.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8) | st.sampled_from(
    ["id", "Product", "DHL Express", "1st", "a:b", "a&b", '"', "xml", "<", "entry"]
)
leaves = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | texts
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=15
)


def name_of(element: etree._Element) -> str:
    """What an element stands for: names that XML has no element for stand in an attribute."""
    return element.get("name") or element.tag


def assert_same(element: etree._Element, value: Any, item_name: str) -> None:
    """An element holds the same as a value of the JSON tree."""
    expected = list(_children(value, item_name))
    assert [name_of(child) for child in element] == [ILLEGAL.sub("\ufffd", name) for name, _ in expected]
    for child, (name, inner) in zip(element, expected, strict=True):
        assert_same(child, inner, name)
    if not isinstance(value, dict | list):
        assert (element.text or "") == ("" if value is None else ILLEGAL.sub("\ufffd", str(value)))


def _children(value: Any, item_name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        for item in value:
            yield from item.items() if isinstance(item, dict) and len(item) == 1 else [(item_name, item)]


@given(trees, texts, st.integers(0, 9999), st.none() | texts)
def test_both_formats_hold_the_same_tree(data: Any, message: str, code: int, kind: str | None) -> None:
    envelope = Envelope(message, code, data, type=msgspec.UNSET if kind is None else kind)
    tree = json.loads(to_json(envelope))
    assert tree["data"] == data
    root = etree.fromstring(to_xml(envelope))
    assert root.tag == "Response"
    found = {child.tag: child for child in root}
    for name in tree:
        assert_same(found[FRAME[name]], tree[name], "Item")
    assert ("Paging" in found) == isinstance(data, list)


@pytest.mark.parametrize("char", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_replaced(char: str) -> None:
    root = etree.fromstring(to_xml(Envelope(f"a{char}b", 1000, {f"n{char}": char})))
    assert root.findtext("Message") == "a\ufffdb"
    assert [(name_of(child), child.text) for child in root.iterfind("Data/*")] == [("n\ufffd", "\ufffd")]


@pytest.mark.parametrize("text", ["<b>&amp;</b>", "]]>", "<![CDATA[x]]>", "a\n\tb", "&#0;", "\u2028", "\x85", "😀"])
def test_markup_is_text(text: str) -> None:
    root = etree.fromstring(to_xml(Envelope(text, 0, {"name": text, text: text})))
    assert [root.findtext("Message"), root.findtext("Data/name")] == [text, text]


def test_the_frame_and_its_order() -> None:
    paging = {"next": "https://merchant.example/?a=1&b=2", "previous": "x"}
    xml = to_xml(Envelope("no", 1000, [], paging, "invalid_param")).decode()
    assert xml == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Message>no</Message><Code>1000</Code><Data></Data>'
        "<Paging><Next>https://merchant.example/?a=1&amp;b=2</Next><Previous>x</Previous></Paging>"
        "<Type>invalid_param</Type></Response>\n"
    )
    assert json.loads(to_json(Envelope("", 0, None))) == {"message": "", "code": 0, "data": None}


def test_an_item_of_several_names_keeps_to_itself() -> None:
    rows = [{"sku": "a", "code": 1}, {"sku": "b"}, {}, "c"]
    named = "<row><sku>a</sku><code>1</code></row><sku>b</sku><row></row><row>c</row>"
    assert (
        f"<Data><rows>{named.replace('row>', 'rows>')}</rows></Data>"
        in to_xml(Envelope("", 0, {"rows": rows})).decode()
    )
    assert f"<Data>{named.replace('row>', 'Item>')}</Data>" in to_xml(Envelope("", 0, rows)).decode()


def test_an_independent_reader_sees_what_is_not_wrapped() -> None:
    tree = {"message": "", "code": 0, "data": {"rows": [{"a": "1", "b": "2"}, "c"]}}
    xml = to_xml(Envelope("", 0, tree["data"]))
    assert differences(tree, xml) == []
    flat = xml.replace(b"<rows><a>1</a><b>2</b></rows>", b"<a>1</a><b>2</b>")
    assert flat != xml
    assert differences(tree, flat)
    assert differences(tree, xml.replace(b"rows>c</rows", b"row>c</row"))


def test_a_page_has_paging_wherever_its_list_stands() -> None:
    tree = Envelope("", 0, {"rows": []})
    assert b"<Paging></Paging>" in to_xml(tree, is_page=True)
    assert b"Paging" not in to_xml(tree)
    link = Envelope("", 0, {"rows": []}, {"next": "x"})
    assert to_xml(link, is_page=True).count(b"<Paging>") == 1


SECRETS = r"mp_[ar]t_\w{49}|whsec_[\w+/]{43}="


def _ask(loop: asyncio.Runner, market: Market, world: World, call: tuple[str, Endpoint], **more: str) -> Answer:
    """The answer to the good call of an endpoint, from a market that hands out the same ids each time."""
    service, endpoint = call
    transaction = market.connection.transaction()
    loop.run(transaction.start())
    try:
        fresh, params = Market(loop, market.connection, world), good_call(service, endpoint) | more
        target, who = f"{url(service, endpoint)}?{urlencode(params)}", caller(service)
        return fresh.request(endpoint.documented_method, target, who)
    finally:
        loop.run(transaction.rollback())


@pytest.mark.parametrize(
    "call", [c for c in ENDPOINTS if c[0] == "merchant" and not c[1].empty], ids=lambda call: call[1].path
)
def test_every_endpoint_says_the_same_in_both_formats(
    call: tuple[str, Endpoint], loop: asyncio.Runner, market: Market, world: World
) -> None:
    tree = _ask(loop, market, world, call).json
    answer = _ask(loop, market, world, call, format="xml")
    # Tokens and secrets are new each time.
    known = iter(re.findall(SECRETS.encode(), answer.body))
    tree = json.loads(re.sub(SECRETS, lambda _: next(known).decode(), json.dumps(tree)))
    root = etree.fromstring(answer.body)
    assert tree["code"] == 0
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    assert (root.findtext("Message"), root.findtext("Code")) == (tree["message"], "0")
    data = root.find("Data")
    assert data is not None
    if call[1].path in IN_PYTHON:
        assert len(data) == 0
        assert literal_eval(data.text or "") == tree["data"]
    else:
        assert_same(data, tree["data"], "Item")


def test_a_part_that_is_ready_stands_there_as_if_it_were_not() -> None:
    part = [{"Tag": {"id": "a&b", "name": "ä"}}, {"Tag": {"id": "c", "name": ""}}]
    plain, ready = Envelope("", 0, {"tags": part}), Envelope("", 0, {"tags": Ready(part)})
    assert to_json(plain) == to_json(ready)
    assert to_xml(plain) == to_xml(ready)
    for write in (to_json, to_xml):
        with pytest.raises(NotImplementedError):
            write(Envelope("", 0, object()))
