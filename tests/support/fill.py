"""Statements that fill a shop with more than anybody types."""

from __future__ import annotations

# $1 a merchant, $2 a parent SKU, $3 and $4 the first and the last place to fill: variations by the hundred, of
# which a rule that counts them needs no more than that they are there.
FILL_WITH_VARIATIONS = """
    insert into variation (merchant_id, id, product_id, position, sku, color, price)
    select p.merchant_id, lpad(n::text, 24, '0'), p.id, n, 'v' || n, 'c' || n, 1
      from product p, generate_series($3::integer, $4::integer) n where p.merchant_id = $1 and p.parent_sku = $2
"""
