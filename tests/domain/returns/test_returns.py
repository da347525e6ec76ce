"""The returns programme: what becomes of an address, whose size counts, and what a setting says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.support.calls import RETURN_WAREHOUSES, RINGS, SCARVES, good_call
from tests.support.database import Server, once
from tests.support.market import NOW, Market, World
from tradepost.domain import jobs, merchants, products, returns
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.jobs import FAILED, PENDING, Job
from tradepost.domain.products import NewDimensions, NewVariation
from tradepost.domain.returns import (
    Address,
    NewReturnWarehouse,
    ReturnWarehouse,
    ReturnWarehouseChanges,
    Verdict,
)
from tradepost.domain.returns.failures import (
    AddressInvalid,
    AddressUnderValidation,
    DimensionsMissing,
    NotEnrolled,
    ReturnWarehouseNotFound,
    TooManyReturnWarehouses,
)
from tradepost.storage.database import PLATFORM_ROLE, Database
from tradepost.surfaces.merchant_v2.chapters import api
from tradepost.values import Fact
from tradepost.worker.addresses import ReturnAddresses

RING, GREEN = RINGS["usd"]
SCARF = SCARVES["usd"][0]
HOME = RETURN_WAREHOUSES["usd"]
WORKER = 1
Verb = Callable[[MerchantCtx], Awaitable[Any]]
Play = Callable[[Verb], Any]
Shape = tuple[str | None, ...]


def new(**changes: Any) -> NewReturnWarehouse:
    """A return warehouse in Arkansas."""
    told = {"ship_to": "Desk", "region": "US", "city": "Rogers", "state": "AR", "country": "US", "zipcode": "72756"}
    return NewReturnWarehouse(**told | {"street_address1": "1 Street"} | changes)


def size(length: str, *others: str) -> NewDimensions:
    return NewDimensions(*(Decimal(text) for text in (length, *(others or ("1", "1", "1")))))


async def shape(ctx: MerchantCtx, product_id: str, variation_id: str | None = None) -> Shape:
    found = await products.find_dimensions(ctx, product_id, variation_id)
    return found.length, found.width, found.height, found.weight


async def find(ctx: MerchantCtx, warehouse_id: str) -> ReturnWarehouse:
    return next(each for each in await returns.list_warehouses(ctx) if each.id == warehouse_id)


async def claim(ctx: MerchantCtx) -> Job:
    """The next address to be validated, in the hands of a worker."""
    job = await jobs.claim_next(ctx, WORKER, [returns.KIND])
    assert job is not None
    return job


async def settle(ctx: MerchantCtx, job: Job, verdict: Verdict | None) -> None:
    await jobs.advance(ctx, jobs.claim_of(job), await returns.settle_address(ctx, job, verdict))


@pytest.fixture
def play(market: Market) -> Play:
    """Runs a scene in the first shop, where nothing waits to be done."""

    def run(scene: Verb) -> Any:
        async def within(ctx: Ctx) -> Any:
            await ctx.db.execute("delete from job")
            await ctx.db.execute("select pg_advisory_xact_lock(7403, 1)")
            return await scene(await merchants.act_for(ctx, market.world.merchants["usd"].account_id))

        return market.operate(within)

    return run


class TestAddress:
    """From being entered to being judged."""

    def test_the_four_states(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            entered = (await find(ctx, await returns.create_warehouse(ctx, new()))).address
            for verdict, state, city in (
                (Verdict(valid=True), "valid", "Rogers"),
                (Verdict(valid=True, suggestion=replace(entered, city="ROGERS")), "suggested", "ROGERS"),
                (Verdict(valid=False), "invalid", "Rogers"),
            ):
                warehouse_id = await returns.create_warehouse(ctx, new())
                assert (await find(ctx, warehouse_id)).address_state == "validating"
                job = await claim(ctx)
                while job.arguments["warehouse_id"] != warehouse_id:
                    await settle(ctx, job, None)
                    job = await claim(ctx)
                assert await returns.address_to_validate(ctx, job) == entered
                await settle(ctx, job, verdict)
                found = await find(ctx, warehouse_id)
                assert (found.address_state, found.address.city) == (state, city)

        play(scene)

    def test_a_verdict_about_an_address_that_was_changed_meanwhile_says_nothing(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            warehouse_id = await returns.create_warehouse(ctx, new())
            job = await claim(ctx)
            await returns.edit_warehouse(ctx, warehouse_id, ReturnWarehouseChanges(city="Fayetteville"))
            assert await returns.address_to_validate(ctx, job) is None
            stale = replace((await find(ctx, warehouse_id)).address, city="ROGERS")
            await settle(ctx, job, Verdict(valid=True, suggestion=stale))
            found = await find(ctx, warehouse_id)
            assert (found.address_state, found.address.city) == ("validating", "Fayetteville")
            await settle(ctx, await claim(ctx), Verdict(valid=True))
            assert (await find(ctx, warehouse_id)).address_state == "valid"

        play(scene)

    @pytest.mark.parametrize(
        ("state", "changes", "after"),
        [
            ("valid", {"warehouse_name": "x", "email": "a@b.example", "phone_number": "12345"}, "valid"),
            ("valid", {"city": "Bentonville", "zipcode": "72712"}, "valid"),
            ("suggested", {"ship_to": "x"}, "suggested"),
            ("valid", {"city": "Rogers"}, "validating"),
            ("suggested", {"street_address2": "Dock"}, "validating"),
            ("invalid", {"ship_to": "x"}, "validating"),
            ("invalid", {}, "validating"),
            ("validating", {}, "validating"),
        ],
    )
    def test_when_an_edited_address_is_validated_anew(
        self, play: Play, state: str, changes: dict[str, str], after: str
    ) -> None:
        """One that is good and stays as it is stays good; any other is looked at again."""

        async def scene(ctx: MerchantCtx) -> None:
            await ctx.db.execute("update return_warehouse set address_state = $1", state)
            await returns.edit_warehouse(ctx, HOME, ReturnWarehouseChanges(**changes))
            assert (await find(ctx, HOME)).address_state == after
            waiting = await ctx.db.fetchval("select count(*) from job where kind = $1", returns.KIND)
            assert waiting == (after == "validating")

        play(scene)

    def test_an_edit_changes_what_is_given_and_nothing_else(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            before = await find(ctx, HOME)
            await returns.edit_warehouse(ctx, HOME, ReturnWarehouseChanges(warehouse_name="South"))
            assert await find(ctx, HOME) == replace(before, name="South")
            with pytest.raises(ReturnWarehouseNotFound):
                await returns.edit_warehouse(ctx, RETURN_WAREHOUSES["cny"], ReturnWarehouseChanges(city="x"))

        play(scene)


class _Moody:
    """A validator that does not answer before so many calls."""

    def __init__(self, silent: int) -> None:
        self.silent = silent

    async def validate(self, address: Address) -> Verdict:
        self.silent -= 1
        if self.silent >= 0:
            raise RuntimeError("no answer")
        return Verdict(valid=True)


def test_a_validator_that_does_not_answer_leaves_the_address_as_one_that_is_validated(market: Market) -> None:
    """The job is parked in the end; an operator can release it, or the merchant edits the address."""
    handler = ReturnAddresses(market._database, _Moody(1))  # type: ignore[arg-type]

    async def ask(ctx: Ctx) -> None:
        acting = await merchants.act_for(ctx, market.world.merchants["usd"].account_id)
        await ctx.db.execute("delete from job")
        await ctx.db.execute("select pg_advisory_xact_lock(7403, 1)")
        warehouse_id = await returns.create_warehouse(acting, new())
        job = await claim(acting)
        with pytest.raises(RuntimeError):
            await handler.outside(job, lambda processed, total: None)
        await ctx.db.execute("reset role")
        await ctx.db.execute("update job set tries = 8")
        parked = await jobs.put_off(acting, jobs.claim_of(job), "no answer")
        assert parked is not None
        assert parked.state == FAILED
        await handler.parked(acting, parked)
        assert (await find(acting, warehouse_id)).address_state == "validating"
        assert (await jobs.release_job(acting, job.id)).state == PENDING
        job = await claim(acting)
        verdict = await handler.outside(job, lambda processed, total: None)
        await ctx.db.execute("reset role")
        await settle(acting, job, verdict)
        assert (await find(acting, warehouse_id)).address_state == "valid"

    market.operate(ask)


class TestDimensions:
    """A variation has its own or its product's, a product its own or what all its variations share."""

    def test_of_a_variation(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            _, blue = await products.find_variation(ctx, "ring-blue")
            assert await shape(ctx, RING) == ("3", "3", "3", "3")
            assert await shape(ctx, RING, GREEN) == ("2", "23", "12", "2.5")
            assert await shape(ctx, RING, blue.id) == ("3", "3", "3", "3")
            await products.set_dimensions(ctx, RING, blue.id, size("7"))
            await products.set_dimensions(ctx, RING, None, size("9"))
            assert await shape(ctx, RING, blue.id) == ("7", "1", "1", "1")
            assert await shape(ctx, RING, GREEN) == ("2", "23", "12", "2.5")
            assert await shape(ctx, RING) == ("9", "1", "1", "1")
            product, shown = await products.find_variation(ctx, "ring-blue")
            assert shown.logistics is not None
            assert (shown.logistics.length, product.updated_at) == ("7", NOW)

        play(scene)

    def test_of_a_product_that_has_none(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            assert await shape(ctx, SCARF) == (None, None, None, None)
            await products.set_dimensions(ctx, SCARF, SCARVES["usd"][1], size("4"))
            assert await shape(ctx, SCARF) == ("4", "1", "1", "1")
            second = NewVariation(
                parent_sku="scarf", sku="two", color="two", inventory=1, price=Decimal(1), length=Decimal(5)
            )
            await products.add_variation(ctx, second)
            assert await shape(ctx, SCARF) == (None, None, None, None)
            _, added = await products.find_variation(ctx, "two")
            assert await shape(ctx, SCARF, added.id) == ("5", None, None, None)
            assert await products.find_unmeasured(ctx, SCARF) == "two"
            await products.set_dimensions(ctx, SCARF, None, size("6"))
            assert await shape(ctx, SCARF, added.id) == ("5", "1", "1", "1")
            assert await products.find_unmeasured(ctx, SCARF) is None

        play(scene)


class TestEnrolment:
    """Which product is returned where."""

    def test_one_warehouse_a_region_and_the_last_one_counts(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            other = await returns.create_warehouse(ctx, new())
            mexico = await returns.create_warehouse(ctx, new(region="MX", country="MX", phone_number="12345"))
            await ctx.db.execute("update return_warehouse set address_state = 'suggested'")
            await returns.enroll_product(ctx, RING, "US", other)
            await returns.enroll_product(ctx, RING, "MX", mexico)
            await returns.disable_region(ctx, RING, "US")
            found = {each.region: each for each in await returns.list_settings(ctx, RING)}
            assert [(each.warehouse_id, each.is_active) for each in found.values()] == [
                (mexico, True),
                (other, False),
            ]
            await returns.disable_region(ctx, RING, "US")
            await returns.enroll_product(ctx, RING, "US", HOME)
            found = {each.region: each for each in await returns.list_settings(ctx, RING)}
            assert (found["US"].warehouse_id, found["US"].is_active) == (HOME, True)
            with pytest.raises(NotEnrolled):
                await returns.disable_region(ctx, RING, "EU")

        play(scene)

    def test_what_an_address_has_to_be(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            for state, refusal in (("validating", AddressUnderValidation), ("invalid", AddressInvalid)):
                await ctx.db.execute("update return_warehouse set address_state = $1", state)
                with pytest.raises(refusal):
                    await returns.enroll_product(ctx, RING, "US", HOME)
            # What was enrolled before stays so.
            assert [each.is_active for each in await returns.list_settings(ctx, RING)] == [True]

        play(scene)

    def test_each_dimension_is_needed_of_every_variation(self, play: Play) -> None:
        async def scene(ctx: MerchantCtx) -> None:
            await products.set_dimensions(ctx, SCARF, SCARVES["usd"][1], size("1"))
            for name in ("length", "width", "height", "weight"):
                await ctx.db.execute(f"update variation_logistics set {name} = null")
                with pytest.raises(DimensionsMissing):
                    await returns.enroll_product(ctx, SCARF, "US", HOME)
                await ctx.db.execute(f"update variation_logistics set {name} = 1")
            await returns.enroll_product(ctx, SCARF, "US", HOME)

        play(scene)


def test_calls_on_enrolment_are_counted_apart(market: Market) -> None:
    """500 a minute, whatever else is called; the 501st waits for the next minute."""
    endpoint = next(each for each in api.endpoints if each.path.endswith("/enroll-product-in-returns"))
    params = good_call("merchant", endpoint)
    answer = market.post(endpoint.path, **params)
    assert answer.headers["wish-rate-limit-remaining"] == "499"
    market.sql("update rate_window set used = 500 where key like 'merchant/enroll/%'")
    assert market.post(endpoint.path, **params).code == 1056
    assert market.get("/api/v2/returns/get-product-return-settings", id=params["id"]).status == 200
    assert market.post(endpoint.path, "cny", **good_call("merchant", endpoint, "cny")).status == 200


@pytest.mark.committing
def test_the_last_places_for_warehouses_are_given_once(server: Server, world: World) -> None:
    """Eight calls at once for the last three places: three succeed, and no place is taken twice or left out."""
    server.clone("places")
    account = world.merchants["usd"].account_id

    async def create(database: Database, barrier: asyncio.Barrier) -> Any:
        try:
            async with database.acting_for(account) as connection:
                ctx = await merchants.act_for(Ctx(db=connection, now=NOW, actor=None), account)
                await barrier.wait()
                return await returns.create_warehouse(ctx, new())
        except Fact as fact:
            return fact

    async def all_of_them() -> tuple[list[Any], list[int]]:
        database = Database(server.embedded.connection(PLATFORM_ROLE, "places"), PLATFORM_ROLE, most=8)
        await database.open()
        barrier = asyncio.Barrier(8)
        try:
            async with database.acting_for(account) as connection:
                await connection.execute(
                    "update return_warehouse set position = 97 where merchant_id = $1", account
                )
            came = await asyncio.gather(*(create(database, barrier) for _ in range(8)))
            async with database.acting_for(account) as connection:
                found = await connection.fetch(
                    "select position from return_warehouse where merchant_id = $1 order by 1", account
                )
            return list(came), [row[0] for row in found]
        finally:
            await database.close()

    came, places = once(all_of_them)
    assert places == [97, 98, 99, 100]
    assert sum(isinstance(one, TooManyReturnWarehouses) for one in came) == 5
    assert len({one for one in came if isinstance(one, str)}) == 3
