"""The verbs of the returns programme.

Whoever enrols a product holds its row first, like every writer of products. An address is validated by a job that
is written down with the change; the address may be changed again meanwhile, so the job knows which revision it is
about.
"""

from __future__ import annotations

from typing import Final

from tradepost.domain import inbox, jobs, products, reference
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.jobs import Advance, Job
from tradepost.domain.products import ProductRef
from tradepost.domain.returns import failures, rows
from tradepost.domain.returns.warehouse import (
    ADDRESS_FIELDS,
    INVALID,
    MOST_WAREHOUSES,
    Address,
    NewReturnWarehouse,
    ReturnSetting,
    ReturnWarehouse,
    ReturnWarehouseChanges,
    Verdict,
)
from tradepost.values import NOT_GIVEN

KIND: Final = "return_address"
UNVALIDATED_TOPIC: Final = "return_address_unvalidated"


async def list_warehouses(ctx: MerchantCtx) -> list[ReturnWarehouse]:
    """All return warehouses of the acting merchant, in the order they were created."""
    return await rows.list_warehouses(ctx.db, ctx.actor.id)


async def create_warehouse(ctx: MerchantCtx, new: NewReturnWarehouse) -> str:
    """Create a return warehouse and have its address validated; gives its id.

    Raises CountryOutsideRegion, ReturnFieldMissing, TooManyReturnWarehouses, TooManyJobs.
    """
    region = reference.RETURN_REGIONS[new.region]
    for name in region.required:
        if getattr(new, name) is None:
            raise failures.ReturnFieldMissing(name=name, region=region.code)
    if new.country not in region.countries:
        raise failures.CountryOutsideRegion(country=new.country, region=region.code)
    warehouse_id = ctx.new_id()
    if not await rows.insert_warehouse(ctx.db, ctx.actor.id, warehouse_id, new, ctx.now, MOST_WAREHOUSES):
        raise failures.TooManyReturnWarehouses(limit=MOST_WAREHOUSES)
    await _ask_for_validation(ctx, warehouse_id, 1)
    return warehouse_id


async def edit_warehouse(ctx: MerchantCtx, warehouse_id: str, changes: ReturnWarehouseChanges) -> None:
    """Change what was given of a return warehouse, and have its address validated anew.

    An address that is good and stays as it is stays good. Raises ReturnWarehouseNotFound, TooManyJobs.
    """
    warehouse = await rows.lock_warehouse(ctx.db, ctx.actor.id, warehouse_id)
    if warehouse is None:
        raise failures.ReturnWarehouseNotFound(id=warehouse_id)
    columns = {name: value for name, value in vars(changes).items() if value is not NOT_GIVEN}
    moved = any(columns[name] != getattr(warehouse.address, name) for name in ADDRESS_FIELDS if name in columns)
    revision = warehouse.revision
    if moved or not warehouse.is_validated:
        revision += 1
        await _ask_for_validation(ctx, warehouse_id, revision)
    await rows.update_warehouse(ctx.db, ctx.actor.id, warehouse_id, columns, revision)


async def list_settings(ctx: MerchantCtx, product_id: str) -> list[ReturnSetting]:
    """The regions that a product was ever enrolled in, by their code; raises ProductNotFound."""
    await products.require_product(ctx, product_id)
    return await rows.list_settings(ctx.db, ctx.actor.id, product_id)


async def enroll_product(ctx: MerchantCtx, product_id: str, region: str, warehouse_id: str) -> None:
    """Let a product be returned to a warehouse in its region, in place of any other warehouse there.

    Raises ProductNotFound, ProductRemoved, ReturnWarehouseNotFound, RegionDiffers, AddressUnderValidation,
    AddressInvalid, DimensionsMissing.
    """
    await products.hold_product(ctx, ProductRef(id=product_id))
    warehouse = await rows.find_warehouse(ctx.db, ctx.actor.id, warehouse_id)
    if warehouse is None:
        raise failures.ReturnWarehouseNotFound(id=warehouse_id)
    if warehouse.region != region:
        raise failures.RegionDiffers(region=region, actual=warehouse.region)
    if warehouse.address_state == INVALID:
        raise failures.AddressInvalid(id=warehouse_id)
    if not warehouse.is_validated:
        raise failures.AddressUnderValidation(id=warehouse_id)
    lacking = await products.find_unmeasured(ctx, product_id)
    if lacking is not None:
        raise failures.DimensionsMissing(id=product_id, sku=lacking)
    await rows.enable_setting(ctx.db, ctx.actor.id, product_id, region, warehouse_id, ctx.now)


async def disable_region(ctx: MerchantCtx, product_id: str, region: str) -> None:
    """Let a product not be returned in a region any more; once more is no error.

    Raises ProductNotFound, ProductRemoved, NotEnrolled.
    """
    await products.hold_product(ctx, ProductRef(id=product_id))
    if not await rows.disable_setting(ctx.db, ctx.actor.id, product_id, region, ctx.now):
        raise failures.NotEnrolled(id=product_id, region=region)


async def _ask_for_validation(ctx: MerchantCtx, warehouse_id: str, revision: int) -> None:
    about = {"warehouse_id": warehouse_id, "revision": revision}
    await jobs.enqueue(ctx, ctx.actor.id, KIND, KIND, about, most_open=jobs.MOST_OPEN)


# -- what workers do


async def address_to_validate(ctx: Ctx, job: Job) -> Address | None:
    """The address that a job is about; None where it was changed meanwhile, which another job is about."""
    warehouse = await rows.find_warehouse(ctx.db, job.account_id, job.arguments["warehouse_id"])
    if warehouse is None or warehouse.revision != job.arguments["revision"]:
        return None
    return warehouse.address


async def settle_address(ctx: Ctx, job: Job, verdict: Verdict | None) -> Advance:
    """Write down how an address stands, and the one that was suggested in its place, unless it was changed."""
    if verdict is not None:
        about = job.arguments
        await rows.settle(ctx.db, job.account_id, about["warehouse_id"], about["revision"], verdict)
    return Advance(position=1, done=True)


async def report_parked(ctx: Ctx, job: Job) -> None:
    """Tell the merchant that an address could not be validated, unless it was changed meanwhile."""
    if await address_to_validate(ctx, job) is not None:
        about = {"warehouse_id": job.arguments["warehouse_id"]}
        await inbox.notify(ctx, job.account_id, UNVALIDATED_TOPIC, about)
