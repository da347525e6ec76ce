"""Apps that somebody makes for his own account: private ones, which nobody else can let in. Chapter *OAuth2*."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from tradepost.domain import audit
from tradepost.domain.access import failures, rows
from tradepost.domain.access.app import App, can_lead_back
from tradepost.domain.access.operations import OLD_SECRET_HOURS
from tradepost.domain.access.token import fingerprint, new_secret
from tradepost.domain.context import Ctx

MOST_OWN_APPS: Final = 100
MOST_REDIRECTS: Final = 10


async def list_own_apps(ctx: Ctx, service: str) -> list[App]:
    """The apps of the bound account, the latest first."""
    return await rows.own_apps(ctx.db, service)


async def add_own_app(ctx: Ctx, service: str, account_id: str, name: str, uris: Sequence[str]) -> tuple[str, str]:
    """Add a private app of the bound account; gives its id and its secret, shown this once.

    Raises AppNameUnusable, RedirectUnusable, TooManyApps.
    """
    if not name.strip() or not name.isprintable() or len(name) > 200:
        raise failures.AppNameUnusable(name=name[:64])
    _check(uris)
    app_id, secret = ctx.new_id(), new_secret()
    told = (service, app_id, name.strip(), fingerprint(secret), list(uris), MOST_OWN_APPS, ctx.now)
    if not await rows.add_own_app(ctx.db, *told):
        raise failures.TooManyApps(most=MOST_OWN_APPS)
    await audit.record(ctx, "app.added", account_id, service=service, app_id=app_id)
    return app_id, secret


async def replace_own_secret(ctx: Ctx, service: str, account_id: str, app_id: str) -> str:
    """Give an app of the bound account a new secret; the one before is good for a day. Raises AppUnknown."""
    secret, until = new_secret(), ctx.now + timedelta(hours=OLD_SECRET_HOURS)
    if not await rows.replace_own_secret(ctx.db, service, app_id, fingerprint(secret), until):
        raise failures.AppUnknown(app_id=app_id[:64])
    await audit.record(ctx, "app.secret_replaced", account_id, service=service, app_id=app_id)
    return secret


async def change_own_app(
    ctx: Ctx, service: str, account_id: str, app_id: str, uris: Sequence[str], disabled: bool
) -> None:
    """Change where consent to an app of the bound account leads back to, and whether it is kept out.

    What an operator disabled stays so. Raises RedirectUnusable, AppUnknown.
    """
    _check(uris)
    if not await rows.change_own_app(ctx.db, service, app_id, list(uris), ctx.now if disabled else None):
        raise failures.AppUnknown(app_id=app_id[:64])
    verb = "app.disabled" if disabled else "app.changed"
    await audit.record(ctx, verb, account_id, service=service, app_id=app_id)


def _check(uris: Sequence[str]) -> None:
    for index, uri in enumerate(uris):
        if index >= MOST_REDIRECTS or not can_lead_back(uri):
            raise failures.RedirectUnusable(redirect_uri=uri[:64])
