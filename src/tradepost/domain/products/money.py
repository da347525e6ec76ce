"""Amounts in two currencies: US dollars beside the merchant's own (chapters *Product*, *Merchant Currency Code*).

Three kinds of merchants exist. One whose own currency is USD has one amount, however it is called. One with
another currency who is paid in USD has two that count. One who is paid in his own currency must say the
localized amount wherever he says a price, and his USD amounts count for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import get_currency_precision

from tradepost.domain.context import Merchant
from tradepost.domain.products.failures import (
    AboveLimit,
    AmountsDiffer,
    CurrencyMismatch,
    LocalizedMissing,
    TooPrecise,
)
from tradepost.values import NOT_GIVEN, NotGiven

Amount = Decimal | NotGiven

UNPAID = "999999"
"""What US dollar amounts read for a merchant who is not paid in US dollars, and so what he may send back."""

# The most that an amount in US dollars may be.
MOST_PRICE = Decimal(100_000)
MOST_SHIPPING = Decimal(1_000)
MOST_MSRP = Decimal(9_999_999_999)


@dataclass(frozen=True, slots=True)
class Amounts:
    """The two amounts of one price, as they are to be stored."""

    usd: Amount
    localized: Amount


def check_currency(merchant: Merchant, currency: str | NotGiven, *localized: Amount, required: bool) -> None:
    """Refuse another currency than the merchant's, or localized amounts without any.

    `required` says that a merchant who is not paid in USD must name it in any case.
    """
    if currency is NOT_GIVEN:
        must = required and not merchant.paid_in_usd
        if must or any(amount is not NOT_GIVEN for amount in localized):
            raise LocalizedMissing(name="localized_currency_code")
    elif currency != merchant.currency:
        raise CurrencyMismatch(given=str(currency), currency=merchant.currency)


def settle(
    merchant: Merchant,
    name: str,
    usd: Amount,
    localized: Amount,
    *,
    most: Decimal,
    required: bool = True,
    localized_name: str | None = None,
) -> Amounts:
    """What to store of a price and its localized twin, `name` being the parameter of the first.

    Raises LocalizedMissing where a merchant who is not paid in USD gives only the USD amount and `required`
    says that he must not, AmountsDiffer, TooPrecise, and AboveLimit for US dollars above `most`.
    """
    localized_name = localized_name or f"localized_{name}"
    if usd == Decimal(UNPAID) and not merchant.paid_in_usd:
        usd = NOT_GIVEN  # he read it here and sends it back
    if usd is not NOT_GIVEN and usd > most:
        raise AboveLimit(name=name, limit=f"{most:f}")
    if localized is not NOT_GIVEN:
        places = get_currency_precision(merchant.currency)
        if localized != round(localized, places):
            raise TooPrecise(name=localized_name, currency=merchant.currency, places=places)
    if merchant.currency == "USD":
        if usd is NOT_GIVEN:
            usd = localized
        elif localized is not NOT_GIVEN and localized != usd:
            raise AmountsDiffer(name=localized_name, other=name)
        if localized is not NOT_GIVEN and localized > most:
            raise AboveLimit(name=localized_name, limit=f"{most:f}")
        return Amounts(usd, NOT_GIVEN)
    if required and usd is not NOT_GIVEN and localized is NOT_GIVEN and not merchant.paid_in_usd:
        raise LocalizedMissing(name=localized_name)
    return Amounts(usd, localized)


def price_columns(price: Amounts, msrp: Amounts) -> dict[str, Decimal | None]:
    """What to store of a variation's prices, by column; what was not given is left out.

    A reference price of 0 is what answers say where there is none, and so is none.
    """
    columns = {
        "price": price.usd,
        "localized_price": price.localized,
        "msrp": None if msrp.usd == 0 else msrp.usd,
        "localized_msrp": None if msrp.localized == 0 else msrp.localized,
    }
    return {name: amount for name, amount in columns.items() if amount is not NOT_GIVEN}
