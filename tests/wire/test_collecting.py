"""A large parameter is read while it arrives, in every kind of body, by the rules that hold for all the others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.wire.test_forms import FORM, JSON, MULTIPART, collect, fault, multipart, urlencoded
from tests.wire.test_json_rows import Rows
from tradepost.wire import refusals
from tradepost.wire.forms import MOST_FIELDS, MOST_KEPT, Parameters
from tradepost.wire.json_rows import JsonRows

COLLECTING = {"updates": JsonRows(1000, Rows)}
ROWS = [{"sku": f'字"\\{number}&=%+', "enabled": True, "x": [None, {"y": "]}"}]} for number in range(30)]
TEXT = json.dumps(ROWS, ensure_ascii=False)
OTHERS = {"a": "1 & 2", "b": "字", "empty": ""}


def read(body: bytes | str, headers: str = FORM, query: bytes = b"", piece: int = 7) -> Parameters:
    data = body if isinstance(body, bytes) else body.encode()
    return collect(query=query, body=data, headers=headers, collecting=COLLECTING, piece=piece)


def bodies(text: str = TEXT, others: Mapping[str, str] = OTHERS) -> list[tuple[bytes, str]]:
    """The same parameters in every kind of body."""
    values = {**others, "updates": text, "last": "z"}
    with_array = json.dumps({**values, "updates": 0}).replace('"updates": 0', f'"updates": {text}')
    return [
        (urlencoded(values), FORM),
        ("&".join(f"{name}={quote_plus(value)}" for name, value in values.items()).encode(), FORM),
        (multipart(values), MULTIPART),
        (json.dumps(values).encode(), JSON),
        (json.dumps(values, ensure_ascii=False, indent=1).encode(), JSON),
        (with_array.encode(), JSON),
    ]


@pytest.mark.parametrize("piece", [1, 2, 3, 1000, 1 << 20])
@pytest.mark.parametrize("way", range(6))
def test_all_ways_of_sending_mean_the_same(way: int, piece: int) -> None:
    body, headers = bodies()[way]
    given = read(body, headers, piece=piece)
    assert given.collected == {"updates": ROWS}
    assert given.names() == {"a", "b", "empty", "updates", "last"}
    assert given.given("updates")
    assert [given.take(name) for name in ("a", "b", "empty", "last")] == ["1 & 2", "字", "", "z"]


@pytest.mark.parametrize("way", range(5))
def test_an_empty_value_is_not_given(way: int) -> None:
    body, headers = bodies("")[way]
    given = read(body, headers)
    assert given.collected == {}
    assert (given.take("updates"), given.given("updates")) == ("", True)
    given = read(body, headers, query=b"updates=[1]")
    assert given.take("updates") == "[1]"


@pytest.mark.parametrize("body", ['{"updates": null}', "{}", '{"updates": ""}'])
def test_nothing_in_a_json_body_is_not_given(body: str) -> None:
    given = read(body, JSON)
    assert (given.collected, given.take("updates")) == ({}, "")


@pytest.mark.parametrize("way", range(6))
def test_query_and_body_must_agree(way: int) -> None:
    text = '[{"a":"字"}]'
    body, headers = bodies(text)[way]
    assert read(body, headers, query=urlencoded({"updates": text})).collected == {"updates": [{"a": "字"}]}
    for other in ('[{"a":"字"}', '[{"a":"字"}] ', '[{"a":"x"}]', "x"):
        given = read(body, headers, query=urlencoded({"updates": other}))
        assert isinstance(fault(given, "updates"), refusals.PlacesDisagree)
        assert given.take("last") == "z"


@pytest.mark.parametrize("way", range(6))
def test_what_is_wrong_with_the_value_is_told_of_its_name_only(way: int) -> None:
    body, headers = bodies('[{"a":"b"},{"a" 1}]')[way]
    given = read(body, headers)
    wrong = fault(given, "updates")
    assert isinstance(wrong, refusals.NotJson)
    assert (wrong.name, wrong.line, wrong.column) == ("updates", 1, 17)
    assert given.take("last") == "z"


def test_what_is_not_utf_8_is_told_of_its_name() -> None:
    for body, headers in ((b"updates=[%ff]&last=z", FORM), (b'{"updates": ["\xff"], "last": "z"}', JSON)):
        given = read(body, headers)
        assert isinstance(fault(given, "updates"), refusals.NotUtf8)
        assert given.take("last") == "z"


def test_the_same_name_twice_is_a_fault() -> None:
    parts = multipart({"updates": "[1]"})[: -len("--b--\r\n")]
    for body, headers in (
        (b"updates=[1]&a=b&updates=[1]", FORM),
        (parts + multipart({"updates": "[2]"}), MULTIPART),
    ):
        assert isinstance(fault(read(body, headers), "updates"), refusals.GivenTwice)
    with pytest.raises(refusals.JsonMalformed):
        read('{"updates": [1], "updates": "[2]"}', JSON)


def test_a_json_value_of_another_kind_is_no_list() -> None:
    for value, wrong in (('{"a": [1]}', refusals.NotRows), ('"x"', refusals.NotJson)):
        assert isinstance(fault(read(f'{{"updates": {value}}}', JSON), "updates"), wrong)
    for value in ("5", "true"):
        given = read(f'{{"updates": {value}}}', JSON)
        assert (given.take("updates"), given.collected) == (value, {})


def place(body: str, piece: int) -> tuple[int, int]:
    with pytest.raises(refusals.JsonMalformed) as caught:
        read(body, JSON, piece=piece)
    return caught.value.line, caught.value.column


@pytest.mark.parametrize("piece", [1, 5, 1000])
@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        ('{"updates": [1], "a": x}', 1, 23),
        ('{"updates": "[1, \\"字\\"]", "a": x}', 1, 32),
        ('{"updates": [1,\n "字"], "a": x}', 2, 13),
        ('{"updates": [1],\n "a": x}', 2, 7),
        ('{"a": "字", "updates": [1,\n2\n], "b": 1\n, x}', 4, 3),
        ('{"updates": [[[', 1, 16),
        ('{"updates": "[1', 1, 16),
        ('{"updates": [1]', 1, 16),
        ('{"updates": [1]}}', 1, 17),
        ('{"updates": "[\\x]"}', 1, 15),
        ('{"updates": "[\t]"}', 1, 15),
        ('{"字": 1, "updates": "[\\u00zz]"}', 1, 24),
        ('{"updates": [1], "a": 1, "a": 2}', 1, 1),
        ('{"updates" [1]}', 1, 12),
        ("{", 1, 2),
        ('{"updates": [1, ' + "[" * 40, 1, 48),
        ('{"a": "' + "x" * 5000 + '", "updates": [1], x}', 1, 5027),
    ],
)
def test_a_body_that_is_no_json_is_pointed_at(body: str, line: int, column: int, piece: int) -> None:
    assert place(body, piece) == (line, column)


pieces_of_json = st.sampled_from(
    [
        "{",
        "}",
        '"updates"',
        '"a"',
        ":",
        ",",
        "[",
        "]",
        '"x\\"y"',
        '"\\ud83d\\ude00"',
        '"\\ud83d"',
        "1",
        "\n",
        " ",
        '"',
    ]
)


@given(st.lists(pieces_of_json, max_size=14).map("".join), st.integers(1, 9))
@example('{"updates":"\\ud83d\\ude00"}', 1)
@example('{"updates":"\\\\ud83d"}', 2)
def test_any_body_is_cut_anywhere_with_the_same_outcome(body: str, piece: int) -> None:
    def outcome(size: int) -> Any:
        try:
            given = read(f'{{"updates":[1],{body}' if body.startswith('"') else body, JSON, piece=size)
        except refusals.Refusal as fact:
            return str(fact)
        told = {}
        for name in given.names():
            try:
                told[name] = given.take(name)
            except refusals.BadParameter as fact:
                told[name] = str(fact)
        return told, given.collected

    if body:
        assert outcome(piece) == outcome(1 << 20)


@pytest.mark.parametrize("size", [0, 70_000, 700_000, MOST_KEPT - 100])
def test_a_long_text_before_the_rows_changes_nothing(size: int) -> None:
    body = json.dumps({"x": "[{:" + "x" * size, "updates": ROWS})
    given = read(body, JSON, piece=1 << 12)
    assert given.collected == {"updates": json.loads(TEXT)}
    assert len(given.take("x")) == size + 3


@given(st.text(max_size=30), st.integers(1, 9))
def test_a_text_in_a_json_body_is_what_it_means(text: str, piece: int) -> None:
    rows = json.dumps([text])
    body = json.dumps({"updates": rows})
    assert read(body, JSON, piece=piece).collected == {"updates": [text]}


@pytest.mark.parametrize("size", [0, 1])
def test_what_is_not_collected_is_bounded(size: int) -> None:
    """Each kind of body may hold as much besides the rows as a whole body elsewhere."""
    for body, headers, used in (
        (f"updates=[1]&{quote('x')}=", FORM, len("updates") + 1),
        ('{"updates": [1], "x": "', JSON, len('{"updates": null, "x": ""}') - 4),
    ):
        whole = body + "y" * (MOST_KEPT - used + size) + ('"}' if headers == JSON else "")
        if size:
            with pytest.raises(refusals.FieldsTooLarge):
                read(whole, headers, piece=1 << 16)
        else:
            assert read(whole, headers, piece=1 << 16).collected == {"updates": ["1"]}
    with pytest.raises(refusals.FieldsTooLarge):
        read("n" * (MOST_KEPT + 1), piece=1 << 16)


def test_more_fields_than_anybody_needs_are_refused() -> None:
    for body in (b"a=1&" * MOST_FIELDS, b"&" * MOST_FIELDS):
        with pytest.raises(refusals.TooManyFields):
            read(body + b"updates=[1]")
    assert read(b"&" * (MOST_FIELDS - 1) + b"updates=[1]").collected


@pytest.mark.parametrize(
    ("body", "headers", "fact"),
    [
        (b"x", "text/plain", refusals.ContentTypeUnknown),
        (b"x", "multipart/form-data", refusals.BodyMalformed),
        (b"--b\r\n", MULTIPART, refusals.BodyMalformed),
        (b"[1]", JSON, refusals.BodyNotObject),
    ],
)
def test_a_body_of_another_kind_is_refused(body: bytes, headers: str, fact: type[refusals.Refusal]) -> None:
    with pytest.raises(fact):
        read(body, headers)
