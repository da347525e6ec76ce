"""The surface of the merchant service: what all its endpoints have in common."""

from __future__ import annotations

from importlib import resources
from typing import Final

from tradepost.domain.access import failures as access
from tradepost.domain.failure import Failure
from tradepost.wire.endpoint import RateLimit, Surface
from tradepost.wire.failures import load_table

LOCALES: Final = ("en", "zh", "fr", "de")

SCOPES: Final = {
    "products:read": "See your products, their shipping and your warehouses.",
    "products:write": "Add, change and remove your products.",
    "orders:read": "See your orders.",
    "orders:write": "Fulfil, change and refund your orders.",
    "tickets:read": "See your customers' tickets.",
    "tickets:write": "Answer and close your customers' tickets.",
    "notifications:read": "See your notifications and announcements.",
    "notifications:write": "Mark your notifications as seen.",
    "infractions:read": "See your infractions and fines.",
    "returns:read": "See your return warehouses and settings.",
    "returns:write": "Change your return warehouses and settings.",
    "webhook:read": "See the webhooks of the app, and what they were told.",
    "webhook:write": "Let the app be told what happens in your shop.",
}

# The reference gives no number. Ours keeps a runaway loop from hurting others and is out of anybody else's way.
DEFAULT_LIMIT: Final = RateLimit(group="default", level="app_user", limit=30_000, seconds=60)

# Recorded of the third generation of paths, beside its OAuth calls: another number for each trouble with a token.
NEWER_CODES: Final = {
    "TokenMissing": (401, 1012),
    "TokenMalformed": (400, 1006),
    "TokenForged": (400, 1006),
    "TokenUnknown": (400, 1006),
    "TokenExpired": (400, 1007),
    "TokenRevoked": (400, 1008),
    "AccountSuspended": (400, 1002),
}

api = Surface(
    name="merchant",
    title="Merchant API",
    version="2",
    prefix="/api/v2",
    prefix_aliases=("/v2",),
    table=load_table(resources.files(__package__), LOCALES).with_part("/api/v3/", NEWER_CODES),
    failure_base=Failure,
    common_failures=(
        *access.TOKEN_FAILS,
        access.RateLimitReached,
        access.IpLimitReached,
    ),
    scopes=SCOPES,
    default_limits=(DEFAULT_LIMIT,),
    formats=("json", "xml"),
    token_parameter="access_token",
    any_method=True,
    tells_type=True,
)
