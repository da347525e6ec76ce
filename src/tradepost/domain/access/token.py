"""Access tokens, app secrets and passwords: how they look, and the only form in which they are kept.

A token is a prefix, 43 random characters of base 62 (256 bits) and six that check them, so that scanners find
it and a mistyped one is refused without asking the database. Kept is its SHA-256: a 256-bit secret needs no
slow hash. A person's password does: argon2id. Chapter *Authentication* of the merchant reference; the form
is ours.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib
from typing import Final

from argon2 import PasswordHasher

ACCESS_PREFIX: Final = "mp_at_"
SECRET_PREFIX: Final = "mp_cs_"
_ALPHABET: Final = string.digits + string.ascii_letters
_RANDOM_LENGTH: Final = 43
_CHECK_LENGTH: Final = 6
# The check is a number of base 62, written two digits at a time.
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
# OWASP's minimum for argon2id: 19 MiB, two passes, one lane.
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def new_token() -> str:
    """A new access token."""
    return _new(ACCESS_PREFIX)


def new_secret() -> str:
    """A new app secret."""
    return _new(SECRET_PREFIX)


def looks_right(token: str) -> bool:
    """Whether a text can be an access token of this system at all, by its form and its check characters."""
    body, check = token[:-_CHECK_LENGTH], token[-_CHECK_LENGTH:]
    return (
        token.startswith(ACCESS_PREFIX)
        and len(body) == len(ACCESS_PREFIX) + _RANDOM_LENGTH
        and check == _check(body)
    )


def fingerprint(secret: str) -> bytes:
    """What is stored of a token or secret."""
    return hashlib.sha256(secret.encode()).digest()


def password_hash(password: str) -> str:
    """What is stored of a person's password; takes some 30 ms and 19 MiB."""
    return _hasher.hash(password)


def _new(prefix: str) -> str:
    body = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return body + _check(body)


def _check(body: str) -> str:
    rest, last = divmod(zlib.crc32(body.encode("utf-8", "replace")), len(_PAIRS))
    first, middle = divmod(rest, len(_PAIRS))
    return _PAIRS[first] + _PAIRS[middle] + _PAIRS[last]
