"""The first page of a shop: what needs to be done, and how it goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from tradepost.domain import bulk_updates, downloads, inbox, infractions, jobs, orders, products, tickets
from tradepost.domain.orders import OrderFilter
from tradepost.surfaces.pages.charts import bars
from tradepost.surfaces.pages.formats import Formats
from tradepost.surfaces.pages.site import Page as PageOf
from tradepost.surfaces.pages.site import Visit
from tradepost.values import Page
from tradepost.wire.http_types import Response

DAYS: Final = 30
SHOWN: Final = 5
AWAITING: Final = 1
"""The stage of infractions that wait for the merchant."""
SOON: Final = timedelta(days=1)
KINDS: Final = (downloads.PRODUCTS, downloads.ORDERS, bulk_updates.KIND)


async def show_home(visit: Visit) -> Response:
    """What needs to be done: orders with their deadlines, tickets, notifications, infractions; jobs and charts."""
    async with visit.shop() as ctx:
        first, _ = await orders.list_to_fulfil(ctx, OrderFilter(), Page(0, SHOWN))
        counts = {
            "orders": await orders.count_waiting(ctx),
            "tickets": await tickets.count_awaiting(ctx),
            "notifications": await inbox.count_unviewed(ctx),
            "infractions": await infractions.count_infractions(ctx, AWAITING),
            "jobs": await jobs.count_open(ctx, ctx.actor.id, KINDS),
        }
        by_day = await orders.count_by_day(ctx, DAYS)
        stock = await products.count_stock(ctx)
    show = Formats.of(visit.say.locale)
    return visit.render(
        "shop/home.html",
        name=ctx.actor.name,
        counts=counts,
        first=first,
        soon=ctx.now + SOON,
        now=ctx.now,
        sales=bars([(show.date(day), count) for day, count in by_day.items()]),
        stock=stock,
    )


PAGES: Final[Mapping[str, Mapping[str, PageOf]]] = {"/": {"GET": show_home}}
