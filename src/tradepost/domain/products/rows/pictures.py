"""Showing pictures that came, and no longer waiting for those that will not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tradepost.domain.context import Rows
from tradepost.domain.products.product import Gallery

# The products' rows first and in one order, like every other writer.
_LOCK = "select id from product where merchant_id = $1 and id = any ($2) order by id for no key update"


async def lock_all(db: Rows, merchant_id: str, product_ids: Sequence[str]) -> None:
    """Take the rows of products for this transaction."""
    await db.fetch(_LOCK, merchant_id, list(product_ids))


async def gallery(db: Rows, merchant_id: str, product_id: str) -> Gallery | None:
    """The pictures of a product; None where the merchant has none of this id."""
    text = "select main_image, wanted_image, extra_images from product where merchant_id = $1 and id = $2"
    row = await db.fetchrow(text, merchant_id, product_id)
    return None if row is None else Gallery(*row)


async def show(
    db: Rows, merchant_id: str, product_ids: Sequence[str], source: str, path: str, now: datetime
) -> None:
    """Put the path of a picture wherever these products wait for what comes from a source."""
    await db.execute(
        """
        update product
           set main_image = case when wanted_image = $3 then $4 else main_image end,
               wanted_image = nullif(wanted_image, $3),
               extra_images = array_replace(extra_images, $3, $4),
               clean_image = case when clean_image = $3 then $4 else clean_image end,
               demo_video_asset_url = case when demo_video_asset_url = $3 then $4 else demo_video_asset_url end,
               updated_at = greatest(updated_at, $5)
         where merchant_id = $1 and id = any ($2)
        """,
        merchant_id,
        list(product_ids),
        source,
        path,
        now,
    )
    await db.execute(
        """
        update variation set main_image = $4, wanted_image = null
         where merchant_id = $1 and product_id = any ($2) and wanted_image = $3
        """,
        merchant_id,
        list(product_ids),
        source,
        path,
    )


async def give_up(db: Rows, merchant_id: str, product_ids: Sequence[str], source: str, now: datetime) -> None:
    """Take what will not come from a source out of these products; what they showed before stays."""
    await db.execute(
        """
        update product
           set wanted_image = nullif(wanted_image, $3),
               extra_images = array_remove(extra_images, $3),
               clean_image = nullif(clean_image, $3),
               demo_video_asset_url = nullif(demo_video_asset_url, $3),
               updated_at = greatest(updated_at, $4)
         where merchant_id = $1 and id = any ($2)
        """,
        merchant_id,
        list(product_ids),
        source,
        now,
    )
    await db.execute(
        """
        update variation set wanted_image = null
         where merchant_id = $1 and product_id = any ($2) and wanted_image = $3
        """,
        merchant_id,
        list(product_ids),
        source,
    )
