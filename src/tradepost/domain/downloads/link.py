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
KEY_LENGTH: Final = 32
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
        expires = int((ended_at + LIFETIME).timestamp())
        signature = self._sign(self._keys[self._signer], name, str(expires))
        return f"/downloads/{name}?expires={expires}&key={self._signer}&signature={signature}"

    def read(self, name: str, query: Mapping[str, str]) -> Link | None:
        """What a link says; None for one that none of our keys signed just so."""
        expires, signature = query.get("expires", ""), query.get("signature", "")
        key, found = self._keys.get(query.get("key", "")), _NAME.fullmatch(name)
        if key is None or found is None or not _EXPIRES.fullmatch(expires):
            return None
        if not hmac.compare_digest(self._sign(key, name, expires).encode(), signature.encode(errors="replace")):
            return None
        return Link(found[1], found[2], int(found[3]), datetime.fromtimestamp(int(expires), UTC))

    def _sign(self, key: bytes, name: str, expires: str) -> str:
        text = f"csv download\n{name}\n{expires}".encode()
        return base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")).decode().rstrip("=")
