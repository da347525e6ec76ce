"""The carriers of the sandbox: the ways that parcels take, and how these become scans when their time comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from tests.support.calls import ORDERS
from tests.support.market import NOW, Market
from tradepost.domain import ledger, parcels
from tradepost.domain.context import Ctx, ShipperCtx
from tradepost.domain.parcels import STATES, Cancellation, Details, Parcel, Scan
from tradepost.sandbox.carriers import SandboxCarriers
from tradepost.sandbox.parcels import BUYER, new_parcel
from tradepost.sandbox.routes import TROUBLES, trouble_of, way_of
from tradepost.sandbox.scenes import seeded_ids

DAY = timedelta(days=1)
ENDS = {"delivered": 23, "returned": 25}


def details(country: str = "US", zipcode: str = "93650", warehouse: str | None = None) -> Details:
    recipient = msgspec.structs.replace(BUYER, country=country, zipcode=zipcode)
    return msgspec.structs.replace(new_parcel(0).details, recipient=recipient, warehouse_code=warehouse)


def numbered(parcel_id: str, told: Details, otype: str = "5001-1") -> Parcel:
    return Parcel(
        id=parcel_id,
        wish_id="WOSP",
        otype=otype,
        order_ids=(),
        country=told.recipient.country,
        weight=Decimal(1),
        fee=Decimal(1),
        created_at=NOW,
        updated_at=NOW,
        numbered_at=NOW,
        state="numbered",
        tracking_number="WP1",
        details=told,
    )


def ways(told: Details, otype: str = "5001-1", count: int = 200) -> list[list[int]]:
    """The statuses of the ways of some parcels."""
    new_id = seeded_ids(5)
    return [[scan.status for scan in way_of(numbered(new_id(), told, otype), told)] for _ in range(count)]


def in_order(times: Iterable[datetime]) -> bool:
    found = list(times)
    return all(earlier < later for earlier, later in pairwise(found))


class TestWays:
    @pytest.mark.parametrize("country", ["US", "DE", "JP", "CN", "ZA"])
    @pytest.mark.parametrize("otype", ["5001-1", "200-1", "1", "0"])
    def test_every_way_leads_from_the_pickup_on_in_order(self, country: str, otype: str) -> None:
        new_id = seeded_ids(3)
        for _ in range(100):
            way = way_of(numbered(new_id(), details(country), otype), details(country))
            assert way[0].status == 2
            assert way[0].at > NOW
            assert in_order(scan.at for scan in way)
            assert way[-1].at < NOW + 90 * DAY

    def test_a_way_is_always_the_same(self) -> None:
        parcel = numbered("a" * 24, details())
        assert way_of(parcel, details()) == way_of(parcel, details())
        assert way_of(parcel, details()) != way_of(msgspec.structs.replace(parcel, id="b" * 24), details())

    def test_most_are_delivered_and_some_are_not(self) -> None:
        ends = [way[-1] for way in ways(details(), count=1000)]
        assert ends.count(23) > 900
        assert {6, 23, 25, 27} == set(ends)

    def test_customs_are_for_what_leaves_the_country(self) -> None:
        assert all(11 not in way and 16 not in way for way in ways(details("CN")))
        assert all(11 in way and 16 in way for way in ways(details("FR")) if way[-1] != 6)

    @pytest.mark.parametrize("otype", ["0", "200-0"])
    def test_what_is_not_registered_is_seen_until_its_flight(self, otype: str) -> None:
        assert {way[-1] for way in ways(details(), otype)} <= {6, 16}

    def test_a_parcel_begins_where_it_is_handed_over(self) -> None:
        told = details(warehouse="4")
        assert way_of(numbered("a" * 24, told, "1"), told)[0].city == "Yiwu"
        assert way_of(numbered("a" * 24, details()), details())[0].city == "Shenzhen"

    @pytest.mark.parametrize(
        ("trouble", "end"), [("rejected", 6), ("customs", 25), ("lost", 27), ("address", 25), ("returned", 25)]
    )
    def test_trouble_on_demand(self, trouble: str, end: int) -> None:
        for zipcode in (f"9999-{trouble}", f"9999-{trouble.upper()}"):
            assert {way[-1] for way in ways(details(zipcode=zipcode))} == {end}

    def test_trouble_is_asked_for_in_one_form_only(self) -> None:
        for zipcode in ("9999-GONE", "99990-1234", "09999", "93650"):
            assert trouble_of(details(zipcode=zipcode)) is None
        assert {trouble_of(details(zipcode=f"9999-{name}")) for name in TROUBLES} == set(TROUBLES)

    def test_nothing_is_seen_of_a_parcel_without_a_number(self) -> None:
        assert way_of(msgspec.structs.replace(numbered("a" * 24, details()), numbered_at=None), details()) == ()

    def test_carriers_that_only_give_numbers_are_not_asked(self) -> None:
        asked = SandboxCarriers(see=False)
        assert trouble_of(details()) is None
        said = _run(asked.announce(numbered("a" * 24, details()), 1))
        assert said.next_at is None
        assert _run(SandboxCarriers().announce(numbered("a" * 24, details()), 1)).next_at == NOW


def _run(said: Any) -> Any:
    """What a coroutine that waits for nothing gives."""
    try:
        said.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited")


class Road:
    """A user of the world, whose parcels are carried as time passes."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.account_id = market.world.senders["lan"].account_id
        self._new_id = seeded_ids(31)

    def act(self, verb: Any, after: timedelta = timedelta()) -> Any:
        async def act(ctx: Ctx) -> Any:
            return await verb(replace(await parcels.act_for(ctx, self.account_id), new_id=self._new_id))

        return self.market.operate(act, NOW + after)

    def book(self, zipcode: str = "93650", order_ids: tuple[str, ...] = ("f" * 24,)) -> str:
        """A parcel with its number; gives its own."""
        new = replace(new_parcel(0), details=details(zipcode=zipcode), order_ids=order_ids)
        booked = self.act(lambda ctx: parcels.book_parcel(ctx, new))
        self.market.work()
        return str(booked.wish_id)

    def wait(self, after: timedelta) -> int:
        """Let time pass and carriers be asked; gives how many users had something to ask for."""
        self.market.sql("update world_clock set fixed_at = $1", NOW + after)
        users = self.market.operate(
            lambda ctx: parcels.ask_carriers(replace(ctx, new_id=self._new_id)), NOW + after
        )
        self.market.work()
        return int(users)

    def track(self, number: str) -> tuple[Parcel, list[Scan]]:
        found = self.act(lambda ctx: parcels.track_parcels(ctx, [number]))
        parcel: Parcel = self.act(lambda ctx: parcels.find_parcel(ctx, found[0][0].id))
        return parcel, found[0][1]


@pytest.fixture
def road(market: Market) -> Road:
    return Road(market)


def test_scans_come_when_their_time_does(road: Road) -> None:
    number = road.book()
    parcel, _ = road.track(number)
    way = way_of(parcel, parcel.details)
    for seen in (0, 1, 5, len(way)):
        after = way[seen - 1].at - NOW if seen else timedelta(hours=1)
        road.wait(after)
        parcel, scans = road.track(number)
        assert scans == list(way[:seen])
        assert parcel.scanned_at == (way[0].at if seen else None)
    assert (parcel.state, parcel.ended_at) == ("delivered", way[-1].at)
    road.wait(way[-1].at + 30 * DAY - NOW)
    assert road.track(number)[1] == list(way)


def test_asking_again_changes_nothing(road: Road) -> None:
    number = road.book()
    road.wait(20 * DAY)
    before = road.track(number)
    road.wait(20 * DAY)
    assert road.track(number) == before
    assert road.wait(20 * DAY) == 0


def test_a_scan_charges_when_it_was_seen(road: Road) -> None:
    number = road.book()
    road.wait(20 * DAY)
    parcel, scans = road.track(number)
    flows = road.act(
        lambda ctx: ledger.list_cash_flow(ctx, ctx.actor.id, ledger.FlowFilter(50, "created_at", descending=True))
    )
    charged = [flow for flow in flows if flow.parcel_id == parcel.id and flow.kind == ledger.CHARGE]
    assert [flow.at for flow in charged] == [scans[0].at]


def test_many_parcels_are_carried_some_at_a_time(road: Road) -> None:
    road.act(lambda ctx: ledger.set_debt_limit(ctx, ctx.actor.id, Decimal(5000)))
    numbers = [road.book() for _ in range(45)]
    road.wait(60 * DAY)
    states = {road.track(number)[0].state for number in numbers}
    assert states <= {"delivered", "returned", "in_transit"}
    assert "numbered" not in states


def test_a_cancelled_parcel_is_not_seen(road: Road) -> None:
    number = road.book()
    road.act(lambda ctx: parcels.cancel_parcels(ctx, [Cancellation(number, "x")]))
    road.wait(20 * DAY)
    parcel, scans = road.track(number)
    assert (parcel.state, scans) == ("cancelled", [])
    assert road.wait(30 * DAY) == 0


def test_a_parcel_that_is_sent_although_it_was_cancelled_is_paid_for(road: Road) -> None:
    number = road.book("9999-ANYWAY")
    road.act(lambda ctx: parcels.cancel_parcels(ctx, [Cancellation(number, "x")]))
    road.wait(20 * DAY)
    parcel, _ = road.track(number)
    assert parcel.state in STATES[4:]
    assert parcel.cancel_reason == "x"
    paid = road.market.sql("select count(*) from transfer where parcel_id = $1 and kind = 'late_charge'", parcel.id)
    assert paid == 1


def test_a_number_that_never_comes(road: Road) -> None:
    number = road.book("9999-SILENT")
    parcel, _ = road.track(number)
    assert (parcel.state, parcel.tracking_number) == ("booked", None)
    judged = road.act(lambda ctx: parcels.cancel_parcels(ctx, [Cancellation(number, "x")]))
    assert judged[0].failure is None


def test_a_refusal(road: Road) -> None:
    assert road.track(road.book("9999"))[0].state == "refused"


def test_what_somebody_else_told_ends_the_way(road: Road) -> None:
    number = road.book()

    async def deliver(ctx: ShipperCtx) -> None:
        await parcels.note_scan(ctx, number, Scan(NOW, 23))

    road.act(deliver)
    road.wait(DAY)
    assert road.track(number)[0].state == "delivered"
    scans = road.track(number)[1]
    road.wait(20 * DAY)
    assert road.track(number)[1] == scans


def test_the_way_reaches_the_order_of_a_shop(road: Road) -> None:
    shop, order = road.market.world.merchants["cny"].account_id, ORDERS["cny"]["open"]
    road.act(lambda ctx: parcels.bind_shop(ctx, shop))
    number = road.book(order_ids=(order,))
    shipped = road.market.post(
        "/api/v2/order/fulfill-one", "cny", id=order, tracking_provider="WishPost", tracking_number=number
    )
    assert shipped.status == 200, shipped.json
    road.wait(20 * DAY)
    parcel, scans = road.track(number)
    assert parcel.state == "delivered"
    told = road.market.get("/api/v2/order", "cny", id=order).json["data"]["Order"]
    assert told["tracking_confirmed"] == "True"
    assert told["tracking_confirmed_date"] == f"{scans[0].at:%Y-%m-%dT%H:%M:%S}"
