"""Lists of orders as their number grows: `python -m bench.orders`, about three minutes for a million.

One shop has a million orders, another ten thousand, both on one installation. One caller on one connection asks
for `multi-get` and `get-fulfill`, for the first page and from 25,000 on, in turn; beside them the statement
behind each, on a connection of its own. Looked at are ratios only: of the large shop to the small one, of the
deep page to the first, and of the bare statement to the call. A tenth of the orders waits to be shipped.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import statistics
import time
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from bench.catalogue import Shop, fill_one
from bench.installation import Started, started
from tradepost.domain.orders.rows import reading
from tradepost.opening import SUPERUSER, connect_arguments
from tradepost.settings import Settings
from tradepost.storage import migrate
from tradepost.storage.database import APP_ROLE, PLATFORM_ROLE

SMALL: Final = 10_000
DEEP: Final = 25_000
LIMIT: Final = 50
MOST_GROWTH: Final = 1.5
LEAST_OF_BARE: Final = 0.5
ROUNDS: Final = 40

# $1 merchant, $2 how many. Placed in an even pace over a year, changed up to ten days later.
FILL = """
    insert into orders
           (merchant_id, id, transaction_id, buyer_id, state, product_id, variation_id, warehouse_id, is_express,
            is_combined, needs_confirmation, sku, product_name, picture, color, size, quantity, currency, price,
            cost, shipping, shipping_cost, placed_at, updated_at, released_at, fulfil_by, recipient,
            street_address1, city, state_or_province, zipcode, country, phone_number, shipped_at, carrier,
            tracking_number, confirmed_at)
    select $1, left(md5($1 || '/order/' || n), 24), left(md5($1 || '/cart/' || n / 2), 24),
           left(md5('buyer' || n % 50000), 24), case when n % 10 = 0 then 'approved' else 'shipped' end,
           v.product_id, v.id, w.id, n % 7 = 0, false, true, v.sku, 'Wooden Train',
           'https://pictures.example/train.jpg', v.color, v.size, 1 + n % 3, 'USD', 12.5, 10.63, 2.5, 2.13,
           t.at, t.at + make_interval(hours => n % 240), t.at, now() + interval '5 days', 'Robin Example ' || n,
           n || ' Example Street', 'Exampleville', 'CA', '90001', 'US', '555-0100',
           case when n % 10 > 0 then t.at + interval '1 day' end, case when n % 10 > 0 then 'USPS' end,
           case when n % 10 > 0 then 'TR' || n end, case when n % 10 > 1 then t.at + interval '2 days' end
      from generate_series(1, $2::integer) as n
     cross join lateral (select now() - interval '366 days' + n * (interval '355 days' / $2::integer) as at) t
      join (select *, row_number() over (order by id) - 1 as place, count(*) over () as many
              from (select * from variation where merchant_id = $1 order by id limit 1000) as few
           ) v on v.place = n % v.many
      join warehouse w on w.merchant_id = $1 and w.name = 'STANDARD'
"""


async def fill(settings: Settings, orders: int) -> tuple[Shop, Shop]:
    """Two shops, one with so many orders and one with few."""
    large, small = await fill_one(settings, 1_000)
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        **connect_arguments(settings, PLATFORM_ROLE), server_settings={"search_path": migrate.SCHEMA}
    )
    await connection.execute(FILL, large.id, orders)
    await connection.execute(FILL, small.id, SMALL)
    await connection.close()
    connection = await asyncpg.connect(
        **connect_arguments(settings, SUPERUSER), server_settings={"search_path": migrate.SCHEMA}
    )
    await connection.execute("vacuum (analyze) orders, order_tally")
    await connection.execute("checkpoint")
    await connection.close()
    return large, small


class Calls:
    """One caller on one connection."""

    def __init__(self, program: Started) -> None:
        self._connection = http.client.HTTPConnection(program.host, timeout=60)

    def seconds(self, shop: Shop, path: str, start: int) -> float:
        """How long one page takes."""
        target = f"/api/v2/order/{path}?start={start}&limit={LIMIT}"
        began = time.perf_counter()
        self._connection.request("GET", target, headers={"Authorization": f"Bearer {shop.token}"})
        answer = self._connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        if answer.status != 200 or body.count(b'"order_id"') != LIMIT:
            raise SystemExit(f"{target}: {answer.status} {body[:300]!r}")
        return took


class Bare:
    """The statements behind the calls, prepared on one connection of the application's role."""

    def __init__(self, loop: asyncio.Runner, settings: Settings, shop: Shop) -> None:
        self._loop = loop
        self._shop = shop
        self._connection: asyncpg.Connection[Any] = loop.run(self._connect(settings))

    async def _connect(self, settings: Settings) -> asyncpg.Connection[Any]:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            **connect_arguments(settings, APP_ROLE),
            server_settings={"search_path": migrate.SCHEMA, "role": APP_ROLE, "jit": "off"},
        )
        await connection.execute("select set_config('tradepost.account', $1, false)", self._shop.id)
        return connection

    def seconds(self, path: str, start: int) -> float:
        """How long the statement of one page takes."""
        statement = reading.page_statement(
            open_only=path == "get-fulfill", spanned=False, lately=False, express=False, far=start > 0
        )
        began = time.perf_counter()
        self._loop.run(self._connection.fetch(statement, self._shop.id, LIMIT + 1, start))
        return time.perf_counter() - began


def measure(orders: int) -> int:
    """Fill, ask, print; gives the exit status."""
    with started() as program, asyncio.Runner() as loop:
        large, small = loop.run(fill(program.settings, orders))
        calls, bare = Calls(program), Bare(loop, program.settings, large)
        failed = False
        for path, there in (("multi-get", orders), ("get-fulfill", orders // 10)):
            deep = min(DEEP, there - 2 * LIMIT)
            names = ("small", "first", "deep", "bare first", "bare deep")
            samples: dict[str, list[float]] = {name: [] for name in names}
            for _ in range(ROUNDS):
                samples["small"].append(calls.seconds(small, path, 0))
                samples["first"].append(calls.seconds(large, path, 0))
                samples["deep"].append(calls.seconds(large, path, deep))
                samples["bare first"].append(bare.seconds(path, 0))
                samples["bare deep"].append(bare.seconds(path, deep))
            failed |= _told(path, deep, {name: _median(each) for name, each in samples.items()})
    return int(failed)


def _median(samples: Sequence[float]) -> float:
    return statistics.median(samples[len(samples) // 4 :])  # the first ones warm everything up


def _told(path: str, deep: int, took: dict[str, float]) -> bool:
    print(f"order/{path}, {LIMIT} of a page: " + ", ".join(f"{name} {1000 * s:.1f} ms" for name, s in took.items()))
    failed = False
    for name, value, bound, is_most in (
        ("large to small shop", took["first"] / took["small"], MOST_GROWTH, True),
        (f"start={deep} to start=0", took["deep"] / took["first"], MOST_GROWTH, True),
        ("bare to call, start=0", took["bare first"] / took["first"], LEAST_OF_BARE, False),
        (f"bare to call, start={deep}", took["bare deep"] / took["deep"], LEAST_OF_BARE, False),
    ):
        missed = value > bound if is_most else value < bound
        failed |= missed
        print(
            f"  {name}: {value:.2f} ({'at most' if is_most else 'at least'} {bound}){'  MISSED' if missed else ''}"
        )
    return failed


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--orders", type=int, default=1_000_000)
    raise SystemExit(measure(reader.parse_args().orders))
