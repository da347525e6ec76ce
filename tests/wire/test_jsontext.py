"""JSON as this wire takes it: numbers as their own text, nothing twice, nothing deep, a place for every fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradepost.wire.jsontext import MOST_DEPTH, JsonError, parse_json, parse_json_body

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


def with_number_texts(tree: Any) -> Any:
    """The tree with every number as the text that `json.dumps` writes it with."""
    if isinstance(tree, dict):
        return {name: with_number_texts(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [with_number_texts(item) for item in tree]
    if isinstance(tree, int | float) and not isinstance(tree, bool):
        return json.dumps(tree)
    return tree


@given(trees, st.booleans(), st.sampled_from([None, 1]))
def test_what_is_written_is_read_with_numbers_as_texts(tree: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(tree, ensure_ascii=ascii_only, indent=indent)
    assert parse_json(f" \r\n\t{text}\n") == with_number_texts(tree)


def place_of_fault(parse: Callable[[Any], Any], given: str | bytes) -> tuple[int, int] | None:
    """Line and column of what does not parse; None where everything does."""
    try:
        parse(given)
    except JsonError as error:
        return error.line, error.column
    return None


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    if place := place_of_fault(parse_json, text):
        line, column = place
        lines = text.split("\n")
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert min(place_of_fault(parse_json_body, body) or (1, 1)) >= 1


@pytest.mark.parametrize("number", ["-0", "1e400", "1E+5", "0.10", "9" * 5000, "-12.50"])
def test_a_number_keeps_its_text(number: str) -> None:
    assert parse_json(f'{{"n": {number}}}') == {"n": number}


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "NaN", "Infinity", "-Infinity", "[NaN]", '{"a":1,"a":2}', '{"x":{"a":1,"\\u0061":2}}', "{a:1}"),
        *("{'a':1}", "[1,]", "01", "+1", ".5", "5.", "0x1", "1_0", "１", '"a', '"\\x"', '"a\nb"', '"\x00"', "True"),
        *("nul", "{}{}", "{} x", "\u00a0{}", "\ufeff{}", "// x", "]", "}"),
    ],
)
def test_what_json_or_this_wire_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(JsonError):
        parse_json(text)


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_depth_has_an_end(start: str, end: str) -> None:
    levels = MOST_DEPTH // (start.count("[") + start.count("{"))
    parse_json(start * levels + "1" + end * levels)
    for text in (start * (levels + 1) + "1" + end * (levels + 1), start * 100_000):
        with pytest.raises(JsonError):
            parse_json(text)


def test_brackets_in_texts_are_not_depth() -> None:
    texts = ["[" * 1000, '\\"' + "{" * 1000, "]\\", '"']
    assert parse_json(json.dumps(texts)) == texts


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("x", 1, 1),
        ("\n\n  x", 3, 3),
        ('{"a": 1,\n "b" 2}', 2, 6),
        ("{}\n x", 2, 2),
        ("字字 ]", 1, 1),
        ("[" * 40, 1, 33),
    ],
)
def test_the_place_counts_lines_and_characters_from_one(text: str, line: int, column: int) -> None:
    with pytest.raises(JsonError) as caught:
        parse_json(text)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        (b"\xff", 1, 1),
        (b'{"a": "\xff"}', 1, 8),
        (b'{\n"a": "\xc0\xaf"}', 2, 7),
        ('{"字": "'.encode() + b'\xff"}', 1, 8),
        ('{"a": 1}'.encode("utf-16"), 1, 1),
        ('{"a": 1}'.encode("utf-16-le"), 1, 2),
    ],
)
def test_a_body_that_is_not_utf_8_is_pointed_at_in_characters(body: bytes, line: int, column: int) -> None:
    with pytest.raises(JsonError) as caught:
        parse_json_body(body)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_byte_order_mark_is_passed_over_once() -> None:
    assert parse_json_body('\ufeff{"a": "x"}'.encode()) == {"a": "x"}
    with pytest.raises(JsonError):
        parse_json_body("\ufeff\ufeff{}".encode())
