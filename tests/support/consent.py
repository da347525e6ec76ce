"""An app per service for tests, with a secret, a code and a refresh token that everybody here knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from tradepost.domain import access, consents
from tradepost.domain.access import CODE_PREFIX, REFRESH_PREFIX, made_of
from tradepost.domain.access.token import SECRET_PREFIX
from tradepost.domain.consents import NewConsent
from tradepost.domain.consents.rows import insert_refresh, use_code
from tradepost.domain.context import Ctx

SERVICES: Final = ("merchant", "wishpost")
APP_IDS: Final = {"merchant": "60a4d0cb0000000000000001", "wishpost": "60a4d0cb0000000000000002"}
REDIRECT_URI: Final = "https://erp.example/callback?from=tradepost"
SECRET: Final = made_of(SECRET_PREFIX, "the secret of an app", b"")
CODES: Final = {service: made_of(CODE_PREFIX, "a code", service.encode()) for service in SERVICES}
REFRESH_TOKENS: Final = {service: made_of(REFRESH_PREFIX, "a token", service.encode()) for service in SERVICES}
SHOWN: Final = ("client_id", "client_secret", "code_verifier")
"""What a good call shows although it need not stand there."""
VERIFIER: Final = "a-verifier-that-is-long-enough-for-everybody"
PERSON: Final = "60a4d0cb00000000000000aa"
"""Who agreed."""


def client(service: str) -> dict[str, str]:
    """What the app of a service shows."""
    return {"client_id": APP_IDS[service], "client_secret": SECRET}


def exchange(service: str) -> dict[str, str]:
    """A good exchange of the code that waits."""
    told = {"code": CODES[service], "grant_type": "authorization_code", "redirect_uri": REDIRECT_URI}
    return client(service) | told | {"code_verifier": VERIFIER}


def refresh(service: str) -> dict[str, str]:
    """A good refresh."""
    return client(service) | {"refresh_token": REFRESH_TOKENS[service], "grant_type": "refresh_token"}


async def let_in(ctx: Ctx, service: str, account_id: str, scopes: tuple[str, ...]) -> None:
    """A verified public app, a consent whose code waits, and one whose refresh token is known."""
    added = replace(ctx, new_id=lambda: APP_IDS[service])
    await access.add_app(added, service, access.NewApp("Example ERP", (REDIRECT_URI,)), SECRET)
    await access.verify_app(ctx, service, APP_IDS[service])
    app = await access.find_app(ctx, service, APP_IDS[service])
    agreed = NewConsent(account_id, PERSON, scopes, REDIRECT_URI, access.challenge_of(VERIFIER))
    await consents.give(ctx, app, agreed, code=CODES[service])
    earlier = replace(ctx, now=ctx.now - timedelta(days=1))
    consent_id = ctx.new_id()
    await consents.give(earlier, app, agreed, consent_id)
    await use_code(ctx.db, account_id, consent_id, earlier.now)
    known = access.fingerprint(REFRESH_TOKENS[service])
    await insert_refresh(ctx.db, account_id, ctx.new_id(), consent_id, known, earlier.now)
