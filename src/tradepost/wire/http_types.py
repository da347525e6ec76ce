"""A request and an answer as the gate sees them, without any server library."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import NewType, Protocol

BaseUrl = NewType("BaseUrl", str)
"""Scheme and host as a caller used them, without a slash at the end: https://merchant.example.

A handler that declares an argument of this type is handed that of its call; on the wire there is no such parameter.
"""
Locale = NewType("Locale", str)
"""The language that a call is answered in; handed to handlers like the base URL."""


@dataclass(frozen=True, slots=True)
class Client:
    """The app that calls an open endpoint, by what it shows and nobody looked at yet; handed to handlers, too."""

    id: str
    secret: str


KEY_HEADER = "Idempotency-Key"
"""The header that names a call which is to be done once."""
MOST_KEY = 255

# A name, an address, or nothing; it is repeated in links, so nothing else passes.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{0,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)


def is_host(text: str) -> bool:
    """Whether a text can be the Host of a request, with a port or without."""
    return _HOST.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Document:
    """An answer that is a file by itself and stands in no envelope."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of a body: how many bytes, and those at its beginning."""

    size: int = 0
    beginning: bytes = b""


class SeenBody(Protocol):
    """What can be looked at of a body that is read, or will be."""

    @property
    def size(self) -> int:
        """Bytes that were read."""

    @property
    def beginning(self) -> bytes:
        """The first of them."""


@dataclass(slots=True)
class Request:
    """One call: what was asked, from where, and two ways to read its body, once and within a limit of bytes."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    scheme: str
    host: str
    client: str | None
    """The caller's address; None where there is none to tell, as on a Unix socket."""
    read_body: Callable[[int], Awaitable[bytes]]
    """The body whole."""
    stream_body: Callable[[int], AsyncIterator[bytes]]
    """The body in pieces of any size; the next is not fetched before it is asked for."""
    seen: SeenBody = field(default_factory=Seen)
    """What was read of the body so far."""
    token: str = ""
    """The access token that it came with, once that was found."""

    @property
    def base_url(self) -> BaseUrl:
        """Scheme and host as the caller used them, for links that can be followed as they are."""
        return BaseUrl(f"{self.scheme}://{self.host}")


@dataclass(slots=True)
class Response:
    """One answer, complete in memory."""

    status: int
    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)
    late: float = 0.0
    """Seconds that it waits before it goes out, on purpose."""
    cut: bool = False
    """Whether only half of its body goes out, on purpose."""
    code: int = 0
    """The code in its envelope; 0 for a success."""
