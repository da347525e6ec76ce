"""The SQL of the tally of days: how many orders a shop has of each. The database keeps it itself, by triggers."""

from __future__ import annotations

from datetime import date

from tradepost.domain.context import Rows


async def add_up(db: Rows, limit: int) -> int:
    """Add changes of the tally that stand by themselves up into the sums of their days; gives how many.

    What the tally says stays the same at every moment. What somebody else has in hand waits for another time.
    """
    return int(
        await db.fetchval(
            """
            with loose as materialized ( -- once, and not for each row that it is joined with
                select merchant_id, number from order_tally where not is_sum
                 order by number limit $1 for update skip locked
            ), taken as (
                delete from order_tally t using loose
                 where t.merchant_id = loose.merchant_id and t.number = loose.number
                returning t.merchant_id, t.day, t.placed, t.waiting
            ), added as (
                insert into order_tally as s (merchant_id, day, placed, waiting, is_sum)
                select merchant_id, day, sum(placed), sum(waiting), true
                  from taken group by merchant_id, day order by merchant_id, day
                    on conflict (merchant_id, day) where is_sum do update set
                       placed = s.placed + excluded.placed, waiting = s.waiting + excluded.waiting
            )
            select count(*) from taken
            """,
            limit,
        )
    )


async def waiting(db: Rows, merchant_id: str) -> int:
    """How many orders of a merchant wait to be shipped."""
    text = "select coalesce(sum(waiting), 0)::bigint from order_tally where merchant_id = $1"
    return int(await db.fetchval(text, merchant_id))


async def placed_since(db: Rows, merchant_id: str, first: date) -> dict[date, int]:
    """How many orders of a merchant were placed on each day from one on, for the days that have any."""
    found = await db.fetch(
        "select day, sum(placed)::bigint from order_tally where merchant_id = $1 and day >= $2 group by day",
        merchant_id,
        first,
    )
    return {day: int(placed) for day, placed in found}
