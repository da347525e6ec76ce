"""Reading orders, each list in one statement: the page is cut in an index before anything else is read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from tradepost.domain.context import Rows
from tradepost.domain.orders.order import Address, Order, OrderFilter, Refund
from tradepost.values import Page

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

_CUT = """
           select id, placed_at from {source}
            where merchant_id = $1 and {filter}
            order by placed_at, id
            limit $2 offset $3
"""
# What was changed lately is found by when it was changed, everything else in the order of the list: each way reads
# little where the other one would read nearly all.
_LATELY: Final = timedelta(days=31)
_CHANGED = "updated_at >= $4 and updated_at < $5 and (not $6 or is_express)"
_CUTS = {
    "all": _CUT.format(source="orders", filter="(not $4 or is_express)"),
    "changed": _CUT.format(source="orders", filter=_CHANGED),
    "changed lately": _CUT.format(
        source="""(
               select id, placed_at from orders
                where merchant_id = $1 and updated_at >= $4 and updated_at < $5 and (not $6 or is_express)
               offset 0
           ) lately""",
        filter="true",
    ).replace("merchant_id = $1 and true", "true"),
    "open": _CUT.format(source="orders", filter=f"state = 'approved' and {_CHANGED}"),
}
_PAGES = {
    name: f"""
    select {_COLUMNS}
      from ({cut}) cut
      join orders o on o.merchant_id = $1 and o.id = cut.id
     order by o.placed_at, o.id
    """
    for name, cut in _CUTS.items()
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
    bounds = (wanted.since or _EVER, wanted.upto or _NEVER, wanted.express_only)
    if open_only:
        kind = "open"
    elif wanted.since is None and wanted.upto is None:
        kind, bounds = "all", (wanted.express_only,)  # type: ignore[assignment]
    else:
        kind = "changed lately" if wanted.since and wanted.since > now - _LATELY else "changed"
    found = await db.fetch(_PAGES[kind], merchant_id, cut.limit + 1, cut.start, *bounds)
    return [_order(row) for row in found[: cut.limit]], len(found) > cut.limit
