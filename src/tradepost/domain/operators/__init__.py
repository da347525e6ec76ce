"""Operators: who runs the marketplace, what they call with, what they did, and calls that are done only once."""

from tradepost.domain.operators.failures import (
    KeyInUse,
    KeyReused,
    NameTaken,
    NameUnusable,
    OperatorUnknown,
)
from tradepost.domain.operators.operations import (
    KEY_KEPT,
    TOKEN_DAYS,
    add_operator,
    find_operator,
    forget_old_keys,
    issue_token,
    keep_answer,
    list_acts,
    list_operators,
    list_tokens,
    record_act,
    revoke_token,
    set_disabled,
    take_key,
)
from tradepost.domain.operators.operator import Act, OperatorLine, TokenLine

__all__ = [
    "KEY_KEPT",
    "TOKEN_DAYS",
    "Act",
    "KeyInUse",
    "KeyReused",
    "NameTaken",
    "NameUnusable",
    "OperatorLine",
    "OperatorUnknown",
    "TokenLine",
    "add_operator",
    "find_operator",
    "forget_old_keys",
    "issue_token",
    "keep_answer",
    "list_acts",
    "list_operators",
    "list_tokens",
    "record_act",
    "revoke_token",
    "set_disabled",
    "take_key",
]
