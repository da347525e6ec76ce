"""Files that are handed out below some path, whatever they are of."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to hand out: what it is called and how large it is, and its bytes piece by piece.

    `headers` are sent beside the usual ones, or instead of those of the same name. Without any it is a file to
    save, for whoever asked and for no cache.
    """

    name: str
    content_type: str
    size: int
    pieces: AsyncGenerator[bytes, None]
    headers: Mapping[str, str] = field(default_factory=dict)


async def in_one_piece(data: bytes) -> AsyncGenerator[bytes, None]:
    """The pieces of a file that is in memory."""
    yield data


class Attachments(Protocol):
    """Knows the files below some path; whoever has a good link needs no token."""

    @property
    def service(self) -> str:
        """The service whose words say what is wrong with a link."""

    def open(self, name: str, query: Mapping[str, str]) -> Awaitable[Attachment]:
        """The file of a link, by what follows that path and its query; raises a fact where there is none."""
