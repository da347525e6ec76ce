"""The states of an order, without a database: every move from every state, and the money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradepost.domain.orders import (
    APPROVED,
    BY_WISH,
    REFUNDED,
    REVIEW,
    SHIPPED,
    Address,
    NewAddress,
    Order,
    OrderRules,
    RefundWish,
    Shipment,
    failures,
    machine,
)
from tradepost.domain.orders.order import add_workdays, settle_money

NOW = datetime(2021, 5, 19, 16, 37, tzinfo=UTC)
STATES = (REVIEW, APPROVED, SHIPPED, REFUNDED)
PARCEL = Shipment("UPS", "1Z", "note", "CN")
HOME = Address(recipient="Ann", street_address1="1 Street", city="Rogers", country="US", zipcode="72756")


def order(state: str, **changes: Any) -> Order:
    """An order in a state, as it comes there by itself."""
    released = None if state == REVIEW else NOW - timedelta(days=1)
    told: dict[str, Any] = dict.fromkeys(Order.__struct_fields__)
    told |= {"id": "a" * 24, "state": state, "is_express": False, "address": HOME, "released_at": released}
    told |= {"fulfil_by": released and released + timedelta(days=5), "refunds": (), "fine_ids": ()}
    if state == SHIPPED:
        told |= {"shipped_at": NOW, "carrier": "UPS", "tracking_number": "1Z"}
    return Order(**told | changes)


MOVES: Mapping[str, Callable[[Order], Mapping[str, Any]]] = {
    "release": lambda o: machine.release(o, NOW),
    "fulfil": lambda o: machine.fulfil(o, PARCEL, NOW),
    "modify": lambda o: machine.modify_tracking(o, PARCEL),
    "cancel": lambda o: machine.cancel_tracking(o, NOW),
    "address": lambda o: machine.change_address(o, NewAddress("2 Street", "Town", "1", "FR")),
    "refund": lambda o: machine.refund(o, RefundWish(BY_WISH, "because"), NOW),
}
# The state that each move leads to from each state, or what forbids it.
EXPECTED: Mapping[str, tuple[Any, ...]] = {
    "release": (APPROVED, *[failures.OrderNotUnderReview] * 3),
    "fulfil": (failures.OrderUnderReview, SHIPPED, failures.OrderFulfilled, failures.OrderRefunded),
    "modify": (failures.OrderNotShipped, failures.OrderNotShipped, SHIPPED, failures.OrderNotShipped),
    "cancel": (failures.OrderNotShipped, failures.OrderNotShipped, APPROVED, failures.OrderNotShipped),
    "address": (REVIEW, APPROVED, failures.OrderOnItsWay, failures.OrderRefunded),
    "refund": (REFUNDED, REFUNDED, REFUNDED, failures.OrderRefunded),
}


@pytest.mark.parametrize("move", MOVES)
def test_every_move_from_every_state(move: str) -> None:
    for state, expected in zip(STATES, EXPECTED[move], strict=True):
        if isinstance(expected, str):
            assert MOVES[move](order(state)).get("state", state) == expected
        else:
            with pytest.raises(expected):
                MOVES[move](order(state))


def test_the_clock_begins_with_the_release() -> None:
    assert machine.start(True, False, NOW) == {
        "state": REVIEW,
        "released_at": None,
        "fulfil_by": None,
        "deliver_by": None,
    }
    for columns in (machine.start(False, False, NOW), machine.release(order(REVIEW), NOW)):
        assert columns["released_at"] == NOW
        assert columns["fulfil_by"] == NOW + timedelta(days=5)
        assert columns["deliver_by"] is None
    # 19 May 2021 is a Wednesday.
    assert machine.start(False, True, NOW)["deliver_by"] == NOW + timedelta(days=7)
    assert add_workdays(NOW, 1) == NOW + timedelta(days=1)


def test_a_tracking_number_became_compulsory() -> None:
    bare = Shipment("UPS")
    old = order(APPROVED, released_at=datetime(2021, 1, 14, 23, 59, 59, tzinfo=UTC))
    assert machine.fulfil(old, bare, NOW)["tracking_number"] is None
    with pytest.raises(failures.TrackingMissing):
        machine.fulfil(order(APPROVED, released_at=datetime(2021, 1, 15, tzinfo=UTC)), bare, NOW)


def test_what_the_carrier_has_seen_stays() -> None:
    seen = order(SHIPPED, confirmed_at=NOW)
    for move in ("modify", "cancel"):
        with pytest.raises(failures.TrackingConfirmed):
            MOVES[move](seen)


def test_tracking_is_cancelled_within_25_days() -> None:
    sent = order(SHIPPED, shipped_at=NOW - timedelta(days=25))
    columns = machine.cancel_tracking(sent, NOW)
    assert (columns["shipped_at"], columns["carrier"], columns["tracking_number"]) == (None, None, None)
    with pytest.raises(failures.TrackingTooOld):
        machine.cancel_tracking(sent, NOW + timedelta(seconds=1))


def test_another_address_takes_everything_but_the_recipient_and_his_telephone() -> None:
    before = msgspec.structs.replace(HOME, phone_number="123", state_or_province="AR", street_address3="c/o")
    columns = machine.change_address(
        order(APPROVED, address=before), NewAddress("2 Street", "Lyon", "69001", "FR", "Backyard")
    )
    assert columns == {
        "street_address1": "2 Street",
        "street_address2": "Backyard",
        "street_address3": None,
        "city": "Lyon",
        "state_or_province": None,
        "zipcode": "69001",
        "country": "FR",
        "phone_number": "123",
        "needs_confirmation": True,
    }


def test_reasons() -> None:
    rules = OrderRules(refund_reasons=frozenset({-1, 1, 25}))
    assert machine.check_reason(order(SHIPPED), 25, None, rules) == "Item was damaged"
    assert machine.check_reason(order(REVIEW), 1, None, rules) == "Unable to fulfill order"
    assert machine.check_reason(order(SHIPPED), -1, "mine", rules) == "Other"
    for code, failure in (
        (1, failures.ReasonForUnfulfilled),
        (-1, failures.ReasonNoteMissing),
        (32, failures.ReasonNotAccepted),
        (4, failures.ReasonNotAccepted),
    ):
        with pytest.raises(failure):
            machine.check_reason(order(SHIPPED), code, None, rules)


@pytest.mark.parametrize(
    ("price", "shipping", "currency", "cost", "shipping_cost"),
    [
        ("8.00", "2.35", "USD", "6.80", "2.00"),  # the reference's own example
        ("4.99", "0", "USD", "4.24", "0"),
        ("56", "16.45", "CNY", "47.60", "13.98"),
        ("1000", "333", "JPY", "850", "283"),
        ("1.001", "1", "KWD", "0.851", "0.850"),
    ],
)
def test_money(price: str, shipping: str, currency: str, cost: str, shipping_cost: str) -> None:
    """The merchant's share of each, rounded to the decimals of the currency."""
    money = settle_money(Decimal(price), Decimal(shipping), OrderRules().share, currency)
    assert (money.cost, money.shipping_cost) == (Decimal(cost), Decimal(shipping_cost))


def test_an_address_is_the_same_however_it_is_written() -> None:
    other = msgspec.structs.replace(HOME, recipient=" ANN ", street_address1="1, street.", city="ROGERS")
    assert other.key() == HOME.key()
    assert msgspec.structs.replace(HOME, street_address1="2 Street").key() != HOME.key()
