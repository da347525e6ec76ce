"""The way around: which pages stand in the menu, in groups, and what is gathered of a group of pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tradepost.surfaces.pages.visit import Visit
from tradepost.wire.http_types import Response

Page = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu: where it leads, and the key of its words."""

    path: str
    word: str

    def is_at(self, path: str) -> bool:
        """Whether a page is this one or below it."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that belong together: by path (a part in braces is a blank) and method, and their part of the menu."""

    word: str
    pages: Mapping[str, Mapping[str, Page]]
    entries: Sequence[Entry] = ()
    large: Mapping[str, int] = field(default_factory=dict)
    """Paths whose forms may have more bytes than others, and files: how many."""
    files: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Paths whose forms have fields that are files of bytes and no text, and how many bytes each may have."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the menu as a page shows it."""

    path: str
    word: str
    is_here: bool


def menu(groups: Sequence[Group], path: str) -> list[tuple[str, list[Line]]]:
    """The menu on a page: the groups with their lines; the one that leads nearest to the page is marked."""
    fitting = [entry for group in groups for entry in group.entries if entry.is_at(path)]
    nearest = max(fitting, key=lambda entry: len(entry.path), default=None)
    return [
        (group.word, [Line(entry.path, entry.word, entry is nearest) for entry in group.entries])
        for group in groups
        if group.entries
    ]
