"""A request and an answer as the gate sees them, without any server library."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

# A name, an address, or nothing; it is repeated in links, so nothing else passes.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{0,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)


def is_host(text: str) -> bool:
    """Whether a text can be the Host of a request, with a port or without."""
    return _HOST.fullmatch(text) is not None


@dataclass(slots=True)
class Request:
    """One call: what was asked, from where, and a way to read its body within a limit of bytes."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    scheme: str
    host: str
    client: str | None
    """The caller's address; None where there is none to tell, as on a Unix socket."""
    read_body: Callable[[int], Awaitable[bytes]]

    @property
    def base_url(self) -> str:
        """Scheme and host as the caller used them, for links that can be followed as they are."""
        return f"{self.scheme}://{self.host}"


@dataclass(slots=True)
class Response:
    """One answer, complete in memory."""

    status: int
    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)
