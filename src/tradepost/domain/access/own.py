"""Apps that somebody makes and looks after himself, private or public ones. Chapter *OAuth2*.

A private app is let in by its owner alone. A public one is for everybody once an operator has verified it; its
developer asks for that, and reads why it was refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from tradepost.domain import audit
from tradepost.domain.access import failures, rows
from tradepost.domain.access.app import App, NewApp, check_new
from tradepost.domain.access.operations import OLD_SECRET_HOURS
from tradepost.domain.access.token import fingerprint, new_secret
from tradepost.domain.context import Ctx

MOST_OWN_APPS: Final = 100
MOST_REDIRECTS: Final = 10


async def list_own_apps(ctx: Ctx, service: str) -> list[App]:
    """The apps of the bound account, the latest first."""
    return await rows.own_apps(ctx.db, service)


async def find_own_app(ctx: Ctx, service: str, app_id: str) -> App:
    """An app of the bound account; raises AppUnknown."""
    for app in await rows.own_apps(ctx.db, service):
        if app.id == app_id:
            return app
    raise failures.AppUnknown(app_id=app_id[:64])


async def add_own_app(
    ctx: Ctx, service: str, account_id: str, new: NewApp, known: Collection[str]
) -> tuple[str, str]:
    """Add an app of the bound account; gives its id and its secret, shown this once.

    It is private where its owner is the account, and public without one. `known` are the scopes of the service.
    Raises AppNameUnusable, RedirectUnusable, ScopesMissing, ScopeUnknown, TooManyApps.
    """
    assert new.owner_id in (None, account_id), "nobody makes an app for somebody else"
    _check(new, known)
    app_id, secret = ctx.new_id(), new_secret()
    is_public = new.owner_id is None
    told = (service, app_id, new.name.strip(), fingerprint(secret), list(new.redirect_uris), is_public)
    may = (new.needs_pkce, list(new.scopes or ()), MOST_OWN_APPS, ctx.now)
    if not await rows.add_own_app(ctx.db, *told, *may):
        raise failures.TooManyApps(most=MOST_OWN_APPS)
    kind = "public" if is_public else "private"
    await audit.record(ctx, "app.added", account_id, service=service, app_id=app_id, kind=kind)
    return app_id, secret


async def replace_own_secret(ctx: Ctx, service: str, account_id: str, app_id: str) -> str:
    """Give an app of the bound account a new secret; the one before is good for a day. Raises AppUnknown."""
    secret, until = new_secret(), ctx.now + timedelta(hours=OLD_SECRET_HOURS)
    if not await rows.replace_own_secret(ctx.db, service, app_id, fingerprint(secret), until):
        raise failures.AppUnknown(app_id=app_id[:64])
    await audit.record(ctx, "app.secret_replaced", account_id, service=service, app_id=app_id)
    return secret


async def end_own_old_secret(ctx: Ctx, service: str, account_id: str, app_id: str) -> None:
    """Let the secret before the present one be good no more, before its day is over. Raises AppUnknown."""
    if not await rows.end_own_old_secret(ctx.db, service, app_id):
        raise failures.AppUnknown(app_id=app_id[:64])
    await audit.record(ctx, "app.old_secret_ended", account_id, service=service, app_id=app_id)


async def change_own_app(
    ctx: Ctx, service: str, account_id: str, app_id: str, changed: NewApp, known: Collection[str], disabled: bool
) -> App:
    """Change where consent to an app of the bound account leads back to, what it may ask for, and whether it acts.

    Its name and its owner stay. A public app that is verified and may lead elsewhere or ask for more now is not
    verified any more. What an operator disabled stays so. Gives the app as it is now. Raises RedirectUnusable,
    ScopesMissing, ScopeUnknown, AppUnknown.
    """
    _check(changed, known)
    uris, scopes = list(changed.redirect_uris), list(changed.scopes or ())
    told = (app_id, uris, changed.needs_pkce, scopes, ctx.now if disabled else None)
    if not await rows.change_own_app(ctx.db, service, *told):
        raise failures.AppUnknown(app_id=app_id[:64])
    verb = "app.disabled" if disabled else "app.changed"
    await audit.record(ctx, verb, account_id, service=service, app_id=app_id)
    return await find_own_app(ctx, service, app_id)


async def ask_verification(ctx: Ctx, service: str, account_id: str, app_id: str) -> None:
    """Let a public app of the bound account wait for an operator; once more is as good as once.

    Raises AppUnknown, and AppVerified for one that needs none.
    """
    await find_own_app(ctx, service, app_id)
    if not await rows.ask_verification(ctx.db, service, app_id, ctx.now):
        raise failures.AppVerified(app_id=app_id)
    await audit.record(ctx, "app.verification_asked", account_id, service=service, app_id=app_id)


async def delete_own_app(ctx: Ctx, service: str, account_id: str, app_id: str) -> None:
    """Delete an app of the bound account: no token, code or secret of it is good any more. Raises AppUnknown."""
    if not await rows.delete_own_app(ctx.db, service, app_id, ctx.now):
        raise failures.AppUnknown(app_id=app_id[:64])
    await audit.record(ctx, "app.deleted", account_id, service=service, app_id=app_id)


def _check(app: NewApp, known: Collection[str]) -> None:
    check_new(app, known)
    uris: Sequence[str] = app.redirect_uris
    if len(uris) > MOST_REDIRECTS or (app.owner_id is None and not uris):
        raise failures.RedirectUnusable(redirect_uri=uris[-1][:64] if uris else "")
    if not app.scopes:
        raise failures.ScopesMissing
