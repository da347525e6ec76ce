"""Readers: from the text of one parameter to a value, or to a refusal that names the parameter.

A reader is a small frozen object that stands in the annotation of a parameter, next to its meaning:

    Inventory = Annotated[int, Whole(0, 500_000), Doc("Pieces in stock.")]

Every number and date is matched by an ASCII pattern before anything converts it: Python itself takes
`1_000`, `١٢` and `NaN` for numbers. Readers know form and range, never the state of a shop.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Protocol, runtime_checkable
from urllib.parse import urlsplit

from tradepost.values import Words
from tradepost.wire import refusals
from tradepost.wire.jsontext import JsonError, parse_json
from tradepost.wire.text import clean_text

# What a person cannot see and a key must therefore not hold: format characters, odd spaces, fillers.
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Zl", "Zp", "Co", "Cn"})
_INVISIBLE_EXTRA = frozenset("\t\n\u00a0\u115f\u1160\u2800\u3000\u3164\uffa0")


@dataclass(frozen=True, slots=True)
class Doc:
    """What a parameter means: one or two plain sentences for the reference."""

    text: str


@runtime_checkable
class Reader(Protocol):
    """Turns the text of one parameter into a value."""

    def read(self, name: str, text: str) -> Any:
        """Give the value, or raise a BadParameter that carries `name`."""

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the text as it stands on the wire."""

    @property
    def takes_empty(self) -> bool:
        """Whether the empty text is a value of its own instead of *not given*."""

    @property
    def takes_json(self) -> bool:
        """Whether the text is JSON, which in a JSON body may as well be the object itself."""


class _Plain:
    """What most readers share: the empty text counts as not given."""

    __slots__ = ()
    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Text(_Plain):
    """Free text of `least` to `most` characters; `strip` takes ASCII space off both ends first."""

    most: int
    least: int = 1
    strip: bool = False

    def read(self, name: str, text: str) -> str:
        text = clean_text(name, text)
        if self.strip:
            text = text.strip(" \t\n")
        if not self.least <= len(text) <= self.most:
            raise refusals.BadLength(name=name, least=self.least, most=self.most)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": self.least, "maxLength": self.most}


@dataclass(frozen=True, slots=True)
class LookedUp(_Plain):
    """A name by which something is looked up: anything may be asked for, and most of it does not exist."""

    most: int

    def read(self, name: str, text: str) -> str:
        text = clean_text(name, text).strip(" ")
        if not 1 <= len(text) <= self.most:
            raise refusals.BadLength(name=name, least=1, most=self.most)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": self.most}


@dataclass(frozen=True, slots=True)
class Key(LookedUp):
    """A name that people type and compare, such as a SKU: nothing in it may be invisible."""

    def read(self, name: str, text: str) -> str:
        text = LookedUp.read(self, name, text)
        if not (text.isascii() and text.isprintable()):
            for at, char in enumerate(text, start=1):
                if char in _INVISIBLE_EXTRA or unicodedata.category(char) in _INVISIBLE_CATEGORIES:
                    raise refusals.BadCharacter(name=name, character=f"U+{ord(char):04X}", position=at)
        return text


@dataclass(frozen=True, slots=True)
class Whole(_Plain):
    """A whole number from `least` to `most`, in ASCII digits."""

    least: int
    most: int

    _pattern: ClassVar[re.Pattern[str]] = re.compile(r"[0-9]{1,15}", re.ASCII)

    def read(self, name: str, text: str) -> int:
        if self._pattern.fullmatch(text) and self.least <= (value := int(text)) <= self.most:
            return value
        raise refusals.NotWhole(name=name, least=self.least, most=self.most)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Number(_Plain):
    """A decimal number from `least` to `most` with at most `places` decimals and a point, no exponent.

    `besides` is one more number that is taken, for values that answers use as a mark.
    """

    least: str
    most: str
    places: int = 2
    besides: str | None = None

    _pattern: ClassVar[re.Pattern[str]] = re.compile(r"[0-9]{1,15}(?:\.([0-9]{1,15}))?", re.ASCII)

    def read(self, name: str, text: str) -> Decimal:
        if found := self._pattern.fullmatch(text):
            # 5.10 has one decimal that counts: trailing zeros do not make a number more precise.
            decimals = (found.group(1) or "").rstrip("0")
            value = Decimal(text)
            if self.besides is not None and value == Decimal(self.besides):
                return value
            if len(decimals) <= self.places and Decimal(self.least) <= value <= Decimal(self.most):
                return value
        raise refusals.NotDecimal(name=name, least=self.least, most=self.most, places=self.places)

    def schema(self) -> dict[str, Any]:
        return {
            "type": "number",
            "minimum": float(self.least),
            "maximum": float(self.most),
            "description": f"at most {self.places} decimals",
        }


@dataclass(frozen=True, slots=True)
class Boolean(_Plain):
    """true, True, 1, false, False or 0, and nothing else."""

    _forms: ClassVar[dict[str, bool]] = {
        "true": True,
        "True": True,
        "1": True,
        "false": False,
        "False": False,
        "0": False,
    }

    def read(self, name: str, text: str) -> bool:
        value = self._forms.get(text)
        if value is None:
            raise refusals.NotBoolean(name=name)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._forms)}


@dataclass(frozen=True, slots=True)
class Choice(_Plain):
    """One of `words`; `fold` takes any case; `nothing` is a word that stands for no value."""

    words: tuple[str, ...]
    fold: bool = False
    nothing: str | None = None

    def read(self, name: str, text: str) -> str | None:
        if self.nothing is not None and text == self.nothing:
            return None
        word = text.upper() if self.fold and text.isascii() else text
        if word not in self.words:
            raise refusals.NotChoice(name=name, choices=Words(", ".join(self.words)))
        return word

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": [*self.words, *([self.nothing] if self.nothing else [])]}


@dataclass(frozen=True, slots=True)
class Country(_Plain):
    """An ISO 3166 alpha-2 code in capitals out of `codes`."""

    codes: frozenset[str]

    def read(self, name: str, text: str) -> str:
        if text not in self.codes:
            raise refusals.NotCountry(name=name, value=text)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[A-Z]{2}$"}


@dataclass(frozen=True, slots=True)
class Digits(_Plain):
    """Only ASCII digits, `least` to `most` of them: a code, not a number."""

    least: int
    most: int

    def read(self, name: str, text: str) -> str:
        if not (text.isascii() and text.isdigit() and self.least <= len(text) <= self.most):
            raise refusals.NotDigits(name=name, least=self.least, most=self.most)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^[0-9]{{{self.least},{self.most}}}$"}


@dataclass(frozen=True, slots=True)
class Moment(_Plain):
    """YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS in UTC, of the years 1970 to 2999."""

    _pattern: ClassVar[re.Pattern[str]] = re.compile(
        r"(19[7-9][0-9]|2[0-9]{3})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2}))?", re.ASCII
    )

    def read(self, name: str, text: str) -> datetime:
        if found := self._pattern.fullmatch(text):
            try:
                return datetime(*(int(part or 0) for part in found.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
            except ValueError:
                pass
        raise refusals.NotMoment(name=name)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?$"}


@dataclass(frozen=True, slots=True)
class Span(_Plain):
    """Days from-to such as 5-10, the first at least `least` and not above the second."""

    least: int

    _pattern: ClassVar[re.Pattern[str]] = re.compile(r"([0-9]{1,3})-([0-9]{1,3})", re.ASCII)

    def read(self, name: str, text: str) -> str:
        found = self._pattern.fullmatch(text)
        if not found or not self.least <= int(found.group(1)) <= int(found.group(2)):
            raise refusals.NotSpan(name=name)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{1,3}-[0-9]{1,3}$"}


def is_web_url(text: str, most: int = 2048) -> bool:
    """Whether the text is an absolute http or https URL that can be kept: ASCII, a host, no user, no blanks."""
    if not (text.isascii() and text.isprintable() and " " not in text and "\\" not in text) or len(text) > most:
        return False
    try:
        parts = urlsplit(text)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or parts.username is not None:
        return False
    return port_fits and bool(parts.hostname) and not (set('<>"{}|^`') & set(text))


@dataclass(frozen=True, slots=True)
class WebUrl(_Plain):
    """An absolute http or https URL of at most `most` characters; `takes_empty` keeps "" as a value."""

    most: int = 2048
    takes_empty: bool = False  # type: ignore[misc]

    def read(self, name: str, text: str) -> str:
        if text == "" and self.takes_empty:
            return ""
        if not is_web_url(text, self.most):
            raise refusals.NotUrl(name=name)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "uri", "maxLength": self.most}


@dataclass(frozen=True, slots=True)
class Listed(_Plain):
    """Texts with `separator` between them, at most `most` of them unless `cut`, which ignores the rest.

    Blanks around a text are no part of it, or refused with `no_blanks`.
    """

    separator: str
    most: int
    item_most: int
    cut: bool = False
    skip_empty: bool = False
    no_blanks: bool = False

    def read(self, name: str, text: str) -> tuple[str, ...]:
        told = clean_text(name, text).split(self.separator)
        items = [item.strip(" \t\n") for item in told]
        if self.no_blanks and items != told:
            wrong = next(at for at, item in enumerate(items, start=1) if item != told[at - 1])
            raise refusals.BadItem(name=name, item=str(wrong))
        if self.skip_empty:
            items = [item for item in items if item]
        elif "" in items:
            raise refusals.BadItem(name=name, item=str(items.index("") + 1))
        if len(items) > self.most:
            if not self.cut:
                raise refusals.TooManyItems(name=name, limit=self.most)
            items = items[: self.most]
        for item in items:
            if len(item) > self.item_most:
                raise refusals.BadLength(name=name, least=1, most=self.item_most)
        return tuple(items)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": f"separated by {self.separator!r}"}


@dataclass(frozen=True, slots=True)
class PriceMap(_Plain):
    """A JSON object from names out of `codes` (with `prefix` or without) to amounts from 0 to `most`.

    A name of `ignored` is passed over; any other name is refused.
    """

    codes: frozenset[str]
    ignored: frozenset[str]
    prefix: str
    most: str
    local_most: str
    places: int = 2
    takes_json: ClassVar[bool] = True

    def read(self, name: str, text: str) -> dict[str, Decimal]:
        clean_text(name, text)
        try:
            given = parse_json(text)
        except JsonError as error:
            raise refusals.NotJson(name=name, line=error.line, column=error.column) from None
        if not isinstance(given, dict) or len(given) > 2 * (len(self.codes) + len(self.ignored)):
            raise refusals.NotJson(name=name, line=1, column=1)
        prices = {}
        for key, amount in given.items():
            local = key.startswith(self.prefix)
            code = key.removeprefix(self.prefix)
            if code not in self.codes and code not in self.ignored:
                raise refusals.BadItem(name=name, item=key)
            if not isinstance(amount, str):  # a number keeps its text, a quoted number is taken as well
                raise refusals.BadItem(name=name, item=key)
            reader = Number("0", self.local_most if local else self.most, 3 if local else self.places)
            try:
                price = reader.read(name, amount)
            except refusals.NotDecimal:
                raise refusals.BadItem(name=name, item=key) from None
            if code in self.codes:
                prices[key] = price
        return prices

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "contentMediaType": "application/json"}
