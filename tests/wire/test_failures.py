"""Failure tables: what they refuse when they are loaded, and how a sentence repeats what was sent."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradepost.surfaces.merchant_v2.surface import api as merchant
from tradepost.surfaces.wishpost_v3.surface import api as wishpost
from tradepost.values import Fact
from tradepost.wire.endpoint import Surface
from tradepost.wire.failures import MOST_ECHO, FailureTable, TableError, echo, load_table


class Lost(Fact):
    """Something that is not there."""

    id: str
    name: str


class Broken(Fact):
    """Something that does not work."""


class Unlisted(Fact):
    """Something that no table has."""


ENGLISH = "Lost\t400\t1004\t2018\tnot_found\tNo {name} with id: '{id}'\nBroken\t500\t9000\t{}\tunknown\tBroken\n"
GERMAN = "Lost\tKein {name} mit id: '{id}'\nBroken\tKaputt\n"


def table(folder: Path, english: str = ENGLISH, german: str = GERMAN) -> FailureTable:
    (folder / "sentences").mkdir(exist_ok=True)
    (folder / "errors.tsv").write_text(english, encoding="utf-8")
    (folder / "sentences" / "de.tsv").write_text(german, encoding="utf-8")
    return load_table(folder, ("en", "de"))


def test_a_fact_is_told_in_every_language(tmp_path: Path) -> None:
    words = table(tmp_path, "# a comment\n\n" + ENGLISH)
    told = words.tell(Lost(id="7", name="ring"), "en")
    assert (told.http, told.code, told.data, told.type) == (400, 1004, 2018, "not_found")
    assert told.message == "No ring with id: '7'"
    assert words.tell(Lost(id="7", name="ring"), "de").message == "Kein ring mit id: '7'"
    assert words.tell(Lost(id="7", name="ring"), "fr").message == "No ring with id: '7'"
    assert words.tell(Broken(), "de").data == {}
    assert words.locales == ("en", "de")
    assert words.names() == ("Lost", "Broken")
    assert Lost in words
    assert Unlisted not in words


@pytest.mark.parametrize(
    ("detail", "data"), [("2018", 2018), ("{}", {}), ("@name", "ring"), ("access_token", "access_token")]
)
def test_the_detail_is_a_number_a_word_or_a_blank(tmp_path: Path, detail: str, data: Any) -> None:
    words = table(tmp_path, ENGLISH.replace("2018", detail))
    words.check([Lost, Broken])
    assert words.tell(Lost(id="7", name="ring"), "en").data == data


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (ENGLISH + "Lost\t400\t1\t{}\tx\tTwice\n", GERMAN),
        (ENGLISH + "Third\t400\t1\t{}\tx\tNot translated\n", GERMAN),
        (ENGLISH, GERMAN + "Third\tNicht englisch\n"),
        (ENGLISH, GERMAN.replace("{id}", "")),
        (ENGLISH, GERMAN.replace("{id}", "{ID}")),
        (ENGLISH.replace("\t1004", ""), GERMAN),
        (ENGLISH.replace("not_found", "not_found\tmore"), GERMAN),
        (ENGLISH, GERMAN.replace("Kaputt", "")),
    ],
)
def test_a_table_with_gaps_is_refused(tmp_path: Path, english: str, german: str) -> None:
    with pytest.raises(TableError):
        table(tmp_path, english, german)


def test_a_table_is_checked_against_the_facts(tmp_path: Path) -> None:
    table(tmp_path).check([Lost, Broken])
    with pytest.raises(TableError, match="Unlisted"):
        table(tmp_path).check([Unlisted])
    with pytest.raises(TableError, match="size"):
        table(tmp_path, ENGLISH.replace("{id}", "{size}"), GERMAN.replace("{id}", "{size}")).check([Lost])
    with pytest.raises(TableError, match="size"):
        table(tmp_path, ENGLISH.replace("2018", "@size")).check([Lost])


@given(st.text(st.characters(codec=None), max_size=200))
def test_an_echo_is_short_and_moves_no_cursor(text: str) -> None:
    told = echo(text)
    assert len(told) <= MOST_ECHO
    assert not [char for char in told if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    told.encode("utf-8")


def test_an_echo_repeats_what_fits() -> None:
    assert echo("a" * MOST_ECHO) == "a" * MOST_ECHO
    assert echo("a" * (MOST_ECHO + 1)) == "a" * (MOST_ECHO - 1) + "…"
    assert echo("戒指 😀") == "戒指 😀"
    assert echo("a\x00b\u202e") == "aU+0000bU+202E"
    assert echo(7) == "7"


@pytest.mark.parametrize("surface", [merchant, wishpost], ids=lambda surface: surface.name)
def test_every_sentence_can_be_told_in_every_language(surface: Surface) -> None:
    for name in surface.table.names():
        assert 400 <= surface.table.line(name).http < 600
        assert surface.table.line(name).code > 0
        for locale in surface.table.locales:
            assert surface.table.sentence(name, locale).strip()
