"""Shops: the accounts of the merchant service and the people who sign in for them."""

from tradepost.domain.merchants.failures import CurrencyUnknown, DetailUnusable, MerchantUnknown
from tradepost.domain.merchants.merchant import MerchantLine, NewMerchant
from tradepost.domain.merchants.operations import (
    RESUMED_TOPIC,
    SUSPENDED_TOPIC,
    act_for,
    add_merchant,
    check_currency,
    check_person,
    find_line,
    list_merchants,
    names_of,
    page_merchants,
    set_suspended,
)

__all__ = [
    "RESUMED_TOPIC",
    "SUSPENDED_TOPIC",
    "CurrencyUnknown",
    "DetailUnusable",
    "MerchantLine",
    "MerchantUnknown",
    "NewMerchant",
    "act_for",
    "add_merchant",
    "check_currency",
    "check_person",
    "find_line",
    "list_merchants",
    "names_of",
    "page_merchants",
    "set_suspended",
]
