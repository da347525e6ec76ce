"""Secrets of subscriptions: what they look like, and how messages are signed with them.

Messages are signed as Standard Webhooks says (https://www.standardwebhooks.com). A secret must be usable, so it
cannot be kept as a hash: it is kept sealed.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret() -> bytes:
    """A new secret."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as it is shown: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def signatures(with_secrets: Sequence[bytes], message_id: str, at: datetime, body: str) -> str:
    """The signatures of a message that is sent at a moment, one for each secret, as its header has them."""
    text = f"{message_id}.{int(at.timestamp())}.{body}".encode()
    signed = (base64.b64encode(hmac.digest(secret, text, "sha256")).decode() for secret in with_secrets)
    return " ".join(f"v1,{one}" for one in signed)
