"""How long a merchant, a developer or an operator waits for a page: `python -m bench.pages`, about two minutes.

A shop with 100,000 variations and 100,000 orders, a tenth of which wait to be shipped; a browser in which its
person and an operator are signed in, on one connection, visits each page in turn, again and again. Looked at is the
first answer at the 95th percentile.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import re
import time
from typing import Any, Final

import asyncpg

from bench.catalogue import fill_one
from bench.installation import started
from bench.orders import FILL
from tradepost.domain import operators, people
from tradepost.opening import SUPERUSER, connect_arguments, operator
from tradepost.settings import Settings
from tradepost.storage import migrate
from tradepost.storage.database import PLATFORM_ROLE

MOST_SECONDS: Final = 0.1
ROUNDS: Final = 60
PAGES: Final = (
    "/",
    "/orders",
    "/orders?start=5000",
    "/orders?view=all",
    "/orders?view=all&state=shipped",
    "/orders?view=all&state=refunded",
    "/orders?view=all&from=2020-01-01&to={day}",
    "/orders?view=all&q={order}",
    "/orders?view=all&q=TR77777",
    "/orders?view=all&q=nothing",
    "/orders/{order}",
    "/products",
    "/products?text=nothing-is-called-so",
    "/products?review=pending",
    "/products?sale=no",
    "/products/{product}",
    "/products/{product}/pictures",
    "/products/{product}/shipping",
    "/products/new",
    "/tickets",
    "/tickets?view=all",
    "/notifications",
    "/infractions",
    "/returns",
    "/warehouses",
    "/warehouses/STANDARD",
    "/files",
    "/apps",
    "/account",
    "/calls",
    "/developer/apps",
    "/developer/tokens",
    "/developer/webhooks",
    "/developer/explorer",
    "/operator",
    "/operator/products",
    "/operator/tickets",
    "/operator/infractions",
    "/operator/merchants",
    "/operator/merchants?text=wide",
    "/operator/merchants/{merchant}",
    "/operator/products/{merchant}/{product}",
    "/operator/announcements",
    "/operator/apps",
    "/operator/calls",
    "/operator/jobs",
    "/operator/limits",
)
OPERATOR: Final = "bench"


async def fill(settings: Settings, count: int) -> tuple[dict[str, str], str]:
    """A shop with so many variations and orders.

    Gives what fills the blanks of pages, and the cookies of its person and of an operator.
    """
    shop, _ = await fill_one(settings, count)
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        **connect_arguments(settings, PLATFORM_ROLE), server_settings={"search_path": migrate.SCHEMA}
    )
    await connection.execute(FILL, shop.id, count)
    text = "select id, placed_at::date::text as day from orders where merchant_id = $1 order by id limit 1"
    row: Any = await connection.fetchrow(text, shop.id)
    await connection.close()
    connection = await asyncpg.connect(
        **connect_arguments(settings, SUPERUSER), server_settings={"search_path": migrate.SCHEMA}
    )
    await connection.execute("vacuum (analyze) orders, order_tally")
    await connection.execute("checkpoint")
    await connection.close()
    async with operator(settings) as ctx:
        person = await people.find_person(ctx, "merchant", "wide@bench.example")
        assert person is not None
        session = await people.open_session(ctx, "merchant", person)
        await operators.add_operator(ctx, OPERATOR)
        await operators.set_password(ctx, OPERATOR, "a bench in the park")
        desk = await operators.find_person(ctx, OPERATOR)
        assert desk is not None
        cookies = f"merchant-session={session}; operator-session={await operators.open_session(ctx, desk)}"
    blanks = {"merchant": shop.id, "order": row["id"], "day": row["day"], "product": shop.product_ids[0]}
    return blanks, cookies


def measure(count: int) -> int:
    """Fill, visit, print; gives the exit status."""
    with started() as program:
        blanks, cookies = asyncio.run(fill(program.settings, count))
        connection = http.client.HTTPConnection(program.host, timeout=60)
        took: dict[str, list[float]] = {page: [] for page in PAGES}
        sizes: dict[str, int] = {}
        headers = {"Cookie": cookies}
        for _ in range(ROUNDS):
            for page in PAGES:
                began = time.perf_counter()
                connection.request("GET", page.format(**blanks), headers=headers)
                answer = connection.getresponse()
                body = answer.read()
                took[page].append(time.perf_counter() - began)
                if answer.status != 200 or not re.search(rb"<main", body):
                    raise SystemExit(f"{page}: {answer.status} {body[:300]!r}")
                sizes[page] = len(body)
    failed = False
    print(f"{count:,} variations and {count:,} orders, {ROUNDS} visits of each page on one connection")
    for page, each in took.items():
        each.sort()
        middle, high = each[len(each) // 2], each[int(len(each) * 0.95)]
        failed |= high > MOST_SECONDS
        told = (
            f"{page:<45} median {1000 * middle:6.1f} ms  p95 {1000 * high:6.1f} ms  {sizes[page] / 1024:6.1f} KiB"
        )
        print(told + ("  MISSED" if high > MOST_SECONDS else ""))
    print(f"first answer at the 95th percentile: at most {1000 * MOST_SECONDS:.0f} ms")
    return int(failed)


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--count", type=int, default=100_000)
    raise SystemExit(measure(reader.parse_args().count))
