"""XML as the older generation sends it: elements with texts in them, and nothing that XML can do besides.

A document type is refused where it begins, so that there are no entities to expand and nothing to fetch; depth and
number of elements are bounded while they come. Attributes, comments and instructions mean nothing here. Bytes are
UTF-8, and a declaration that says something else is refused rather than read wrongly.
"""

from __future__ import annotations

from typing import Any, Final
from xml.parsers import expat

MOST_DEPTH: Final = 16
MOST_ELEMENTS: Final = 20_000
_ENCODINGS: Final = ("", "utf-8", "utf8", "us-ascii", "ascii")
_BLANK: Final = " \t\r\n"


class XmlError(ValueError):
    """What is no XML or more than is read of it, with the line and the column (both from 1) where that shows."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}")
        self.line = line
        self.column = column


class Elements(list[Any]):
    """The elements of one name inside another: each a text, or a mapping from the names in it to their elements."""


def parse_xml(body: bytes) -> Any:
    """What is in the root, whose name means nothing: a text or a mapping. Raises XmlError."""
    if (at := body.find(0)) >= 0:
        # No XML has this byte but in encodings that the parser would find out by itself.
        raise XmlError(body.count(b"\n", 0, at) + 1, at - body.rfind(b"\n", 0, at))
    builder = _Builder()
    try:
        builder.parser.Parse(body, True)
    except expat.ExpatError as error:
        raise XmlError(error.lineno, error.offset + 1) from None
    return builder.root


class _Builder:
    """Follows the parser; each open element has the elements that are in it and its text so far."""

    def __init__(self) -> None:
        self.root: Any = ""
        self.parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self._open: list[tuple[str, dict[str, Elements], list[str]]] = []
        self._seen = 0

    def _error(self) -> XmlError:
        return XmlError(self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)

    def _refuse(self, *told: object) -> None:
        raise self._error()

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if (encoding or "").lower() not in _ENCODINGS:
            raise self._error()

    def _start(self, name: str, attributes: object) -> None:
        self._seen += 1
        if self._seen > MOST_ELEMENTS or len(self._open) >= MOST_DEPTH:
            raise self._error()
        self._open.append((name.rpartition(":")[2], {}, []))

    def _text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def _end(self, name: str) -> None:
        called, inside, texts = self._open.pop()
        value = inside or "".join(texts).strip(_BLANK)
        if self._open:
            self._open[-1][1].setdefault(called, Elements()).append(value)
        else:
            self.root = value


def as_elements(value: Any) -> Any:
    """A JSON value as if it had come as XML: a list is so many elements, anything else is one."""
    if not isinstance(value, dict):
        return value
    return {
        name: Elements(as_elements(item) for item in (inner if isinstance(inner, list) else [inner]))
        for name, inner in value.items()
    }
