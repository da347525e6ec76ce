"""The surface of the operator's service: what all its endpoints have in common."""

from __future__ import annotations

from importlib import resources
from typing import Final

from tradepost.domain import operators
from tradepost.domain.access import failures as access
from tradepost.domain.failure import Failure
from tradepost.surfaces.operator_v1.failures import NotBookmark, NotId
from tradepost.wire.endpoint import RateLimit, Surface
from tradepost.wire.failures import load_table

LOCALES: Final = ("en", "zh", "fr", "de")

SCOPES: Final = {
    "merchants:read": "See the merchants.",
    "merchants:write": "Suspend and reinstate merchants.",
    "orders:read": "See orders.",
    "orders:write": "Place, release and refund orders.",
    "tracking:write": "Tell what carriers saw, of orders and of parcels.",
    "parcels:read": "See the users of the logistics service and their parcels.",
    "senders:write": "Say which users of the logistics service are known by their real names.",
    "products:read": "See products and what awaits its review.",
    "products:write": "Review products and take variations down.",
    "tickets:read": "See tickets.",
    "tickets:write": "Open, answer and close tickets for buyers and for support.",
    "infractions:read": "See infractions.",
    "infractions:write": "Issue, answer and close infractions.",
    "announcements:write": "Tell merchants and senders something.",
}

# A storefront calls for all of its buyers, so one operator has what merchants have with all their apps.
DEFAULT_LIMIT: Final = RateLimit(group="default", level="operator", limit=30_000, seconds=60)

api = Surface(
    name="operator",
    title="Operator API",
    version="1",
    prefix="/api/operator/v1",
    table=load_table(resources.files(__package__), LOCALES),
    failure_base=Failure,
    common_failures=(
        *access.TOKEN_FAILS,
        access.RateLimitReached,
        NotId,
        NotBookmark,
    ),
    scopes=SCOPES,
    default_limits=(DEFAULT_LIMIT,),
    tells_type=True,
    key_failures=(operators.KeyReused, operators.KeyInUse),
)
