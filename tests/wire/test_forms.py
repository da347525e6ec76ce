"""Parameters out of query and body: every way of sending them means the same, and strictness everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradepost.values import Fact
from tradepost.wire import refusals
from tradepost.wire.collecting import Collecting
from tradepost.wire.forms import MOST_FIELDS, Parameters, add_body, parse_query
from tradepost.wire.http_types import Request

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=b"
LIMIT = 1 << 20

# A name that every encoding can carry as it is, and any text for a value.
fields = st.dictionaries(
    st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.text(max_size=30).filter(lambda text: "--b" not in text)
)


def collect(
    query: bytes = b"",
    body: bytes = b"",
    headers: Mapping[str, str] | str = FORM,
    collecting: Mapping[str, Collecting] | None = None,
    piece: int = 7,
) -> Parameters:
    """What is given by a query and a body (with a content type, or headers); a stream comes in `piece` bytes."""

    async def read(limit: int) -> bytes:
        assert limit == LIMIT
        return body

    async def stream(limit: int) -> AsyncIterator[bytes]:
        assert limit == LIMIT
        for at in range(0, len(body), piece):
            yield body[at : at + piece]

    told = {"content-type": headers} if isinstance(headers, str) else headers
    request = Request(
        method="POST",
        path="/",
        query=query,
        headers={**({"content-length": str(len(body))} if body else {}), **told},
        scheme="https",
        host="merchant.example",
        client=None,
        read_body=read,
        stream_body=stream,
    )
    given = parse_query(query)
    asyncio.run(add_body(given, request, LIMIT, collecting))
    return given


def urlencoded(values: Mapping[str, str]) -> bytes:
    return "&".join(f"{name}={quote(value)}" for name, value in values.items()).encode()


def multipart(values: Mapping[str, str]) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in values.items()
    ]
    return ("".join(parts) + "--b--\r\n").encode()


def fault(given: Parameters, name: str) -> Fact:
    with pytest.raises(Fact) as caught:
        given.take(name)
    return caught.value


@given(fields)
def test_all_ways_of_sending_mean_the_same(values: dict[str, str]) -> None:
    ways = [
        collect(query=urlencoded(values)),
        collect(body=urlencoded(values)),
        collect(body=json.dumps(values).encode(), headers=JSON),
    ]
    if values:
        ways.append(collect(body=multipart(values), headers=MULTIPART))
    for way in ways:
        assert {name: way.take(name) for name in way.names()} == values


@given(fields, fields)
def test_query_and_body_are_merged_unless_they_disagree(query: dict[str, str], body: dict[str, str]) -> None:
    given = collect(query=urlencoded(query), body=urlencoded(body))
    assert given.names() == query.keys() | body.keys()
    for name in given.names():
        here, there = query.get(name, ""), body.get(name, "")
        if here and there and here != there:
            assert isinstance(fault(given, name), refusals.PlacesDisagree)
        else:
            assert given.take(name) == (here or there)


@given(st.binary(max_size=60))
def test_any_bytes_are_fields_or_faults(raw: bytes) -> None:
    for headers in (FORM, JSON, MULTIPART):
        try:
            given = collect(query=raw, body=raw, headers=headers)
        except refusals.Refusal:
            continue
        for name in given.names():
            with contextlib.suppress(refusals.BadParameter):
                assert isinstance(given.take(name), str)


def test_nothing_is_the_empty_text_and_not_given() -> None:
    given = collect(query=b"a=&b")
    assert (given.take("a"), given.given("a")) == ("", True)
    assert (given.take("b"), given.given("b")) == ("", True)
    assert (given.take("c"), given.given("c")) == ("", False)
    assert given.query_names == ("a", "b")


def test_the_same_name_twice_is_a_fault_of_that_name_only() -> None:
    given = collect(query=b"sku=a&sku=a&sku=&name=x")
    twice = fault(given, "sku")
    assert isinstance(twice, refusals.GivenTwice)
    assert (twice.name, twice.times) == ("sku", 3)
    assert given.take("name") == "x"


@pytest.mark.parametrize("raw", [b"%ff%fe", b"%c0%af", b"%ed%a0%80", b"\xff", b"caf%e9", b"%f0%9f%98"])
def test_what_is_not_utf_8_is_a_fault_of_its_name(raw: bytes) -> None:
    assert isinstance(fault(collect(query=b"name=" + raw), "name"), refusals.NotUtf8)
    assert isinstance(fault(collect(body=b"name=" + raw), "name"), refusals.NotUtf8)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a+b%20c", "a b c"),
        (b"%2B", "+"),
        (b"%2525", "%25"),
        (b"%u0041", "%u0041"),
        (b"%zz", "%zz"),
        (b"a;b=c", "a;b=c"),
    ],
)
def test_escapes_are_taken_once(raw: bytes, text: str) -> None:
    assert collect(query=b"name=" + raw).take("name") == text


@pytest.mark.parametrize("separator", [b"a=1&", b"&"])
def test_more_fields_than_anybody_needs_are_refused(separator: bytes) -> None:
    collect(body=separator * (MOST_FIELDS - 1) + b"b=1")
    with pytest.raises(refusals.TooManyFields):
        collect(body=separator * MOST_FIELDS + b"b=1")


def test_more_json_fields_or_parts_than_anybody_needs_are_refused() -> None:
    values = {f"f{at}": "1" for at in range(MOST_FIELDS + 1)}
    for body, headers in ((json.dumps(values).encode(), JSON), (multipart(values), MULTIPART)):
        with pytest.raises(refusals.TooManyFields):
            collect(body=body, headers=headers)
    values.popitem()
    for body, headers in ((json.dumps(values).encode(), JSON), (multipart(values), MULTIPART)):
        assert len(collect(body=body, headers=headers).names()) == MOST_FIELDS


@pytest.mark.parametrize(
    "headers",
    [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded; charset=latin-1",
        "application/json; charset=utf-16",
        "",
        {"content-type": FORM, "content-encoding": "gzip"},
    ],
)
def test_bodies_of_another_kind_are_refused(headers: Mapping[str, str] | str) -> None:
    with pytest.raises(refusals.ContentTypeUnknown):
        collect(body=b"a=1", headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        "Application/X-WWW-Form-URLencoded",
        'application/x-www-form-urlencoded; charset="UTF-8"',
        {"content-type": FORM, "content-encoding": "identity"},
    ],
)
def test_a_form_is_recognised(headers: Mapping[str, str] | str) -> None:
    assert collect(body=b"a=1", headers=headers).take("a") == "1"


@pytest.mark.parametrize("headers", ["application/json", "multipart/form-data", "nonsense"])
def test_a_content_type_without_a_body_means_nothing(headers: str) -> None:
    assert collect(query=b"a=1", headers=headers).names() == {"a"}


@pytest.mark.parametrize(
    "body", [b"", b"-", b"--b", b"--c--", b"--b\r\n", b"--b\r\nX: y\r\n\r\n1", b"\x00" * 9, b"a=1"]
)
def test_a_multipart_body_must_be_one(body: bytes) -> None:
    with pytest.raises(refusals.BodyMalformed):
        collect(body=body or b"\r\n", headers=MULTIPART)
    with pytest.raises(refusals.BodyMalformed):
        collect(body=multipart({"a": "1"}), headers="multipart/form-data")


def test_json_values_become_the_text_of_a_form() -> None:
    body = b'{"a": 1.50, "b": true, "c": null, "d": 1e400, "e": "x", "f": ' + b"9" * 5000 + b', "g": false}'
    given = collect(body=body, headers=JSON)
    assert [given.take(name) for name in "abcdeg"] == ["1.50", "true", "", "1e400", "x", "false"]
    assert given.take("f") == "9" * 5000


@pytest.mark.parametrize("value", ["[]", "[1]", '["a", "b"]'])
def test_a_json_list_is_no_value(value: str) -> None:
    given = collect(body=f'{{"a": {value}, "b": 1}}'.encode(), headers=JSON)
    assert isinstance(fault(given, "a"), refusals.NotOneValue)
    assert given.take("b") == "1"


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null"])
def test_a_json_body_must_be_an_object(body: bytes) -> None:
    with pytest.raises(refusals.BodyNotObject):
        collect(body=body, headers=JSON)


def test_a_json_body_that_does_not_parse_is_pointed_at() -> None:
    with pytest.raises(refusals.JsonMalformed) as caught:
        collect(body=b'{\n  "a": 1,\n  b: 2}', headers=JSON)
    assert (caught.value.line, caught.value.column) == (3, 3)
