"""The access tokens that are good for an account, and taking one of them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.domain import access
from tradepost.surfaces.pages import lists
from tradepost.surfaces.pages.developer.app_names import names_of_apps
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.wire.http_types import Response

TOKENS: Final = "/developer/tokens"


async def show_tokens(visit: Visit) -> Response:
    """The tokens that are good now, the latest first, each with what it opens and a button that takes it back."""
    page = lists.stretch(visit)
    async with visit.open() as (ctx, signed):
        person = visit.need_signed(signed)
        found, more = await access.list_tokens(ctx, person.account_id, page)
        names = await names_of_apps(ctx, visit.site.service, person.account_id)
    return visit.render(
        "developer/tokens.html",
        found=[(token, [_told(visit, scope) for scope in token.scopes]) for token in found],
        names=names,
        pages=lists.around(visit, page, more),
    )


async def revoke(visit: Visit) -> Response:
    """Take a token back at once, for somebody who has shown lately who he is."""
    async with visit.open() as (ctx, signed):
        visit.need_signed(signed)
        visit.check_form()
        person = visit.need_proved(signed)
        token_id = (visit.form.get("token_id") or "")[:64].replace("\0", "")
        is_done = await access.revoke_own_token(ctx, person.account_id, token_id)
    return visit.done("token_revoked", TOKENS) if is_done else visit.trouble("tokens.unknown", 404)


def _told(visit: Visit, scope: str) -> str:
    """A scope in words; one that there are none for, as it is."""
    key = f"scope.{scope}"
    return visit.say(key) if key in visit.say else scope


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {TOKENS: {"GET": show_tokens, "POST": revoke}}
