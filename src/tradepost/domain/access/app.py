"""An app as the platform knows it, and where consent may lead back to. Chapter *OAuth2*.

A private app has an owner, the one account that can let it in. A public app has none, and an operator must have
verified it before anybody can; its developer may try it before. What was verified is the app as it was seen: one
that leads somewhere else afterwards, or asks for more, has to be verified again.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from tradepost.domain.access import failures

# Printable ASCII without what browsers read as something else, or people do.
_URI = re.compile(
    r"https?://[a-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.ASCII,
)
MOST_URI: Final = 1_000
MOST_NAME: Final = 200
MOST_REASON: Final = 1_000
"""Characters of the reason why an app was refused."""


@dataclass(frozen=True, slots=True)
class NewApp:
    """What it takes to add an app. Without an owner it is public; without scopes it may ask for all there are."""

    name: str
    redirect_uris: tuple[str, ...] = ()
    owner_id: str | None = None
    needs_pkce: bool = False
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class App:
    """An app. Of its secrets only hashes are known; the old one is good until its time is over."""

    service: str
    id: str
    name: str
    redirect_uris: tuple[str, ...]
    owner_id: str | None
    verified: bool
    disabled: bool
    scopes: tuple[str, ...] | None
    needs_pkce: bool
    secret_hash: bytes
    old_secret_hash: bytes | None
    old_secret_expires_at: datetime | None
    developer_id: str | None = None
    """Who made it and looks after it: the owner of a private app; None for a public one that an operator added."""
    waits_since: datetime | None = None
    """Since when it waits to be verified."""
    refusal: str = ""
    """Why an operator did not verify it, in his words."""
    revision: int = 0
    """Which of its changes this is."""

    def may_be_tried_by(self, account_id: str | None) -> bool:
        """Whether an account can let it in though nobody verified it; None for one that is not known yet."""
        return self.developer_id is not None and account_id in (None, self.developer_id)

    @property
    def only_redirect_uri(self) -> str:
        """The redirect URL of an app that has just one and need not name it; otherwise "", which is none."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else ""

    def leads_back_to(self, redirect_uri: str) -> bool:
        """Whether consent may lead back to this URL: one of the app's, letter by letter.

        One on this machine may have any port, because a program that listens there cannot choose: RFC 8252, 7.3.
        """
        if redirect_uri in self.redirect_uris:
            return True
        bare = _without_port(redirect_uri)
        return bare is not None and any(_without_port(uri) == bare for uri in self.redirect_uris)


def can_lead_back(redirect_uri: str) -> bool:
    """Whether an app may have this URL: https, or http on this machine, without a user and a fragment."""
    if len(redirect_uri) > MOST_URI or not _URI.fullmatch(redirect_uri):
        return False
    try:
        parts = urlsplit(redirect_uri)
        known = parts.port != 0 and bool(parts.hostname)
    except ValueError:
        return False
    segments = parts.path.replace("%2e", ".").replace("%2E", ".").split("/")
    if not known or ".." in segments or "." in segments:
        return False
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")


def check_new(new: NewApp, known: Collection[str] | None = None) -> None:
    """Raises AppNameUnusable, RedirectUnusable, or (where the scopes are known) ScopeUnknown."""
    if not new.name.strip() or not new.name.isprintable() or len(new.name) > MOST_NAME:
        raise failures.AppNameUnusable(name=new.name[:64])
    for uri in new.redirect_uris:
        if not can_lead_back(uri):
            raise failures.RedirectUnusable(redirect_uri=uri[:64])
    for scope in new.scopes or ():
        if known is not None and scope not in known:
            raise failures.ScopeUnknown(scope=scope[:64])


def _without_port(redirect_uri: str) -> str | None:
    """A URL on this machine by its address, with the port left out; None for any other."""
    found = re.fullmatch(r"http://(127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?(/[!-~]*)?", redirect_uri, re.ASCII)
    return None if found is None else f"{found[1]}{found[2] or ''}"
