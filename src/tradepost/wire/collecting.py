"""Parameters too large to be one text: their value is made while the bytes of the body arrive.

A reader that is `Collecting` makes a `Collector` per call. The fields of a body go into `BodyFields`: what has a
collector goes there in pieces, everything else is kept, within a number of bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from tradepost.values import Fact
from tradepost.wire import refusals


class Collector(Protocol):
    """Makes the value of one parameter out of its bytes."""

    def feed(self, data: bytes) -> None:
        """The next bytes of the value, decoded, cut anywhere; may raise the fact that is wrong with it."""

    def finish(self) -> Any:
        """The value, when all bytes are there; raises the fact that is wrong with it."""


@runtime_checkable
class Collecting(Protocol):
    """A reader whose parameter is collected from a body."""

    @property
    def rests(self) -> bool:
        """Whether reading pauses again and again and leaves the machine to others, for which it takes longer."""

    def collector(self, name: str) -> Collector:
        """A collector for one call; its facts carry `name`."""


class Collected:
    """The value of one parameter on its way through a collector, or the first fact that was wrong with it."""

    def __init__(self, collector: Collector, elsewhere: bytes) -> None:
        """`elsewhere` is the same parameter's value in the query, empty where there is none."""
        self._collector = collector
        self._elsewhere = elsewhere
        self._size = 0
        self._same = True
        self.value: Any = None
        self.fault: Fact | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was fed: an empty value counts as not given."""
        return self._size == 0

    @property
    def disagrees(self) -> bool:
        """Whether the query has another value than the body."""
        at_odds = not self._same or self._size != len(self._elsewhere)
        return bool(self._elsewhere) and not self.is_empty and at_odds

    def feed(self, data: bytes) -> None:
        """Hand on the next bytes; after a fault they are passed over."""
        if not data:
            return
        if self._elsewhere and self._same:
            self._same = self._elsewhere.startswith(data, self._size)
        self._size += len(data)
        if self.fault is None:
            try:
                self._collector.feed(data)
            except Fact as fault:
                self.fault = fault

    def finish(self) -> None:
        """Take the value, unless there is none or it is wrong."""
        if self.fault is None and not self.is_empty:
            try:
                self.value = self._collector.finish()
            except Fact as fault:
                self.fault = fault


Pair = tuple[str, str | Fact | Collected]
"""The name of a field, and its text, its value, or what is wrong with it."""


def decoded(name: str, value: bytes) -> str | Fact:
    """The text of a field, or the fact that it is none."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return refusals.NotUtf8(name=name)


class BodyFields:
    """The fields of one body in the order they arrive: begin, add, add, …, end."""

    def __init__(
        self,
        most_kept: int,
        collecting: Mapping[str, Collecting] | None = None,
        elsewhere: Mapping[str, bytes] | None = None,
    ) -> None:
        """At most `most_kept` bytes of names and values are kept; `elsewhere` has the values in the query."""
        self._found: list[tuple[str, bytes | Collected]] = []
        self._most_kept = most_kept
        self._kept = 0
        self._collecting = collecting or {}
        self._elsewhere = elsewhere or {}
        self._begun: set[str] = set()
        self._name = ""
        self._value = bytearray()
        self._collected: Collected | None = None

    def begin(self, name: str) -> None:
        """A field begins; only the first of a name is collected."""
        self._name = name
        self._value = bytearray()
        self._collected = self.collect(name)

    @property
    def passes_over(self) -> bool:
        """Whether the rest of this field's value means nothing any more."""
        if self._collected is None:
            return self._name in self._collecting
        return self._collected.fault is not None

    def add(self, data: bytes) -> None:
        """The next bytes of its value."""
        if self._collected is not None:
            self._collected.feed(data)
        elif self._name not in self._collecting:
            self.keep(len(data))
            self._value += data

    def end(self) -> None:
        """The field is complete."""
        if self._collected is not None:
            self._collected.finish()
        self._found.append((self._name, self._collected or bytes(self._value)))

    def pairs(self) -> list[Pair]:
        """All fields that were complete."""
        return [
            (name, value if isinstance(value, Collected) else decoded(name, value)) for name, value in self._found
        ]

    def collect(self, name: str) -> Collected | None:
        """What takes the value of a parameter, the first time that it is there."""
        if name not in self._collecting or name in self._begun:
            return None
        self._begun.add(name)
        return Collected(self._collecting[name].collector(name), self._elsewhere.get(name, b""))

    def collects(self, name: str) -> bool:
        """Whether the values of this name are collected."""
        return name in self._collecting

    @property
    def room(self) -> int:
        """How many bytes more can be kept."""
        return self._most_kept - self._kept

    def keep(self, size: int, waiting: int = 0) -> None:
        """Count what is kept, and for now what is `waiting`; raises FieldsTooLarge where it is too much."""
        self._kept += size
        if waiting > self.room:
            raise refusals.FieldsTooLarge(limit=f"{self._most_kept / (1 << 20):g} MiB")
