"""Pictures in tickets: which files they are, and links to them that are good for an hour.

A link carries the shop, the ticket and the picture in its name, when it expires, which key signed it, and the
signature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tradepost.domain.downloads import LinkKeys
from tradepost.domain.tickets.failures import PictureUnusable

LIFETIME: Final = timedelta(minutes=60)
FOLDER: Final = "/ticket-pictures/"
"""What the path of every link begins with."""
MOST_BYTES: Final = 5 << 20
CONTENT_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}
FILE_NAME: Final = re.compile(r"[0-9a-f]{24}\.(?:jpg|png|gif)", re.ASCII)
_LINK = re.compile(rf"([0-9a-f]{{24}})-([0-9a-f]{{24}})-({FILE_NAME.pattern})", re.ASCII)
_KIND: Final = "ticket picture"
# How a file of each kind begins.
_SIGNS: Final = {
    "jpg": (b"\xff\xd8\xff",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "gif": (b"GIF87a", b"GIF89a"),
}


@dataclass(frozen=True, slots=True)
class PictureLink:
    """What a good link says."""

    merchant_id: str
    ticket_id: str
    name: str
    expires_at: datetime


def name_of(picture_id: str, data: bytes) -> str:
    """The name of the file that a picture becomes; raises PictureUnusable."""
    kind = next((kind for kind, signs in _SIGNS.items() if data.startswith(signs)), None)
    if kind is None or len(data) > MOST_BYTES:
        raise PictureUnusable(limit=f"{MOST_BYTES >> 20} MiB")
    return f"{picture_id}.{kind}"


def key_of(merchant_id: str, ticket_id: str, name: str) -> str:
    """Where the store keeps a picture."""
    return f"tickets/{merchant_id}/{ticket_id}/{name}"


def content_type_of(name: str) -> str:
    """What kind of picture a file is, by its name."""
    return CONTENT_TYPES[name.rpartition(".")[2]]


def link_path(keys: LinkKeys, merchant_id: str, ticket_id: str, name: str, now: datetime) -> str:
    """The path of a link to a picture, with its query, good for an hour from now on."""
    called = f"{merchant_id}-{ticket_id}-{name}"
    return f"{FOLDER}{called}?{keys.sign(_KIND, called, now + LIFETIME)}"


def read_link(keys: LinkKeys, name: str, query: Mapping[str, str]) -> PictureLink | None:
    """What a link says; None for one that none of our keys signed just so."""
    found = _LINK.fullmatch(name)
    expires_at = found and keys.check(_KIND, name, query)
    if not found or not expires_at:
        return None
    return PictureLink(found[1], found[2], found[3], expires_at)
