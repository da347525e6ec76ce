"""Orders that go with WishPost: the number is a parcel's that was booked for them, and its scans reach them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.calls import ORDERS
from tests.support.market import NOW, Market
from tradepost.domain import merchants, orders, parcels
from tradepost.domain.context import Ctx, MerchantCtx, ShipperCtx
from tradepost.domain.orders import Shipment, failures
from tradepost.domain.parcels import Cancellation, Parcel, Scan
from tradepost.sandbox import scenes
from tradepost.sandbox.parcels import new_parcel

OPEN, SHIPPED = ORDERS["usd"]["open"], ORDERS["usd"]["shipped"]
WISHPOST = "WishPost"
PICKED_UP = Scan(NOW - timedelta(hours=2), 2, "CN", "Guangdong", "Shenzhen")
FLOWN = Scan(NOW - timedelta(hours=1), 16)
AT_THE_DOOR = Scan(NOW - timedelta(minutes=5), 23, "US", "CA", "Fresno")


class Post:
    """A shop and the user who sends for it."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._new_id = scenes.seeded_ids(29)
        self.shop_id = market.world.merchants["usd"].account_id
        self.send(lambda ctx: parcels.bind_shop(ctx, self.shop_id))

    def send(self, verb: Callable[[ShipperCtx], Awaitable[Any]], who: str = "ada") -> Any:
        async def act(ctx: Ctx) -> Any:
            ctx = replace(ctx, new_id=self._new_id)
            return await verb(await parcels.act_for(ctx, self.market.world.senders[who].account_id))

        return self.market.operate(act)

    def sell(self, verb: Callable[[MerchantCtx], Awaitable[Any]]) -> Any:
        async def act(ctx: Ctx) -> Any:
            # As the application, because what a shop can see is what all this is about.
            await self.market.connection.execute("set role tradepost_app")
            await self.market.connection.execute("select set_config('tradepost.account', $1, true)", self.shop_id)
            try:
                return await verb(await merchants.act_for(replace(ctx, new_id=self._new_id), self.shop_id))
            finally:
                await self.market.connection.execute("reset role")

        return self.market.operate(act)

    def book(self, *order_ids: str, who: str = "ada", numbered: bool = True) -> Parcel:
        """A parcel for some orders that was booked yesterday, with its number."""
        new = replace(new_parcel(0), order_ids=order_ids)
        yesterday = NOW - timedelta(days=1)
        booked: Parcel = self.send(lambda ctx: parcels.book_parcel(replace(ctx, now=yesterday), new), who)
        if numbered:
            self.market.work()
            booked = self.send(lambda ctx: parcels.find_parcel(ctx, booked.id), who)
        return booked

    def ship(self, number: str, order_id: str = OPEN, carrier: str = WISHPOST) -> None:
        self.sell(lambda ctx: orders.fulfil_order(ctx, order_id, Shipment(carrier, number)))

    def scan(self, parcel: Parcel, *seen: Scan) -> None:
        async def note(ctx: ShipperCtx) -> None:
            for scan in seen:
                await parcels.note_scan(ctx, parcel.number, scan)

        self.send(note)

    def order(self, order_id: str = OPEN) -> orders.Order:
        found: orders.Order = self.sell(lambda ctx: orders.find_order(ctx, order_id))
        return found

    def scans(self, number: str) -> list[tuple[str, datetime, str | None]]:
        found = self.sell(lambda ctx: orders.list_scans(ctx, number))
        return [(scan.kind, scan.scanned_at, scan.place) for scan in found]


@pytest.fixture
def post(market: Market) -> Post:
    return Post(market)


@pytest.mark.parametrize("name", ["tracking_number", "wish_id"])
def test_an_order_goes_in_the_parcel_that_was_booked_for_it(post: Post, name: str) -> None:
    parcel = post.book(OPEN, "f" * 24)
    post.ship(getattr(parcel, name).lower())
    assert post.order().state == orders.SHIPPED


def test_a_number_of_nobody_is_refused(post: Post) -> None:
    with pytest.raises(failures.ParcelNotForOrder):
        post.ship("WP00000000000000")
    assert post.order().state == orders.APPROVED


def test_a_parcel_of_other_orders_is_refused(post: Post) -> None:
    parcel = post.book("f" * 24)
    with pytest.raises(failures.ParcelNotForOrder):
        post.ship(parcel.number)


def test_a_parcel_of_somebody_who_does_not_send_for_the_shop_is_refused(post: Post) -> None:
    parcel = post.book(OPEN, who="lan")
    with pytest.raises(failures.ParcelNotForOrder):
        post.ship(parcel.number)
    post.send(lambda ctx: parcels.bind_shop(ctx, post.shop_id), "lan")
    post.ship(parcel.number)


def test_who_sends_no_longer_for_the_shop_is_refused(post: Post) -> None:
    parcel = post.book(OPEN)
    post.send(lambda ctx: parcels.unbind_shop(ctx, post.shop_id))
    with pytest.raises(failures.ParcelNotForOrder):
        post.ship(parcel.number)


def test_a_parcel_without_a_number_or_cancelled_is_refused(post: Post) -> None:
    waiting = post.book(OPEN, numbered=False)
    with pytest.raises(failures.ParcelNotForOrder):
        post.ship(waiting.wish_id)
    parcel = post.book(OPEN)
    post.send(lambda ctx: parcels.cancel_parcels(ctx, [Cancellation(parcel.number, "x")]))
    with pytest.raises(failures.ParcelNotForOrder):
        post.ship(parcel.number)


def test_other_carriers_are_not_asked(post: Post) -> None:
    post.ship("123456789", carrier="USPS")
    assert post.order().state == orders.SHIPPED


@pytest.mark.parametrize("number", [None, "WP00000000000000"])
def test_tracking_that_becomes_wishposts_is_checked(post: Post, number: str | None) -> None:
    number = number or post.order(SHIPPED).tracking_number
    with pytest.raises(failures.ParcelNotForOrder):
        post.sell(lambda ctx: orders.modify_tracking(ctx, SHIPPED, Shipment(WISHPOST, number)))
    parcel = post.book(SHIPPED)
    post.sell(lambda ctx: orders.modify_tracking(ctx, SHIPPED, Shipment(WISHPOST, parcel.number)))
    assert post.order(SHIPPED).tracking_number == parcel.number


def test_scans_reach_the_order(post: Post) -> None:
    parcel = post.book(OPEN)
    post.ship(parcel.number)
    post.market.work()
    assert post.order().confirmed_at is None
    post.scan(parcel, PICKED_UP, FLOWN)
    post.market.work()
    told = post.order()
    assert (told.confirmed_at, told.delivered_at) == (PICKED_UP.at, None)
    post.scan(parcel, AT_THE_DOOR)
    post.market.work()
    told = post.order()
    assert (told.confirmed_at, told.delivered_at) == (PICKED_UP.at, AT_THE_DOOR.at)
    assert post.scans(parcel.number) == [
        ("accepted", PICKED_UP.at, "Shenzhen, Guangdong, CN"),
        ("in_transit", FLOWN.at, None),
        ("delivered", AT_THE_DOOR.at, "Fresno, CA, US"),
    ]


def test_scans_from_before_the_shipment_reach_the_order(post: Post) -> None:
    parcel = post.book(OPEN)
    post.scan(parcel, PICKED_UP, AT_THE_DOOR)
    post.market.work()
    post.ship(parcel.wish_id)
    post.market.work()
    told = post.order()
    assert (told.confirmed_at, told.delivered_at) == (PICKED_UP.at, AT_THE_DOOR.at)


def test_two_orders_of_one_parcel_hear_of_it(post: Post) -> None:
    address = post.order()
    parcel = post.book(OPEN, ORDERS["usd"]["combined"])
    post.ship(parcel.number)
    try:
        post.ship(parcel.number, ORDERS["usd"]["combined"])
    except failures.TrackingReused:
        assert post.order(ORDERS["usd"]["combined"]).address.key() != address.address.key()
    post.scan(parcel, PICKED_UP)
    post.market.work()
    assert post.order().confirmed_at == PICKED_UP.at


def test_scans_of_parcels_for_no_shop_make_no_work(post: Post) -> None:
    post.send(lambda ctx: parcels.unbind_shop(ctx, post.shop_id))
    parcel = post.book(OPEN)
    post.scan(parcel, PICKED_UP)
    assert post.market.sql("select count(*) from job where kind = $1", parcels.SCANS_KIND) == 0


def test_a_shop_cannot_ask_in_the_name_of_another(post: Post) -> None:
    parcel = post.book(OPEN)

    async def ask(ctx: MerchantCtx) -> Any:
        found = await parcels.parcel_for_order(ctx, parcel.number, OPEN)
        eur = post.market.world.merchants["eur"].account_id
        await ctx.db.execute("select set_config('tradepost.account', $1, true)", eur)
        return found, await parcels.parcel_for_order(ctx, parcel.number, OPEN)

    mine, others = post.sell(ask)
    assert mine == parcels.ParcelRef(post.market.world.senders["ada"].account_id, parcel.id)
    assert others is None
