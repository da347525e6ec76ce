"""What both services say of a token in the same words, those of the standard."""

from __future__ import annotations

from msgspec import Struct

from tradepost.domain.access import App
from tradepost.domain.consents import Introspection


class Nothing(Struct):
    """Nothing more to tell."""


class TokenState(Struct, omit_defaults=True):
    """What a token is; nothing but `active` is told of one that is not good, or is not yours (RFC 7662).

    `scope` are names with blanks between. `iat` and `exp` are seconds since 1970.
    """

    active: bool
    scope: str | None = None
    client_id: str | None = None
    sub: str | None = None
    token_type: str | None = None
    iat: int | None = None
    exp: int | None = None


def token_state(app: App, found: Introspection | None) -> TokenState:
    """What an app hears of a token; None is one that is none of its own."""
    if found is None:
        return TokenState(active=False)
    return TokenState(
        active=True,
        scope=" ".join(found.scopes),
        client_id=app.id,
        sub=found.account_id,
        token_type=found.kind,
        iat=int(found.created_at.timestamp()),
        exp=int(found.expires_at.timestamp()),
    )
