"""Bulk updates: each row as a whole or not at all, in order, and never over what was changed by itself since."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.market import NOW, Market, World
from tradepost.domain import bulk_updates, jobs, merchants, products
from tradepost.domain.bulk_updates import MOST_INVENTORY, Pack, Row, Updates, pack_rows
from tradepost.domain.bulk_updates.update import Judgement
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.jobs import CANCELLED, FINISHED, PENDING, RUNNING, Job, JobNotFound
from tradepost.domain.products import KnownVariation, ProductChanges, ProductRef, VariationChanges
from tradepost.domain.warehouses import WarehouseNotFound
from tradepost.surfaces.merchant_v2.bulk_rows import read_row
from tradepost.values import Page
from tradepost.wire.json_rows import JsonNumber
from tradepost.worker.handlers import BulkUpdates

LATER = NOW + timedelta(hours=1)
EXPRESS = "EXPRESS-US"
RING = ProductRef(parent_sku="ring")
Verb = Callable[[MerchantCtx], Awaitable[Any]]


def row(sku: str, inventory: int | None = None, enabled: bool | None = None, fault: str | None = None) -> Row:
    return Row(sku, inventory, enabled, fault)


def updates(*packs: Sequence[Row]) -> Updates:
    """An update whose packs are as small as a test needs them."""
    made, first = [], 1
    for rows in packs:
        made.append(Pack(first, pack_rows(rows)))
        first += len(rows)
    return Updates(first - 1, tuple(made))


@dataclass
class Shop:
    """A merchant with no other jobs than those of the test, and a worker."""

    ctx: MerchantCtx

    async def start(self, *packs: Sequence[Row], warehouse: str | None = None) -> str:
        """Ask for an update; gives the id of its job."""
        return await bulk_updates.start_update(self.ctx, updates(*packs), warehouse)

    async def work(self, steps: int | None = None, now: datetime = NOW) -> Job:
        """Do so many steps of the next job, or all of them, and give it back if it has not ended."""
        ctx = replace(self.ctx, now=now)
        job = await jobs.claim_next(ctx, 1, [bulk_updates.KIND])
        assert job is not None
        claim = jobs.claim_of(job)
        while job.state == RUNNING and steps != 0:
            job = await jobs.advance(ctx, claim, await bulk_updates.take_step(ctx, job))
            steps = None if steps is None else steps - 1
        await jobs.give_back(ctx, claim)
        return job

    async def note(self, now: datetime) -> None:
        """Do what is left to do for updates that did not come to their own end."""
        ctx = replace(self.ctx, now=now)
        while (job := await jobs.claim_next(ctx, 1, [bulk_updates.NOTE_KIND])) is not None:
            while job.is_open:
                step = await bulk_updates.take_note_step(ctx, job)
                job = await jobs.advance(ctx, jobs.claim_of(job), step)

    async def apply(self, *packs: Sequence[Row], warehouse: str | None = None) -> list[str]:
        """Ask for an update and do it; gives the names of what failed, row by row, "" for a success."""
        job_id = await self.start(*packs, warehouse=warehouse)
        await self.work()
        return await self.outcome(job_id)

    async def outcome(self, job_id: str) -> list[str]:
        """What became of the rows so far, after looking whether everything that is told of them agrees."""
        job = await bulk_updates.find_update(self.ctx, job_id)
        succeeded, more = await bulk_updates.list_successes(self.ctx, job_id, Page(0, 1000))
        assert not more
        failed, more = await bulk_updates.list_failures(self.ctx, job_id, Page(0, 1000))
        assert not more
        assert (len(succeeded), len(failed)) == (job.succeeded, job.failed)
        assert job.processed == job.succeeded + job.failed
        assert [failure.row for failure in failed] == sorted({failure.row for failure in failed})
        names = [""] * job.processed
        for failure in failed:
            names[failure.row - 1] = type(failure).__name__
        return names

    async def has(self, sku: str, warehouse: str | None = None) -> tuple[int | None, bool]:
        """The stock of a variation, and whether it is on sale."""
        _, variation = await products.find_variation(self.ctx, sku, warehouse)
        return variation.inventory, variation.enabled

    async def changed_at(self, parent_sku: str = "ring") -> datetime:
        """When a product was changed last."""
        return (await products.find_product(self.ctx, ProductRef(parent_sku=parent_sku))).updated_at


Scene = Callable[[Shop], Awaitable[None]]
Play = Callable[[Scene], None]


@pytest.fixture
def play(market: Market) -> Play:
    """Runs one scene in the first shop."""

    def run(scene: Scene) -> None:
        async def within(ctx: Ctx) -> None:
            await ctx.db.execute("delete from job")
            await ctx.db.execute("select pg_advisory_xact_lock(7403, 1)")
            await scene(Shop(await merchants.act_for(ctx, market.world.merchants["usd"].account_id)))

        market.operate(within)

    return run


# -- judging, as a unit

SKUS = ("a", "b", "c", "taken down", "unknown")
KNOWN = {sku: KnownVariation(sku, f"product {n % 2}", f"id {sku}", sku == "taken down")
         for n, sku in enumerate(SKUS[:-1])}  # fmt: skip
rows_of_a_pack = st.lists(
    st.builds(
        Row,
        st.sampled_from(SKUS),
        st.none() | st.integers(0, 9),
        st.none() | st.booleans(),
        st.none() | st.sampled_from(("NothingToChange", "InventoryUnusable")),
    ),
    max_size=12,
)
some_skus = st.sets(st.sampled_from(SKUS[:-1]))


def one_after_the_other(rows: Sequence[Row], newer_stock: set[str], newer_sale: set[str]) -> Any:
    """What has to come out: stock, sale and faults when each row is applied before the next one is looked at."""
    stock: dict[str, int] = {}
    sale: dict[str, bool] = {}
    faults = {}
    for number, one in enumerate(rows, start=5):
        if one.fault:
            faults[number] = one.fault
        elif one.sku not in KNOWN:
            faults[number] = "SkuUnknown"
        elif one.enabled and KNOWN[one.sku].removed_by_wish:
            faults[number] = "EnablingRemoved"
        elif (one.inventory is not None and one.sku in newer_stock) or (
            one.enabled is not None and one.sku in newer_sale
        ):
            faults[number] = "ChangedSince"
        else:
            if one.inventory is not None:
                stock[one.sku] = one.inventory
            if one.enabled is not None:
                sale[one.sku] = one.enabled
    return stock, sale, faults


@given(rows_of_a_pack, some_skus, some_skus)
def test_a_pack_comes_to_what_its_rows_come_to(
    rows: list[Row], newer_stock: set[str], newer_sale: set[str]
) -> None:
    """The statements write each variation once; the outcome is as if every row were written by itself."""
    judgement = Judgement(rows, 5, KNOWN)

    def newer_of(asked: Sequence[KnownVariation], newer: set[str]) -> set[str]:
        return {known.id for known in asked if known.sku in newer}

    judgement.refuse(newer_of(judgement.double, newer_stock | newer_sale), stock=True, sale=True)
    judgement.refuse(newer_of([known for known, _ in judgement.enabled], newer_sale), stock=False, sale=True)
    judgement.refuse(newer_of([known for known, _ in judgement.stock], newer_stock), stock=True, sale=False)
    stock, sale, faults = one_after_the_other(rows, newer_stock, newer_sale)
    assert {known.sku: inventory for known, inventory in judgement.stock} == stock
    assert {known.sku: enabled for known, enabled in judgement.enabled} == sale
    assert [(failed.row, failed.sku, failed.fault) for failed in judgement.failed] == [
        (number, rows[number - 5].sku, fault) for number, fault in faults.items()
    ]
    changed = {KNOWN[one.sku].product_id for number, one in enumerate(rows, start=5) if number not in faults}
    assert judgement.changed_products == sorted(changed)


# -- through the database


def test_rows_are_applied_and_counted(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        job_id = await shop.start([row("ring-red", 5), row("none")], [row("ring-blue", enabled=False)])
        waiting = await bulk_updates.find_update(shop.ctx, job_id)
        assert (waiting.state, waiting.processed) == (PENDING, 0)
        half = await shop.work(steps=1)
        assert (half.total, half.processed, half.succeeded, half.failed) == (3, 2, 1, 1)
        assert await shop.outcome(job_id) == ["", "SkuUnknown"]
        assert (await shop.work()).state == FINISHED
        assert await shop.outcome(job_id) == ["", "SkuUnknown", ""]
        assert [await shop.has(sku) for sku in ("ring-red", "ring-blue")] == [(5, True), (100, False)]

    play(scene)


def test_nothing_to_apply(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        assert await shop.apply([row("none", 1), row("", fault="SkuMissing")]) == ["SkuUnknown", "SkuMissing"]
        assert await shop.changed_at() == NOW.replace(hour=9, minute=0)

    play(scene)


def test_the_skus_of_others_are_unknown(play: Play, world: World) -> None:
    async def scene(shop: Shop) -> None:
        other = Shop(await merchants.act_for(shop.ctx, world.merchants["cny"].account_id))
        await products.change_sku(other.ctx, "scarf", "lantern")
        assert await shop.apply([row("lantern", 3), row("scarf", 4)]) == ["SkuUnknown", ""]
        assert await other.has("lantern") == (7, True)
        with pytest.raises(JobNotFound):
            await bulk_updates.find_update(other.ctx, await shop.start([row("scarf", 1)]))

    play(scene)


@pytest.mark.parametrize("packs", [1, 2], ids=["in one pack", "across packs"])
def test_a_sku_that_is_there_twice_is_applied_in_order(play: Play, packs: int) -> None:
    async def scene(shop: Shop) -> None:
        first = [row("ring-red", 5, False), row("ring-blue", 1)]
        second = [row("ring-red", 6), row("ring-blue", enabled=False), row("ring-red", enabled=True)]
        assert await shop.apply(*([first, second] if packs == 2 else [[*first, *second]])) == [""] * 5
        assert [await shop.has(sku) for sku in ("ring-red", "ring-blue")] == [(6, True), (1, False)]

    play(scene)


def test_what_the_marketplace_removed_is_not_put_on_sale(play: Play) -> None:
    """Such a row fails alone and as a whole; whatever else is asked of the variation is done."""

    async def scene(shop: Shop) -> None:
        await products.take_down_variation(shop.ctx, "ring-red")
        rows = [row("ring-red", 3, True), row("ring-red", enabled=True), row("ring-blue", 4, True)]
        assert await shop.apply(rows) == ["EnablingRemoved", "EnablingRemoved", ""]
        assert [await shop.has(sku) for sku in ("ring-red", "ring-blue")] == [(100, False), (4, True)]
        assert await shop.apply([row("ring-red", 8, False)]) == [""]
        assert await shop.has("ring-red") == (8, False)

    play(scene)


def test_variations_of_a_disabled_product_are_enabled_one_by_one(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        await products.disable_product(shop.ctx, RING)
        assert await shop.apply([row("ring-red", enabled=True), row("ring-blue", 2)]) == ["", ""]
        assert [await shop.has(sku) for sku in ("ring-red", "ring-blue")] == [(100, True), (2, False)]

    play(scene)


def test_stock_goes_to_one_warehouse_and_sale_everywhere(play: Play) -> None:
    """A warehouse that had nothing of it has it from then on."""

    async def scene(shop: Shop) -> None:
        assert await shop.has("ring-red", EXPRESS) == (None, True)
        assert await shop.apply([row("ring-red", 5, False), row("ring-red", 6)], warehouse=EXPRESS) == ["", ""]
        assert await shop.has("ring-red", EXPRESS) == (6, False)
        assert await shop.has("ring-red") == (100, False)
        with pytest.raises(WarehouseNotFound):
            await shop.start([row("ring-red", 5)], warehouse="EXPRESS-XX")

    play(scene)


def test_a_stock_level_of_another_warehouse_is_not_newer(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        job_id = await shop.start([row("ring-red", 5), row("ring-blue", 5)], warehouse=EXPRESS)
        await products.update_inventory(shop.ctx, "ring-red", 1)
        await products.update_inventory(shop.ctx, "ring-blue", 2, EXPRESS)
        await shop.work()
        assert await shop.outcome(job_id) == ["", "ChangedSince"]
        assert [await shop.has(sku, EXPRESS) for sku in ("ring-red", "ring-blue")] == [(5, True), (2, True)]

    play(scene)


# -- what was changed since

STOCK: dict[str, Verb] = {
    "update-inventory": lambda ctx: products.update_inventory(ctx, "ring-red", 42),
    "update": lambda ctx: products.update_variation(ctx, "ring-red", VariationChanges(inventory=42)),
    "update, to what it was": lambda ctx: products.update_inventory(ctx, "ring-red", 100),
}
SALE: dict[str, Verb] = {
    "variant/update": lambda ctx: products.update_variation(ctx, "ring-red", VariationChanges(enabled=False)),
    "variant/disable": lambda ctx: products.disable_variation(ctx, "ring-red"),
    "variant/enable": lambda ctx: products.enable_variation(ctx, "ring-red"),
    "product/disable": lambda ctx: products.disable_product(ctx, RING),
    "product/enable": lambda ctx: products.enable_product(ctx, RING),
    "the marketplace": lambda ctx: products.take_down_variation(ctx, "ring-red"),
}


async def with_a_change(shop: Shop, change: Verb, *rows: Row) -> tuple[list[str], bool]:
    """Start an update, make a single change, do the update; what became of it, and whether nothing moved."""
    job_id = await shop.start(rows)
    await change(shop.ctx)
    before = await shop.has("ring-red")
    await shop.work()
    return await shop.outcome(job_id), await shop.has("ring-red") == before


@pytest.mark.parametrize("change", STOCK)
def test_newer_stock_stays(play: Play, change: str) -> None:
    async def scene(shop: Shop) -> None:
        rows = row("ring-red", 5), row("ring-red", 6, False), row("ring-blue", 7)
        assert await with_a_change(shop, STOCK[change], *rows) == (["ChangedSince", "ChangedSince", ""], True)
        assert await with_a_change(shop, STOCK[change], row("ring-red", enabled=False)) == ([""], False)

    play(scene)


@pytest.mark.parametrize("change", SALE)
def test_newer_sale_stays(play: Play, change: str) -> None:
    async def scene(shop: Shop) -> None:
        rows = row("ring-red", enabled=False), row("ring-red", 5, False), row("scarf", 7, False)
        assert await with_a_change(shop, SALE[change], *rows) == (["ChangedSince", "ChangedSince", ""], True)
        assert await with_a_change(shop, SALE[change], row("ring-red", 6)) == ([""], False)

    play(scene)


def test_other_changes_are_in_nobodys_way(play: Play) -> None:
    async def change(ctx: MerchantCtx) -> None:
        await products.update_variation(ctx, "ring-red", VariationChanges(size="L"))
        await products.update_product(ctx, RING, ProductChanges(name="Ring"))
        await products.update_inventory(ctx, "ring-blue", 1)
        await products.disable_variation(ctx, "ring-green")

    async def scene(shop: Shop) -> None:
        assert await with_a_change(shop, change, row("ring-red", 5, False)) == ([""], False)

    play(scene)


def test_what_was_changed_before_is_overwritten(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        await products.update_inventory(shop.ctx, "ring-red", 1)
        await products.disable_variation(shop.ctx, "ring-red")
        assert await shop.apply([row("ring-red", 2, True)]) == [""]
        assert await shop.has("ring-red") == (2, True)

    play(scene)


def test_a_change_between_two_packs_stays(play: Play) -> None:
    """Newer than the moment the update was asked for, though its first pack has written the same variation."""

    async def scene(shop: Shop) -> None:
        job_id = await shop.start([row("ring-red", 5)], [row("ring-red", 6)])
        await shop.work(steps=1)
        await products.update_inventory(shop.ctx, "ring-red", 42)
        await shop.work()
        assert await shop.outcome(job_id) == ["", "ChangedSince"]
        assert await shop.has("ring-red") == (42, True)

    play(scene)


def test_a_later_update_writes_over_an_earlier_one(play: Play) -> None:
    """And a single change between the two is newer only than the earlier."""

    async def scene(shop: Shop) -> None:
        earlier = await shop.start([row("ring-red", 1), row("ring-blue", 1)])
        await products.update_inventory(shop.ctx, "ring-blue", 50)
        later = await shop.start([row("ring-red", 2), row("ring-blue", 2)])
        await shop.work()
        await shop.work()
        assert await shop.outcome(earlier) == ["", "ChangedSince"]
        assert await shop.outcome(later) == ["", ""]
        assert [await shop.has(sku) for sku in ("ring-red", "ring-blue")] == [(2, True), (2, True)]

    play(scene)


def test_a_product_that_was_removed_meanwhile(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        job_id = await shop.start([row("ring-red", 5, True), row("scarf", 6)])
        await products.remove_product(shop.ctx, RING)
        await shop.work()
        assert await shop.outcome(job_id) == ["SkuUnknown", ""]

    play(scene)


def test_a_sku_means_what_it_means_when_its_turn_comes(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        job_id = await shop.start([row("ring-red", 5), row("ring-crimson", 6)])
        await products.change_sku(shop.ctx, "ring-red", "ring-crimson")
        await shop.work()
        assert await shop.outcome(job_id) == ["SkuUnknown", ""]
        assert await shop.has("ring-crimson") == (6, True)

    play(scene)


# -- the end


def test_products_count_as_changed_when_all_of_it_is_there(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        before, scarf = await shop.changed_at(), await shop.changed_at("scarf")
        await shop.start([row("ring-red", 5)], [row("none", 5)], [row("scarf", 6, True)])
        await shop.work(steps=3, now=LATER)
        assert (await shop.changed_at(), await shop.changed_at("scarf")) == (before, scarf)
        await shop.work(now=LATER)
        assert (await shop.changed_at(), await shop.changed_at("scarf")) == (LATER, LATER)

    play(scene)


def test_what_a_cancelled_update_did_stays_and_is_told(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        job_id = await shop.start([row("ring-red", 5), row("none", 1)], [row("scarf", 6)])
        await shop.work(steps=1)
        scarf = await shop.changed_at("scarf")
        assert await bulk_updates.cancel_update(replace(shop.ctx, now=LATER), job_id) == RUNNING
        assert (await bulk_updates.find_update(shop.ctx, job_id)).state == CANCELLED
        assert await shop.outcome(job_id) == ["", "SkuUnknown"]
        assert await shop.has("ring-red") == (5, True)
        await shop.note(LATER)
        assert (await shop.changed_at(), await shop.changed_at("scarf")) == (LATER, scarf)
        assert await jobs.claim_next(shop.ctx, 1, [bulk_updates.KIND]) is None
        assert (
            await bulk_updates.cancel_update(replace(shop.ctx, now=LATER + timedelta(hours=1)), job_id) == CANCELLED
        )
        await shop.note(LATER + timedelta(hours=1))
        assert await shop.changed_at() == LATER

    play(scene)


def test_what_a_parked_update_did_counts_as_changed(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        job_id = await shop.start([row("ring-red", 5)], [row("scarf", 6)])
        await shop.work(steps=1)
        job, scarf = await bulk_updates.find_update(shop.ctx, job_id), await shop.changed_at("scarf")
        await BulkUpdates().parked(replace(shop.ctx, now=LATER), job)
        await shop.note(LATER)
        assert (await shop.changed_at(), await shop.changed_at("scarf")) == (LATER, scarf)

    play(scene)


def test_every_page_of_the_lists(play: Play) -> None:
    """Packs without a success, without a failure and without either kind in the middle of a page."""

    async def scene(shop: Shop) -> None:
        good, bad = row("ring-red", 5), row("none", 5)
        packs = [[good, bad], [good, good], [bad], [bad, good, bad], [good]]
        job_id = await shop.start(*([replace_sku(one, at) for one in pack] for at, pack in enumerate(packs)))
        await shop.work()
        succeeded, _ = await bulk_updates.list_successes(shop.ctx, job_id, Page(0, 100))
        failed, _ = await bulk_updates.list_failures(shop.ctx, job_id, Page(0, 100))
        assert succeeded == ["ring-red"] * 5
        assert [(one.row, one.sku) for one in failed] == [
            (2, "none 0"),
            (5, "none 2"),
            (6, "none 3"),
            (8, "none 3"),
        ]
        for start in range(7):
            for limit in range(1, 7):
                page = Page(start, limit)
                told = await bulk_updates.list_successes(shop.ctx, job_id, page)
                assert told == (succeeded[start : start + limit], len(succeeded) > start + limit)
                facts, more = await bulk_updates.list_failures(shop.ctx, job_id, page)
                assert [one.row for one in facts] == [one.row for one in failed[start : start + limit]]
                assert more == (len(failed) > start + limit)

    play(scene)


def replace_sku(one: Row, at: int) -> Row:
    """An unknown SKU with the number of its pack in it, so that one can be told from the other."""
    return one if one.sku == "ring-red" else row(f"{one.sku} {at}", one.inventory)


# -- rows as they are sent


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"sku": "a", "inventory": "10"}, row("a", 10)),
        ({"sku": "a", "inventory": JsonNumber("10")}, row("a", 10)),
        ({"sku": "a", "inventory": JsonNumber("0")}, row("a", 0)),
        ({"sku": "a", "inventory": JsonNumber("500000")}, row("a", MOST_INVENTORY)),
        ({"sku": "a", "inventory": JsonNumber("500001")}, row("a", fault="InventoryUnusable")),
        ({"sku": "a", "inventory": JsonNumber("10.0")}, row("a", fault="InventoryUnusable")),
        ({"sku": "a", "inventory": JsonNumber("1e3")}, row("a", fault="InventoryUnusable")),
        ({"sku": "a", "inventory": JsonNumber("-1")}, row("a", fault="InventoryUnusable")),
        ({"sku": "a", "inventory": JsonNumber("9" * 400)}, row("a", fault="InventoryUnusable")),
        ({"sku": "a", "inventory": ""}, row("a", fault="InventoryUnusable")),
        ({"sku": "a", "inventory": "١"}, row("a", fault="InventoryUnusable")),
        ({"sku": "a", "inventory": True}, row("a", fault="InventoryUnusable")),
        ({"sku": "a", "inventory": [1]}, row("a", fault="InventoryUnusable")),
        ({"sku": "a", "inventory": None, "enabled": False}, row("a", enabled=False)),
        ({"sku": "a", "inventory": JsonNumber("1"), "enabled": None}, row("a", 1)),
        ({"sku": "a", "enabled": True}, row("a", enabled=True)),
        ({"sku": "a", "enabled": "false"}, row("a", enabled=False)),
        ({"sku": "a", "enabled": "True"}, row("a", enabled=True)),
        ({"sku": "a", "enabled": "1"}, row("a", enabled=True)),
        ({"sku": "a", "enabled": "x"}, row("a", fault="EnabledUnusable")),
        ({"sku": "a", "enabled": ""}, row("a", fault="EnabledUnusable")),
        ({"sku": "a", "enabled": JsonNumber("1")}, row("a", fault="EnabledUnusable")),
        ({"sku": "a", "enabled": {}}, row("a", fault="EnabledUnusable")),
        ({"sku": "a", "inventory": "x", "enabled": "x"}, row("a", fault="InventoryUnusable")),
        ({"sku": "a"}, row("a", fault="NothingToChange")),
        ({"sku": "a", "inventory": None, "enabled": None}, row("a", fault="NothingToChange")),
        ({"sku": "a", "inventory": "1", "price": "3", "SKU": "b"}, row("a", 1)),
        ({"sku": " a ", "inventory": "1"}, row("a", 1)),
        ({"sku": "戒指", "inventory": "1"}, row("戒指", 1)),
        ({"sku": "x" * 100, "inventory": "1"}, row("x" * 100, 1)),
        ({"sku": "x" * 101, "inventory": "1"}, row("x" * 101, fault="SkuMissing")),
        ({"sku": "x" * 9000, "inventory": "1"}, row("x" * 200, fault="SkuMissing")),
        ({"sku": "a\x00b\x1f", "inventory": "1"}, row("a?b?", fault="SkuMissing")),
        ({"sku": "a\ud800", "inventory": "1"}, row("a?", fault="SkuMissing")),
        ({"sku": "  ", "inventory": "1"}, row("  ", fault="SkuMissing")),
        ({"sku": "", "inventory": "1"}, row("", fault="SkuMissing")),
        ({"sku": None, "inventory": "1"}, row("", fault="SkuMissing")),
        ({"sku": JsonNumber("7"), "inventory": "1"}, row("", fault="SkuMissing")),
        ({"inventory": "1"}, row("", fault="SkuMissing")),
        ({}, row("", fault="SkuMissing")),
        ("a", row("", fault="RowNotObject")),
        (["a", "1"], row("", fault="RowNotObject")),
        (None, row("", fault="RowNotObject")),
        (JsonNumber("1"), row("", fault="RowNotObject")),
    ],
    ids=repr,
)  # fmt: skip
def test_what_a_row_says(sent: Any, read: Row) -> None:
    assert read_row(sent) == read
    assert pack_rows([read_row(sent)])
