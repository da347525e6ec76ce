"""Parcels in the database: their money, their numbers, and lists that are complete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.calls import PARCELS, STATES
from tests.support.market import NOW, Market
from tests.support.sending import NOWHERE, replace_zipcode
from tradepost.domain import ledger, parcels
from tradepost.domain.context import ShipperCtx
from tradepost.domain.ledger import BalanceTooLow
from tradepost.domain.parcels import Cancellation, Parcel, ParcelFilter, Scan
from tradepost.domain.parcels.booking import wish_id
from tradepost.domain.parcels.failures import (
    AlreadyCancelled,
    AlreadyScanned,
    ChannelNotFound,
    GuidTaken,
    NotInCarriersHands,
    ParcelNotFound,
    RealNameUnverified,
    ScanBeforeBooking,
    ShipperUnknown,
)
from tradepost.sandbox.parcels import new_parcel

LAN = PARCELS["lan"]
Verb = Callable[[ShipperCtx], Awaitable[Any]]
Play = Callable[..., Any]


@pytest.fixture
def play(market: Market) -> Play:
    """Runs a verb for a user."""

    def run(verb: Verb, who: str = "lan", hours: float = 0) -> Any:
        async def act(ctx: Any) -> Any:
            return await verb(await parcels.act_for(ctx, market.world.senders[who].account_id))

        return market.operate(act, NOW + timedelta(hours=hours))

    return run


def number(state: str) -> str:
    return wish_id(LAN[state])


def cancel(play: Play, *numbers: str, who: str = "lan") -> list[type | None]:
    """What stands against cancelling each of some parcels."""
    asked = [Cancellation(name, "x") for name in numbers]
    judged = play(lambda ctx: parcels.cancel_parcels(ctx, asked), who=who)
    return [result.failure and type(result.failure) for result in judged]


def spent(play: Play) -> tuple[Decimal, Decimal]:
    """What is frozen and what is spent."""
    found = play(lambda ctx: ledger.find_balances(ctx, ctx.actor.id))
    return found.frozen, found.spent


def test_a_parcel_gets_its_number_by_a_job(market: Market, play: Play) -> None:
    booked: Parcel = play(lambda ctx: parcels.book_parcel(ctx, new_parcel(50)))
    assert booked.tracking_number is None
    market.work()
    numbered = play(lambda ctx: parcels.find_parcel(ctx, booked.id))
    assert (numbered.state, numbered.wish_id) == ("numbered", booked.wish_id)
    assert numbered.tracking_number.startswith("WP")
    assert numbered.details.goods == booked.details.goods


def test_chinas_post_numbers_have_eleven_digits(market: Market, play: Play) -> None:
    new = new_parcel(0, otype="1")
    new = replace(new, details=parcels.Details(new.details.sender, new.details.recipient, new.details.goods,
                                               warehouse_code="1"))  # fmt: skip
    booked = play(lambda ctx: parcels.book_parcel(ctx, new))
    market.work()
    told = play(lambda ctx: parcels.find_parcel(ctx, booked.id)).tracking_number
    assert told.isdigit()
    assert len(told) == 11


def test_a_carrier_that_refuses_gives_the_money_back(market: Market, play: Play) -> None:
    before = spent(play)
    new = new_parcel(50, recipient=replace_zipcode(NOWHERE))
    booked = play(lambda ctx: parcels.book_parcel(ctx, new))
    assert spent(play) != before
    market.work()
    refused = play(lambda ctx: parcels.find_parcel(ctx, booked.id))
    assert (refused.state, refused.refusal) == ("refused", "The carrier does not deliver to this address.")
    assert spent(play) == before


def test_a_parcel_cancelled_before_its_number_came_gets_none(market: Market, play: Play) -> None:
    booked = play(lambda ctx: parcels.book_parcel(ctx, new_parcel(50)))
    assert cancel(play, booked.wish_id) == [None]
    market.work()
    assert play(lambda ctx: parcels.find_parcel(ctx, booked.id)).tracking_number is None


def test_money_follows_the_parcel(play: Play) -> None:
    frozen, paid = spent(play)
    fee = play(lambda ctx: parcels.find_parcel(ctx, LAN["numbered"])).fee
    play(lambda ctx: parcels.hand_over(ctx, number("numbered")))
    assert spent(play) == (frozen - fee, paid + fee)
    play(lambda ctx: parcels.note_scan(ctx, number("numbered"), Scan(NOW, 2)))
    play(lambda ctx: parcels.hand_over(ctx, number("numbered")))
    assert spent(play) == (frozen - fee, paid + fee)


def test_a_cancelled_parcel_that_is_shipped_all_the_same_is_charged(play: Play) -> None:
    frozen, paid = spent(play)
    fee = play(lambda ctx: parcels.find_parcel(ctx, LAN["handed_over"])).fee
    assert cancel(play, number("handed_over")) == [None]
    assert spent(play) == (frozen, paid - fee)
    for status in (2, 2, 23):
        play(lambda ctx, status=status: parcels.note_scan(ctx, number("handed_over"), Scan(NOW, status)))
    assert spent(play) == (frozen, paid)
    flow = play(lambda ctx: ledger.list_cash_flow(ctx, ctx.actor.id, ledger.FlowFilter(2, "id", True)))
    assert [line.kind for line in flow] == ["late_charge", "refund"]
    assert flow[0].wish_id == number("handed_over")


def test_cancelling_many_judges_each_in_its_turn(play: Play) -> None:
    asked = [number("numbered"), number("delivered"), "nobody", number("numbered"), number("booked")]
    assert cancel(play, *asked) == [None, AlreadyScanned, ParcelNotFound, AlreadyCancelled, None]


def test_both_numbers_name_the_same_parcel(play: Play) -> None:
    carriers = play(lambda ctx: parcels.find_parcel(ctx, LAN["numbered"])).tracking_number
    assert cancel(play, carriers, number("numbered")) == [None, AlreadyCancelled]


def test_the_same_scan_told_twice_is_one(play: Play) -> None:
    for _ in range(2):
        play(lambda ctx: parcels.note_scan(ctx, number("in_transit"), Scan(NOW, 16, "US")))
    ((_, scans),) = play(lambda ctx: parcels.track_parcels(ctx, [number("in_transit")]))
    assert [scan.status for scan in scans] == [2, 16]
    with pytest.raises(NotInCarriersHands):
        play(lambda ctx: parcels.note_scan(ctx, number("booked"), Scan(NOW, 2)))


def test_no_scan_is_older_than_the_parcel(play: Play) -> None:
    """The moment of the booking itself is none too early; what was seen stands in the order of its times."""
    booked = play(lambda ctx: parcels.find_parcel(ctx, LAN["numbered"])).created_at
    before = booked - timedelta(milliseconds=1)
    with pytest.raises(ScanBeforeBooking) as caught:
        play(lambda ctx: parcels.note_scan(ctx, number("numbered"), Scan(before, 2)))
    assert (caught.value.at, caught.value.booked_at) == (before, booked)
    assert play(lambda ctx: parcels.find_parcel(ctx, LAN["numbered"])).state == "numbered"
    for at, status in ((NOW, 3), (booked, 2)):
        play(lambda ctx, at=at, status=status: parcels.note_scan(ctx, number("numbered"), Scan(at, status)))
    ((parcel, scans),) = play(lambda ctx: parcels.track_parcels(ctx, [number("numbered")]))
    told = parcels.with_own_events(parcel, scans)
    assert [event.status for event in told] == [1, 2, 3]
    assert [event.at for event in told] == sorted(event.at for event in told)


def test_what_belongs_to_another_does_not_exist(play: Play) -> None:
    with pytest.raises(ParcelNotFound):
        play(lambda ctx: parcels.find_parcel(ctx, LAN["booked"]), who="ada")
    assert play(lambda ctx: parcels.track_parcels(ctx, [number("booked")]), who="ada") == [None]
    assert cancel(play, number("booked"), who="ada") == [ParcelNotFound]


def test_bookings_end_where_the_credit_does(play: Play) -> None:
    async def book_on(ctx: ShipperCtx) -> None:
        for _ in range(50):
            await parcels.book_parcel(ctx, new_parcel(2))

    with pytest.raises(BalanceTooLow):
        play(book_on)
    found = play(lambda ctx: ledger.find_balances(ctx, ctx.actor.id))
    assert -200 <= found.free < -200 + Decimal("64.80")


def test_a_guid_is_one_parcel_of_a_user(play: Play) -> None:
    with pytest.raises(GuidTaken) as caught:
        play(lambda ctx: parcels.book_parcel(ctx, new_parcel(50, guid="lan-booked")))
    assert caught.value.wish_id == number("booked")
    play(lambda ctx: parcels.book_parcel(ctx, new_parcel(50, guid="lan-booked")), who="ada")


def test_who_is_not_verified_books_nothing(market: Market, play: Play) -> None:
    """What is booked goes on, other users are not concerned, and each change leaves one row."""
    lan = market.world.senders["lan"].account_id
    rows = "select count(*) from audit_record where subject = $1 and verb like 'sender.%verified'"
    before = market.sql(rows, lan)
    for _ in range(2):
        market.operate(lambda ctx: parcels.set_verified(ctx, lan, False))
    for otype in (new_parcel(50).otype, "no-such"):
        with pytest.raises(RealNameUnverified):
            play(lambda ctx, otype=otype: parcels.book_parcel(ctx, replace(new_parcel(50), otype=otype)))
    play(lambda ctx: parcels.book_parcel(ctx, new_parcel(50)), who="ada")
    assert cancel(play, number("numbered")) == [None]
    for _ in range(2):
        market.operate(lambda ctx: parcels.set_verified(ctx, lan, True))
    assert market.sql(rows, lan) == before + 2
    play(lambda ctx: parcels.book_parcel(ctx, new_parcel(50)))
    with pytest.raises(ShipperUnknown):
        market.operate(lambda ctx: parcels.set_verified(ctx, "0" * 24, False))


def test_an_order_that_is_named_twice_is_in_it_once(play: Play) -> None:
    first, second = "a" * 24, "b" * 24
    new = replace(new_parcel(0), order_ids=(first, second, first))
    booked = play(lambda ctx: parcels.book_parcel(ctx, new))
    assert play(lambda ctx: parcels.find_parcel(ctx, booked.id)).order_ids == (first, second)


def test_a_closed_channel_is_not_there(market: Market, play: Play) -> None:
    market.sql("update channel set closed_at = now() where otype = '5001-1'")
    with pytest.raises(ChannelNotFound):
        play(lambda ctx: parcels.book_parcel(ctx, new_parcel(50)))


@pytest.mark.parametrize("sort", ["id", "created_at"])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_by_bounds_are_the_whole_list(play: Play, sort: str, descending: bool) -> None:
    """As the reference describes: the next page begins at the last item of the one before."""
    met: list[str] = []
    wanted = ParcelFilter(3, sort, descending)
    for _ in range(10):
        page = play(lambda ctx, wanted=wanted: parcels.list_parcels(ctx, wanted))
        met += [parcel.id for parcel in page if parcel.id not in met]
        last = page[-1]
        if sort == "created_at":
            bound = {"created_max" if descending else "created_min": last.created_at}
        else:
            bound = {"id_max" if descending else "id_min": last.id}
        wanted = replace(wanted, **bound)
    order = [LAN[state] for state in STATES]
    assert met == (order[::-1] if descending else order)


@pytest.mark.parametrize("state", STATES)
def test_a_list_of_one_state(play: Play, state: str) -> None:
    found = play(lambda ctx: parcels.list_parcels(ctx, ParcelFilter(10, "created_at", True, state=state)))
    assert [parcel.id for parcel in found] == [LAN[state]]
