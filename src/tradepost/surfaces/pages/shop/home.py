"""The first page of a shop: what needs to be done."""

from __future__ import annotations

from tradepost.surfaces.pages.site import Visit
from tradepost.wire.http_types import Response


async def show_home(visit: Visit) -> Response:
    """What needs to be done."""
    async with visit.shop() as ctx:
        name = ctx.actor.name
    return visit.render("shop/home.html", name=name)


PAGES = {"/": {"GET": show_home}}
