"""Partial answers: the expression, its errors, and a second interpreter of the grammar that must agree."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradepost.wire.fields import MOST_DEPTH, MOST_LENGTH, fields_of, parse_fields, select
from tradepost.wire.refusals import BadFields


class Info(msgspec.Struct):
    name: str
    size: int


class Item(msgspec.Struct):
    id: str
    info: Info
    infos: list[Info]


class Demo(msgspec.Struct):
    title: str
    words: list[str]
    item: Item
    items: list[Item]
    other: Info | None


INFO = {"name": "n", "size": 1}
ITEM = {"id": "1", "info": INFO, "infos": [INFO, {"name": "m", "size": 2}]}
TREE: dict[str, Any] = {"title": "demo", "words": ["a"], "item": ITEM, "items": [ITEM, ITEM], "other": INFO}

NOTHING = object()
Path = tuple[str, ...]


def partial(text: str, answer: Any = Demo, tree: Any = TREE) -> Any:
    return select(tree, parse_fields(text, answer))


def position_of_fault(text: str) -> int | None:
    """Where an expression cannot be followed; None where it can."""
    try:
        parse_fields(text, Demo)
    except BadFields as refusal:
        return refusal.position
    return None


# The second interpreter: an expression is a set of paths; a field stays if a path leads to it or through it.


def paths_of(text: str) -> list[Path]:
    """The paths that an expression of the grammar names; it must be one."""
    paths, rest = _read_list(text)
    assert not rest
    return paths


def _read_list(text: str) -> tuple[list[Path], str]:
    paths, text = _read_item(text)
    while text.startswith(","):
        more, text = _read_item(text[1:])
        paths += more
    return paths, text


def _read_item(text: str) -> tuple[list[Path], str]:
    name = text.replace("(", "/").replace(")", "/").replace(",", "/").partition("/")[0]
    text = text[len(name) :]
    below: list[Path] = [()]
    if text.startswith("/"):
        below, text = _read_item(text[1:])
    elif text.startswith("("):
        below, text = _read_list(text[1:])
        text = text.removeprefix(")")
    return [(name, *path) for path in below], text


def keep(value: Any, answer: Any, paths: list[Path]) -> Any:
    """What the paths keep of a value; NOTHING where they ask for more than a leaf has."""
    if () in paths:
        return value
    known = fields_of(answer)
    if known is None:
        return NOTHING
    if isinstance(value, list):
        return [keep(item, answer, paths) for item in value]
    kept = {}
    for name, inner in value.items():
        below = [path[1:] for path in paths if path[0] in (name, "*")]
        if below and (found := keep(inner, known[name], below)) is not NOTHING:
            kept[name] = found
    return kept


def expressions(answer: Any, depth: int = 0) -> st.SearchStrategy[str]:
    """Expressions of the grammar that fit an answer."""
    known = fields_of(answer) or {}

    def item(name: str) -> st.SearchStrategy[str]:
        inner = known[name]
        if depth > 2 or not fields_of(inner):
            return st.just(name)
        below = expressions(inner, depth + 1)
        single = (
            expressions(inner, depth + 1).filter(lambda text: _is_single(text)).map(lambda text: f"{name}/{text}")
        )
        return st.just(name) | single | below.map(lambda text: f"{name}({text})")

    star = st.sampled_from(["*", "*/*", "*/name", "*/id", "*(*)"] if depth == 0 else ["*"])
    one = st.sampled_from(sorted(known)).flatmap(item) | star
    return st.lists(one, min_size=1, max_size=3).map(",".join)


def _is_single(text: str) -> bool:
    level = 0
    for char in text:
        level += (char == "(") - (char == ")")
        if char == "," and level == 0:
            return False
    return True


@settings(max_examples=300)
@given(expressions(Demo))
def test_both_interpreters_agree(text: str) -> None:
    assert partial(text) == keep(TREE, Demo, paths_of(text)), text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("title", {"title": "demo"}),
        ("*", TREE),
        ("title,title", {"title": "demo"}),
        ("item", {"item": ITEM}),
        ("item/id", {"item": {"id": "1"}}),
        ("item/info/name", {"item": {"info": {"name": "n"}}}),
        ("item(id,info/name)", {"item": {"id": "1", "info": {"name": "n"}}}),
        ("item/id,item/info/name", {"item": {"id": "1", "info": {"name": "n"}}}),
        ("item/id,item", {"item": ITEM}),
        ("item,item/id", {"item": ITEM}),
        ("title,items(id,info/name)", {"title": "demo", "items": [{"id": "1", "info": {"name": "n"}}] * 2}),
        ("items/infos/name", {"items": [{"infos": [{"name": "n"}, {"name": "m"}]}] * 2}),
        ("item/*", {"item": ITEM}),
        ("item/info/*", {"item": {"info": INFO}}),
        ("words", {"words": ["a"]}),
        ("other/name", {"other": {"name": "n"}}),
    ],
)
def test_an_expression_selects(text: str, kept: Any) -> None:
    assert partial(text) == kept


def test_every_field_beside_one_of_them_keeps_both() -> None:
    assert partial("item/id,*/name")["item"] == {"id": "1"}
    assert partial("item/info/name,item/*/size")["item"] == {"info": INFO, "infos": [{"size": 1}, {"size": 2}]}


def test_a_field_of_every_field_is_not_asked_of_a_leaf() -> None:
    assert partial("*/id") == {"item": {"id": "1"}, "items": [{"id": "1"}, {"id": "1"}], "other": {}}


def test_a_list_of_answers_and_what_is_missing_in_them() -> None:
    assert partial("title", list[Demo], [TREE, TREE]) == [{"title": "demo"}] * 2
    assert partial("other/name", Demo, {"other": None}) == {"other": None}
    assert partial("other", Demo, {}) == {}


@pytest.mark.parametrize(
    ("text", "position"),
    [
        *(("", 1), (",", 1), ("title,", 7), (",title", 1), ("title,,words", 7), ("(", 1), (")", 1), ("/", 1)),
        *(
            ("title)", 6),
            ("item(", 6),
            ("item(id", 8),
            ("item()", 6),
            ("item/", 6),
            ("item//id", 6),
            ("item/(id)", 6),
        ),
        *((" title", 1), ("title ", 6), ("title, words", 7), ("Title", 1), ("nonsense", 1), ("title,nonsense", 7)),
        *(("item/nonsense", 6), ("item(id,nonsense)", 9), ("items/info/x", 12), ("**", 2), ("title*", 6), ("é", 1)),
        *(("title\x00", 6), ("title\n", 6), ("a" * MOST_LENGTH, 1), ("a" * (MOST_LENGTH + 1), MOST_LENGTH + 1)),
    ],
)
def test_what_cannot_be_followed_is_pointed_at_from_one(text: str, position: int) -> None:
    with pytest.raises(BadFields) as caught:
        parse_fields(text, Demo)
    assert (caught.value.name, caught.value.position) == ("fields", position)


@pytest.mark.parametrize("text", ["title/x", "words/x", "title(x)", "item/id/x", "*/nonsense", "*/*/*/*/*"])
def test_nothing_is_below_a_leaf(text: str) -> None:
    with pytest.raises(BadFields):
        parse_fields(text, Demo)


@pytest.mark.parametrize("text", ["item/" * (MOST_DEPTH + 2) + "id", "item(" * 400, "*/" * 900 + "*", "(" * 2000])
def test_depth_has_an_end(text: str) -> None:
    with pytest.raises(BadFields):
        parse_fields(text, Demo)


@given(st.text("titleinfo*,/() ", max_size=20) | st.text(max_size=20))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    position = position_of_fault(text)
    if position is None:
        assert isinstance(partial(text), dict)
    else:
        assert 1 <= position <= len(text) + 1


# The errors by a second reader of the grammar, which goes from word to word and knows only what may come next. An
# expression is refused where the first word stands that cannot be there; one that is good as such, where the first
# name begins that its level does not have, or that has nothing below it.

_WORD = re.compile("[A-Za-z0-9_]+|.", re.ASCII | re.DOTALL)


def place_of_error(text: str) -> int | None:
    """Where, counted from 1, an expression cannot be followed; None where it can."""
    levels: list[list[Any]] = [[Demo]]  # what the names of each open parenthesis may be fields of
    here = levels[0]  # the same behind a slash
    named: tuple[int, list[Any]] = (0, [])  # where the last name began, and what it may be
    wrong: int | None = None
    after_name = closed = False
    for word in _WORD.finditer(text):
        at, sign = word.start() + 1, word.group()
        is_name = sign == "*" or re.fullmatch("[A-Za-z0-9_]+", sign) is not None
        if not after_name and not closed:
            if not is_name:
                return at
            known = [fields for answer in here if (fields := fields_of(answer)) is not None]
            named = (at, [answer for fields in known for key, answer in fields.items() if sign in (key, "*")])
            wrong = wrong or (None if named[1] else at)
            after_name = True
        elif sign in "/(" and after_name:
            here = [answer for answer in named[1] if fields_of(answer) is not None]
            wrong = wrong or (None if here else named[0])
            levels += [here] if sign == "(" else []
            after_name = False
        elif sign == ",":
            here, after_name, closed = levels[-1], False, False
        elif sign == ")" and len(levels) > 1:
            levels.pop()
            after_name, closed = False, True
        else:
            return at
    if len(levels) > 1 or not (after_name or closed):
        return len(text) + 1
    return wrong


SIGNS = (
    "title",
    "words",
    "item",
    "items",
    "infos",
    "info",
    "id",
    "name",
    "other",
    "x",
    "*",
    ",",
    "/",
    "(",
    ")",
    " ",
)


@settings(max_examples=1000)
@given(st.lists(st.sampled_from(SIGNS), max_size=14).map("".join) | expressions(Demo))
def test_both_readers_find_the_same_error(text: str) -> None:
    assert position_of_fault(text) == place_of_error(text), text


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("item,item/nonsense", 11),
        ("item/id,nonsense,item/nonsense", 9),
        ("data,nonsense", 6),
        ("data/nonsense,title", 6),
        ("nonsense(", 10),
        ("nonsense,title/x", 1),
    ],
)
def test_the_first_error_counts_also_where_everything_is_asked_for(text: str, position: int) -> None:
    assert position_of_fault(text) == position


def test_the_fields_of_an_answer() -> None:
    assert list(fields_of(list[Item]) or {}) == ["id", "info", "infos"]
    assert list(fields_of(Info | None) or {}) == ["name", "size"]
    assert fields_of(list[str]) is None
    assert fields_of(int) is None
