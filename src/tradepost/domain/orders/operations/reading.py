"""Looking at orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from tradepost.domain.context import MerchantCtx
from tradepost.domain.orders import failures
from tradepost.domain.orders.order import Order, OrderFilter, Scan
from tradepost.domain.orders.rows import reading as rows
from tradepost.domain.orders.rows import tracking
from tradepost.values import Bookmark, Page


async def find_order(ctx: MerchantCtx, order_id: str) -> Order:
    """An order of the acting merchant; raises OrderNotFound."""
    order = await rows.by_id(ctx.db, ctx.actor.id, order_id)
    if order is None:
        raise failures.OrderNotFound(id=order_id)
    return order


async def find_orders(ctx: MerchantCtx, order_ids: Collection[str]) -> Mapping[str, Order]:
    """Those orders of the acting merchant that there are, by id."""
    return {order.id: order for order in await rows.by_ids(ctx.db, ctx.actor.id, order_ids)}


async def list_orders(ctx: MerchantCtx, wanted: OrderFilter, page: Page) -> tuple[Sequence[Order], bool]:
    """A page of the orders, the first placed first, and whether there is more."""
    return await rows.page(ctx.db, ctx.actor.id, wanted, page, ctx.now)


async def page_orders(
    ctx: MerchantCtx,
    after: Bookmark,
    limit: int,
    *,
    transaction_id: str | None = None,
    tracking_number: str | None = None,
    state: str | None = None,
    since: datetime | None = None,
) -> tuple[Sequence[Order], bool]:
    """Some orders behind a place in the list, the last placed first, and whether there are more.

    All of them, or those of a purchase, or those under a number; or those in a state, or placed from a time on.
    """
    number = tracking_number and tracking_number.upper()
    return await rows.page_back(
        ctx.db, ctx.actor.id, transaction_id, number, after, limit, state=state, since=since
    )


async def list_to_fulfil(ctx: MerchantCtx, wanted: OrderFilter, page: Page) -> tuple[Sequence[Order], bool]:
    """A page of the orders that wait for the merchant, the first placed first, and whether there is more."""
    return await rows.page(ctx.db, ctx.actor.id, wanted, page, ctx.now, open_only=True)


async def list_scans(ctx: MerchantCtx, tracking_number: str) -> Sequence[Scan]:
    """What carriers saw of a parcel, the earliest first."""
    return await tracking.scans(ctx.db, ctx.actor.id, tracking_number.upper())
