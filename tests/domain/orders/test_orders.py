"""Buying, shipping, following and refunding, each as the operation that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.support.calls import ORDERS, RINGS, SCARVES
from tests.support.market import NOW, Market
from tests.support.orders import CANADIAN, EXPRESS_ADDRESSES, RULES
from tradepost.domain import infractions, merchants, orders, products, shipping
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.orders import Address, Item, OrderFilter, OrderRules, Purchase, Scan, Shipment, failures
from tradepost.domain.products import ProductRef, VariationChanges
from tradepost.domain.products.failures import VariationNotFound
from tradepost.domain.shipping import PlaceChanges
from tradepost.values import Page

OPEN, COMBINED, SHIPPED, DELIVERED, REFUNDED, REVIEW = ORDERS["usd"].values()
ALASKA = EXPRESS_ADDRESSES["US"]
Verb = Callable[[MerchantCtx], Awaitable[Any]]
Play = Callable[..., Any]


@pytest.fixture
def play(market: Market) -> Play:
    """Runs a scene in a shop."""

    def run(scene: Verb, who: str = "usd") -> Any:
        async def within(ctx: Ctx) -> Any:
            return await scene(await merchants.act_for(ctx, market.world.merchants[who].account_id))

        return market.operate(within)

    return run


def cart(*items: Item, address: Address = CANADIAN, **more: Any) -> Purchase:
    return Purchase(items=items, address=address, **more)


async def buy(ctx: MerchantCtx, *items: Item, address: Address = CANADIAN, **more: Any) -> list[orders.Order]:
    placed = await orders.place_order(ctx, cart(*items, address=address, **more), RULES)
    return [await orders.find_order(ctx, order_id) for order_id in placed.order_ids]


async def stock(ctx: MerchantCtx, sku: str, warehouse: str | None = None) -> int | None:
    return (await products.find_variation(ctx, sku, warehouse))[1].inventory


async def topics(ctx: MerchantCtx, order_id: str) -> list[str]:
    found = await ctx.db.fetch(
        "select topic from event where account_id = $1 and about ->> 'order_id' = $2 order by happened_at, topic",
        ctx.actor.id,
        order_id,
    )
    return [row["topic"] for row in found]


class TestBuying:
    """What it takes, and what it says no to."""

    def test_a_cart_is_one_transaction_with_an_order_for_each_sku(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            red, scarf, twice = Item("ring-red", 2), Item("scarf"), Item("ring-red")
            before = await products.find_product(ctx, ProductRef(id=RINGS["usd"][0]))
            bought = await buy(ctx, red, scarf, twice)
            assert [(order.sku, order.quantity) for order in bought] == [("ring-red", 3), ("scarf", 1)]
            assert len({order.transaction_id for order in bought}) == len({order.buyer_id for order in bought}) == 1
            assert all(order.is_combined and order.state == orders.APPROVED for order in bought)
            assert (await stock(ctx, "ring-red"), await stock(ctx, "scarf")) == (97, 6)
            after = await products.find_product(ctx, ProductRef(id=RINGS["usd"][0]))
            assert after.number_sold == before.number_sold + 3
            assert after.updated_at == before.updated_at
            assert await topics(ctx, bought[1].id) == ["order_released"]

        play(scene)

    def test_money(self, play: Play) -> None:
        """4.99 to Canada by the product's own price; the total is what the merchant gets."""

        async def scene(ctx: MerchantCtx) -> None:
            (order,) = await buy(ctx, Item("ring-red", 2))
            assert (order.price, order.cost, order.shipping, order.shipping_cost) == (
                "15.9",
                "13.52",
                "4.99",
                "4.24",
            )
            assert (order.total, order.currency) == ("35.52", "USD")
            half = await orders.place_order(ctx, cart(Item("scarf")), OrderRules(share=Decimal("0.5")))
            assert (await orders.find_order(ctx, half.order_ids[0])).cost == "10"

        play(scene)

    def test_who_is_paid_in_his_own_currency_sells_in_it(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            (order,) = await buy(ctx, Item("ring-red"))
            assert (order.currency, order.price, order.shipping) == ("CNY", "111.3", "34.93")

        play(scene, "cny")

    def test_express_ships_where_it_goes_and_has_the_pieces(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            await shipping.update_place(
                ctx, ProductRef(id=RINGS["usd"][0]), PlaceChanges(country="US", wish_express=True)
            )
            await shipping.update_place(
                ctx, ProductRef(id=RINGS["usd"][0]), PlaceChanges(country="US_AK", enabled=True)
            )
            assert (await stock(ctx, "ring-red"), await stock(ctx, "ring-red", "EXPRESS-US")) == (50, 50)
            (far,) = await buy(ctx, Item("ring-red", 5), address=ALASKA)
            assert far.is_express
            assert far.deliver_by == NOW + timedelta(days=7)
            california = msgspec.structs.replace(ALASKA, state_or_province="California")
            (near,) = await buy(ctx, Item("ring-red", 2), address=california)
            assert not near.is_express, "Express goes to some regions only"
            assert (await stock(ctx, "ring-red"), await stock(ctx, "ring-red", "EXPRESS-US")) == (48, 45)
            await products.update_inventory(ctx, "ring-red", 1, "EXPRESS-US")
            (other,) = await buy(ctx, Item("ring-red", 2), address=ALASKA)
            assert not other.is_express, "Express had one left"

        play(scene)

    def test_what_is_refused(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            ring = ProductRef(id=RINGS["usd"][0])
            france = msgspec.structs.replace(CANADIAN, country="FR")
            for wrong, failure in (
                (cart(), failures.CartUnusable),
                (cart(Item("scarf", 0)), failures.CartUnusable),
                (cart(Item("nothing")), VariationNotFound),
                (cart(Item("ring-red", 6)), failures.MoreThanAllowed),
                (cart(Item("scarf", 8)), failures.OutOfStock),
                (cart(Item("ring-red"), Item("scarf", 8)), failures.OutOfStock),
                (cart(Item("scarf"), address=france), failures.NotShippedThere),
                (cart(Item("ring-red"), address=ALASKA), failures.NotShippedThere),  # Alaska is disabled
                (cart(Item("scarf"), address=msgspec.structs.replace(CANADIAN, city="")), failures.AddressUnusable),
                (
                    cart(Item("scarf"), original_address=msgspec.structs.replace(CANADIAN, country="XX")),
                    failures.AddressUnusable,
                ),
            ):
                with pytest.raises(failure):
                    await orders.place_order(ctx, wrong, RULES)
            await products.update_variation(ctx, "ring-red", VariationChanges(enabled=False))
            with pytest.raises(failures.NotForSale):
                await buy(ctx, Item("ring-red"))
            await products.review_product(ctx, SCARVES["usd"][0], "rejected")
            with pytest.raises(failures.NotForSale):
                await buy(ctx, Item("scarf"))
            await products.remove_product(ctx, ring)
            with pytest.raises(VariationNotFound):
                await buy(ctx, Item("ring-blue"))

        play(scene)

    def test_worldwide_at_the_variations_prices(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            await shipping.set_worldwide(ctx, True)
            (order,) = await buy(ctx, Item("ring-red"), address=msgspec.structs.replace(CANADIAN, country="FR"))
            assert order.shipping == "10.5"

        play(scene)

    def test_an_order_stays_as_it_was_placed(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            (before,) = await buy(ctx, Item("ring-red"))
            await products.update_variation(ctx, "ring-red", VariationChanges(price=Decimal(99), color="pink"))
            await products.change_sku(ctx, "ring-red", "ring-pink")
            await products.remove_product(ctx, ProductRef(id=RINGS["usd"][0]))
            assert await orders.find_order(ctx, before.id) == before

        play(scene)


class TestParcels:
    """Tracking numbers, and what carriers see."""

    def test_a_number_is_shared_by_one_recipient_within_five_days(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            ids = []
            for days, address in ((0, CANADIAN), (5, CANADIAN), (0, ALASKA), (6, CANADIAN)):
                at = replace(ctx, now=ctx.now + timedelta(days=days))
                ids.append((await buy(at, Item("scarf"), address=address))[0].id)
            await orders.fulfil_order(ctx, ids[0], Shipment("UPS", "ABC1"))
            await orders.fulfil_order(ctx, ids[1], Shipment("UPS", "abc1"))
            for other in ids[2:]:
                with pytest.raises(failures.TrackingReused):
                    await orders.fulfil_order(ctx, other, Shipment("UPS", "ABC1"))
            await orders.fulfil_order(ctx, ids[2], Shipment("USPS", "ABC2"))
            with pytest.raises(failures.TrackingReused):
                await orders.modify_tracking(ctx, ids[2], Shipment("USPS", "ABC1"))
            await orders.modify_tracking(ctx, ids[2], Shipment("UPS", "abc2"))
            assert (await orders.find_order(ctx, ids[2])).carrier == "UPS"

        play(scene)

    def test_another_merchants_number_is_his_own(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            await orders.fulfil_order(ctx, ORDERS["cny"]["open"], Shipment("USPS", "TR1234USD"))

        play(scene, "cny")

    def test_scans(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            first, then = NOW - timedelta(hours=3), NOW - timedelta(hours=1)
            await orders.record_scan(ctx, "tr1234usd", Scan("in_transit", then, "Seattle"))
            await orders.record_scan(ctx, "TR1234USD", Scan("accepted", first))
            order = await orders.find_order(ctx, SHIPPED)
            assert (order.confirmed_at, order.delivered_at, order.updated_at) == (first, None, NOW)
            with pytest.raises(failures.TrackingConfirmed):
                await orders.modify_tracking(ctx, SHIPPED, Shipment("UPS", "OTHER"))
            await orders.record_scan(ctx, "TR1234USD", Scan("delivered", NOW))
            order = await orders.find_order(ctx, SHIPPED)
            assert (order.delivered_at, order.confirms_delivery) == (NOW, True)
            assert [scan.kind for scan in await orders.list_scans(ctx, "tr1234usd")] == [
                "accepted",
                "in_transit",
                "delivered",
            ]
            assert await topics(ctx, SHIPPED) == [
                "order_released",
                "order_shipped",
                "order_delivered",
                "order_tracking_confirmed",
            ]
            for wrong in (Scan("eaten", NOW), Scan("delivered", NOW + timedelta(seconds=1))):
                with pytest.raises(failures.ScanUnusable):
                    await orders.record_scan(ctx, "TR1234USD", wrong)
            with pytest.raises(failures.TrackingUnknown):
                await orders.record_scan(ctx, "NOBODYS", Scan("delivered", NOW))
            with pytest.raises(failures.ScanBeforeOrder):
                await orders.record_scan(ctx, "TR1234USD", Scan("accepted", order.placed_at - timedelta(seconds=1)))

        play(scene)

    def test_who_joins_a_parcel_that_was_seen_is_confirmed_at_once(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            await orders.fulfil_order(ctx, OPEN, Shipment("UPS", "X1"))
            await orders.record_scan(ctx, "X1", Scan("accepted", NOW))
            await orders.fulfil_order(ctx, COMBINED, Shipment("UPS", "X1"))
            assert (await orders.find_order(ctx, COMBINED)).confirmed_at == NOW

        play(scene)

    def test_tracking_cancelled_and_shipped_again(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            await orders.cancel_tracking(ctx, SHIPPED)
            order = await orders.find_order(ctx, SHIPPED)
            assert (order.state, order.carrier, order.tracking_number) == (orders.APPROVED, None, None)
            assert order.fulfil_by is not None
            await orders.fulfil_order(ctx, SHIPPED, Shipment("UPS", "TR1234USD"))

        play(scene)


class TestClock:
    """Five days, then the money goes back."""

    def test_late_orders_are_refunded_with_what_happened(self, play: Play, market: Market) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            waiting = await orders.find_order(ctx, OPEN)
            assert waiting.fulfil_by is not None
            early = replace(ctx, now=waiting.fulfil_by - timedelta(seconds=1))
            assert await infractions.refund_late_orders(early) == 0
            late = replace(ctx, now=waiting.fulfil_by)
            assert await infractions.refund_late_orders(late) == 6, "two orders of each shop"
            assert await infractions.refund_late_orders(late) == 0
            order = await orders.find_order(ctx, OPEN)
            assert (order.state, order.refunded_by) == (orders.REFUNDED, orders.BY_WISH)
            (refund,) = order.refunds
            assert (refund.amount, refund.responsible_amount) == ("20.7", "17.6")
            assert refund.reason == "Unable to fulfill order"
            assert (await topics(ctx, OPEN))[1:] == ["order_fulfilment_missed", "order_refunded"]
            assert (await orders.find_order(ctx, SHIPPED)).state == orders.SHIPPED
            assert (await orders.find_order(ctx, REVIEW)).state == orders.REVIEW

        play(scene)

    def test_the_clock_of_an_order_under_review_begins_with_its_release(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            later = replace(ctx, now=NOW + timedelta(days=30))
            await orders.release_order(later, REVIEW)
            order = await orders.find_order(ctx, REVIEW)
            assert (order.state, order.released_at) == (orders.APPROVED, later.now)
            assert order.fulfil_by == later.now + timedelta(days=5)

        play(scene)


class TestRefunds:
    """Who bears what."""

    def test_a_part_for_the_merchant(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            wish = orders.RefundWish(orders.BY_WISH_FOR_MERCHANT, "Item did not work", responsibility=30)
            await orders.refund_for(ctx, SHIPPED, wish)
            order = await orders.find_order(ctx, SHIPPED)
            (refund,) = order.refunds
            # 3 x (8 + 2.35), and 30 % of 3 x (6.80 + 2.00)
            assert (refund.amount, refund.responsible_amount, refund.responsibility) == ("31.05", "7.92", 30)
            assert (order.carrier, order.tracking_number) == ("USPS", "TR1234USD")

        play(scene)

    def test_a_fine_is_named_once(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            for _ in range(2):
                await orders.note_fine(ctx, [OPEN, "0" * 24], "f" * 24)
            assert list((await orders.find_order(ctx, OPEN)).fine_ids) == ["f" * 24]

        play(scene)


class TestLists:
    """Every way through the indexes says the same."""

    @pytest.mark.parametrize("since_days", [None, 1, 2, 40])
    @pytest.mark.parametrize("upto_days", [None, 0, 1])
    def test_filters(self, play: Play, since_days: int | None, upto_days: int | None) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            since = None if since_days is None else NOW - timedelta(days=since_days)
            upto = None if upto_days is None else NOW - timedelta(days=upto_days)
            every, _ = await orders.list_orders(ctx, OrderFilter(), Page(0, 500))
            assert len(every) == 6
            for express in (False, True):
                wanted = [
                    order
                    for order in sorted(every, key=lambda order: (order.placed_at, order.id))
                    if (since is None or order.updated_at >= since)
                    and (upto is None or order.updated_at < upto)
                    and (order.is_express or not express)
                ]
                told, more = await orders.list_orders(ctx, OrderFilter(since, upto, express), Page(0, 500))
                assert (list(told), more) == (wanted, False)
                told, more = await orders.list_orders(ctx, OrderFilter(since, upto, express), Page(1, 1))
                assert (list(told), more) == (wanted[1:2], len(wanted) > 2)
                told, _ = await orders.list_to_fulfil(ctx, OrderFilter(since, upto, express), Page(0, 500))
                assert list(told) == [order for order in wanted if order.state == orders.APPROVED]

        play(scene)
