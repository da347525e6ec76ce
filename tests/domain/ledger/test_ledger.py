"""The ledger: what may move where, what an account tells of it, and what the database itself refuses."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from tests.support.calls import PARCELS
from tests.support.market import Market
from tradepost.domain import ledger
from tradepost.domain.ledger import Balances, BalanceTooLow, DebtLimitTooLow, Movement
from tradepost.domain.ledger.failures import AmountUnusable
from tradepost.domain.ledger.ledger import ACCOUNTS, after, entries_of

ZERO = Decimal("0.00")


def balances(free: str, frozen: str = "0", arrears: str = "0", limit: str = "0") -> Balances:
    """Balances that sum to zero."""
    told = {"free": Decimal(free), "frozen": Decimal(frozen), "arrears": Decimal(arrears), "spent": ZERO}
    return Balances(**told, outside=-sum(told.values(), ZERO), debt_limit=Decimal(limit))


def shown(found: Balances) -> dict[str, Decimal]:
    names = ("total", "remaining", "unavailable", "debt", "debt_frozen", "debt_remaining")
    return {name: getattr(found, name) for name in names}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (balances("100", limit="50"), "total=100 remaining=100 debt_remaining=50"),
        (balances("60", "40", limit="50"), "total=100 remaining=60 unavailable=40 debt_remaining=50"),
        (balances("-30", "50", limit="50"), "total=20 unavailable=20 debt_frozen=30 debt_remaining=20"),
        (balances("-30", "0", limit="50"), "debt=30 debt_remaining=20"),
        (balances("-50", "20", limit="50"), "debt=30 debt_frozen=20"),
        (balances("-50", "0", "-10", limit="50"), "debt=60"),
    ],
)
def test_what_an_account_tells(found: Balances, told: str) -> None:
    expected = dict.fromkeys(shown(found), ZERO) | {
        name: Decimal(amount) for name, amount in (pair.split("=") for pair in told.split())
    }
    assert shown(found) == expected


def test_no_more_is_frozen_than_there_is_with_credit() -> None:
    found = balances("10", limit="5")
    made = entries_of(Movement(ledger.FREEZE, Decimal(15), "p"), found)
    assert made == (("free", Decimal(-15)), ("frozen", Decimal(15)))
    with pytest.raises(BalanceTooLow) as caught:
        entries_of(Movement(ledger.FREEZE, Decimal("15.01"), "p"), found)
    assert (caught.value.needed, caught.value.remaining) == (Decimal("15.01"), Decimal(15))


def test_what_is_charged_late_and_cannot_be_paid_is_owed_and_paid_first() -> None:
    found = balances("10", limit="5")
    found = after(found, entries_of(Movement(ledger.LATE_CHARGE, Decimal(20), "p"), found))
    assert (found.free, found.arrears, found.spent) == (Decimal(10), Decimal(-20), Decimal(20))
    found = after(found, entries_of(Movement(ledger.DEPOSIT, Decimal(30)), found))
    assert (found.free, found.arrears) == (Decimal(20), ZERO)
    small = after(found, entries_of(Movement(ledger.LATE_CHARGE, Decimal(20), "q"), found))
    assert (small.free, small.arrears) == (ZERO, ZERO)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_moves_sums_to_zero(seed: int) -> None:
    source = random.Random(seed)
    found = balances("0", limit="25")
    open_fees: list[Decimal] = []
    for _ in range(200):
        amount = Decimal(source.randint(1, 4000)) / 100
        kind = source.choice((ledger.DEPOSIT, ledger.FREEZE, ledger.FREEZE, ledger.RELEASE, ledger.CHARGE))
        if kind in (ledger.RELEASE, ledger.CHARGE):
            if not open_fees:
                continue
            amount = open_fees.pop(source.randrange(len(open_fees)))
        try:
            entries = entries_of(Movement(kind, amount, "p"), found)
        except BalanceTooLow:
            assert amount > found.room
            continue
        if kind == ledger.FREEZE:
            open_fees.append(amount)
        assert sum(added for _, added in entries) == 0
        found = after(found, entries)
        assert sum(getattr(found, name) for name in ACCOUNTS) == 0
        assert found.frozen == sum(open_fees)
        assert found.free >= -25
        assert found.total - found.debt == found.free + found.frozen + found.arrears


def lan(market: Market) -> str:
    return market.world.senders["lan"].account_id


def test_the_world_balances(market: Market) -> None:
    found = market.operate(lambda ctx: ledger.find_balances(ctx, lan(market)))
    assert sum(getattr(found, name) for name in ACCOUNTS) == 0
    by_entry = market.sql(
        "select bool_and(a.balance = coalesce((select sum(amount) from entry e "
        "where e.account_id = a.account_id and e.name = a.name), 0)) from ledger_account a"
    )
    assert by_entry


def test_a_debt_limit_cannot_be_below_the_debt(market: Market) -> None:
    async def overdraw(ctx: Any) -> None:
        await ledger.post(
            ctx, lan(market), [Movement(ledger.FREEZE, Decimal("900.00"), PARCELS["lan"]["numbered"])]
        )

    market.sql("delete from entry where transfer_id in (select id from transfer where kind = 'freeze')")
    market.sql("delete from transfer where kind = 'freeze'")
    market.operate(overdraw)
    with pytest.raises(DebtLimitTooLow):
        market.operate(lambda ctx: ledger.set_debt_limit(ctx, lan(market), Decimal(80)))
    market.operate(lambda ctx: ledger.set_debt_limit(ctx, lan(market), Decimal(90)))


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity"])
def test_an_amount_that_is_none(market: Market, amount: str) -> None:
    with pytest.raises(AmountUnusable):
        market.operate(lambda ctx: ledger.deposit(ctx, lan(market), Decimal(amount)))


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("insert into entry select account_id, id, 'free', 1 from transfer where kind = 'release'", "sum to zero"),
        ("update ledger_account set balance = -200.01 where name = 'free'", "check constraint"),
        ("update ledger_account set balance = -0.01 where name = 'frozen'", "check constraint"),
        ("update ledger_account set balance = 0.01 where name = 'arrears'", "check constraint"),
        (
            "insert into transfer select account_id, id + 99, kind, parcel_id, at from transfer "
            "where kind = 'charge'",
            "transfer_of_parcel",
        ),
    ],
)
def test_what_the_database_refuses(market: Market, statement: str, told: str) -> None:
    market.sql("delete from entry e using transfer t where t.id = e.transfer_id and t.kind = 'release'")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=told):
        market.sql(statement)


@pytest.mark.parametrize("table", ["transfer", "entry"])
@pytest.mark.parametrize("deed", ["update {} set account_id = account_id", "delete from {}"])
def test_what_moved_is_never_changed(market: Market, table: str, deed: str) -> None:
    """Not even by the platform's role."""
    market.sql("set role tradepost_platform")

    async def act() -> None:
        await market.connection.execute("set local role tradepost_platform")
        await market.connection.execute(deed.format(table))

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        market.run(act())
