"""What pages say, in the languages of `words/`: a folder per language, a file per group of pages, a line per key.

The folders have the same files, and the files the same keys with the same blanks. A key stands in one file only.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

LOCALES: Final[Mapping[str, str]] = {"en": "English", "zh": "中文", "fr": "Français", "de": "Deutsch"}
DEFAULT: Final = "en"


class WordsError(Exception):
    """Words that do not hold together; raised when they are first used."""


class Words:
    """The words of one language; calling it with a key and the values of its blanks gives the text."""

    def __init__(self, locale: str, lines: Mapping[str, str]) -> None:
        self.locale = locale
        self._lines = lines

    def __call__(self, key: str, **blanks: str) -> str:
        """The text of a key."""
        return self._lines[key].format_map(blanks)

    def __contains__(self, key: str) -> bool:
        return key in self._lines


@cache
def words(locale: str) -> Words:
    """The words of a language; raises WordsError where keys or blanks are not those of the English ones."""
    lines = _read(locale)
    english = lines if locale == DEFAULT else _read(DEFAULT)
    if lines.keys() != english.keys():
        raise WordsError(f"{locale}: {sorted(lines.keys() ^ english.keys())}")
    for key, text in english.items():
        if _blanks(text) != _blanks(lines[key]):
            raise WordsError(f"{locale}: {key} has other blanks than in English")
    return Words(locale, lines)


def pick(asked: str | None, accepted: str) -> str:
    """The language of a page: the one that is asked for, or the first one of Accept-Language that there is."""
    if asked is not None and asked in LOCALES:
        return asked
    for part in accepted.split(","):
        name = part.partition(";")[0].strip().lower()[:2]
        if name in LOCALES:
            return name
    return DEFAULT


def _read(locale: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((resources.files(__package__) / "words" / locale).iterdir(), key=lambda file: file.name):
        for line in file.read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            key, tab, text = line.partition("\t")
            if not tab or not text or key in found:
                raise WordsError(f"{locale}/{file.name}: {key} has no text, or stands twice")
            found[key] = text
    return found


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
