"""The state machine of a parcel: every way through it, against what is said about it in plain words."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from tradepost.domain import ledger
from tradepost.domain.ledger.ledger import Balances, after, entries_of
from tradepost.domain.parcels import Parcel, Scan
from tradepost.domain.parcels import parcel as machine
from tradepost.domain.parcels.booking import wish_id
from tradepost.domain.parcels.failures import (
    AlreadyCancelled,
    AlreadyRefused,
    AlreadyScanned,
    NotInCarriersHands,
)
from tradepost.domain.parcels.parcel import Step

NOW = datetime(2021, 5, 19, 16, 37, tzinfo=UTC)
FEE = Decimal("34.00")
ID = "60a4d0c50000000000000001"
BOOKED = Parcel(
    id=ID,
    wish_id=wish_id(ID),
    otype="5001-1",
    order_ids=(),
    country="US",
    weight=Decimal("0.25"),
    fee=FEE,
    created_at=NOW,
    updated_at=NOW,
)

Deed = Callable[[Parcel, datetime], Step | None]
DEEDS: dict[str, Deed] = {
    "number": lambda parcel, now: machine.assign_number(parcel, "WP1", now),
    "refuse": lambda parcel, now: machine.refuse(parcel, "too far", now),
    "hand over": machine.hand_over,
    "pick up": lambda parcel, now: machine.scan(parcel, Scan(now, 2), now),
    "ship": lambda parcel, now: machine.scan(parcel, Scan(now, 16), now),
    "deliver": lambda parcel, now: machine.scan(parcel, Scan(now, 23), now),
    "return": lambda parcel, now: machine.scan(parcel, Scan(now, 25), now),
    "cancel": lambda parcel, now: machine.cancel(parcel, "USER_OTHER_REASON", "why not", now),
}

# What each deed comes to in each state: the state after it and the money that moves, or a failure; "-" nothing.
TABLE = """
             number      refuse      hand over            pick up               deliver              return               cancel
booked       numbered:-  refused:RE  NotInCarriersHands   NotInCarriersHands    NotInCarriersHands   NotInCarriersHands   cancelled:RE
numbered     -           -           handed_over:CH       in_transit:CH         delivered:CH         returned:CH          cancelled:RE
handed_over  -           -           -                    in_transit:-          delivered:-          returned:-           cancelled:RF
in_transit   -           -           -                    in_transit:-          delivered:-          returned:-           AlreadyScanned
delivered    -           -           -                    delivered:-           delivered:-          delivered:-          AlreadyScanned
returned     -           -           -                    returned:-            returned:-           returned:-           AlreadyScanned
cancelled    -           -           NotInCarriersHands   in_transit:LC         delivered:LC         returned:LC          AlreadyCancelled
refused      -           -           NotInCarriersHands   NotInCarriersHands    NotInCarriersHands   NotInCarriersHands   AlreadyRefused
"""  # noqa: E501
MONEY = {"-": None, "RE": ledger.RELEASE, "CH": ledger.CHARGE, "RF": ledger.REFUND, "LC": ledger.LATE_CHARGE}
FAILURES = {f.__name__: f for f in (AlreadyCancelled, AlreadyRefused, AlreadyScanned, NotInCarriersHands)}
COLUMNS = ("number", "refuse", "hand over", "pick up", "deliver", "return", "cancel")
CELLS = [
    (line.split()[0], deed, cell)
    for line in TABLE.strip().split("\n")[1:]
    for deed, cell in zip(COLUMNS, line.split()[1:], strict=True)
]


def in_state(state: str) -> Parcel:
    """A parcel that came there the usual way."""
    ways: dict[str, tuple[str, ...]] = {
        "booked": (),
        "numbered": ("number",),
        "handed_over": ("number", "hand over"),
        "in_transit": ("number", "pick up"),
        "delivered": ("number", "deliver"),
        "returned": ("number", "return"),
        "cancelled": ("number", "cancel"),
        "refused": ("refuse",),
    }
    parcel = BOOKED
    for deed in ways[state]:
        step = DEEDS[deed](parcel, NOW)
        assert step is not None
        parcel = step.parcel
    assert parcel.state == state
    return parcel


@pytest.mark.parametrize(("state", "deed", "cell"), CELLS, ids=[f"{s}-{d}" for s, d, _ in CELLS])
def test_the_table(state: str, deed: str, cell: str) -> None:
    parcel = in_state(state)
    later = NOW + timedelta(hours=1)
    if cell in FAILURES:
        with pytest.raises(FAILURES[cell]):
            DEEDS[deed](parcel, later)
        return
    step = DEEDS[deed](parcel, later)
    if cell == "-":
        assert step is None
        return
    assert step is not None
    after_state, _, money = cell.partition(":")
    assert (step.parcel.state, step.money) == (after_state, MONEY[money])
    assert step.parcel.updated_at == later


def test_a_parcel_that_was_cancelled_without_a_number_cannot_be_scanned() -> None:
    step = DEEDS["cancel"](BOOKED, NOW)
    assert step is not None
    with pytest.raises(NotInCarriersHands):
        machine.scan(step.parcel, Scan(NOW, 2), NOW)


def test_a_label_needs_the_carriers_number_and_a_parcel_to_be_sent() -> None:
    labels = {state: in_state(state).has_label for state in machine.STATES}
    assert [state for state, has in labels.items() if not has] == ["booked", "cancelled", "refused"]


@pytest.mark.parametrize("state", machine.STATES)
def test_whether_it_can_be_cancelled_is_what_happens_when_it_is(state: str) -> None:
    parcel = in_state(state)
    why_not = machine.why_not_cancel(parcel)
    if why_not is None:
        assert machine.cancel(parcel, "x", "", NOW).parcel.state == "cancelled"
    else:
        with pytest.raises(type(why_not)):
            machine.cancel(parcel, "x", "", NOW)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_a_parcel_is_paid_for_once_or_not_at_all(seed: int) -> None:
    """Random deeds with a ledger beside them: what is frozen and spent follows from the state alone."""
    source = random.Random(seed)
    zero = Decimal("0.00")
    money = Balances(zero, Decimal(100), zero, Decimal(-100), zero, debt_limit=Decimal(20))
    money = after(money, entries_of(ledger.Movement(ledger.FREEZE, FEE, ID), money))
    parcel, kinds = BOOKED, [ledger.FREEZE]
    for hour in range(30):
        deed = source.choice(list(DEEDS))
        try:
            step = DEEDS[deed](parcel, NOW + timedelta(hours=hour))
        except tuple(FAILURES.values()):
            continue
        if step is None:
            continue
        parcel = step.parcel
        if (movement := step.movement) is not None:
            kinds.append(movement.kind)
            money = after(money, entries_of(movement, money))
        assert money.arrears + money.free + money.frozen + money.outside + money.spent == 0
        assert money.frozen == (FEE if parcel.state in ("booked", "numbered") else 0)
        sent = parcel.state in ("handed_over", "in_transit", "delivered", "returned")
        assert money.spent == (FEE if sent else 0)
    assert len(kinds) == len(set(kinds)), "each kind of movement at most once"


def test_our_number_has_its_form_and_differs() -> None:
    ids = [f"{number:024x}" for number in range(1000)] + ["f" * 24]
    numbers = {wish_id(parcel_id) for parcel_id in ids}
    assert len(numbers) == len(ids)
    assert all(len(number) == 19 and number.startswith("WOSP") for number in numbers)


def test_events_of_its_own_stand_around_those_of_carriers() -> None:
    seen = [Scan(NOW, 2)]
    assert [scan.status for scan in machine.with_own_events(BOOKED, seen)] == [1, 2]
    cancelled = msgspec.structs.replace(in_state("cancelled"), ended_at=NOW + timedelta(days=1))
    events = machine.with_own_events(cancelled, [])
    assert [scan.status for scan in events] == [1, 27]
    assert events[1].remark == "Cancelled at 2021-05-20 16:37:00"
