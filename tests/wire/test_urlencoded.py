"""Escapes undone in pieces mean what they mean as a whole."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import quote_plus, unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tradepost.wire.urlencoded import Unescaper

# Mostly what escapes are made of, so that they come whole, cut, broken and doubled.
alphabet = st.sampled_from(
    [b"%", b"+", b"2", b"5", b"B", b"c", b"D", b"8", b"e5", b"x", b'"', b"%22", b"%25", b"%E5"]
)
escaped = st.lists(alphabet | st.binary(max_size=3), max_size=40).map(b"".join)


def in_pieces(data: bytes, cuts: list[int]) -> bytes:
    """What comes out where the data is cut at these places."""
    unescaper = Unescaper()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:end] for start, end in pairwise(places)]
    return b"".join([*map(unescaper.feed, pieces), unescaper.finish()])


@given(escaped, st.lists(st.integers(0, 10**6), max_size=12))
@example(b"%2%222%%22%252C%2%32C%%", [])
@example(b"%e5%AD%97%E5%AD%97%C3%28%ff%FF%2", [1, 2, 3, 7])
def test_pieces_mean_what_the_whole_means(data: bytes, cuts: list[int]) -> None:
    assert in_pieces(data, cuts) == unquote_to_bytes(data.replace(b"+", b" "))


@given(st.text(max_size=60), st.lists(st.integers(0, 10**6), max_size=12))
def test_what_is_escaped_comes_back(text: str, cuts: list[int]) -> None:
    assert in_pieces(quote_plus(text).encode(), cuts).decode() == text


@pytest.mark.parametrize("end", [b"%", b"%2", b"%z", b"%%", b"%2%"])
def test_an_escape_that_never_ends_stands_for_itself(end: bytes) -> None:
    assert in_pieces(b"a" + end, [1]) == b"a" + end
