"""Secrets that must be usable, and so are kept as no hash: sealed with a key that the database does not have."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LEAST_KEY: Final = 32
_NONCE_BYTES: Final = 12
_NAME_BYTES: Final = 4


class SealUnknown(Exception):
    """Something was sealed with a key that is not among ours, or was changed since."""


class SealingKeys:
    """The keys that seal secrets: the first seals, all of them open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` are at least LEAST_KEY bytes each, and at least one."""
        assert keys
        assert all(len(key) >= LEAST_KEY for key in keys)
        self._keys: dict[bytes, AESGCM] = {}
        for key in keys:
            made = hashlib.sha256(b"tradepost sealing key\n" + key).digest()
            self._keys[hashlib.sha256(made).digest()[:_NAME_BYTES]] = AESGCM(made)
        self._sealer = next(iter(self._keys))

    def seal(self, secret: bytes, owner: str) -> bytes:
        """A secret as it is kept; it opens for the same owner only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return self._sealer + nonce + self._keys[self._sealer].encrypt(nonce, secret, owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The secret again; raises SealUnknown."""
        name, nonce, rest = sealed[:_NAME_BYTES], sealed[_NAME_BYTES:][:_NONCE_BYTES], sealed[16:]
        key = self._keys.get(name)
        if key is None:
            raise SealUnknown
        try:
            return key.decrypt(nonce, rest, owner.encode())
        except InvalidTag:
            raise SealUnknown from None
