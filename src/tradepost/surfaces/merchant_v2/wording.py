"""What notifications and infractions say, in every language of the service: a table of words by topic.

The domain tells a topic and what it is about; the words with their blanks stand in `notices/<language>.tsv`.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from tradepost.surfaces.merchant_v2.surface import LOCALES

OTHER: Final = "other"
"""Says something of a topic that has no words yet."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A headline and a text."""

    title: str
    text: str


class _Known(dict[str, Any]):
    """What fills the blanks; what was not told, or has no value, is left empty."""

    def __missing__(self, name: str) -> str:
        return ""


def notice(topic: str, about: Mapping[str, Any], locale: str) -> Notice:
    """A topic in words, with what it is about in the blanks; a cause is told as the reason that it stands for."""
    words = table(locale)
    if cause := about.get("cause"):
        about = {**about, "reason": notice(str(cause), {}, locale).title}
    wanted = words.get(topic) or words[OTHER]
    known = _Known({name: value for name, value in about.items() if value is not None})
    # A reason that nobody gave leaves a blank behind.
    return Notice(wanted.title.format_map(known), wanted.text.format_map(known).rstrip(" "))


@cache
def table(locale: str) -> Mapping[str, Notice]:
    """All words of a language, of the first one for any that is not spoken."""
    spoken = locale if locale in LOCALES else LOCALES[0]
    file = resources.files(__package__) / "notices" / f"{spoken}.tsv"
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            topic, title, text = line.split("\t")
            found[topic] = Notice(title, text)
    return found


def blanks(words: Notice) -> set[str]:
    """The names of everything that a notice mentions."""
    text = words.title + words.text
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
