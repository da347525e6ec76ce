"""Links to finished downloads: whoever has one gets the file, so nobody can make one up or change one.

A link carries the account, the job and the version of the file in its name, when it expires, which key signed it,
and the signature over all of that and the kind of the file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

LIFETIME: Final = timedelta(hours=72)
FOLDER: Final = "/downloads/"
"""What the path of every link begins with."""
KEY_LENGTH: Final = 32
_KIND: Final = "csv download"
_NAME = re.compile(r"([0-9a-f]{24})-([0-9a-f]{24})-([0-9]{1,9})-[0-9]{8}T[0-9]{6}Z\.csv", re.ASCII)
_EXPIRES = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Link:
    """What a good link says."""

    account_id: str
    job_id: str
    version: int
    expires_at: datetime


class LinkKeys:
    """The keys that sign links: the first signs, all of them are accepted."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` are at least KEY_LENGTH bytes each, and at least one."""
        assert keys
        assert all(len(key) >= KEY_LENGTH for key in keys)
        self._keys = {hashlib.sha256(b"tradepost link key\n" + key).hexdigest()[:8]: key for key in keys}
        self._signer = next(iter(self._keys))

    def path(self, account_id: str, job_id: str, version: int, ended_at: datetime) -> str:
        """The path of the link, with its query, to a file that was ready at `ended_at`."""
        name = f"{account_id}-{job_id}-{version}-{ended_at.astimezone(UTC):%Y%m%dT%H%M%SZ}.csv"
        return f"{FOLDER}{name}?{self.sign(_KIND, name, ended_at + LIFETIME)}"

    def read(self, name: str, query: Mapping[str, str]) -> Link | None:
        """What a link says; None for one that none of our keys signed just so."""
        found = _NAME.fullmatch(name)
        expires_at = found and self.check(_KIND, name, query)
        if not found or not expires_at:
            return None
        return Link(found[1], found[2], int(found[3]), expires_at)

    def sign(self, kind: str, name: str, expires_at: datetime) -> str:
        """The query of a link to a file of some kind; `kind` keeps one from passing for another."""
        expires = str(int(expires_at.timestamp()))
        signature = _signature(self._keys[self._signer], kind, name, expires)
        return f"expires={expires}&key={self._signer}&signature={signature}"

    def check(self, kind: str, name: str, query: Mapping[str, str]) -> datetime | None:
        """When a link expires; None for one that none of our keys signed just so."""
        expires, signature = query.get("expires", ""), query.get("signature", "")
        key = self._keys.get(query.get("key", ""))
        if key is None or not _EXPIRES.fullmatch(expires):
            return None
        expected = _signature(key, kind, name, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            return None
        return datetime.fromtimestamp(int(expires), UTC)


def _signature(key: bytes, kind: str, name: str, expires: str) -> str:
    text = f"{kind}\n{name}\n{expires}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")).decode().rstrip("=")
