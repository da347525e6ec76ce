"""Who may call: apps, access tokens, scopes and rate limits. Knows no HTTP header and no status code."""

from tradepost.domain.access.operations import (
    TOKEN_DAYS,
    Admission,
    Asked,
    CountedLimit,
    add_app,
    admit,
    forget_old_windows,
    issue_token,
    revoke_token,
)
from tradepost.domain.access.token import new_secret, new_token, password_hash

__all__ = [
    "TOKEN_DAYS",
    "Admission",
    "Asked",
    "CountedLimit",
    "add_app",
    "admit",
    "forget_old_windows",
    "issue_token",
    "new_secret",
    "new_token",
    "password_hash",
    "revoke_token",
]
