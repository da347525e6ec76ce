"""Tokens, codes, app secrets and passwords: how they look, and the only form in which they are kept.

A token is a prefix, 43 random characters of base 62 (256 bits) and six that check them, so that scanners find
it and a mistyped one is refused without asking the database. Kept is its SHA-256: a 256-bit secret needs no
slow hash. A person's password does: argon2id. Chapter *Authentication* of the merchant reference; the form
is ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import string
import unicodedata
import zlib
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

ACCESS_PREFIX: Final = "mp_at_"
OPERATOR_PREFIX: Final = "mp_op_"
SECRET_PREFIX: Final = "mp_cs_"
CODE_PREFIX: Final = "mp_ac_"
REFRESH_PREFIX: Final = "mp_rt_"
SESSION_PREFIX: Final = "mp_se_"
LINK_PREFIX: Final = "mp_ln_"
PREFIXES: Final = (
    ACCESS_PREFIX,
    OPERATOR_PREFIX,
    SECRET_PREFIX,
    CODE_PREFIX,
    REFRESH_PREFIX,
    SESSION_PREFIX,
    LINK_PREFIX,
)
"""What every secret of ours with check characters begins with; what has another beginning is not made."""
_ALPHABET: Final = string.digits + string.ascii_letters
_CLEAR: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_RANDOM_LENGTH: Final = 43
_CHECK_LENGTH: Final = 6
# The check is a number of base 62, written two digits at a time.
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
# OWASP's minimum for argon2id: 19 MiB, two passes, one lane.
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def new_token() -> str:
    """A new access token."""
    return _new(ACCESS_PREFIX)


def new_operator_token() -> str:
    """A new token of an operator."""
    return _new(OPERATOR_PREFIX)


def new_secret() -> str:
    """A new app secret."""
    return _new(SECRET_PREFIX)


def new_code() -> str:
    """A new authorization code."""
    return _new(CODE_PREFIX)


def new_refresh_token() -> str:
    """A new refresh token."""
    return _new(REFRESH_PREFIX)


def new_session() -> str:
    """A new id of somebody's session in the pages."""
    return _new(SESSION_PREFIX)


def new_link() -> str:
    """A new secret of a link that is mailed to somebody."""
    return _new(LINK_PREFIX)


def new_factor_key() -> bytes:
    """A new key of somebody's one-time codes: 160 bits, as RFC 4226 wants them."""
    return secrets.token_bytes(20)


def new_recovery_code() -> str:
    """A new code for whoever has lost his second factor: 79 bits in letters and digits that nobody mixes up."""
    letters = "".join(secrets.choice(_CLEAR) for _ in range(16))
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def new_seed() -> bytes:
    """What makes the successors of a refresh token unknown to whoever has the token alone."""
    return secrets.token_bytes(32)


def made_of(prefix: str, secret: str, seed: bytes) -> str:
    """A token, code or id that the same secret and the same seed always make, and nothing less."""
    assert prefix in PREFIXES, "the request log would keep it"
    number = int.from_bytes(hmac.digest(secret.encode(), prefix.encode() + seed, hashlib.sha512), "big")
    letters = []
    for _ in range(_RANDOM_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    body = prefix + "".join(letters)
    return body + _check(body)


def looks_right(token: str, prefix: str = ACCESS_PREFIX) -> bool:
    """Whether a text can be a token of this system and kind at all, by its form and its check characters."""
    body, check = token[:-_CHECK_LENGTH], token[-_CHECK_LENGTH:]
    # The check is a sum that anybody can make, and so no secret.
    return token.startswith(prefix) and len(body) == len(prefix) + _RANDOM_LENGTH and check == _check(body)


def same(told: bytes, kept: bytes) -> bool:
    """Whether two secrets, or what is kept of them, are the same; takes as long wherever they differ."""
    return hmac.compare_digest(told, kept)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier: RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def fingerprint(secret: str) -> bytes:
    """What is stored of a token or secret."""
    return hashlib.sha256(secret.encode()).digest()


def password_hash(password: str) -> str:
    """What is stored of a person's password; takes some 30 ms and 19 MiB.

    The same letters are the same password however a keyboard puts them together: Unicode NFC.
    """
    return _hasher.hash(unicodedata.normalize("NFC", password))


def is_password(password: str, kept: str | None) -> bool:
    """Whether a password is the one that `kept` is of; without one it takes as long to say no."""
    try:
        told = unicodedata.normalize("NFC", password)
        return _hasher.verify(kept or _nobodys(), told) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe())


def _new(prefix: str) -> str:
    assert prefix in PREFIXES, "the request log would keep it"
    body = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return body + _check(body)


def _check(body: str) -> str:
    rest, last = divmod(zlib.crc32(body.encode("utf-8", "replace")), len(_PAIRS))
    first, middle = divmod(rest, len(_PAIRS))
    return _PAIRS[first] + _PAIRS[middle] + _PAIRS[last]
