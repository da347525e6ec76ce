"""A picture or a video of a merchant, and what its files are called.

Files have names that cannot be guessed and never hold anything else than what they held first. A path of ours tells
all that is needed to find the file: `/pictures/<id>-<fence>.jpg`, with `-small` before the point for the small
one, and for an upload `/pictures/uploads/<id><when it is over>.jpg`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol

FOLDER: Final = "/pictures/"
NO_PICTURE: Final = "/pictures/None.jpg"
"""Shown for a product that has no main picture yet."""

Kind = Literal["picture", "video", "upload"]
PICTURE: Final = "picture"
VIDEO: Final = "video"
UPLOAD: Final = "upload"
WAITING: Final = "waiting"
STORED: Final = "stored"
FAILED: Final = "failed"
REASONS: Final = ("unreachable", "unreadable", "too_small", "too_large")

MOST_BYTES: Final[Mapping[str, int]] = {PICTURE: 10 << 20, VIDEO: 50 << 20, UPLOAD: 5 << 20}
FETCH_SECONDS: Final[Mapping[str, float]] = {PICTURE: 20.0, VIDEO: 100.0}
FORMATS: Final = ("JPEG", "PNG", "GIF")
UPLOAD_FORMATS: Final = ("JPEG",)
KEPT: Final = timedelta(days=14)
"""How long an upload is kept."""
MOST_WAITING: Final = 100_000

TYPES: Final[Mapping[str, str]] = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "wmv": "video/x-ms-wmv",
    "flv": "video/x-flv",
    "avi": "video/x-msvideo",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
}
_NAME = re.compile(
    rf"(?P<stem>[0-9a-f]{{24}}-[0-9]{{1,9}})(?P<small>-small)?\.(?P<ext>{'|'.join(TYPES)})", re.ASCII
)
_UPLOAD = re.compile(r"uploads/(?P<stem>[0-9a-f]{24}(?P<over>[0-9a-f]{8}))\.jpg", re.ASCII)
_OURS = re.compile(rf"https?://[^/?#]+(?P<path>{FOLDER}[^?#]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture or a video as it is known: where it comes from, and what became of it."""

    id: str
    kind: Kind
    source: str
    state: str
    name: str | None

    @property
    def is_uploaded(self) -> bool:
        """Whether it comes from an upload and from nowhere outside."""
        return self.source.startswith(FOLDER)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is kept: its extension, its size, and of a picture its sides."""

    extension: str
    size: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file behind a path: where it is kept, what it is, and when it is over."""

    key: str
    content_type: str
    expires_at: datetime | None


class Studio(Protocol):
    """Makes pictures anew and keeps them."""

    async def keep_upload(self, stem: str, data: bytes) -> Kept:
        """Keep what was uploaded; raises Unusable."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What pictures that were named are: a path of ours, or where each will come from.

    `references` has what stands for each in a product, by what the merchant wrote; `waiting` the ids of those that
    are not there yet.
    """

    references: Mapping[str, str]
    waiting: Mapping[str, str]

    def reference(self, given: str) -> str:
        """What stands for it in a product."""
        return self.references.get(given, given)

    def is_here(self, given: str) -> bool:
        """Whether it can be shown."""
        return self.reference(given).startswith(FOLDER) and given not in self.waiting


def stem_of(picture_id: str, fence: int) -> str:
    """What the names of a picture's files begin with: others for each try."""
    return f"{picture_id}-{fence}"


def upload_stem(picture_id: str, expires_at: datetime) -> str:
    """What the name of an upload begins with."""
    return f"{picture_id}{int(expires_at.timestamp()):08x}"


def folder_of(stem: str) -> str:
    """The folder of the file store that a picture's files are in."""
    return f"pictures/{stem[:2]}/{stem}"


def path_of(name: str) -> str:
    """The path that a file is served under."""
    return FOLDER + name


def has_small(extension: str) -> bool:
    """Whether there is a small one beside it."""
    return TYPES[extension].startswith("image/")


def read_file(name: str) -> File | None:
    """The file of a name, as a path of ours has it behind FOLDER; None for what is no name."""
    if found := _NAME.fullmatch(name):
        which = "small" if found["small"] else "full"
        if found["small"] and not has_small(found["ext"]):
            return None
        return File(f"{folder_of(found['stem'])}/{which}.{found['ext']}", TYPES[found["ext"]], None)
    if found := _UPLOAD.fullmatch(name):
        over = datetime.fromtimestamp(int(found["over"], 16), UTC)
        return File(f"{folder_of(found['stem'])}/full.jpg", TYPES["jpg"], over)
    return None


def path_in(url: str) -> str | None:
    """The path of a URL that looks like one of ours; None where it does not."""
    found = _OURS.fullmatch(url)
    return found["path"] if found and read_file(found["path"].removeprefix(FOLDER)) else None
