"""Orders as a CSV file: one line each, made by the database and streamed.

Names and places of the columns are those that programs know (facts, section 3.5). What there is nothing to say
about here stays empty.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from babel import Locale

from tradepost.domain import reference
from tradepost.domain.context import CopyingRows, Pieces, Rows
from tradepost.domain.orders.order import OrderCut
from tradepost.domain.pictures import NO_PICTURE
from tradepost.domain.sql import number, picture, truth

_EVER: Final = datetime(1, 1, 2, tzinfo=UTC)
_NEVER: Final = datetime(9999, 12, 30, tzinfo=UTC)
_ALL: Final = 2**62
_NAMES: Final = {code: str(Locale("en").territories[code]) for code in sorted(reference.ISO_COUNTRIES)}
_CONFIRMING: Final = [
    f"{country} {name}" for country, names in reference.CONFIRMED_DELIVERY.items() for name in names
]

_CUT = """
      from (
           select id from orders
            where merchant_id = $1 and placed_at >= $2 and placed_at < $3 and updated_at >= $4
            order by placed_at {order}, id {order}
            limit $5
      ) cut
"""


def _time(expression: str) -> str:
    return f"to_char({expression} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')"


def _day(expression: str) -> str:
    return f"to_char({expression} at time zone 'UTC', 'YYYY-MM-DD')"


_STATE = """case o.state when 'review' then 'REQUIRE_REVIEW' when 'approved' then 'APPROVED'
            when 'shipped' then 'SHIPPED' else 'REFUNDED' end"""
_DELIVERED = (
    "o.needs_confirmation and o.delivered_at is not null and o.country || ' ' || o.carrier = any($8::text[])"
)
_ADDRESS = """concat_ws(', ', o.street_address1, o.street_address2, o.street_address3, o.city,
              nullif(concat_ws(' ', o.state_or_province, o.zipcode), ''), coalesce(n.name, o.country))"""
_PICTURE = picture(f"coalesce(nullif(o.picture, ''), '{NO_PICTURE}')", "$11")

_COLUMNS: Final = {
    "Transaction Date": _time("o.placed_at"),
    "Order Id": "o.id",
    "Transaction ID": "o.transaction_id",
    "Order State": _STATE,
    "SKU": "cell(o.sku)",
    "Product": "cell(o.product_name)",
    "Product ID": "o.product_id",
    "Product Link": "null::text",
    "Product Image URL": f"cell({_PICTURE})",
    "Size": "cell(o.size)",
    "Color": "cell(o.color)",
    "Currency Code": "o.currency",
    "Price (each)": f"case when o.currency = $6 then $7 else o.currency || ' ' end || {number('o.price')}",
    "Cost (each)": number("o.cost"),
    "Shipping (each)": number("o.shipping"),
    "Shipping Cost (each)": number("o.shipping_cost"),
    "Quantity": "o.quantity",
    "Total Cost": number("o.total"),
    "SE Cashback Amount": "null::text",
    "Available for Fulfillment Time": _time("o.released_at"),
    "Shipped on": _day("o.shipped_at"),
    "Confirmed Delivery": truth(_DELIVERED),
    "Date Shipping Carrier Confirmed Delivery": f"case when {_DELIVERED} then {_day('o.delivered_at')} end",
    "Provider": "o.carrier",
    "Tracking": "o.tracking_number",
    "Tracking Confirmed": truth("o.confirmed_at is not null"),
    "Tracking Confirmed Date": _time("o.confirmed_at"),
    "Shipping Address": f"cell({_ADDRESS})",
    "Name": "cell(o.recipient)",
    "First Name": "cell(split_part(o.recipient, ' ', 1))",
    "Last Name": "cell(nullif(substr(o.recipient, length(split_part(o.recipient, ' ', 1)) + 2), ''))",
    "Street Address 1": "cell(o.street_address1)",
    "Street Address 2": "cell(nullif(concat_ws(', ', o.street_address2, o.street_address3), ''))",
    "City": "cell(o.city)",
    "State": "cell(o.state_or_province)",
    "Zipcode": "cell(o.zipcode)",
    "Country": "coalesce(n.name, o.country)",
    "Last Updated": _time("o.updated_at"),
    "Phone Number": "cell(o.phone_number)",
    "Country Code": "o.country",
    "% Refund Responsibility": "r.responsibility",
    "Refund Responsibility Amount": number("r.responsible_amount"),
    "Refund Date": _day("o.refunded_at"),
    "Refund Reason": "cell(r.reason)",
    "Is Wish Express": truth("o.is_express"),
    "Wish Express Delivery Deadline": _day("o.deliver_by"),
    "Requires Delivery Confirmation": truth("o.needs_confirmation"),
    "Advanced Logistics": truth("o.original_address is not null"),
    "Is Combined Order": truth("o.is_combined"),
    "PremiumCarrier Upgraded": "null::text",
    "Late Confirmed Fulfillment Fine Amount": "null::text",
    "Customer Identity Number": "null::text",
    "Final Product Price": number("o.price"),
    "Final Shipping Price": number("o.shipping"),
    "Final Total Product Price": number("o.quantity * o.price"),
    "Final Total Shipping Price": number("o.quantity * o.shipping"),
    "Final Total Price": number("o.quantity * (o.price + o.shipping)"),
    "Final Prices Currency": "o.currency",
    "Is Replacement Order": "null::text",
    "Original Replacement Order ID": "null::text",
    "Fulfillment By Store (FBS) Order": "null::text",
}


def _query(order: str) -> str:
    columns = ", ".join(f'{expression} as "{name}"' for name, expression in _COLUMNS.items())
    return f"""
    select {columns}
    {_CUT.format(order=order)}
      join orders o on o.merchant_id = $1 and o.id = cut.id
      left join unnest($9::text[], $10::text[]) as n (code, name) on n.code = o.country
      left join lateral (
           select responsibility, responsible_amount, reason from order_refund
            where merchant_id = $1 and order_id = o.id and o.state = 'refunded'
            order by number desc limit 1
      ) r on true
     order by o.placed_at {order}, o.id {order}
    """


_QUERIES = {descending: _query("desc" if descending else "asc") for descending in (True, False)}


def _arguments(wanted: OrderCut) -> tuple[Any, ...]:
    return (
        wanted.placed_from or _EVER,
        wanted.placed_before or _NEVER,
        wanted.since or _EVER,
        wanted.limit if wanted.limit is not None else _ALL,
    )


async def count(db: Rows, merchant_id: str, wanted: OrderCut) -> int:
    """How many lines the file will have below its header."""
    cut = _CUT.format(order="desc" if wanted.descending else "asc")
    return int(await db.fetchval(f"select count(*) {cut}", merchant_id, *_arguments(wanted)))


async def copy(
    db: CopyingRows,
    merchant_id: str,
    wanted: OrderCut,
    currency: str,
    symbol: str,
    base_url: str,
    output: Pieces,
) -> int:
    """Stream the file, header first; gives how many lines came below it."""
    done: str = await db.copy_from_query(
        _QUERIES[wanted.descending],
        merchant_id,
        *_arguments(wanted),
        currency,
        symbol,
        _CONFIRMING,
        list(_NAMES),
        list(_NAMES.values()),
        base_url,
        output=output,
        format="csv",
        header=True,
    )
    return int(done.rpartition(" ")[2])
