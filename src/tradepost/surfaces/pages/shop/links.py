"""The links that the API gives to pages (`perma_link` and others), which lead on to the pages as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.surfaces.pages.site import Page, Visit
from tradepost.wire.http_types import Response

LEADS_TO: Final[Mapping[str, str]] = {
    "/warning/view/{id}": "/infractions/{id}",
    "/ticket/{id}": "/tickets/{id}",
    "/product/{id}": "/products/{id}",
    "/release/{id}": "/notifications",
    "/announcement/{id}": "/notifications",
    "/noti/{id}": "/notifications",
}
"""The path of a link, and of its page."""


def _lead(where: str) -> Page:
    async def lead(visit: Visit) -> Response:
        """Go on to the page that a link means."""
        name = visit.blanks["id"]
        known = name if name.isascii() and name.isalnum() else "-"
        return visit.redirect(where.format(id=known))

    return lead


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {path: {"GET": _lead(where)} for path, where in LEADS_TO.items()}
