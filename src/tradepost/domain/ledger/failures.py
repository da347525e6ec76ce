"""What can be wrong about money."""

from __future__ import annotations

from decimal import Decimal

from tradepost.domain.failure import Failure


class BalanceTooLow(Failure):
    """What can be spent, credit included, is less than what is asked for."""

    needed: Decimal
    remaining: Decimal


class DebtLimitTooLow(Failure):
    """The user owes more by now than the limit would allow."""

    limit: Decimal
    owed: Decimal


class AmountUnusable(Failure):
    """An amount of money is more than nothing and has at most two decimals."""

    amount: Decimal
