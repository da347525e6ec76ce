"""Asking for a bulk update, doing it pack by pack, and telling what became of it."""

from __future__ import annotations

from typing import Final

from tradepost.domain import inbox, jobs, products, warehouses
from tradepost.domain.bulk_updates import rows
from tradepost.domain.bulk_updates.failures import RowFailure
from tradepost.domain.bulk_updates.update import Applied, Judgement, Updates, unpack_rows, why
from tradepost.domain.context import MerchantCtx
from tradepost.domain.jobs import Advance, Job
from tradepost.values import Page

KIND: Final = "bulk_update"
LANE: Final = "bulk_update"
NOTE_KIND: Final = "bulk_update_note"
NOTED_AT_ONCE: Final = 5_000
FAILED_TOPIC: Final = "bulk_update_failed"


async def start_update(ctx: MerchantCtx, updates: Updates, warehouse_name: str | None = None) -> str:
    """Ask for an update of many variations; gives the id of its job.

    Stock is set in one warehouse (STANDARD for None), sale everywhere. Raises WarehouseNotFound, TooManyJobs.
    """
    warehouse = await warehouses.known_name(ctx, warehouse_name)
    arguments = {
        "warehouse": warehouse,
        "revision": await products.next_revision(ctx),
        "rows": updates.count,
        "packs": len(updates.packs),
    }
    job_id = await jobs.enqueue(ctx, ctx.actor.id, KIND, LANE, arguments, most_open=jobs.MOST_OPEN)
    for number, pack in enumerate(updates.packs):
        await rows.insert_pack(ctx.db, ctx.actor.id, job_id, number, pack)
    return job_id


async def find_update(ctx: MerchantCtx, job_id: str) -> Job:
    """An update as it is now; raises JobNotFound."""
    return await jobs.find_job(ctx, ctx.actor.id, KIND, job_id)


async def cancel_update(ctx: MerchantCtx, job_id: str) -> str:
    """Cancel an update, keeping what is done; gives the state it was in. Raises JobNotFound."""
    before = await jobs.cancel_job(ctx, ctx.actor.id, KIND, job_id)
    if before.is_open and before.position > 0:
        await note_later(ctx, before)
    return before.state


async def list_successes(ctx: MerchantCtx, job_id: str, page: Page) -> tuple[list[str], bool]:
    """One page of the SKUs that were updated, and whether there is more; raises JobNotFound."""
    await find_update(ctx, job_id)
    found = await rows.successes(ctx.db, ctx.actor.id, job_id, page.start, page.limit + 1)
    return found[: page.limit], len(found) > page.limit


async def list_failures(ctx: MerchantCtx, job_id: str, page: Page) -> tuple[list[RowFailure], bool]:
    """One page of the rows that were not applied, and whether there is more; raises JobNotFound."""
    await find_update(ctx, job_id)
    found = await rows.failures(ctx.db, ctx.actor.id, job_id, page.start, page.limit + 1)
    return [why(failed) for failed in found[: page.limit]], len(found) > page.limit


async def take_step(ctx: MerchantCtx, job: Job) -> Advance:
    """Apply the pack that is next or, after the last one, note which products were changed.

    It runs in the transaction that also moves the job on.
    """
    if job.position < job.arguments["packs"]:
        return await _apply_pack(ctx, job)
    return await _note_changes(ctx, job, job.id, job.position - job.arguments["packs"])


async def note_later(ctx: MerchantCtx, update: Job) -> None:
    """Have the changes of an update noted that ended before it could do so itself."""
    await jobs.enqueue(ctx, ctx.actor.id, NOTE_KIND, NOTE_KIND, {"update": update.id})


async def report_parked(ctx: MerchantCtx, update: Job) -> None:
    """Tell the merchant that an update was given up, and have noted what it changed until then."""
    about = {"job_id": update.id, "processed": update.processed, "total": update.total}
    await inbox.notify(ctx, ctx.actor.id, FAILED_TOPIC, about)
    await note_later(ctx, update)


async def take_note_step(ctx: MerchantCtx, job: Job) -> Advance:
    """The next step of noting the changes of an update that was cancelled or given up."""
    return await _note_changes(ctx, job, job.arguments["update"], job.position)


async def _note_changes(ctx: MerchantCtx, job: Job, update_id: str, step: int) -> Advance:
    """Let some of the products whose variations an update has changed count as changed now.

    That is done when the update ends, however it ends: whoever asks what was changed since some time gets them
    after all of it is there.
    """
    ids = await rows.changed_products(ctx.db, ctx.actor.id, update_id, step * NOTED_AT_ONCE, NOTED_AT_ONCE)
    await products.note_changes(ctx, ids)
    return Advance(position=job.position + 1, done=len(ids) < NOTED_AT_ONCE)


async def _apply_pack(ctx: MerchantCtx, job: Job) -> Advance:
    number, arguments = job.position, job.arguments
    pack = await rows.find_pack(ctx.db, ctx.actor.id, job.id, number)
    sent = unpack_rows(pack.rows)
    skus = {row.sku for row in sent if row.fault is None}
    known = await products.find_variations(ctx, skus)
    if on_sale := {row.sku for row in sent if row.enabled is not None} & known.keys():
        await products.hold_products(ctx, [known[sku] for sku in on_sale])
        known = await products.find_variations(ctx, skus)
    judgement = Judgement(sent, pack.first_row, known)
    await _write(ctx, judgement, arguments["warehouse"], arguments["revision"])
    failed = judgement.failed
    applied = Applied(job.succeeded, len(sent) - len(failed), job.failed, failed, judgement.changed_products)
    if not await rows.note_applied(ctx.db, ctx.actor.id, job.id, number, applied):
        raise AssertionError(f"pack {number} of {job.id} was applied before")
    return Advance(
        position=number + 1,
        done=False,
        processed=len(sent),
        succeeded=applied.succeeded,
        failed=len(failed),
        total=arguments["rows"],
    )


async def _write(ctx: MerchantCtx, judgement: Judgement, warehouse: str, revision: int) -> None:
    if double := judgement.double:
        newer = await products.find_newer(ctx, warehouse, revision, double)
        judgement.refuse(newer, stock=True, sale=True)
    if enabled := judgement.enabled:
        newer = await products.set_enabled(ctx, revision, enabled)
        judgement.refuse(newer, stock=False, sale=True)
    if stock := judgement.stock:
        newer = await products.set_stock(ctx, warehouse, revision, stock)
        judgement.refuse(newer, stock=True, sale=False)
