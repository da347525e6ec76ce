"""Chapter *Merchant Currency Code*."""

from __future__ import annotations

from msgspec import Struct

from tradepost.domain.context import MerchantCtx
from tradepost.surfaces.merchant_v2.surface import api


class CurrencyCodes(Struct):
    """The currencies of a merchant, ISO 4217."""

    localized_currency_code: str
    payment_currency_code: str
    product_boost_currency_code: str


@api.read("/get-currency-code")
async def get_currency_code(ctx: MerchantCtx) -> CurrencyCodes:
    """Retrieve the merchant's currency codes.

    `localized_currency_code` is the one that must accompany localized amounts. If `payment_currency_code` is
    USD, US dollar prices count as well. Campaigns are always in US dollars.
    """
    return CurrencyCodes(ctx.actor.currency, ctx.actor.payment_currency, "USD")
