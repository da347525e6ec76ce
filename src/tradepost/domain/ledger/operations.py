"""Moving money. Whoever does holds the user's accounts first, in the order of their names, and so waits for nobody
who waits for him.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tradepost.domain.context import Ctx
from tradepost.domain.ledger import rows
from tradepost.domain.ledger.failures import AmountUnusable, DebtLimitTooLow
from tradepost.domain.ledger.ledger import (
    DEPOSIT,
    Balances,
    CashFlow,
    Entries,
    FlowFilter,
    Movement,
    after,
    entries_of,
)


async def open_ledger(ctx: Ctx, account_id: str) -> None:
    """Open the accounts of a new user: nothing in them, no credit."""
    await rows.open_accounts(ctx.db, account_id)


async def find_balances(ctx: Ctx, account_id: str) -> Balances:
    """What a user has."""
    return await rows.find(ctx.db, account_id)


async def post(ctx: Ctx, account_id: str, movements: Sequence[Movement]) -> Balances:
    """Move money, all of it or none; gives what the user has then. Raises BalanceTooLow."""
    balances = await rows.lock(ctx.db, account_id)
    entries: list[Entries] = []
    for movement in movements:
        made = entries_of(movement, balances)
        entries.append(made)
        balances = after(balances, made)
    await rows.insert(ctx.db, account_id, movements, entries, ctx.now)
    return balances


async def deposit(ctx: Ctx, account_id: str, amount: Decimal) -> Balances:
    """Note what a user paid in; arrears are paid first. Raises AmountUnusable."""
    _check(amount)
    return await post(ctx, account_id, [Movement(DEPOSIT, amount)])


async def set_debt_limit(ctx: Ctx, account_id: str, limit: Decimal) -> None:
    """Say how far below zero a user may go. Raises DebtLimitTooLow, AmountUnusable."""
    if limit:
        _check(limit)
    balances = await rows.lock(ctx.db, account_id)
    if balances.free < -limit:
        raise DebtLimitTooLow(limit=limit, owed=-balances.free)
    await rows.set_least(ctx.db, account_id, "free", -limit)


async def list_cash_flow(ctx: Ctx, account_id: str, wanted: FlowFilter) -> list[CashFlow]:
    """The transfers of a user that fit."""
    return await rows.list_transfers(ctx.db, account_id, wanted)


def _check(amount: Decimal) -> None:
    if not amount.is_finite() or amount <= 0 or amount != amount.quantize(Decimal("0.01")):
        raise AmountUnusable(amount=amount)
