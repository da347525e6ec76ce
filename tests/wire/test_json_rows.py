"""An array of rows in pieces: every row as JSON means it, every fault with its place, and bounds for everything."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tradepost.values import Fact
from tradepost.wire import refusals
from tradepost.wire.collecting import Collecting
from tradepost.wire.json_rows import MOST_ROW, JsonNumber, JsonRows

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
cut_places = st.lists(st.integers(0, 10**6), max_size=12)


class Rows:
    """Keeps the rows as they come."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def add(self, row: Any) -> None:
        """One more."""
        self.rows.append(row)

    def done(self) -> list[Any]:
        """All of them."""
        return self.rows


READER = JsonRows(100, Rows)


def read(text: str | bytes, cuts: list[int] | range = range(0), reader: JsonRows = READER) -> Any:
    """The rows of a text that is cut at these places, in bytes."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    collector = reader.collector("updates")
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        collector.feed(data[start:end])
    return collector.finish()


def fault(text: str | bytes, cuts: list[int] | range = range(0), reader: JsonRows = READER) -> Fact:
    with pytest.raises(refusals.BadParameter) as caught:
        read(text, cuts, reader)
    assert caught.value.name == "updates"
    return caught.value


def place(text: str | bytes, cuts: list[int] | range = range(0)) -> tuple[int, int]:
    found = fault(text, cuts)
    assert isinstance(found, refusals.NotJson)
    return found.line, found.column


def marked(value: Any) -> Any:
    """A value with its numbers marked as such, to compare types as well."""
    if isinstance(value, dict):
        return {name: marked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [marked(inner) for inner in value]
    if isinstance(value, JsonNumber):
        return ("number", str(value))
    return value


def written(value: Any) -> Any:
    """A value as `marked` shows it after `json.dumps` wrote it."""
    if isinstance(value, dict):
        return {name: written(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [written(inner) for inner in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ("number", json.dumps(value))
    return value


@given(st.lists(values, min_size=1, max_size=6), cut_places, st.booleans(), st.sampled_from([None, 1]))
def test_rows_come_as_they_are_written(
    rows: list[Any], cuts: list[int], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(rows, ensure_ascii=ascii_only, indent=indent)
    assert marked(read(f"\n {text}\t ", cuts)) == written(rows)


@given(
    st.lists(values, min_size=1, max_size=4),
    st.integers(0, 10**6),
    st.integers(0, 3),
    st.text('[]{}",:\\ \n1-.eEutfn字x', max_size=3),
    cut_places,
)
@example(["a"], 3, 2, "", [])
def test_what_is_wrong_is_found_where_the_library_finds_it(
    rows: list[Any], at: int, less: int, more: str, cuts: list[int]
) -> None:
    whole = json.dumps(rows, ensure_ascii=False)
    at %= len(whole)
    text = whole[:at] + more + whole[at + less :]
    assume(text.lstrip(" \n").startswith("["))
    repeated = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        repeated.append(len(dict(pairs)) != len(pairs))
        return dict(pairs)

    found, expected = [], None
    try:
        found = json.loads(text, object_pairs_hook=once, parse_int=JsonNumber, parse_float=JsonNumber)
    except json.JSONDecodeError as error:
        assume(not any(repeated))
        expected = error.lineno, error.colno
    if re.match(r"\s*\[[ \n]*\]", text):
        assert isinstance(fault(text, cuts), refusals.NotRows)
    elif expected is not None:
        assert place(text, cuts) == place(text) == expected
    elif any(repeated):
        assert isinstance(fault(text, cuts), refusals.NotJson)
    else:
        assert marked(read(text, cuts)) == marked(found)


@pytest.mark.parametrize(
    "row", ['{"a":1,"a":2}', '{"b":{"a":1,"\\u0061":2}}', "NaN", '{"a":-Infinity}', "[Infinity]"]
)
def test_names_twice_and_numbers_that_are_none_are_found_at_their_row(row: str) -> None:
    text = '[{"a":1},\n ' + row + "]"
    for cuts in (range(0), range(len(text))):
        assert place(text, cuts) == (2, 2)


def test_the_place_is_exact_behind_many_rows() -> None:
    lines = [f'{{"sku": "字{number}", "inventory": {number}}},\n' for number in range(90)]
    text = "[" + "".join(lines) + '{"sku": "字", "inventory" 3}]'
    assert place(text, range(0, 10**6, 777)) == place(text) == (91, 26)
    assert place(text.replace("\n", ""))[0] == 1


@pytest.mark.parametrize("text", ["[]", " [ ] ", "{}", '{"a": [1]}', '"[1]"', "1", "-1", "true", "null", "[\n]"])
def test_what_is_no_list_or_has_nothing_in_it(text: str) -> None:
    for cuts in (range(0), range(len(text))):
        assert isinstance(fault(text, cuts), refusals.NotRows)


@pytest.mark.parametrize(
    ("text", "column"), [("x", 1), (" ", 2), ("]", 1), ("\ufeff[1]", 1), ("[1]]", 4), ("[1],", 4)]
)
def test_what_is_no_json(text: str, column: int) -> None:
    for cuts in (range(0), range(len(text))):
        assert place(text, cuts) == (1, column)


@pytest.mark.parametrize("data", [b'["\xff"]', b'["\xed\xa0\x80"]', b"[1]\xff", b'["\xe5\xad', b"\xfe\xff"])
def test_what_is_not_utf_8(data: bytes) -> None:
    for cuts in (range(0), range(len(data))):
        assert isinstance(fault(data, cuts), refusals.NotUtf8)


def test_the_number_of_rows_has_an_end() -> None:
    assert len(read(json.dumps([{}] * 100))) == 100
    for text in (json.dumps([{}] * 101), "[" + "{}," * 101):
        found = fault(text)
        assert isinstance(found, refusals.TooManyRows)
        assert found.limit == 100


@pytest.mark.parametrize("piece", [1 << 13, 1 << 22])
def test_the_length_of_a_row_has_an_end(piece: int) -> None:
    full = "x" * (MOST_ROW - 2)
    text = f'["first", "{full}"]'
    cuts = range(0, len(text), piece)
    assert read(text, cuts) == ["first", full]
    for longer in (text.replace('x"', 'xx"'), f'["first", "{full}xxxx'):
        found = fault(longer, cuts)
        assert isinstance(found, refusals.RowTooLarge)
        assert (found.row, found.limit) == (2, MOST_ROW)


def test_blanks_between_rows_are_no_row() -> None:
    blanks = " \n" * MOST_ROW
    text = f"{blanks}[{blanks}1,{blanks}2]{blanks}"
    assert read(text, range(0, len(text), 1 << 14)) == ["1", "2"]


def test_depth_has_an_end() -> None:
    deep = "[" * 31 + "]" * 31
    assert read(f"[{deep}, {deep}]")
    assert read('["' + "[" * 100 + '"]') == ["[" * 100]
    assert place(f"[1, [{deep}]]") == (1, 36)
    for endless in ("[" * 100_000, '[{"a":' * 50_000):
        assert isinstance(fault(endless, range(0, len(endless), 1 << 13)), refusals.NotJson)


def test_a_taker_can_refuse() -> None:
    class Picky(Rows):
        def add(self, row: Any) -> None:
            raise refusals.BadItem(name="updates", item=str(row))

    assert isinstance(fault("[1, 2]", reader=JsonRows(3, Picky)), refusals.BadItem)


def test_a_value_of_the_query_is_read_as_well() -> None:
    assert isinstance(READER, Collecting)
    assert READER.read("updates", '[{"sku": "字"}]') == [{"sku": "字"}]
    assert READER.schema()["description"] == "an array of 1 to 100 objects"
