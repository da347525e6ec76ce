"""The failure table of a surface: from a fact to a status, a code, a detail and a sentence.

The table is a text file beside the surface, one line per fact, keyed by the name of its class; the other
languages stand in files beside it, with the same blanks. Everything is checked when it is loaded.
"""

from __future__ import annotations

import dataclasses
import string
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, Final

from tradepost.values import Fact, Words

MOST_ECHO: Final = 64
COLUMNS: Final = ("failure", "http", "code", "detail", "type", "sentence")


class TableError(Exception):
    """A failure table that does not hold together; raised at import, never while serving."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one fact is on the wire: `detail` is a sub-code, a word, `{}`, or `@blank` for the value of a blank."""

    failure: str
    http: int
    code: int
    detail: str
    type: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A failure in the words of one surface and one language."""

    http: int
    code: int
    data: Any
    type: str
    message: str


class FailureTable:
    """All failures that one surface can answer with, in all its languages."""

    def __init__(
        self, lines: Mapping[str, Line], sentences: Mapping[str, Mapping[str, str]], default_locale: str
    ) -> None:
        self._lines = dict(lines)
        self._sentences = {locale: dict(words) for locale, words in sentences.items()}
        self.default_locale = default_locale
        self.parts: dict[str, FailureTable] = {}
        """Tables of parts that tell some failures otherwise, by what the paths of a part begin with."""

    @property
    def locales(self) -> tuple[str, ...]:
        """The languages, the default one first."""
        return tuple(self._sentences)

    def __contains__(self, fact: type[Fact]) -> bool:
        return fact.__name__ in self._lines

    def names(self) -> tuple[str, ...]:
        """The names of all failures, in the order of the file."""
        return tuple(self._lines)

    def line(self, name: str) -> Line:
        """The line of one failure."""
        return self._lines[name]

    def sentence(self, name: str, locale: str) -> str:
        """The sentence of one failure with its blanks open."""
        return self._sentences[locale][name]

    def tell(self, fact: Fact, locale: str) -> Failed:
        """The answer to a fact in a language of this surface (the default language for any other)."""
        name = type(fact).__name__
        line = self._lines[name]
        words = self._sentences.get(locale) or self._sentences[self.default_locale]
        blanks = fact.blanks()
        told = {key: self._blank(value, locale) for key, value in blanks.items()}
        message = words[name].format_map(told)
        return Failed(line.http, line.code, _detail(line.detail, blanks), line.type, message)

    def _blank(self, value: Any, locale: str) -> str:
        """What a sentence says of a blank; a fact inside of a fact is told by its own sentence."""
        return self.tell(value, locale).message if isinstance(value, Fact) else echo(value)

    def at(self, path: str) -> FailureTable:
        """The table that the failures of a path are told by."""
        for root, table in self.parts.items():
            if path.startswith(root):
                return table
        return self

    def with_part(self, root: str, codes: Mapping[str, tuple[int, int]]) -> FailureTable:
        """This table where, under `root`, some failures have another status and code, by their names."""
        lines = {
            name: dataclasses.replace(self._lines[name], http=http, code=code)
            for name, (http, code) in codes.items()
        }
        whole = FailureTable(self._lines, self._sentences, self.default_locale)
        whole.parts = self.parts | {root: FailureTable(self._lines | lines, self._sentences, self.default_locale)}
        return whole

    def check(self, facts: Iterable[type[Fact]]) -> None:
        """Refuse a table that lacks one of `facts` or whose sentences mention what a fact cannot tell."""
        for fact in facts:
            name = fact.__name__
            if name not in self._lines:
                raise TableError(f"{name} has no line in the failure table")
            blanks = set(fact.blank_names())
            for locale in self.locales:
                if unknown := _blanks(self._sentences[locale][name]) - blanks:
                    raise TableError(f"{name} ({locale}) mentions {sorted(unknown)}, which it does not tell")
            detail = self._lines[name].detail
            if detail.startswith("@") and detail[1:] not in blanks:
                raise TableError(f"{name} has the detail {detail}, which it does not tell")


def echo(value: Any) -> str:
    """A value as a sentence may repeat it: at most 64 characters, nothing that moves a cursor."""
    if isinstance(value, Words):
        return value
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        text = "".join(_visible(char) for char in text[: MOST_ECHO + 1])
    return text if len(text) <= MOST_ECHO else text[: MOST_ECHO - 1] + "…"


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    return f"U+{ord(char):04X}" if category[0] == "C" or category in ("Zl", "Zp") else char


def retold(
    table: FailureTable, own: FailureTable, http: Mapping[int, int], codes: Mapping[int, int]
) -> FailureTable:
    """A table with the lines of another one, under other statuses and codes, and `own` lines instead or besides."""
    lines = {
        name: dataclasses.replace(line, http=http.get(line.http, line.http), code=codes.get(line.code, line.code))
        for name in table.names()
        for line in (table.line(name),)
    }
    lines |= {name: own.line(name) for name in own.names()}
    sentences = {
        locale: {name: (own if name in own.names() else table).sentence(name, locale) for name in lines}
        for locale in table.locales
    }
    return FailureTable(lines, sentences, table.default_locale)


def load_table(folder: Traversable, locales: Iterable[str], default_locale: str = "en") -> FailureTable:
    """Read `errors.tsv` and `sentences/<locale>.tsv` of a surface; raises TableError for any gap."""
    lines: dict[str, Line] = {}
    english: dict[str, str] = {}
    for row in _rows(folder / "errors.tsv", COLUMNS):
        name, http, code, detail, kind, sentence = row
        if name in lines:
            raise TableError(f"{name} stands twice in the failure table")
        lines[name] = Line(name, int(http), int(code), detail, kind)
        english[name] = sentence
    sentences = {default_locale: english}
    for locale in locales:
        if locale == default_locale:
            continue
        words = {row[0]: row[1] for row in _rows(folder / "sentences" / f"{locale}.tsv", ("failure", "sentence"))}
        _compare(locale, english, words)
        sentences[locale] = words
    return FailureTable(lines, sentences, default_locale)


def _rows(file: Traversable, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    found = []
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not text or text.startswith("#"):
            continue
        row = tuple(cell.strip() for cell in text.split("\t") if cell.strip())
        if len(row) != len(columns):
            raise TableError(f"{file.name}, line {number}: {len(row)} columns instead of {len(columns)}")
        found.append(row)
    return found


def _compare(locale: str, english: Mapping[str, str], other: Mapping[str, str]) -> None:
    if missing := english.keys() ^ other.keys():
        raise TableError(f"{locale}: sentences and table differ in {sorted(missing)}")
    for name, sentence in english.items():
        if _blanks(sentence) != _blanks(other[name]):
            raise TableError(f"{locale}: {name} has other blanks than the English sentence")


def _blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def _detail(detail: str, blanks: Mapping[str, Any]) -> Any:
    if detail == "{}":
        return {}
    if detail.startswith("@"):
        return str(echo(blanks[detail[1:]]))  # not one of our Words, which no encoder knows
    return int(detail) if detail.isdecimal() else detail


def leaves(base: type[Fact]) -> list[type[Fact]]:
    """The facts below `base` that are raised themselves, that is all without subclasses."""
    below = base.__subclasses__()
    return [leaf for sub in below for leaf in leaves(sub)] if below else [base]
