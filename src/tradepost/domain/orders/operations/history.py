"""Orders of the past, many at once, with what became of them: what a platform that is set up anew brings along.

They come from the same rules as orders that are placed now: the same columns, the same money, the moves of the
machine. Nothing happens because of them: no stock is taken (what there is, is what is left), nobody is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tradepost.domain import products, reference, shipping
from tradepost.domain.context import MerchantCtx
from tradepost.domain.orders import failures, machine
from tradepost.domain.orders.operations.placing import (
    check_address,
    check_item,
    order_columns,
    pieces_of,
    price_of,
    shared_columns,
)
from tradepost.domain.orders.order import (
    SCAN_KINDS,
    Item,
    Money,
    Order,
    OrderRules,
    Purchase,
    RefundWish,
    Scan,
    Shipment,
)
from tradepost.domain.orders.rows import history as rows
from tradepost.domain.products import Goods
from tradepost.domain.shipping import Way

_LATER: Mapping[str, None] = dict.fromkeys(
    (
        "shipped_at",
        "carrier",
        "tracking_number",
        "origin_country",
        "ship_note",
        "confirmed_at",
        "delivered_at",
        "refunded_at",
        "refunded_by",
    )
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PastPurchase:
    """A purchase and what became of all its orders: sent off in one parcel at `shipped_at`, seen by a carrier,
    refunded at `refunded_at`, as far as these are given. Without `express` it goes by STANDARD where it can.
    """

    purchase: Purchase
    placed_at: datetime
    express: bool = False
    shipment: Shipment | None = None
    shipped_at: datetime | None = None
    scans: Sequence[Scan] = ()
    refund: RefundWish | None = None
    refunded_at: datetime | None = None


class _Prices:
    """What goods cost at an address, each looked up once."""

    def __init__(self, ctx: MerchantCtx, goods: Mapping[str, Goods], rules: OrderRules) -> None:
        self._ctx = ctx
        self._goods = goods
        self._rules = rules
        self._ways: dict[tuple[str, str | None], Mapping[str, list[Way]]] = {}
        self._known: dict[tuple[str, str, str | None, bool], tuple[Way, Money]] = {}

    async def of(self, sku: str, past: PastPurchase) -> tuple[Way, Money]:
        """How it is sent there, and for what; raises NotShippedThere."""
        address = past.purchase.address
        place = (address.country, address.state_or_province)
        key = (sku, *place, past.express)
        if key not in self._known:
            if place not in self._ways:
                ids = {one.product_id for one in self._goods.values()}
                self._ways[place] = await shipping.find_ways(self._ctx, ids, *place)
            one = self._goods[sku]
            priced = [
                (way, money)
                for way in self._ways[place].get(one.product_id, ())
                if (money := price_of(self._ctx.actor, one, way, self._rules))
            ]
            if not priced:
                raise failures.NotShippedThere(sku=sku, country=address.country)
            self._known[key] = next((found for found in priced if found[0].is_express == past.express), priced[0])
        return self._known[key]


async def record_history(ctx: MerchantCtx, history: Sequence[PastPurchase], rules: OrderRules) -> list[list[str]]:
    """Write down purchases of the past; gives the ids of the orders of each.

    Raises what `place_order` and the moves raise, ScanUnusable for what is yet to come, and TrackingReused for a
    number that any other parcel has: each purchase has one of its own.
    """
    skus = list(dict.fromkeys(item.sku for past in history for item in past.purchase.items))
    goods = await products.find_goods(ctx, skus)
    await products.hold_goods(ctx, list(goods.values()))
    prices = _Prices(ctx, goods, rules)
    found = rows.Records()
    sold: dict[str, int] = {}
    ids = []
    for past in history:
        _check(ctx, past)
        at = replace(ctx, now=past.placed_at)
        shared = shared_columns(at, past.purchase, len(past.purchase.items) > 1)
        placed = []
        for sku, pieces in pieces_of(past.purchase).items():
            one, item = goods[sku], Item(sku, pieces)
            check_item(one, item)
            way, money = await prices.of(sku, past)
            own = order_columns(at, one, item, way, money, past.purchase.under_review)
            columns = {"id": ctx.new_id(), **shared, **own, **_LATER}
            _live(columns, past, found)
            placed.append(columns["id"])
            sold[one.product_id] = sold.get(one.product_id, 0) + item.quantity
        _travel(ctx, past, shared | {"released_at": past.placed_at}, found)
        ids.append(placed)
    await rows.insert_all(ctx.db, ctx.actor.id, found, ctx.now)
    await products.count_sold(ctx, sold)
    return ids


def _check(ctx: MerchantCtx, past: PastPurchase) -> None:
    check_address(past.purchase.address)
    moments = [past.placed_at, past.shipped_at, past.refunded_at, *(scan.scanned_at for scan in past.scans)]
    if any(moment is not None and not past.placed_at <= moment <= ctx.now for moment in moments):
        raise failures.ScanUnusable(kind="time")
    if wrong := next((scan.kind for scan in past.scans if scan.kind not in SCAN_KINDS), None):
        raise failures.ScanUnusable(kind=wrong)
    if past.shipment is not None and past.shipment.carrier not in reference.CARRIERS:
        raise failures.CarrierUnknown(carrier=past.shipment.carrier)


def _live(columns: dict[str, Any], past: PastPurchase, found: rows.Records) -> None:
    """Let an order become what it became, by the moves of the machine, and note it."""
    changed = [past.placed_at]
    if past.shipment is not None and past.shipped_at is not None:
        columns.update(machine.fulfil(_order(columns), past.shipment, past.shipped_at))
        changed.append(past.shipped_at)
        columns["confirmed_at"], columns["delivered_at"] = _seen(past)
        changed += [scan.scanned_at for scan in past.scans]
    if past.refund is not None and past.refunded_at is not None:
        columns.update(machine.refund(_order(columns), past.refund, past.refunded_at))
        changed.append(past.refunded_at)
        paid = columns["quantity"] * (columns["price"] + columns["shipping"])
        part = _order(columns).borne(past.refund.responsibility)
        found.refund(columns["id"], past.refund, past.refunded_at, paid, part)
    columns["updated_at"] = max(changed)
    found.orders.append(columns)


def _seen(past: PastPurchase) -> tuple[datetime | None, datetime | None]:
    """When a carrier first saw the parcel, and when it was delivered."""
    moments = [scan.scanned_at for scan in past.scans]
    delivered = [scan.scanned_at for scan in past.scans if scan.kind == "delivered"]
    return min(moments, default=None), min(delivered, default=None)


def _travel(ctx: MerchantCtx, past: PastPurchase, shared: Mapping[str, Any], found: rows.Records) -> None:
    if past.shipment is None or past.shipment.tracking_number is None:
        return
    number = past.shipment.tracking_number.upper()
    found.parcel(number, past.purchase.address.key(), shared["released_at"], *_seen(past))
    for scan in past.scans:
        found.scan(ctx.new_id(), number, scan)


def _order(columns: Mapping[str, Any]) -> Order:
    """An order as the machine looks at it."""
    told: dict[str, Any] = {name: columns.get(name) for name in Order.__struct_fields__}
    total = str(columns["quantity"] * (columns["cost"] + columns["shipping_cost"]))
    return Order(**{**told, "total": total, "fine_ids": (), "refunds": ()})
