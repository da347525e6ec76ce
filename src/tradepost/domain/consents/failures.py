"""What can be wrong with asking for consent, and with the codes and tokens that follow from one."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class AppNotVerified(Failure):
    """A public app that no operator has verified yet."""


class AppOfAnother(Failure):
    """A private app, which only its owner can let in."""


class AskedUnusably(Failure):
    """An app asks for consent in a way that no answer could follow from; `name` is the parameter."""

    name: str


class ScopeRefused(Failure):
    """An app asks for a scope twice, for none, or for one that it cannot have."""

    scope: str


class GrantTypeWrong(Failure):
    """The grant type is none, or not that of this call."""

    wanted: str


class RedirectRefused(Failure):
    """The redirect URL is not the one that consent led back to."""


class CodeUnknown(Failure):
    """The authorization code was never given, or to another app."""


class CodeExpired(Failure):
    """The authorization code was not exchanged in time."""


class CodeUsed(Failure):
    """The authorization code was exchanged before; what followed from it is taken back."""

    keeps = True


class VerifierRefused(Failure):
    """The code verifier is missing, is not the one of the challenge, or there was no challenge."""


class OwnerSuspended(Failure):
    """The account that the tokens would be of may not act."""


class RefreshUnknown(Failure):
    """The refresh token was never issued, or to another app."""


class RefreshExpired(Failure):
    """The consent that the refresh token follows from is over."""


class RefreshRevoked(Failure):
    """The consent that the refresh token follows from was taken back."""


class RefreshReused(Failure):
    """The refresh token was used before, and not just now; everything of its family is taken back."""

    keeps = True
