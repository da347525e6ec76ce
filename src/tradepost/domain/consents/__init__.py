"""What people let apps do, and the codes and tokens that follow from it."""

from tradepost.domain.consents.consent import (
    CODE_SECONDS,
    LIFE_DAYS,
    MOST_STATE,
    REPEAT_SECONDS,
    Asking,
    Consent,
    NewConsent,
    Tokens,
    check_app,
    check_asking,
    read_scopes,
)
from tradepost.domain.consents.operations import (
    Introspection,
    exchange_code,
    forget_seeds,
    give,
    introspect,
    list_given,
    refresh,
    revoke,
    withdraw,
)

__all__ = [
    "CODE_SECONDS",
    "LIFE_DAYS",
    "MOST_STATE",
    "REPEAT_SECONDS",
    "Asking",
    "Consent",
    "Introspection",
    "NewConsent",
    "Tokens",
    "check_app",
    "check_asking",
    "exchange_code",
    "forget_seeds",
    "give",
    "introspect",
    "list_given",
    "read_scopes",
    "refresh",
    "revoke",
    "withdraw",
]
