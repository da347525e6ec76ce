"""Asking for a file of the catalogue or of the orders, making it, and following the link to it."""

from __future__ import annotations

from typing import Final

from tradepost.domain import inbox, jobs, merchants, orders, outbox, warehouses
from tradepost.domain.context import CopyingRows, Ctx, MerchantCtx, Pieces
from tradepost.domain.downloads import rows
from tradepost.domain.downloads.download import ORDERS, PRODUCTS, Exported, File, version_folder
from tradepost.domain.downloads.failures import DownloadNotFound, LinkExpired
from tradepost.domain.downloads.lines import Lines
from tradepost.domain.downloads.link import LIFETIME, Link, LinkKeys
from tradepost.domain.downloads.sources import SOURCES, to_arguments
from tradepost.domain.jobs import FINISHED, Advance, Job, JobNotFound
from tradepost.domain.products import CatalogueFilter

READY_TOPICS: Final = tuple(source.ready_topic for source in SOURCES.values())
FAILED_TOPICS: Final = tuple(source.failed_topic for source in SOURCES.values())
SWEPT_AT_ONCE: Final = 500


async def start_product_download(ctx: MerchantCtx, wanted: CatalogueFilter) -> str:
    """Ask for a file of the catalogue; gives the id of its job. Raises WarehouseNotFound, TooManyJobs."""
    await warehouses.known_name(ctx, wanted.warehouse)
    return await jobs.enqueue(ctx, ctx.actor.id, PRODUCTS, PRODUCTS, to_arguments(wanted), most_open=jobs.MOST_OPEN)


async def start_order_download(ctx: MerchantCtx, wanted: orders.OrderCut) -> str:
    """Ask for a file of orders; gives the id of its job. Raises TooManyJobs."""
    return await jobs.enqueue(ctx, ctx.actor.id, ORDERS, ORDERS, to_arguments(wanted), most_open=jobs.MOST_OPEN)


async def find_download(ctx: MerchantCtx, job_id: str, kind: str = PRODUCTS) -> Job:
    """A download of one kind as it is now; raises JobNotFound."""
    return await jobs.find_job(ctx, ctx.actor.id, kind, job_id)


async def cancel_download(ctx: MerchantCtx, job_id: str, kind: str = PRODUCTS) -> str:
    """Cancel a download of one kind; gives the state it was in. Raises JobNotFound."""
    return (await jobs.cancel_job(ctx, ctx.actor.id, kind, job_id)).state


def key_of(account_id: str, job_id: str, version: int, kind: str) -> str:
    """The key of one version of the file of a download."""
    return f"{version_folder(account_id, job_id, version)}/{SOURCES[kind].name}.csv"


def link_path(keys: LinkKeys, job: Job) -> str | None:
    """The path of the link to a download's file; None where there is none, not yet or not any more."""
    version = (job.result or {}).get("version")
    if job.state != FINISHED or job.ended_at is None or version is None:
        return None
    return keys.path(job.account_id, job.id, version, job.ended_at)


async def open_link(ctx: Ctx, link: Link) -> File:
    """The file that a link leads to; raises LinkExpired, DownloadNotFound.

    The link must be of the version that the job ended with, the token that asked for it still be good, and the
    account not suspended.
    """
    if ctx.now >= link.expires_at:
        raise LinkExpired(hours=int(LIFETIME.total_seconds()) // 3600)
    try:
        job = await jobs.find_job(ctx, link.account_id, SOURCES, link.job_id)
    except JobNotFound:
        raise DownloadNotFound from None
    result = job.result or {}
    if job.state != FINISHED or result.get("version") != link.version:
        raise DownloadNotFound
    if not await rows.may_fetch(ctx.db, job.account_id, job.token_id):
        raise DownloadNotFound
    name = f"{job.account_id}-{job.id}-{job.ended_at or job.created_at:%Y-%m-%d-%H-%M-%S}.csv"
    return File(key_of(job.account_id, job.id, link.version, job.kind), name, result["size"])


# -- what workers do


class Export:
    """Makes the file of one job, and can be asked how far it is."""

    def __init__(self, job: Job, base_url: str, output: Pieces) -> None:
        """`base_url` is what URLs of our own begin with; `output` takes the bytes of the file."""
        self._base_url = base_url
        self._source = SOURCES[job.kind]
        self._job = job
        self._output = output
        self._lines = Lines()
        self._size = 0
        self.total: int | None = None

    @property
    def written(self) -> int:
        """The lines that are written, the header not counted."""
        return max(0, self._lines.count - 1)

    async def run(self, ctx: Ctx, db: CopyingRows) -> Exported:
        """Write all of it, as it is at one moment: the transaction reads from one snapshot."""
        merchant = await merchants.act_for(ctx, self._job.account_id)
        self.total = await self._source.count(merchant, self._job.arguments)
        await self._source.copy(merchant, db, self._job.arguments, self._base_url, self._write)
        key = key_of(self._job.account_id, self._job.id, self._job.fence, self._job.kind)
        return Exported(key, self.written, self._size)

    async def _write(self, piece: bytes) -> None:
        ended = self._lines.end(piece)
        self._size += len(ended)
        await self._output(ended)


async def finish_download(ctx: Ctx, job: Job, exported: Exported) -> Advance:
    """Let the link appear, in the transaction that ends the job."""
    about = {"job_id": job.id, "lines": exported.lines, "version": job.fence}
    await outbox.record_event(ctx, job.account_id, SOURCES[job.kind].ready_topic, about)
    return Advance(
        position=1,
        done=True,
        processed=exported.lines - job.processed,
        total=exported.lines,
        result={"version": job.fence, "size": exported.size},
    )


async def report_parked(ctx: Ctx, job: Job) -> None:
    """Say that a download was given up."""
    await inbox.notify(ctx, job.account_id, SOURCES[job.kind].failed_topic, {"job_id": job.id})


async def list_expired(ctx: Ctx) -> list[tuple[str, str]]:
    """Account and id of downloads that ended long enough ago for their files to go: no link is good any more."""
    return await rows.ended_before(ctx.db, list(SOURCES), ctx.now - LIFETIME, SWEPT_AT_ONCE)


async def forget_file(ctx: Ctx, account_id: str, job_id: str) -> None:
    """Note that the files of a download were deleted."""
    await rows.forget_file(ctx.db, account_id, job_id)
