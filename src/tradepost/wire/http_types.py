"""A request and an answer as the gate sees them, without any server library."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field


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
