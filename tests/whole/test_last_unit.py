"""R03: two hundred buyers want the last unit while its merchant sets its stock.

    python -m tests.whole.test_last_unit --rounds 200

Each round stocks one SKU with 1 unit or with 10. Then buyers, single updates of the stock over HTTP and bulk
updates start at a barrier. A trigger notes every change of that stock level with what it was before, in the
order in which they took place. Wrong is: a change that does not follow from the one before, stock below
nothing, pieces that left without an order or orders without pieces, and a buyer who was refused although there
always were pieces. Half of the rounds are without the merchant; there exactly as many are sold as there were.

The mutant reads the stock first and then writes it, and takes no product.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.jobs import Auditor, Figure, Finding, ask, auditing, start_bulk
from tests.support.program import Client, serving, wait_until
from tradepost.domain import merchants, orders
from tradepost.domain.context import Ctx
from tradepost.domain.orders import Address, Item, OrderRules, Placed, Purchase
from tradepost.domain.orders.failures import OutOfStock
from tradepost.domain.products.rows import sale
from tradepost.storage.database import PLATFORM_ROLE, Database

BUYERS = 200
CONNECTIONS = 40
SKU = "the-last-one"
LIMITS = '{"merchant/default": 1000000}'
SETS = (3, 0, 10, 1)
ADDRESS = Address(recipient="A Buyer", street_address1="1 Street", city="Rogers", country="US", zipcode="72756")

_WATCH = """
create table tradepost.level (
    number bigserial, merchant_id text, variation_id text, before integer, after integer, by_merchant boolean);
create function tradepost.note_level() returns trigger language plpgsql security definer as $$
begin
    insert into tradepost.level (merchant_id, variation_id, before, after, by_merchant)
    values (new.merchant_id, new.variation_id, old.inventory, new.inventory, new.rev <> old.rev);
    return null;
end $$;
create trigger note_level after update on tradepost.stock for each row execute function tradepost.note_level();
"""


@dataclass(frozen=True)
class Change:
    """One change of the stock level."""

    before: int
    after: int
    by_merchant: bool


def judge(start: int, changes: Sequence[Change], placed: int, kept: int, refused: int) -> list[str]:
    """What is wrong with a round: the changes since it was stocked, orders told and orders there, refusals."""
    wrong = []
    level, sold = start, 0
    for change in changes:
        if change.before != level:
            wrong.append(f"{level} became {change.before} by itself")
        if change.after < 0:
            wrong.append(f"{change.after} in stock")
        if not change.by_merchant:
            sold += change.before - change.after
        level = change.after
    if not placed == kept == sold:
        wrong.append(f"{sold} pieces left for {placed} buyers with {kept} orders")
    if refused and 0 not in (start, *(change.after for change in changes)):
        wrong.append(f"{refused} were refused and there always was something")
    if not any(change.by_merchant for change in changes) and sold != min(start, placed + refused):
        wrong.append(f"{sold} of {start} were sold to {placed + refused}")
    return wrong


class Shop:
    """The merchant, his buyers and the auditor."""

    def __init__(self, client: Client, auditor: Auditor, member: dict[str, str], database: Database) -> None:
        self._client = client
        self._auditor = auditor
        self._member = member
        self._database = database
        self._merchant_id = member["id"]
        self.met = 0
        """Rounds in which a change by the merchant fell between two sales, or in which there was none."""

    def stock(self, pieces: int) -> None:
        ask(self._client, "variant/update-inventory", sku=SKU, inventory=pieces)

    def round(self, start: int, disturbed: bool, loop: asyncio.Runner) -> list[str]:
        """One round; gives what was wrong with it."""
        self.stock(start)
        before = self._auditor.value("select coalesce(max(number), 0) from level")
        had = self._orders()
        came = loop.run(self._everybody(disturbed))
        self._await_jobs()
        changes = [
            Change(*row)
            for row in self._auditor.rows(
                "select l.before, l.after, l.by_merchant from level l join variation v on v.id = l.variation_id "
                "where v.sku = $1 and l.number > $2 order by l.number",
                SKU,
                before,
            )
        ]
        others = [each for each in came if not isinstance(each, Placed | OutOfStock)]
        placed = sum(isinstance(each, Placed) for each in came)
        marks = "".join("m" if change.by_merchant else "s" for change in changes)
        self.met += not disturbed or "m" in marks.strip("m") or (marks.startswith("m") and "s" in marks)
        found = judge(start, changes, placed, self._orders() - had, len(came) - placed - len(others))
        return found + [f"a buyer met {each!r}" for each in others]

    def _orders(self) -> int:
        return int(self._auditor.value("select count(*) from orders where sku = $1", SKU))

    def _await_jobs(self) -> None:
        waiting = "select count(*) from job where kind = 'bulk_update' and state in ('pending', 'running')"
        wait_until(lambda: not self._auditor.value(waiting), 60, "the end of the bulk updates")

    async def _everybody(self, disturbed: bool) -> list[Any]:
        gate = asyncio.Event()
        others = [asyncio.to_thread(self._set, value, number % 2 == 1) for number, value in enumerate(SETS)]
        buyers = [asyncio.create_task(self._buy(gate)) for _ in range(BUYERS)]
        await asyncio.sleep(0)
        gate.set()
        if disturbed:
            await asyncio.gather(*others)
        else:
            for other in others:
                other.close()
        return list(await asyncio.gather(*buyers))

    def _set(self, value: int, in_bulk: bool) -> None:
        with Client(f"http://{self._address}", self._member["access_token"]) as client:
            if in_bulk:
                start_bulk(client, [{"sku": SKU, "inventory": value}])
            else:
                ask(client, "variant/update-inventory", sku=SKU, inventory=value)

    @property
    def _address(self) -> str:
        return self._client._connection.host + ":" + str(self._client._connection.port)

    async def _buy(self, gate: asyncio.Event) -> object:
        await gate.wait()
        try:
            async with self._database.acting_for("") as connection:
                now = await connection.fetchval("select world_now()")
                ctx = await merchants.act_for(Ctx(db=connection, now=now, actor=None), self._merchant_id)
                return await orders.place_order(ctx, Purchase(items=[Item(SKU)], address=ADDRESS), OrderRules())
        except Exception as error:
            return error


async def _no_hold(db: Any, merchant_id: str, product_ids: Any) -> None:
    """Takes nothing."""


async def _read_then_write(
    db: Any, merchant_id: str, product_id: str, variation_id: str, warehouse_id: str, pieces: int
) -> bool:
    key = (merchant_id, product_id, variation_id, warehouse_id)
    where = "merchant_id = $1 and product_id = $2 and variation_id = $3 and warehouse_id = $4"
    there = await db.fetchval(f"select inventory from stock where {where}", *key)
    if there < pieces:
        return False
    await db.execute(f"update stock set inventory = $5 where {where}", *key, there - pieces)
    return True


def run(rounds: int, seed: int, spoiled: str | None) -> Finding:
    """So many rounds in one shop."""
    kept = sale.hold, sale.take
    if spoiled:
        sale.hold, sale.take = _no_hold, _read_then_write
    try:
        return _run(rounds, random.Random(seed))
    finally:
        sale.hold, sale.take = kept


def _run(rounds: int, source: random.Random) -> Finding:
    wrong: list[str] = []
    with (
        serving("--workers", "2", rate_limits=LIMITS, pool_size=5) as running,
        auditing(running) as auditor,
        asyncio.Runner() as loop,
    ):
        member = running.credentials()["merchants"][0]
        auditor.run(_WATCH)
        connect = running.embedded.connection(PLATFORM_ROLE, "tradepost")
        database = Database(connect, PLATFORM_ROLE, most=CONNECTIONS)
        loop.run(database.open())
        with Client(running.merchant, member["access_token"]) as client:
            ask(
                client,
                "product/add",
                name="The last one",
                description="There is one left.",
                sku=SKU,
                inventory=1,
                price=10,
                shipping=2,
                main_image="https://pictures.example/last.jpg",
            )
            shop = Shop(client, auditor, member, database)
            for number in range(rounds):
                found = shop.round(source.choice((1, 10)), number % 2 == 0, loop)
                wrong += [f"round {number + 1}: {each}" for each in found]
        loop.run(database.close())
        assert running.stop() == 0
    bound = f"{3 / rounds:.3f}/round"
    told = {"n": f"{BUYERS}x{rounds}", "rounds": rounds, "overlapped": shop.met, "bound95": bound}
    return Finding(wrong, shop.met > rounds // 2, told)


FIGURE = Figure("R03", "oversold", run, {"smoke": 10, "full": 200}, mutant="read_then_write")


# -- tests


def test_nobody_buys_what_is_not_there() -> None:
    seed = random.randrange(1 << 16)
    found = run(4, seed, None)
    print(seed, found.told)
    assert found.wrong == []
    assert found.tried


def test_the_judge_sees_what_was_sold_twice_or_not_at_all() -> None:
    sale_of_one, sets = Change(1, 0, False), Change(0, 3, True)
    assert judge(1, [sale_of_one], 1, 1, 199) == []
    assert judge(1, [sale_of_one, sets, Change(3, 2, False)], 2, 2, 198) == []
    assert judge(1, [sale_of_one], 2, 2, 198), "two buyers and one piece"
    assert judge(1, [sale_of_one], 1, 2, 199), "an order of nobody"
    assert judge(1, [], 0, 0, 200), "nobody got the piece"
    assert judge(1, [sale_of_one, Change(0, -1, False)], 2, 2, 198), "below nothing"
    assert judge(1, [sale_of_one, sets, Change(1, 0, False)], 2, 2, 0), "a level that was written over"
    assert judge(5, [Change(5, 4, False), Change(4, 9, True)], 1, 1, 7), "refused for nothing"


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
