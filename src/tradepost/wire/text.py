"""Text as this wire keeps it: normalised, and without what breaks a line, a log or a document."""

from __future__ import annotations

import re
import unicodedata

from tradepost.wire import refusals

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_MOST_MARKS = 500
# No mark by their class, and two marks each once they are normalised; there are no others.
_TWO_MARKS = "\u0f73\u0f75\u0f81"


def clean_text(name: str, text: str) -> str:
    """The text in NFC with line feeds for line ends; refuses characters that no text here may hold."""
    if text.isascii():
        if text.isprintable():
            return text
        text = text.replace("\r\n", "\n")
    else:
        text = text.replace("\r\n", "\n")
        _refuse_mark_runs(name, text)
        text = unicodedata.normalize("NFC", text)
    if found := _FORBIDDEN.search(text):
        raise refusals.BadCharacter(name=name, character=f"U+{ord(found.group()):04X}", position=found.start() + 1)
    return text


def _refuse_mark_runs(name: str, text: str) -> None:
    """Normalising sorts each run of combining marks in quadratic time, so a run has an end."""
    run = 0
    for at, char in enumerate(text, start=1):
        run = run + 1 if unicodedata.combining(char) or char in _TWO_MARKS else 0
        if run > _MOST_MARKS:
            raise refusals.BadCharacter(name=name, character=f"U+{ord(char):04X}", position=at)
