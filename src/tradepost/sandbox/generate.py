"""A shop's past, made up and written down through the domain: orders of three months, and what came after them.

Orders are written in pieces of a transaction each, so that calls to the shop wait for a moment at most.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final, Protocol, TypeVar

from tradepost.domain import infractions, merchants, orders, products, shipping, tickets, world
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.failure import Failure
from tradepost.domain.infractions import NewInfraction, Proof
from tradepost.domain.orders import OrderCut, OrderRules
from tradepost.domain.products import ListFilter
from tradepost.sandbox.complaints import complain, thanks
from tradepost.sandbox.traffic import PEOPLE, Person, Traded, Traffic
from tradepost.storage.files import FileStore
from tradepost.values import Page

Result = TypeVar("Result")


class Act(Protocol):
    """Runs something in a transaction of its own."""

    async def __call__(self, verb: Callable[[Ctx], Awaitable[Result]], /) -> Result:
        """What the verb gives."""


MOST: Final = 1_000_000
PIECE: Final = 2_000
MOST_TICKETS: Final = 200
MOST_INFRACTIONS: Final = 20
_PRODUCTS: Final = 50
_SKUS: Final = 3
"""As many are bought together at most."""
_MERCHANT_SAYS: Final = "We are sorry for the trouble and are looking into it."


class CountUnusable(Failure):
    """From 1 to 1,000,000 orders can be generated at once."""

    orders: int


class WorldExchanged(Failure):
    """The world was begun anew or put back meanwhile; what was generated in the one before is gone."""

    merchant_id: str


class NothingForSale(Failure):
    """The shop has no three variations for sale that can be sent to anybody."""

    merchant_id: str


@dataclass(slots=True)
class Generated:
    """What was made for whom, and the seed that makes the same again in the same world."""

    merchant_id: str
    seed: str
    orders: int = 0
    tickets: int = 0
    infractions: int = 0
    scans: int = 0
    refunds: int = 0
    _shipped: list[tuple[Traded, list[str]]] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Who sells what to whom, as of when."""

    merchant_id: str
    now: datetime
    era: int
    before: int
    skus: Sequence[str]
    people: Sequence[Person]


async def generate(
    act: Act, files: FileStore, rules: OrderRules, merchant_id: str, count: int, seed: str
) -> Generated:
    """Give a shop so many orders of the last 90 days and what belongs to them.

    Raises CountUnusable, MerchantUnknown, NothingForSale, and WorldExchanged where the world does not stay.
    """
    if not 1 <= count <= MOST:
        raise CountUnusable(orders=count)
    plan = await _plan(act, merchant_id)
    made = Generated(plan.merchant_id, seed)
    traffic = Traffic(f"{seed}/{plan.merchant_id}/{plan.before}", plan.now, plan.skus, plan.people)
    purchases = traffic.purchases(count)
    while piece := list(islice(purchases, PIECE)):

        async def record(ctx: MerchantCtx, piece: list[Traded] = piece) -> list[list[str]]:
            return await orders.record_history(ctx, [one.past for one in piece], rules)

        ids: list[list[str]] = await _for_shop(act, plan, traffic, record)
        _count(made, piece, ids)
    teller = _Teller(plan.now, traffic, files, made)
    await _for_shop(act, plan, traffic, lambda ctx: teller.complain(ctx, count))
    await _for_shop(act, plan, traffic, lambda ctx: teller.fine(ctx, count))
    return made


async def _plan(act: Act, merchant_id: str) -> _Plan:
    async def look(ctx: Ctx) -> _Plan:
        shop = await merchants.act_for(ctx, merchant_id)
        listed, _ = await products.list_products(shop, ListFilter(None, None, True), Page(0, _PRODUCTS))
        sold = [product for product in listed if product.review_status != "rejected"]
        skus = sorted(one.sku for product in sold for one in product.variations if one.enabled)
        if len(skus) < _SKUS:
            raise NothingForSale(merchant_id=merchant_id)
        people = []
        for person in PEOPLE:
            where = (person.address.country, person.address.state_or_province)
            ways = await shipping.find_ways(shop, [product.id for product in sold], *where)
            if all(ways.get(product.id) for product in sold):
                people.append(person)
        if not people:
            raise NothingForSale(merchant_id=merchant_id)
        era, before = await world.read_era(ctx), await orders.count_orders(shop, OrderCut())
        return _Plan(merchant_id, ctx.now, era, before, skus, people)

    return await act(look)


async def _for_shop(
    act: Act, plan: _Plan, traffic: Traffic, verb: Callable[[MerchantCtx], Awaitable[Result]]
) -> Result:
    async def run(ctx: Ctx) -> Result:
        if await world.read_era(ctx) != plan.era:
            raise WorldExchanged(merchant_id=plan.merchant_id)
        return await verb(await merchants.act_for(replace(ctx, new_id=traffic.new_id), plan.merchant_id))

    return await act(run)


def _count(made: Generated, piece: list[Traded], ids: list[list[str]]) -> None:
    for one, placed in zip(piece, ids, strict=True):
        made.orders += len(placed)
        made.scans += len(one.past.scans)
        made.refunds += len(placed) if one.past.refund else 0
        if one.past.scans:
            made._shipped.append((one, placed))


class _Teller:
    """What buyers and the marketplace have to say about orders that were sent off."""

    def __init__(self, now: datetime, traffic: Traffic, files: FileStore, made: Generated) -> None:
        self._now = now
        self._traffic = traffic
        self._files = files
        self._made = made

    def _some(self, wanted: int) -> list[tuple[Traded, list[str]]]:
        known = self._made._shipped
        return self._traffic.source.sample(known, min(wanted, len(known)))

    def _later(self, moment: datetime) -> datetime | None:
        """Some hours later, if it is not yet to come."""
        later = moment + timedelta(hours=self._traffic.source.uniform(1, 48))
        return later if later < self._now else None

    async def complain(self, shop: MerchantCtx, count: int) -> None:
        """Tickets about some of the orders, in the languages of their buyers, each as far as it has come."""
        for traded, placed in self._some(min(max(1, count // 25), MOST_TICKETS)):
            opened = self._later(traded.past.scans[-1].scanned_at)
            if opened is not None:
                await self._ask(replace(shop, now=opened), traded, placed)
                self._made.tickets += 1

    async def _ask(self, shop: MerchantCtx, traded: Traded, placed: list[str]) -> None:
        buyer_id = traded.past.purchase.buyer_id
        person = traded.person
        ticket_id = await complain(shop, self._files, self._traffic.source, person, buyer_id, placed)
        await self._go_on(shop, ticket_id, person)

    async def _go_on(self, shop: MerchantCtx, ticket_id: str, person: Person) -> None:
        fate = self._traffic.source.random()
        answered = self._later(shop.now)
        if fate < 0.4 or answered is None:
            return
        await tickets.reply_to_ticket(replace(shop, now=answered), ticket_id, _MERCHANT_SAYS)
        again = self._later(answered)
        if fate < 0.6 or again is None:
            return
        if fate < 0.8:
            at = replace(shop, now=again)
            await tickets.answer_ticket(at, ticket_id, tickets.BUYER, thanks(person.locale))
        else:
            await tickets.close_ticket(replace(shop, now=again), ticket_id, tickets.SUPPORT)

    async def fine(self, shop: MerchantCtx, count: int) -> None:
        """Infractions about some of the orders, some of them with a fine."""
        for traded, placed in self._some(min(count // 100, MOST_INFRACTIONS)):
            issued = self._later(traded.past.scans[-1].scanned_at)
            if issued is None:
                continue
            at = replace(shop, now=issued)
            fine = Decimal(self._traffic.source.choice((0, 0, 5, 10)))
            proofs = [Proof("order", order_id) for order_id in placed]
            new = NewInfraction(reason="The buyer was sent something else", fine=fine, proofs=proofs)
            await infractions.issue_infraction(at, new)
            self._made.infractions += 1
