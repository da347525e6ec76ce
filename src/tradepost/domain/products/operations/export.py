"""The catalogue as a file."""

from __future__ import annotations

from tradepost.domain.context import CopyingRows, MerchantCtx, Pieces
from tradepost.domain.products.product import CatalogueFilter
from tradepost.domain.products.rows import export as rows


async def count_catalogue(ctx: MerchantCtx, wanted: CatalogueFilter) -> int:
    """How many variations a file of the catalogue has."""
    return await rows.count(ctx.db, ctx.actor.id, wanted)


async def copy_catalogue(
    ctx: MerchantCtx, db: CopyingRows, wanted: CatalogueFilter, base_url: str, output: Pieces
) -> int:
    """Write the catalogue as CSV (RFC 4180 but for the line ends, UTF-8) piece by piece; gives how many variations.

    All of it is from one moment, that of the statement. Texts that a spreadsheet would take for a formula have an
    apostrophe in front. URLs of our own begin with `base_url`.
    """
    return await rows.copy(db, ctx.actor.id, wanted, ctx.actor.paid_in_usd, ctx.actor.currency, base_url, output)
