"""A request as pages read it: its query and its form, each name once, and its cookies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Final
from urllib.parse import parse_qsl, urlencode

from tradepost.values import Fact
from tradepost.wire.forms import Parameters, add_body
from tradepost.wire.http_types import Request
from tradepost.wire.refusals import BodySlow, BodyTooLarge

MOST_QUERY: Final = 16_384
MOST_FORM: Final = 16_384
MOST_FIELDS: Final = 50
MOST_FIELDS_OF_LARGE: Final = 1_000
"""Of a form that may be larger than others."""
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
FORM: Final = "application/x-www-form-urlencoded"
FORM_WITH_FILES: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Fields:
    """Names and values as they came. `twice` are the names that came more than once: no value of theirs counts.

    `files` are the bytes of fields that are files and no text; those of more bytes than the page takes are named in
    `too_large` instead.
    """

    pairs: tuple[tuple[str, str], ...]
    values: Mapping[str, str]
    twice: frozenset[str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    too_large: frozenset[str] = frozenset()

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


class FileTooLarge(Fact):
    """A file of more bytes than a page takes."""


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A field of a form that is a file, of at most `most` bytes, gathered while it arrives."""

    most: int
    rests: ClassVar[bool] = True

    def collector(self, name: str) -> _Gathered:
        """Gathers the bytes of one file."""
        return _Gathered(self.most)


class _Gathered:
    """The bytes of one file so far; nothing is kept of one that is too large."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found = bytearray()

    def feed(self, data: bytes) -> None:
        """The next bytes; raises FileTooLarge."""
        self._found += data
        if len(self._found) > self._most:
            self._found.clear()
            raise FileTooLarge

    def finish(self) -> bytes:
        """All of them."""
        return bytes(self._found)


async def read_form(request: Request, most: int = MOST_FORM, files: Mapping[str, int] | None = None) -> Fields:
    """The form that was sent, of at most so many bytes; `files` are its fields of bytes, each with its most.

    Raises Unreadable, and BodyTooLarge or BodySlow where that is what is wrong.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == FORM_WITH_FILES and most > MOST_FORM:
        return await _read_parts(request, most, files or {})
    if kind != FORM:
        raise Unreadable
    return read_fields(await request.read_body(most), most)


def day(text: str | None) -> datetime | None:
    """The beginning of a day as forms send it (UTC); None where it is none."""
    if not text or not _DAY.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def cookie(request: Request, name: str) -> str:
    """The value of a cookie, empty without one, or where several have the name."""
    parts = [part.strip().partition("=") for part in request.headers.get("cookie", "").split(";")]
    found = [value for key, _, value in parts if key == name]
    return found[0] if len(found) == 1 else ""


async def _read_parts(request: Request, most: int, files: Mapping[str, int]) -> Fields:
    """A form with files, each of which is its text, or its bytes where it is one of `files`.

    A name that came twice, or holds no text, has no value.
    """
    given = Parameters()
    try:
        await add_body(given, request, most, {name: FileBytes(size) for name, size in files.items()})
    except (BodyTooLarge, BodySlow):
        raise
    except Fact:
        raise Unreadable from None
    pairs, wrong, too_large = [], [], []
    for name in sorted(given.names()):
        try:
            pairs.append((name, given.take(name)))
        except FileTooLarge:
            too_large.append(name)
        except Fact:
            wrong.append(name)
    return Fields(tuple(pairs), dict(pairs), frozenset(wrong), given.collected, frozenset(too_large))
