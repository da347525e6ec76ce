"""Everybody at once, on connections of their own."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from tests.support.calls import ORDERS
from tests.support.database import Server
from tests.support.market import World
from tests.support.orders import CANADIAN, RULES
from tests.support.together import Shop, Verb
from tradepost.domain import orders, products
from tradepost.domain.context import MerchantCtx
from tradepost.domain.orders import Address, Item, Purchase, Shipment
from tradepost.domain.orders.failures import OrderFulfilled, OrderRefunded, OutOfStock, TrackingReused
from tradepost.values import Fact

CLONE = "orders_together"


@pytest.fixture
def shop(server: Server, world: World) -> Shop:
    """A copy of the market that is thrown away."""
    server.clone(CLONE)
    return Shop(server, CLONE, world.merchants["usd"].account_id)


def buy(*items: Item, address: Address = CANADIAN) -> Verb:
    return lambda ctx: orders.place_order(ctx, Purchase(items=items, address=address), RULES)


def ship(order_id: str, number: str) -> Verb:
    return lambda ctx: orders.fulfil_order(ctx, order_id, Shipment("UPS", number))


def test_the_last_pieces_are_sold_once(shop: Shop) -> None:
    """Twenty buyers want two pieces each of the seven that there are."""
    came = shop.at_once(*(buy(Item("scarf", 2)) for _ in range(20)))
    kinds = Counter(type(each).__name__ for each in came)
    assert kinds == {"Placed": 3, "OutOfStock": 17}
    assert all(isinstance(each, OutOfStock) for each in came if isinstance(each, Fact))
    assert shop.ask(lambda ctx: products.find_variation(ctx, "scarf"))[1].inventory == 1


def test_carts_with_the_same_things_in_another_order_do_not_wait_for_each_other(shop: Shop) -> None:
    things = [Item("ring-red"), Item("scarf"), Item("ring-blue")]
    came = shop.at_once(*(buy(*things[n % 3 :], *things[: n % 3]) for n in range(7)))
    assert not [each for each in came if isinstance(each, Fact)]


def test_an_order_is_fulfilled_once(shop: Shop) -> None:
    """Of many with different numbers one wins, with one event; the same against refunds."""
    order_id = ORDERS["usd"]["open"]
    came = shop.at_once(*(ship(order_id, f"N{n}") for n in range(12)))
    assert Counter(type(each) for each in came) == {type(None): 1, OrderFulfilled: 11}
    order = shop.ask(lambda ctx: orders.find_order(ctx, order_id))
    assert order.tracking_number == f"N{came.index(None)}"

    other = ORDERS["usd"]["combined"]
    came = shop.at_once(
        *(ship(other, f"M{n}") for n in range(6)),
        *(lambda ctx: orders.refund_order(ctx, other, 1, None, RULES) for _ in range(6)),
    )
    # Once it is shipped, a store cannot say that it was unable to.
    assert came.count(None) == 1
    state = shop.ask(lambda ctx: orders.find_order(ctx, other)).state
    assert state == (orders.SHIPPED if None in came[:6] else orders.REFUNDED)
    if state == orders.REFUNDED:
        assert all(isinstance(each, OrderRefunded) for each in came if each is not None)

    async def events(ctx: MerchantCtx) -> list[int]:
        return [
            await ctx.db.fetchval(
                "select count(*) from event where about ->> 'order_id' = $1 and topic <> 'order_released'", each
            )
            for each in (order_id, other)
        ]

    assert shop.ask(events) == [1, 1]


def test_one_number_for_two_recipients_at_the_same_moment(shop: Shop) -> None:
    ids = (ORDERS["usd"]["open"], *_ordered_elsewhere(shop))
    came = shop.at_once(*(ship(order_id, "SAME") for order_id in ids))
    assert came.count(None) == 1
    assert sum(isinstance(each, TrackingReused) for each in came) == len(ids) - 1


def _ordered_elsewhere(shop: Shop) -> list[str]:
    found = []
    for number in range(3):
        address = msgspec.structs.replace(CANADIAN, recipient=f"Buyer {number}")
        found += shop.ask(buy(Item("ring-red"), address=address)).order_ids
    return found
