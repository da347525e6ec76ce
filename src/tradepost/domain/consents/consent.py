"""Consent as a thing: what an app asks for, whether it may, and what is judged about codes and refresh tokens.

All of it without a database. A consent begins a family: its code, and the access and refresh tokens that follow
from it one after the other. Chapter *OAuth2* of both references; PKCE is RFC 7636, in S256 only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from tradepost.domain.access import App, challenge_of, same
from tradepost.domain.access.failures import AppDisabled
from tradepost.domain.consents import failures

CODE_SECONDS: Final = 60
"""How long a code can be exchanged."""
REPEAT_SECONDS: Final = 60
"""How long a used refresh token still gives the same answer, for a client that did not get it."""
LIFE_DAYS: Final = 365
"""How long a consent lasts at most, however often its tokens are refreshed."""
MOST_STATE: Final = 1_024

_CHALLENGE = re.compile("[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER = re.compile("[A-Za-z0-9._~-]{43,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asking:
    """What an app asks a person for, as it came; None for what was not there.

    `scope` are names with blanks between; `challenge` and `method` are those of PKCE.
    """

    redirect_uri: str | None = None
    response_type: str | None = None
    response_mode: str | None = None
    scope: str | None = None
    state: str | None = None
    challenge: str | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True)
class NewConsent:
    """What somebody agrees to. `user_id` is the person, `account_id` whom he agrees for."""

    account_id: str
    user_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    challenge: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent as it is kept; `started_at` is when it was given."""

    account_id: str
    id: str
    app_id: str
    user_id: str
    scopes: Sequence[str]
    redirect_uri: str
    challenge: str | None
    code_expires_at: datetime
    code_used_at: datetime | None
    started_at: datetime
    expires_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of tokens and whose they are; the access token is good until `expires_at`."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    account_id: str
    account_name: str
    user_id: str
    scopes: tuple[str, ...]

    def seconds_left(self, now: datetime) -> int:
        """How long the access token still lives, in whole seconds."""
        return max(0, int((self.expires_at - now).total_seconds()))


def check_app(app: App, account_id: str | None, redirect_uri: str | None) -> str:
    """Where consent to an app leads back to; raises what makes asking for it pointless.

    Without `redirect_uri` it is the only one that the app has. A public app that is not verified is let in by its
    developer alone, who is asked to sign in for it. Nobody is sent anywhere where this raises
    RedirectRefused, AppDisabled, AppNotVerified, or (where the account is known) AppOfAnother.
    """
    if redirect_uri is None and len(app.redirect_uris) == 1:
        redirect_uri = app.redirect_uris[0]
    if redirect_uri is None or not app.leads_back_to(redirect_uri):
        raise failures.RedirectRefused
    if app.disabled:
        raise AppDisabled
    if app.owner_id is None and not app.verified and not app.may_be_tried_by(account_id):
        raise failures.AppNotVerified
    if app.owner_id is not None and account_id is not None and account_id != app.owner_id:
        raise failures.AppOfAnother
    return redirect_uri


def check_asking(app: App, asking: Asking, known: Collection[str]) -> tuple[str, ...]:
    """The scopes that an app asks for, out of those known; raises AskedUnusably, ScopeRefused.

    The reference's links name nothing but the app, so everything else may be left out.
    """
    if asking.response_type not in (None, "code"):
        raise failures.AskedUnusably(name="response_type")
    if asking.response_mode not in (None, "query"):
        raise failures.AskedUnusably(name="response_mode")
    if asking.state is not None and len(asking.state) > MOST_STATE:
        raise failures.AskedUnusably(name="state")
    if asking.challenge is None:
        if app.needs_pkce or asking.method is not None:
            raise failures.AskedUnusably(name="code_challenge")
    elif not _CHALLENGE.fullmatch(asking.challenge):
        raise failures.AskedUnusably(name="code_challenge")
    elif asking.method != "S256":
        raise failures.AskedUnusably(name="code_challenge_method")
    return read_scopes(app, asking.scope, known)


def read_scopes(app: App, scope: str | None, known: Collection[str]) -> tuple[str, ...]:
    """The scopes of a text with blanks between, all that the app may have without one; raises ScopeRefused."""
    allowed = [name for name in known if app.scopes is None or name in app.scopes]
    if scope is None:
        return tuple(allowed)
    names = scope.split(" ")
    for name in names:
        if name not in allowed or names.count(name) > 1:
            raise failures.ScopeRefused(scope=name)
    return tuple(names)


def check_verifier(challenge: str | None, verifier: str | None) -> None:
    """Raises VerifierRefused where the two do not belong together, one of them missing included."""
    if challenge is None and verifier is None:
        return
    if challenge is None or verifier is None or not _VERIFIER.fullmatch(verifier):
        raise failures.VerifierRefused
    if not same(challenge_of(verifier).encode(), challenge.encode()):
        raise failures.VerifierRefused


def judge_code(consent: Consent, now: datetime) -> Literal["good", "used", "expired"]:
    """What a code is worth at a moment; one that was used is that for ever."""
    if consent.code_used_at is not None or consent.ended_at is not None:
        return "used"
    return "good" if now < consent.code_expires_at else "expired"


def judge_refresh(used_at: datetime | None, has_seed: bool, now: datetime) -> Literal["good", "repeat", "reused"]:
    """What a refresh token is worth at a moment: a new pair, the same pair once more, or an alarm."""
    if used_at is None:
        return "good"
    if has_seed and now < used_at + timedelta(seconds=REPEAT_SECONDS):
        return "repeat"
    return "reused"
