"""The surface of the logistics service: what all its endpoints have in common."""

from __future__ import annotations

from importlib import resources
from typing import Final

from tradepost.domain.access import failures as access
from tradepost.domain.failure import Failure
from tradepost.wire.endpoint import RateLimit, Surface
from tradepost.wire.failures import load_table

LOCALES: Final = ("en", "zh")

SCOPES: Final = {
    "user.scope.read": "See the scopes of the account.",
    "user.label.read": "Fetch labels.",
    "user.payment.read": "See the account's balance and payments.",
    "user.tracking.read": "Follow parcels.",
    "user.order.write": "Book and cancel parcels.",
    "user.order.read": "See parcels and channels.",
    "user.announcement.read": "See announcements.",
}


def limits(group: str = "default", *, per_user: int = 30_000) -> tuple[RateLimit, ...]:
    """The seven levels of one group of calls, all per minute: the wider what is counted, the more is allowed."""
    allowed = {
        "ip_user_agent": per_user,
        "ip_user": per_user,
        "user": per_user,
        "ip_app": 2 * per_user,
        "ip_agent": 2 * per_user,
        "ip": 2 * per_user,
        "app": 4 * per_user,
    }
    return tuple(RateLimit(group, level, limit, 60) for level, limit in allowed.items())


api = Surface(
    name="wishpost",
    title="WishPost API",
    version="3",
    prefix="/api/v3",
    table=load_table(resources.files(__package__), LOCALES),
    failure_base=Failure,
    common_failures=(
        *access.TOKEN_FAILS,
        access.IpLimitReached,
        access.UserLimitReached,
        access.IpUserLimitReached,
        access.IpAgentLimitReached,
        access.IpUserAgentLimitReached,
        access.AppLimitReached,
        access.IpAppLimitReached,
    ),
    scopes=SCOPES,
    default_limits=limits(),
    selects_fields=True,
)
