"""Orders as a file."""

from __future__ import annotations

from babel.numbers import get_currency_symbol

from tradepost.domain.context import CopyingRows, MerchantCtx, Pieces
from tradepost.domain.orders.order import OrderCut
from tradepost.domain.orders.rows import export as rows


async def count_orders(ctx: MerchantCtx, wanted: OrderCut) -> int:
    """How many orders a file has."""
    return await rows.count(ctx.db, ctx.actor.id, wanted)


async def copy_orders(ctx: MerchantCtx, db: CopyingRows, wanted: OrderCut, base_url: str, output: Pieces) -> int:
    """Write orders as CSV (RFC 4180 but for the line ends, UTF-8) piece by piece; gives how many.

    All of it is from one moment, that of the statement. Texts that a spreadsheet would take for a formula have an
    apostrophe in front. URLs of our own begin with `base_url`.
    """
    currency = ctx.actor.payment_currency
    symbol = get_currency_symbol(currency, "en")
    return await rows.copy(db, ctx.actor.id, wanted, currency, symbol, base_url, output)
