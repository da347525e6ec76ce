"""What a description is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tradepost.wire.endpoint import MIB, DeclarationError, Endpoint, RateLimit, Surface


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the reference: the endpoints of the module `name`."""

    name: str
    title: str
    about: str


@dataclass(frozen=True, slots=True)
class OAuthPaths:
    """Where an app sends people for consent, and where it fetches and renews its tokens."""

    authorize: str
    token: str
    refresh: str


class Example(Protocol):
    """A call and its answer, as a transcript tells it."""

    @property
    def comments(self) -> Sequence[str]: ...
    @property
    def method(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...
    @property
    def fields(self) -> Sequence[tuple[str, str]]: ...
    @property
    def body(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def answer(self) -> str: ...
    @property
    def answer_is_xml(self) -> bool: ...


Examples = Mapping[str, Sequence[Example]]
"""Examples by the path of their endpoint."""


@dataclass(frozen=True, slots=True)
class Book:
    """A surface as it is described: the chapters in their order, and where a local installation is."""

    surface: Surface
    chapters: tuple[Chapter, ...]
    base_url: str
    oauth: OAuthPaths | None = None
    """None where tokens are issued by hand."""
    issued: str = ""
    """How tokens are issued by hand, in a sentence."""

    def __post_init__(self) -> None:
        known = {chapter.name for chapter in self.chapters}
        for endpoint in self.surface.endpoints:
            if endpoint.chapter not in known:
                raise DeclarationError(f"{endpoint.name}: no chapter is called {endpoint.chapter!r}")

    @property
    def operations(self) -> dict[str, Endpoint]:
        """All endpoints by name, that of the function; the chapter stands before it where two share a name."""
        return operations_of(self.surface)

    def operations_of(self, chapter: Chapter) -> dict[str, Endpoint]:
        """The endpoints of a chapter by name, in the order they are declared."""
        return {name: found for name, found in self.operations.items() if found.chapter == chapter.name}

    def takes_fields(self, endpoint: Endpoint) -> bool:
        """Whether a call may ask for a part of the answer."""
        return self.surface.takes_fields(endpoint)


def operations_of(surface: Surface) -> dict[str, Endpoint]:
    """All endpoints of a surface by name, that of the function; the chapter stands before one that two share."""
    times = Counter(endpoint.name for endpoint in surface.endpoints)
    return {
        endpoint.name if times[endpoint.name] == 1 else f"{endpoint.chapter}_{endpoint.name}": endpoint
        for endpoint in surface.endpoints
    }


def size_words(size: int) -> str:
    """A number of bytes in words: 1 MiB."""
    return f"{size // MIB} MiB" if size % MIB == 0 else f"{size:,} bytes"


def limit_words(limit: RateLimit) -> str:
    """A rate limit in words: 30,000 calls per minute for each app and user."""
    units = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}
    window = units.get(limit.seconds, f"{limit.seconds:,} seconds")
    who = ["IP address" if word == "ip" else word for word in limit.level.split("_")]
    whose = " and ".join([", ".join(who[:-1]), who[-1]]) if len(who) > 1 else who[0]
    shared = "" if limit.group == "default" else f", counted for `{limit.group}` alone"
    return f"{limit.limit:,} calls per {window} for each {whose}{shared}"
