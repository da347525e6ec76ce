"""Reading orders, each list in one statement: the page is cut in an index before anything else is read.

A page far down a whole list begins at the day that it is on, which the tally of days knows.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from tradepost.domain.context import Rows
from tradepost.domain.orders.order import Address, Order, OrderFilter, Refund
from tradepost.domain.sql import conditions
from tradepost.values import Bookmark, Page

_EVER: Final = datetime(1, 1, 2, tzinfo=UTC)
_NEVER: Final = datetime(9999, 12, 30, tzinfo=UTC)

_COLUMNS = """
    o.id, o.transaction_id, o.buyer_id, o.state, o.product_id, o.variation_id, o.is_express, o.is_combined,
    o.needs_confirmation, o.vat_required, o.sku, o.product_name, o.picture, o.color, o.size, o.quantity, o.currency,
    trim_scale(o.price)::text, trim_scale(o.cost)::text, trim_scale(o.shipping)::text,
    trim_scale(o.shipping_cost)::text, trim_scale(o.total)::text,
    o.placed_at, o.updated_at, o.released_at, o.fulfil_by, o.deliver_by, o.shipped_at, o.carrier,
    o.tracking_number, o.ship_note, o.confirmed_at, o.delivered_at, o.refunded_at, o.refunded_by, o.fine_ids,
    row(o.recipient, o.street_address1, o.city, o.country, o.street_address2, o.street_address3,
        o.state_or_province, o.zipcode, o.phone_number),
    o.original_address,
    case when o.state = 'refunded' then array(
        select row(r.refunded_at, trim_scale(r.amount)::text, trim_scale(r.responsible_amount)::text,
                   r.responsibility, r.reason)
          from order_refund r
         where r.merchant_id = o.merchant_id and r.order_id = o.id
         order by r.number
    ) end
"""
_BY_ID = f"select {_COLUMNS} from orders o where o.merchant_id = $1 and o.id = $2"
_BY_IDS = f"select {_COLUMNS} from orders o where o.merchant_id = $1 and o.id = any($2)"
_LOCK = f"{_BY_ID} for no key update"
_LATE = f"""
    select o.merchant_id, {_COLUMNS} from orders o
     where o.state = 'approved' and o.fulfil_by <= $1
     order by o.fulfil_by limit $2
       for no key update skip locked
"""

# What was changed lately is found by when it was changed, everything else in the order of the list: each way reads
# little where the other one would read nearly all.
_LATELY: Final = timedelta(days=31)
_LATELY_CHANGED = """(
               select id, placed_at from orders
                where merchant_id = $1 and updated_at >= $4 and updated_at < $5 {express} {open}
               offset 0
           ) as lately"""

# From here on it costs less to add up days than to pass over entries; nothing is known of days with a filter.
_FAR: Final = 1_000
_DAYS = """with days as materialized (
        select day, (sum(sum({count})) over (order by day) - sum({count}))::bigint as before
          from order_tally where merchant_id = $1 group by day
    ), begins as materialized (
        select day, before from days where before <= $3 order by day desc limit 1
    )"""


def page_statement(*, open_only: bool, spanned: bool, lately: bool, express: bool, far: bool = False) -> str:
    """The statement of one page; it asks only for what is asked, because a deep page passes over many entries."""
    days, offset = "", "$3"
    is_open, is_express = ("and state = 'approved'" if open_only else ""), ("and is_express" if express else "")
    if lately:
        source, where = _LATELY_CHANGED.format(express=is_express, open=is_open), ""
    else:
        span = "and updated_at >= $4 and updated_at < $5" if spanned else ""
        source, where = "orders", f"where merchant_id = $1 {is_open} {span} {is_express}"
    if far:
        days = _DAYS.format(count="waiting" if open_only else "placed")
        where += " and placed_at >= (select day from begins)::timestamp at time zone 'UTC'"
        offset = "$3 - (select before from begins)"
    # One order after the other, whatever the planner thinks of pages whose size it does not know.
    return f"""
    {days}
    select {_COLUMNS}
      from (
           select id, placed_at from {source} {where}
            order by placed_at, id
            limit $2 offset {offset}
      ) cut
     cross join lateral (select * from orders where merchant_id = $1 and id = cut.id offset 0) o
     order by cut.placed_at, cut.id
    """


_PAGES = {
    choice: page_statement(**dict(zip(("open_only", "spanned", "lately", "express"), choice, strict=True)))
    for choice in itertools.product((False, True), repeat=4)
}
_FAR_PAGES = {
    open_only: page_statement(open_only=open_only, spanned=False, lately=False, express=False, far=True)
    for open_only in (False, True)
}


def _order(row: Any) -> Order:
    *columns, address, original, refunds = row
    columns.append(Address(*address))
    columns.append(None if original is None else msgspec.json.decode(original, type=Address))
    columns.append([Refund(*record) for record in refunds or ()])
    return Order(*columns)


async def by_id(db: Rows, merchant_id: str, order_id: str) -> Order | None:
    """An order by its id."""
    row = await db.fetchrow(_BY_ID, merchant_id, order_id)
    return _order(row) if row else None


async def by_ids(db: Rows, merchant_id: str, order_ids: Collection[str]) -> list[Order]:
    """Orders by their ids."""
    return [_order(row) for row in await db.fetch(_BY_IDS, merchant_id, list(order_ids))]


async def lock(db: Rows, merchant_id: str, order_id: str) -> Order | None:
    """An order whose row is this transaction's from now on."""
    row = await db.fetchrow(_LOCK, merchant_id, order_id)
    return _order(row) if row else None


async def lock_late(db: Rows, now: datetime, limit: int) -> list[tuple[str, Order]]:
    """Orders of all merchants whose time to be shipped is over, with their merchants; those in use another time."""
    return [(merchant_id, _order(row)) for merchant_id, *row in await db.fetch(_LATE, now, limit)]


async def page(
    db: Rows, merchant_id: str, wanted: OrderFilter, cut: Page, now: datetime, *, open_only: bool = False
) -> tuple[list[Order], bool]:
    """One page of a merchant's orders, the first placed first, and whether there is more."""
    spanned = wanted.since is not None or wanted.upto is not None
    # Open orders are few, and in an index of their own.
    lately = not open_only and wanted.since is not None and wanted.since > now - _LATELY
    statement = _PAGES[open_only, spanned, lately, wanted.express_only]
    if cut.start >= _FAR and not spanned and not wanted.express_only:
        statement = _FAR_PAGES[open_only]
    span = (wanted.since or _EVER, wanted.upto or _NEVER) if spanned else ()
    found = await db.fetch(statement, merchant_id, cut.limit + 1, cut.start, *span)
    return [_order(row) for row in found[: cut.limit]], len(found) > cut.limit


async def page_back(
    db: Rows,
    merchant_id: str,
    transaction_id: str | None,
    tracking_number: str | None,
    after: Bookmark,
    limit: int,
    *,
    state: str | None = None,
    since: datetime | None = None,
) -> tuple[list[Order], bool]:
    """Some orders behind a place in the list, the last placed first, and whether there are more.

    Of all orders, or of those of a purchase, or of those that travel under a number, which is in capitals; or of
    those in a state, or placed at a time or later.
    """
    bounds: dict[str, object] = {
        "o.transaction_id =": transaction_id,
        "upper(o.tracking_number) =": tracking_number,
        "o.state =": state,
        "o.placed_at >=": since,
    }
    where, values = conditions(bounds, 5)
    # What has such a number is few, and found by it; left to itself the planner walks the whole list in its order.
    is_few = transaction_id is not None or tracking_number is not None
    own = f"select * from orders o where o.merchant_id = $1{where} offset 0"
    source, rest = (f"({own})", "") if is_few else ("orders", where)
    found = await db.fetch(
        f"select {_COLUMNS} from {source} o where o.merchant_id = $1 and (o.placed_at, o.id) < ($2, $3){rest} "
        "order by o.placed_at desc, o.id desc limit $4",
        merchant_id,
        after.at,
        after.id,
        limit + 1,
        *values,
    )
    return [_order(row) for row in found[:limit]], len(found) > limit
