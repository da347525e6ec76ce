"""The lines of a CSV stream end with CR LF, however the stream is cut, and texts stay as they are."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradepost.domain.downloads.lines import Lines

cells = st.text(st.sampled_from('ab,"\n\r戒') | st.characters(codec="utf-8"), max_size=6)
tables = st.lists(st.lists(cells, min_size=2, max_size=4), max_size=6)


def written(table: list[list[str]], ending: str) -> bytes:
    """A file as the database makes it, with quotes where a cell needs them."""

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text

    return "".join(",".join(map(cell, row)) + ending for row in table).encode()


def ended(lines: Lines, stream: bytes, cuts: list[int]) -> bytes:
    """The stream in pieces, cut at these places, joined again."""
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return b"".join(lines.end(stream[start:end]) for start, end in pairwise(places))


@given(tables, st.lists(st.integers(0, 1000), max_size=8))
def test_it_reads_as_if_it_had_been_written_so(table: list[list[str]], cuts: list[int]) -> None:
    lines = Lines()
    came = ended(lines, written(table, "\n"), cuts)
    assert came == written(table, "\r\n")
    assert lines.count == len(table)
    assert list(csv.reader(io.StringIO(came.decode(), newline=""))) == table


@pytest.mark.parametrize(
    ("stream", "expected", "count"),
    [
        (b"", b"", 0),
        (b"a,b\n", b"a,b\r\n", 1),
        (b"a,b", b"a,b", 0),
        (b"\n\n", b"\r\n\r\n", 2),
        (b'"a\nb",c\n', b'"a\nb",c\r\n', 1),
        (b'"a ""quoted""\nb",c\n', b'"a ""quoted""\nb",c\r\n', 1),
        (b'"""\n","\n"\n', b'"""\n","\n"\r\n', 1),
        (b'"a\r\nb"\n', b'"a\r\nb"\r\n', 1),
    ],
)
def test_every_way_of_cutting(stream: bytes, expected: bytes, count: int) -> None:
    for first in range(len(stream) + 1):
        for second in range(first, len(stream) + 1):
            lines = Lines()
            assert ended(lines, stream, [first, second]) == expected
            assert lines.count == count
