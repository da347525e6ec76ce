"""What happens at a beat of the autopilot: a purchase, and whatever else others than the merchants would do then.

Buyers buy, carriers scan what merchants sent off, buyers complain, write back, cancel and get their money back,
reviewers let products through. Nobody does anything for a merchant. All of it goes through the verbs that
everybody else uses, in one transaction per beat, at the beat's own time; what the marketplace refuses is left out.

What chance decides follows from the seed and the number of the beat, a parcel's fate from its number, and the rest
from how the world stands: the same beats in the same world make the same happen.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from tradepost.domain import autopilot, merchants, orders, products, reference, tickets, world
from tradepost.domain.autopilot import Beat
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.orders import Awaited, Item, Order, OrderFilter, OrderRules, Purchase, RefundWish, Scan
from tradepost.domain.tickets import Ticket
from tradepost.sandbox.complaints import RECEIVED, WAITING, complain, thanks
from tradepost.sandbox.situations import stocked_skus
from tradepost.sandbox.traffic import PEOPLE, Person, journey
from tradepost.storage.files import FileStore
from tradepost.values import FIRST, LAST, Page

USUAL_PACE: Final = 12
"""Beats per hour where nobody says how many."""
MOST_SHOPS: Final = 100
MOST_PARCELS: Final = 100
"""How many parcels carriers tell something of at one beat; the others wait for the next."""
MOST_REVIEWS: Final = 5
_RECENT: Final = 50
"""So many of a shop's last orders and tickets are looked at."""
_CARTS: Final = 4
"""How often a buyer chooses anew where what he wants cannot be sent to him, or is gone."""
_REVIEWED_AFTER: Final = timedelta(minutes=10)
_PATIENCE: Final = timedelta(hours=48)
"""How long a buyer waits for his order to be sent off before he asks."""
_BUYER_READS_AFTER: Final = timedelta(minutes=30)

_WAITS_SHARE: Final = 0.06
_CANCELS_SHARE: Final = 0.04
_WRITES_BACK_SHARE: Final = 0.5
_CLOSES_SHARE: Final = 0.3
"""Of the buyers who write back: those who have nothing more to say."""
# Of all parcels that come to the end of their way.
_RETURNED_SHARE: Final = 0.04
_COMPLAINS_SHARE: Final = 0.08
_REFUNDED_SHARE: Final = 0.03
_RETURNED_REASON: Final = 32
_REFUND_REASONS: Final = (23, 25, 26, 27)


async def play_beat(ctx: Ctx, files: FileStore, rules: OrderRules) -> int:
    """Let the next beat come about if it is due, in the caller's transaction; whether it was."""
    beat = await autopilot.take_beat(ctx)
    if beat is None:
        return 0
    world.begin(ctx, f"autopilot {beat.number}")
    await _Moment(replace(ctx, now=beat.at), files, rules, beat).pass_by()
    return 1


class _Moment:
    """A beat while it comes about."""

    def __init__(self, ctx: Ctx, files: FileStore, rules: OrderRules, beat: Beat) -> None:
        self._ctx = ctx
        self._files = files
        self._rules = rules
        self._source = random.Random(f"{beat.seed}/{beat.number}")

    async def pass_by(self) -> None:
        """Everything that happens, in this order."""
        await self._review()
        await self._carry()
        listed, _ = await merchants.page_merchants(self._ctx, FIRST, MOST_SHOPS)
        open_ones = [shop.id for shop in listed if not shop.suspended]
        if not open_ones:
            return
        shop = await merchants.act_for(self._ctx, self._source.choice(open_ones))
        known, _ = await tickets.page_tickets(shop, LAST, _RECENT)
        for share, act in (
            (_WRITES_BACK_SHARE, partial(self._write_back, shop, known)),
            (_WAITS_SHARE, partial(self._ask_for_it, shop, known)),
            (_CANCELS_SHARE, partial(self._cancel, shop)),
            (1.0, partial(self._buy, shop)),
        ):
            if self._source.random() < share:
                await act()

    async def _try(self, act: Callable[[], Awaitable[object]]) -> bool:
        return await autopilot.attempt(self._ctx, act)

    async def _review(self) -> None:
        """Products that have waited for some minutes are let through."""
        waiting, _ = await products.pending_products(self._ctx, FIRST, MOST_REVIEWS)
        for line in waiting:
            if line.created_at <= self._ctx.now - _REVIEWED_AFTER:
                shop = await merchants.act_for(self._ctx, line.merchant_id)
                await self._try(partial(products.review_product, shop, line.id, "approved"))

    async def _buy(self, shop: MerchantCtx) -> None:
        """Somebody buys something that is in stock and can be sent to him, if there is anything."""
        skus = await stocked_skus(shop)
        for _ in range(_CARTS if skus else 0):
            person = self._source.choice(PEOPLE)
            wanted = 1 + (self._source.random() < 0.08)
            chosen = self._source.sample(skus, min(wanted, len(skus)))
            items = tuple(Item(sku, 1 + (self._source.random() < 0.1)) for sku in chosen)
            cart = Purchase(address=person.address, items=items, buyer_id=shop.new_id())
            if await self._try(partial(orders.place_order, shop, cart, self._rules)):
                return

    async def _cancel(self, shop: MerchantCtx) -> None:
        """A buyer thinks better of what was not sent off yet."""
        latest, _ = await orders.page_orders(shop, LAST, _RECENT)
        waiting = [order for order in latest if order.state == orders.APPROVED]
        if waiting:
            wish = RefundWish(orders.BY_CUSTOMER, "Customer cancelled the order", responsibility=0)
            await self._try(partial(orders.refund_for, shop, self._source.choice(waiting).id, wish))

    async def _ask_for_it(self, shop: MerchantCtx, known: Sequence[Ticket]) -> None:
        """A buyer whose order should have left long ago asks where it is, once."""
        longest, _ = await orders.list_to_fulfil(shop, OrderFilter(), Page(0, _RECENT))
        asked = {order_id for ticket in known for order_id in ticket.order_ids}
        late = [one for one in longest if one.placed_at <= shop.now - _PATIENCE and one.id not in asked]
        if late:
            await self._complain(shop, self._source.choice(late), WAITING)

    async def _write_back(self, shop: MerchantCtx, known: Sequence[Ticket]) -> None:
        """A buyer who was answered says so, or has nothing more to say."""
        read_by = shop.now - _BUYER_READS_AFTER
        answered = [one for one in known if one.state == tickets.AWAITING_BUYER and one.updated_at <= read_by]
        if not answered:
            return
        ticket = self._source.choice(answered)
        if self._source.random() < _CLOSES_SHARE:
            await self._try(partial(tickets.close_ticket, shop, ticket.id, tickets.BUYER))
        else:
            reply = thanks(ticket.buyer.locale)
            await self._try(partial(tickets.answer_ticket, shop, ticket.id, tickets.BUYER, reply))

    async def _complain(self, shop: MerchantCtx, order: Order, label: str) -> None:
        person = _person_of(order)
        buyer, ids = order.buyer_id, [order.id]
        await self._try(partial(complain, shop, self._files, self._source, person, buyer, ids, label))

    async def _carry(self) -> None:
        """Carriers tell what they have seen of parcels until now, and buyers hear of it."""
        for parcel in await orders.awaited_parcels(self._ctx, MOST_PARCELS):
            shop = await merchants.act_for(self._ctx, parcel.merchant_id)
            seen, next_at, fate = way_of(parcel, self._ctx.now)
            await orders.note_parcel(shop, [parcel.number], seen)
            await orders.await_parcel(shop, parcel.number, next_at)
            if next_at is None and parcel.order_id is not None and seen:
                await self._end(shop, parcel.order_id, is_returned=seen[-1].kind == "returned", fate=fate)

    async def _end(self, shop: MerchantCtx, order_id: str, *, is_returned: bool, fate: float) -> None:
        """What buyers do when a parcel has come, or has not."""
        if is_returned:
            await self._refund(shop, order_id, _RETURNED_REASON)
        elif fate < _COMPLAINS_SHARE:
            await self._complain(shop, await orders.find_order(shop, order_id), RECEIVED)
        elif fate < _COMPLAINS_SHARE + _REFUNDED_SHARE:
            await self._refund(shop, order_id, self._source.choice(_REFUND_REASONS))

    async def _refund(self, shop: MerchantCtx, order_id: str, code: int) -> None:
        wish = RefundWish(orders.BY_WISH, reference.REFUND_REASONS[code].words, code)
        await self._try(partial(orders.refund_for, shop, order_id, wish))


def way_of(parcel: Awaited, now: datetime) -> tuple[list[Scan], datetime | None, float]:
    """What was seen of a parcel until now, when it is seen next, and what its end leads to, from 0 to 1.

    All of it follows from its number and from when it was sent off: whoever asks again is told the same.
    """
    if parcel.shipped_at is None or parcel.country is None or parcel.city is None:
        return [], None, 1.0
    source = random.Random(f"{parcel.merchant_id}/{parcel.number}")
    is_returned, fate = source.random() < _RETURNED_SHARE, source.random()
    way = list(journey(source, parcel.shipped_at, parcel.country, parcel.city))
    if is_returned:
        way[-1] = replace(way[-1], kind="returned")
    next_at = next((scan.scanned_at for scan in way if scan.scanned_at > now), None)
    return [scan for scan in way if scan.scanned_at <= now], next_at, fate


def _person_of(order: Order) -> Person:
    """Who bought it; somebody who writes in English where he is nobody of this world."""
    known = next((one for one in PEOPLE if one.name == order.address.recipient), None)
    return known or Person(order.address.recipient, "en", order.address)
