"""The catalogue as a CSV file: one line per variation, made by the database and streamed.

Column 0 is the product's id and column 5 the SKU, because programs read them by their places (facts, section 6).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from tradepost.domain.context import CopyingRows, Pieces, Rows
from tradepost.domain.pictures import NO_PICTURE
from tradepost.domain.products.product import CatalogueFilter
from tradepost.domain.sql import number, picture, truth

_EVER = datetime(1, 1, 2, tzinfo=UTC)
_ALL: Final = 2**62

# What is cut: products in the order of their ids, newest kind of sort first decided by the caller.
_CUT = """
      from (
           select id from product
            where merchant_id = $1 and removed_at is null
              and ($2 or review_status <> 'rejected') and updated_at >= $3
            order by id {order}
            limit $4
      ) cut
"""


def _picture(expression: str) -> str:
    return picture(expression, base_url="$8")


def _usd(column: str) -> str:
    """An amount in US dollars: 999999 for a merchant who is not paid in them, as everywhere else."""
    return f"case when $5 or {column} is null then {number(column)} else '999999' end"


def _own(column: str) -> str:
    """The same amount in the merchant's own currency."""
    usd = column.replace("localized_", "")
    return f"case when $6 = 'USD' then {number(usd)} else {number(column)} end"


MAIN_IMAGE: Final = f"coalesce(nullif(p.main_image, ''), '{NO_PICTURE}')"
"""A product without a picture yet shows the placeholder."""

_COLUMNS: Final = {
    "Product ID": "p.id",
    "Parent SKU": "cell(p.parent_sku)",
    "Name": "cell(p.name)",
    "Variation ID": "v.id",
    "Enabled": truth("v.enabled"),
    "SKU": "cell(v.sku)",
    "Color": "cell(v.color)",
    "Size": "cell(v.size)",
    "Price": f"case when $5 then {number('v.price')} else '999999' end",
    "Localized Price": _own("v.localized_price"),
    "Localized Currency Code": "$6::text",
    "Shipping": _usd("s.shipping"),
    "Localized Shipping": _own("s.localized_shipping"),
    "MSRP": _usd("v.msrp"),
    "Localized MSRP": _own("v.localized_msrp"),
    "Warehouse": "w.name",
    "Inventory": "coalesce(s.inventory, 0)",
    "Shipping Time": "cell(v.shipping_time)",
    "Removed By Wish": truth("v.removed_by_wish"),
    "Review Status": "p.review_status",
    "Tags": "cell(nullif(array_to_string(p.tags, ','), ''))",
    "Description": "cell(p.description)",
    "Condition": "p.condition",
    "Main Image": f"cell({_picture(MAIN_IMAGE)})",
    "Variation Image": f"cell({_picture('v.main_image')})",
    "Extra Images": "cell(nullif(array_to_string(array("
    f"select {_picture('image')} from unnest(p.extra_images) with ordinality as t (image, n) order by n"
    "), '|'), ''))",
    "Clean Image": f"cell({_picture('p.clean_image')})",
    "UPC": "p.upc",
    "Brand ID": "cell(p.requested_product_brand_id)",
    "Landing Page URL": "cell(p.landing_page_url)",
    "Number Sold": "p.number_sold",
    "Number Saves": "p.number_saves",
    "Date Uploaded": "to_char(p.created_at at time zone 'UTC', 'MM-DD-YYYY')",
    "Last Updated": "to_char(p.updated_at at time zone 'UTC', 'MM-DD-YYYY\"T\"HH24:MI:SS')",
}


def _query(order: str) -> str:
    columns = ", ".join(f'{expression} as "{name}"' for name, expression in _COLUMNS.items())
    return f"""
    select {columns}
    {_CUT.format(order=order)}
      join product p on p.merchant_id = $1 and p.id = cut.id
      join variation v on v.merchant_id = $1 and v.product_id = p.id
      join warehouse w on w.merchant_id = $1 and w.name = $7
      left join stock s on s.merchant_id = $1 and s.product_id = p.id and s.warehouse_id = w.id
                       and s.variation_id = v.id
     order by p.id {order}, v.position
    """


_QUERIES = {order: _query(order) for order in ("asc", "desc")}


def _cut_arguments(wanted: CatalogueFilter) -> tuple[Any, ...]:
    return wanted.show_rejected, wanted.since or _EVER, wanted.limit if wanted.limit is not None else _ALL


async def count(db: Rows, merchant_id: str, wanted: CatalogueFilter) -> int:
    """How many lines the file will have below its header."""
    return int(
        await db.fetchval(
            f"select count(*) {_CUT.format(order=wanted.order)} "
            "join variation v on v.merchant_id = $1 and v.product_id = cut.id",
            merchant_id,
            *_cut_arguments(wanted),
        )
    )


async def copy(
    db: CopyingRows,
    merchant_id: str,
    wanted: CatalogueFilter,
    paid_in_usd: bool,
    currency: str,
    base_url: str,
    output: Pieces,
) -> int:
    """Stream the file, header first; gives how many lines came below it."""
    done: str = await db.copy_from_query(
        _QUERIES[wanted.order],
        merchant_id,
        *_cut_arguments(wanted),
        paid_in_usd,
        currency,
        wanted.warehouse,
        base_url,
        output=output,
        format="csv",
        header=True,
    )
    return int(done.rpartition(" ")[2])
