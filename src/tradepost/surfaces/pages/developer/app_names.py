"""What the apps are called that may act for an account."""

from __future__ import annotations

from tradepost.domain import access, consents
from tradepost.domain.context import Ctx


async def names_of_apps(ctx: Ctx, service: str, account_id: str) -> dict[str, str]:
    """The names, by id, of the apps that the bound account let in or made; others are known by their ids alone."""
    let_in = {given["app_id"]: given["name"] for given in await consents.list_given(ctx, account_id)}
    return let_in | {app.id: app.name for app in await access.list_own_apps(ctx, service)}
