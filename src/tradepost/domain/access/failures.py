"""What can be wrong with somebody who wants in."""

from __future__ import annotations

from typing import Final

from tradepost.domain.failure import Failure
from tradepost.values import TryLater


class TokenForged(Failure):
    """No access token of this system looks like this."""


class TokenUnknown(Failure):
    """A well-formed token that was never issued, or for the other service."""


class TokenExpired(Failure):
    """The token was good once; its time is over."""


class TokenRevoked(Failure):
    """The token was taken back, or its app was."""


class AccountSuspended(Failure):
    """The token is good and its account may not act."""


class ScopeMissing(Failure):
    """The token does not open this."""

    scope: str


TOKEN_FAILS: Final = (TokenForged, TokenUnknown, TokenExpired, TokenRevoked, AccountSuspended, ScopeMissing)
"""What can be wrong with a call's token, on every service."""


class RateLimitReached(Failure, TryLater):
    """The calls of this window are used up; `reset` is when the next one begins."""

    limit: int
    seconds: int


class IpLimitReached(RateLimitReached):
    """Too many calls from one address."""


class UserLimitReached(RateLimitReached):
    """Too many calls for one account."""


class IpUserLimitReached(RateLimitReached):
    """Too many calls for one account from one address."""


class IpAgentLimitReached(RateLimitReached):
    """Too many calls by one program from one address."""


class IpUserAgentLimitReached(RateLimitReached):
    """Too many calls for one account by one program from one address."""


class AppLimitReached(RateLimitReached):
    """Too many calls by one app."""


class IpAppLimitReached(RateLimitReached):
    """Too many calls by one app from one address."""


BY_LEVEL = {
    "app_user": RateLimitReached,
    "operator": RateLimitReached,
    "ip": IpLimitReached,
    "user": UserLimitReached,
    "ip_user": IpUserLimitReached,
    "ip_agent": IpAgentLimitReached,
    "ip_user_agent": IpUserAgentLimitReached,
    "app": AppLimitReached,
    "ip_app": IpAppLimitReached,
}
"""What it is called when the calls of a level are used up."""


class AppUnknown(Failure):
    """No app has this id."""

    app_id: str


class ClientRefused(Failure):
    """No app has this id and this secret."""


class AppDisabled(Failure):
    """The app may not be used any more."""


class ScopeUnknown(Failure):
    """The service has no such scope, or the app does not ask for it."""

    scope: str


class RedirectUnusable(Failure):
    """Consent can lead back to an absolute https URL without a fragment, or to http on this machine."""

    redirect_uri: str


class LifetimeUnusable(Failure):
    """A token lives longer than a moment and not for ever."""

    days: float
    most: int


class AppChanged(Failure):
    """The app is another than the one that was looked at when somebody judged it."""

    app_id: str


class AppVerified(Failure):
    """The app needs no verification, or it has it."""

    app_id: str


class RefusalUnusable(Failure):
    """Who is refused is told why, in so many characters at most."""

    most: int


class ScopesMissing(Failure):
    """An app asks for something."""


class AppNameUnusable(Failure):
    """An app needs a name that people can read."""

    name: str


class TooManyApps(Failure):
    """An account makes so many apps at most."""

    most: int
