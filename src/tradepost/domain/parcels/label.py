"""Labels of parcels: what a file of them can be, and links to such files that are good for a day.

A link carries in its name the user, the size of the pages, which address comes first and the parcels; besides, when
it expires, which key signed it, and the signature. So nothing about it is kept: the file is printed when somebody
follows it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from tradepost.domain.downloads import LinkKeys
from tradepost.domain.parcels.channel import Channel
from tradepost.domain.parcels.parcel import Parcel

SIZES: Final = ("10", "A4")
"""Pages of 10 x 10 cm with a label each, or of A4 with four."""
MOST_LABELS: Final = 50
LIFETIME: Final = timedelta(hours=24)
FOLDER: Final = "/labels/"
"""What the path of every link begins with."""
_KIND: Final = "labels"
_NAME = re.compile(rf"([0-9a-f]{{24}})-({'|'.join(SIZES)})-(english|local)-([A-Za-z0-9_-]+)\.pdf", re.ASCII)
_ID_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Sheet:
    """How labels are printed: the size of the pages, and whether the address in the local script comes first."""

    size: str = "10"
    local_first: bool = False


@dataclass(frozen=True, slots=True)
class LabelLink:
    """What a good link says."""

    account_id: str
    sheet: Sheet
    parcel_ids: tuple[str, ...]
    expires_at: datetime


class Press(Protocol):
    """Somebody who prints labels."""

    async def print_labels(self, parcels: Sequence[Parcel], channels: Mapping[str, Channel], sheet: Sheet) -> bytes:
        """A PDF file with a label for each parcel; `channels` by their otype. Raises what time mends."""


def link_path(keys: LinkKeys, account_id: str, sheet: Sheet, parcel_ids: Sequence[str], now: datetime) -> str:
    """The path of a link to labels, with its query, good for a day from now on."""
    first = "local" if sheet.local_first else "english"
    ids = base64.urlsafe_b64encode(b"".join(bytes.fromhex(parcel_id) for parcel_id in parcel_ids)).decode()
    name = f"{account_id}-{sheet.size}-{first}-{ids}.pdf"
    return f"{FOLDER}{name}?{keys.sign(_KIND, name, now + LIFETIME)}"


def read_link(keys: LinkKeys, name: str, query: Mapping[str, str]) -> LabelLink | None:
    """What a link says; None for one that none of our keys signed just so."""
    found = _NAME.fullmatch(name)
    expires_at = found and keys.check(_KIND, name, query)
    if not found or not expires_at:
        return None
    try:
        ids = base64.urlsafe_b64decode(found[4]).hex()
    except binascii.Error:
        return None
    parcel_ids = tuple(ids[at : at + 2 * _ID_BYTES] for at in range(0, len(ids), 2 * _ID_BYTES))
    return LabelLink(found[1], Sheet(found[2], found[3] == "local"), parcel_ids, expires_at)
