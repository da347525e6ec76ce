"""Bulk updates and single changes at the same time, on connections of their own: the newer single change stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.domain.bulk_updates.test_bulk_updates import EXPRESS, RING, Shop, row
from tests.support.database import Server, once
from tests.support.market import NOW, World
from tradepost.domain import merchants, products
from tradepost.domain.bulk_updates import Row
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.products import VariationChanges
from tradepost.storage.database import PLATFORM_ROLE, Database

ROUNDS = 60
Verb = Callable[[MerchantCtx], Awaitable[Any]]


@dataclass
class Town:
    """A merchant in a database of its own, whom several connections act for."""

    server: Server
    database: Database
    merchant_id: str

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MerchantCtx]:
        """A transaction on a connection of its own."""
        async with self.database.acting_for(self.merchant_id) as connection:
            yield await merchants.act_for(Ctx(db=connection, now=NOW, actor=None), self.merchant_id)

    async def act(self, verb: Verb) -> Any:
        """One verb in one transaction."""
        async with self.transaction() as ctx:
            return await verb(ctx)

    async def start(self, rows: list[Row], warehouse: str | None = None) -> str:
        """Ask for an update of one pack, the only job there is; gives its id."""
        async with self.transaction() as ctx:
            await ctx.db.execute("delete from job")
            return await Shop(ctx).start(rows, warehouse=warehouse)

    async def apply_pack(self) -> None:
        """Do the first step of the update that there is."""
        async with self.transaction() as ctx:
            await Shop(ctx).work(steps=1)

    async def until_waiting(self, how_many: int = 1) -> None:
        """Return when so many statements wait for a row that another one has."""
        statement = "select count(*) from pg_locks where not granted and locktype in ('transactionid', 'tuple')"
        async with asyncio.timeout(10), self.transaction() as ctx:
            while await ctx.db.fetchval(statement) < how_many:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def outcome(self, job_id: str) -> list[str]:
        """What became of the rows of an update."""
        async with self.transaction() as ctx:
            return await Shop(ctx).outcome(job_id)

    async def has(self, sku: str, warehouse: str | None = None) -> tuple[int | None, bool]:
        """The stock of a variation, and whether it is on sale."""
        async with self.transaction() as ctx:
            return await Shop(ctx).has(sku, warehouse)


Scene = Callable[[Town], Awaitable[None]]
Play = Callable[[Scene], None]


@pytest.fixture
def play(server: Server, world: World) -> Play:
    """Runs one scene in a copy of the market."""

    def run(scene: Scene) -> None:
        server.clone("bulk")

        async def within() -> None:
            database = Database(server.embedded.connection(PLATFORM_ROLE, "bulk"), PLATFORM_ROLE, most=4)
            await database.open()
            try:
                await scene(Town(server, database, world.merchants["usd"].account_id))
            finally:
                await database.close()

        once(within)

    return run


def test_a_single_change_at_the_same_moment_stays(play: Play) -> None:
    """Again and again, in whichever order they happen to come: nobody is turned away, and the newer one counts."""

    async def scene(town: Town) -> None:
        for number in range(ROUNDS):
            on_sale = bool(number % 2)
            changes = VariationChanges(inventory=1000 + number, enabled=on_sale)
            await town.start([row("ring-red", number, not on_sale), row("ring-blue", number, not on_sale)])
            await asyncio.gather(
                town.apply_pack(),
                town.act(lambda ctx, changes=changes: products.update_variation(ctx, "ring-red", changes)),  # type: ignore[misc]
            )
            assert await town.has("ring-red") == (1000 + number, on_sale)
            assert await town.has("ring-blue") == (number, not on_sale)

    play(scene)


@pytest.mark.parametrize("first", ["stock", "sale", "both"])
def test_a_pack_waits_for_a_change_that_is_being_made(play: Play, first: str) -> None:
    """It was begun after the update was asked for, so it is newer, though the pack was read before its end."""
    changes = {
        "stock": VariationChanges(inventory=42),
        "sale": VariationChanges(enabled=False),
        "both": VariationChanges(inventory=42, enabled=False),
    }[first]

    async def scene(town: Town) -> None:
        job_id = await town.start([row("ring-red", 5, True), row("ring-blue", 5)])
        async with town.transaction() as ctx:
            await products.update_variation(ctx, "ring-red", changes)
            pack = asyncio.create_task(town.apply_pack())
            await town.until_waiting()
        await pack
        assert await town.outcome(job_id) == ["ChangedSince", ""]
        assert await town.has("ring-red") == (100 if first == "sale" else 42, first == "stock")

    play(scene)


def test_the_first_stock_of_a_warehouse_that_is_being_set(play: Play) -> None:
    """There is no row to wait for yet, and still a row of the update is applied as a whole or not at all."""

    async def scene(town: Town) -> None:
        job_id = await town.start([row("ring-red", 5, False)], warehouse=EXPRESS)
        async with town.transaction() as ctx:
            await products.update_inventory(ctx, "ring-red", 42, EXPRESS)
            pack = asyncio.create_task(town.apply_pack())
            await town.until_waiting()
        await pack
        assert await town.outcome(job_id) == ["ChangedSince"]
        assert await town.has("ring-red", EXPRESS) == (42, True)

    play(scene)


def test_a_product_that_is_being_removed(play: Play) -> None:
    """What nobody can buy any more is not on sale afterwards."""

    async def scene(town: Town) -> None:
        await town.start([row("ring-red", enabled=True), row("scarf", 3)])
        async with town.transaction() as ctx:
            product = await products.find_product(ctx, RING)
            await products.remove_product(ctx, RING)
            pack = asyncio.create_task(town.apply_pack())
            await town.until_waiting()
        await pack
        removed = await town.act(
            lambda ctx: products.find_product(ctx, products.ProductRef(id=product.id)),
        )
        assert removed.removed
        assert not removed.enabled
        assert await town.has("scarf") == (3, True)

    play(scene)


# Enough of a catalogue that the database looks up what it changes instead of reading all of it: 50 products with
# 101 variations each. $1 is the merchant.
_FILL_PRODUCTS = """
    insert into product (merchant_id, id, parent_sku, name, description, main_image, original_image_url,
                         created_at, updated_at)
    select $1, lpad(n::text, 24, '0'), 'p' || n, 'n', 'd', 'm', 'm', now(), now() from generate_series(1, 50) n
"""
_FILL_VARIATIONS = """
    insert into variation (merchant_id, id, product_id, position, sku, color, price)
    select merchant_id, lpad(n::text, 24, '0'), id, n, parent_sku || '-' || n, 'c' || n, 1
      from product, generate_series(100, 200) n where merchant_id = $1 and parent_sku ~ '^p[0-9]+$'
"""


@pytest.mark.parametrize("switch", [products.disable_product, products.remove_product])
def test_a_product_is_switched_while_a_pack_takes_its_variations(play: Play, switch: Any) -> None:
    """Both take many variations, the pack as its rows come: neither may end up waiting for the other."""

    async def scene(town: Town) -> None:
        owner = await town.server.connect(database="bulk")
        try:
            for statement in (_FILL_PRODUCTS, _FILL_VARIATIONS):
                await owner.execute(statement, town.merchant_id)
            await owner.execute("analyze")
        finally:
            await owner.close()
        await town.start([row(f"p7-{number}", enabled=True) for number in range(200, 99, -1)])
        async with town.transaction() as ctx:
            # Somebody has one in the middle, so that both come as far as that.
            await ctx.db.execute("select from variation where sku = 'p7-150' for update")
            ref = products.ProductRef(parent_sku="p7")
            both = asyncio.gather(town.act(lambda ctx: switch(ctx, ref)), town.apply_pack())
            await town.until_waiting(2)
        await both

    play(scene)
