"""The access tokens that are good for an account, and taking one of them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tradepost.domain import access
from tradepost.domain.access import Place
from tradepost.surfaces.pages import lists
from tradepost.surfaces.pages.developer.app_names import names_of_apps
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.wire.http_types import Response

TOKENS: Final = "/developer/tokens"
MOST_SHOWN: Final = 10
"""Places that are shown of one token."""


async def show_tokens(visit: Visit) -> Response:
    """The tokens that are good now, the latest first: what each opens, and where it is used from."""
    page = lists.stretch(visit)
    async with visit.open() as (ctx, signed):
        person = visit.need_signed(signed)
        found, more = await access.list_tokens(ctx, person.account_id, page)
        names = await names_of_apps(ctx, visit.site.service, person.account_id)
        used = await access.list_places(ctx, person.account_id, [token.id for token in found])
    return visit.render(
        "developer/tokens.html",
        found=[
            (token, [_told(visit, scope) for scope in token.scopes], *_used(used.get(token.id, [])))
            for token in found
        ],
        names=names,
        pages=lists.around(visit, page, more),
    )


async def revoke(visit: Visit) -> Response:
    """Take a token back at once.

    One press of a button does it: it gives nobody anything, and whoever sees a stranger use his token is in haste.
    """
    async with visit.open() as (ctx, signed):
        person = visit.need_signed(signed)
        visit.check_form()
        token_id = (visit.form.get("token_id") or "")[:64].replace("\0", "")
        is_done = await access.revoke_own_token(ctx, person.account_id, token_id)
    return visit.done("token_revoked", TOKENS) if is_done else visit.trouble("tokens.unknown", 404)


def _used(places: Sequence[Place]) -> tuple[Place | None, Sequence[Place], int]:
    """The latest use of a token, some of its places with the new ones first, and how many more there are."""
    first = sorted(places, key=lambda place: not place.is_new)[:MOST_SHOWN]
    return places[0] if places else None, first, len(places) - len(first)


def _told(visit: Visit, scope: str) -> str:
    """A scope in words; one that there are none for, as it is."""
    key = f"scope.{scope}"
    return visit.say(key) if key in visit.say else scope


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {TOKENS: {"GET": show_tokens, "POST": revoke}}
