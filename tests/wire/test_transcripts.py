"""Transcripts are read as they are written, and written as they were read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.transcripts import Case, TranscriptError, parse, render

TEXT = """\
# scene: shop_in_usd
# a product is found by its parent SKU
# whatever else it has
GET /api/v2/product?parent_sku=ring
=> 200
{
  "message": "",

  "code": 0
}

# the next case
POST /api/v2/product/update?format=xml
> Authorization: Bearer {usd}
> X-Empty:\x20
parent_sku=ring
name=Nicer = ring
upc=
=> 400
<?xml version="1.0" encoding="UTF-8"?>
<Response><Message># not a comment
# and neither this</Message></Response>

# scene: another_shop
# nothing comes back
GET /
=> 204
"""


def test_cases_are_read() -> None:
    first, second, third = parse(TEXT)
    assert first == Case(
        scene="shop_in_usd",
        comments=("a product is found by its parent SKU", "whatever else it has"),
        method="GET",
        target="/api/v2/product?parent_sku=ring",
        headers=(),
        fields=(),
        status=200,
        answer='{\n  "message": "",\n\n  "code": 0\n}',
    )
    assert not first.answer_is_xml
    assert second.scene == "shop_in_usd"
    assert second.headers == (("Authorization", "Bearer {usd}"), ("X-Empty", ""))
    assert second.fields == (("parent_sku", "ring"), ("name", "Nicer = ring"), ("upc", ""))
    assert second.status == 400
    assert second.answer_is_xml
    assert second.answer.endswith("\n# and neither this</Message></Response>")
    assert third.scene == "another_shop"
    assert third.answer == ""


def test_what_was_read_is_written_again() -> None:
    assert render(parse(TEXT)) == TEXT


def test_blank_lines_between_parts_mean_nothing() -> None:
    spread = "\n\n# one\n\nGET /a\n\n\nx=1\n\n=> 200\n\n{}\n\n\n\n# two\nGET /b\n=> 200\n{}\n\n"
    assert render(parse(spread)) == "# one\nGET /a\nx=1\n=> 200\n{}\n\n# two\nGET /b\n=> 200\n{}\n"


def test_nothing_is_no_case() -> None:
    assert parse("") == parse("\n \n") == []
    assert render([]) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GET /a\n=> 200\n", "line 1: a comment"),
        ("# one\nget /a\n=> 200\n", "line 2: a method and a path"),
        ("# one\n", "line 2: a method and a path is expected, and the text ends"),
        ("# one\nGET /a\nname\n=> 200\n", "line 3: a header, a field or the status"),
        ("# one\nGET /a\n=> ok\n", "line 3: a header, a field or the status"),
        ("# one\nGET /a\nx=1\n", "line 4: the status is expected, and the text ends"),
        (
            "# one\nGET /a\n=> 200\n<Response>\n# two\n",
            "line 6: </Response> or </root> is expected, and the text ends",
        ),
        ("# one\nGET /a\n=> 200\n<Response></Response>\nGET /b", "line 5: a comment"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, told: str) -> None:
    with pytest.raises(TranscriptError, match=told):
        parse(text)


def test_a_field_of_several_lines_is_refused() -> None:
    case = Case(None, ("one",), "POST", "/a", (), (("description", "two\nlines"),), 200, "{}")
    with pytest.raises(TranscriptError):
        render([case])


_line = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=9)
_name = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
_cases = st.builds(
    Case,
    scene=st.just("a_shop"),
    comments=st.lists(_line.filter(lambda text: not text.startswith("scene:")), min_size=1, max_size=3).map(tuple),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    target=_name.map("/api/v2/{}?x=1".format),
    headers=st.lists(st.tuples(_name, _line), max_size=2).map(tuple),
    fields=st.lists(st.tuples(_name, st.just("") | _line), max_size=3).map(tuple),
    status=st.integers(200, 599),
    answer=st.sampled_from(["", "{}", '{\n  "a": "# b"\n}', "<Response>\n# a\n\n</Response>"]),
)


@given(st.lists(_cases, max_size=4))
def test_any_cases_survive_the_way_there_and_back(cases: list[Case]) -> None:
    assert parse(render(cases)) == cases
