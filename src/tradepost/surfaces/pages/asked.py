"""A request as pages read it: its query and its form, each name once, and its cookies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from tradepost.values import Fact
from tradepost.wire.forms import Parameters, add_body
from tradepost.wire.http_types import Request

MOST_QUERY: Final = 16_384
MOST_FORM: Final = 16_384
MOST_FIELDS: Final = 50
MOST_FIELDS_OF_LARGE: Final = 1_000
"""Of a form that may be larger than others."""
FORM: Final = "application/x-www-form-urlencoded"
FORM_WITH_FILES: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Fields:
    """Names and values as they came. `twice` are the names that came more than once: no value of theirs counts."""

    pairs: tuple[tuple[str, str], ...]
    values: Mapping[str, str]
    twice: frozenset[str]

    def get(self, name: str) -> str | None:
        """The value of a name, None without one."""
        return self.values.get(name)

    def with_(self, **values: str) -> str:
        """The query that says the same but for some values, with a question mark."""
        left = [(name, value) for name, value in self.pairs if name not in values]
        return "?" + urlencode([*left, *values.items()])

    def without(self, *names: str) -> str:
        """The query that says the same but for some names, with a question mark, or nothing."""
        left = [(name, value) for name, value in self.pairs if name not in names]
        return "?" + urlencode(left) if left else ""


class Unreadable(Exception):
    """A query or a form that is too long, or is not one."""


def read_fields(raw: bytes, most: int) -> Fields:
    """The fields of a query or a form; raises Unreadable."""
    if len(raw) > most:
        raise Unreadable
    try:
        text = raw.decode("ascii")
        count = MOST_FIELDS if most <= MOST_FORM else MOST_FIELDS_OF_LARGE
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=count)
    except ValueError:
        raise Unreadable from None
    names = [name for name, _ in pairs]
    twice = frozenset(name for name, times in Counter(names).items() if times > 1)
    return Fields(tuple(pairs), {name: value for name, value in pairs if name not in twice}, twice)


async def read_form(request: Request, most: int = MOST_FORM) -> Fields:
    """The form that was sent, of at most so many bytes; raises Unreadable."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == FORM_WITH_FILES and most > MOST_FORM:
        return await _read_parts(request, most)
    if kind != FORM:
        raise Unreadable
    return read_fields(await request.read_body(most), most)


def cookie(request: Request, name: str) -> str:
    """The value of a cookie, empty without one, or where several have the name."""
    parts = [part.strip().partition("=") for part in request.headers.get("cookie", "").split(";")]
    found = [value for key, _, value in parts if key == name]
    return found[0] if len(found) == 1 else ""


async def _read_parts(request: Request, most: int) -> Fields:
    """A form with files, each of which is its text; a name that came twice, or holds no text, has no value."""
    given = Parameters()
    try:
        await add_body(given, request, most)
    except Fact:
        raise Unreadable from None
    pairs, wrong = [], []
    for name in sorted(given.names()):
        try:
            pairs.append((name, given.take(name)))
        except Fact:
            wrong.append(name)
    return Fields(tuple(pairs), dict(pairs), frozenset(wrong))
