"""The table of contents: which page stands at which path, service by service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.storage.database import Database
from tradepost.surfaces.pages import consent, signing
from tradepost.surfaces.pages.site import Page, Site

CONSENT_PATHS: Final = {
    "merchant": ("/oauth/authorize", "/v3/oauth/authorize"),
    "wishpost": ("/oauth/authorize", "/v3/oauth/authorize", "/oauth_v3/authorize"),
}


def build_site(service: str, database: Database, scopes: Mapping[str, str]) -> Site:
    """The pages of a service."""
    both: dict[str, Mapping[str, Page]] = {
        path: {"GET": consent.show, "POST": consent.decide} for path in CONSENT_PATHS[service]
    }
    both |= {
        signing.SIGN_IN: {"GET": signing.show_sign_in, "POST": signing.sign_in},
        signing.SIGN_OUT: {"POST": signing.sign_out},
        signing.APPS: {"GET": signing.show_apps, "POST": signing.withdraw},
        "/.well-known/oauth-authorization-server": {"GET": consent.metadata},
    }
    return Site(service, database, scopes, both)
