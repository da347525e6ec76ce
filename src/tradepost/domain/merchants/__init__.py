"""Shops: the accounts of the merchant service and the people who sign in for them."""

from tradepost.domain.merchants.merchant import NewMerchant
from tradepost.domain.merchants.operations import act_for, add_merchant, list_merchants, set_suspended

__all__ = ["NewMerchant", "act_for", "add_merchant", "list_merchants", "set_suspended"]
