"""What users of the logistics service have, what of it is frozen, and what they spent: double entry."""

from tradepost.domain.ledger.failures import BalanceTooLow, DebtLimitTooLow
from tradepost.domain.ledger.ledger import (
    CHARGE,
    CURRENCY,
    DEPOSIT,
    FREEZE,
    LATE_CHARGE,
    REFUND,
    RELEASE,
    Balances,
    CashFlow,
    FlowFilter,
    Movement,
)
from tradepost.domain.ledger.operations import (
    deposit,
    find_balances,
    list_cash_flow,
    open_ledger,
    post,
    set_debt_limit,
)

__all__ = [
    "CHARGE",
    "CURRENCY",
    "DEPOSIT",
    "FREEZE",
    "LATE_CHARGE",
    "REFUND",
    "RELEASE",
    "BalanceTooLow",
    "Balances",
    "CashFlow",
    "DebtLimitTooLow",
    "FlowFilter",
    "Movement",
    "deposit",
    "find_balances",
    "list_cash_flow",
    "open_ledger",
    "post",
    "set_debt_limit",
]
