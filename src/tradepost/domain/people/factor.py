"""One-time codes (TOTP, RFC 6238) and the codes for whoever has lost what makes them; without a database.

Codes follow the machine's clock and not the world's: what makes them is in somebody's pocket, outside of any world.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tradepost.domain.access import same

STEP_SECONDS: Final = 30
DIGITS: Final = 6
RECOVERY_CODES: Final = 10
_AROUND: Final = (0, -1, 1)
"""Steps that are tried: the one of the moment, and those beside it for clocks that differ a little."""
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def step_of(key: bytes, code: str, seconds: float, after: int) -> int | None:
    """The step of time whose code this is, if it is one that is tried and later than `after`; None otherwise."""
    told = code.replace(" ", "")
    if not _CODE.fullmatch(told):
        return None
    made = _maker(key)
    now = int(seconds) // STEP_SECONDS
    found = None
    for around in _AROUND:
        step = now + around
        if step > 0 and same(told.encode(), made.generate(step * STEP_SECONDS)) and step > after:
            found = step
    return found


def code_at(key: bytes, seconds: float) -> str:
    """The code of a moment."""
    return _maker(key).generate(int(seconds)).decode()


def key_text(key: bytes) -> str:
    """A key as people type it: base32 in groups of four."""
    text = base64.b32encode(key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def key_uri(key: bytes, account: str, issuer: str) -> str:
    """A key as an app reads it out of a picture."""
    return _maker(key).get_provisioning_uri(account, issuer)


def recovery_hash(user_id: str, code: str) -> bytes:
    """What is kept of a recovery code, however it is typed: it is of 79 random bits, and so needs no slow hash."""
    plain = re.sub(r"[^0-9a-z]", "", code.lower())
    return hashlib.sha256(f"{user_id} {plain}".encode()).digest()


def _maker(key: bytes) -> TOTP:
    return TOTP(key, DIGITS, SHA1(), STEP_SECONDS)
