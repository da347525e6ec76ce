"""Batch jobs: downloads of the whole catalogue and of orders, and updates of many variations with one call.

In the reference the first three stand in the chapter *Product*, the others in *Product Variation*.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from tradepost.domain import bulk_updates, downloads
from tradepost.domain.bulk_updates import MOST_ROWS, Updates
from tradepost.domain.context import MerchantCtx
from tradepost.domain.jobs import JobNotFound, TooManyJobs
from tradepost.domain.orders import OrderCut
from tradepost.domain.products import CatalogueFilter
from tradepost.domain.warehouses import STANDARD, WarehouseNotFound
from tradepost.surfaces.merchant_v2 import vocabulary as v
from tradepost.surfaces.merchant_v2.bulk_rows import RowTaker
from tradepost.surfaces.merchant_v2.failures import SpanReversed
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.surfaces.merchant_v2.views.jobs import (
    BulkUpdateStatus,
    DownloadStatus,
    JobMessage,
    JobStarted,
    RowError,
    bulk_update_status,
    cancel_message,
    download_status,
)
from tradepost.values import Page
from tradepost.wire.endpoint import MIB
from tradepost.wire.http_types import BaseUrl, Locale
from tradepost.wire.json_rows import JsonRows
from tradepost.wire.paging import Listing, Under
from tradepost.wire.params import Choice, Doc, Moment, Whole

JobId = Annotated[str, v.AnyId(), Doc("The id of the job, as the call that started it gave it.")]
ResultStart = Annotated[int, Whole(0, MOST_ROWS), Doc("How many to pass over; 0 is the beginning.")]
ResultLimit = Annotated[int, Whole(1, 250), Doc("How many a page has, 1 to 250.")]


@api.write("/product/create-download-job", scope="products:read", fails=[WarehouseNotFound, TooManyJobs])
async def start_product_download(
    ctx: MerchantCtx,
    *,
    since: v.Since | None = None,
    limit: Annotated[int, Whole(1, 10_000_000), Doc("The most products that the file has; all if left out.")]
    | None = None,
    sort: Annotated[
        str, Choice(("asc", "desc")), Doc("The order of the products by their ids: asc or desc.")
    ] = "desc",
    show_rejected: v.ShowRejected = False,
    warehouse_name: v.WarehouseName | None = None,
) -> JobStarted:
    """Start a batch product download.

    A job makes a CSV file (UTF-8, RFC 4180) of your products, as they are at one moment: a header, then a line for
    each variation. Ask for its status, which has the link in the end; you also get the link by mail. A text that a
    spreadsheet would take for a formula has an apostrophe in front.
    """
    wanted = CatalogueFilter(since, limit, sort == "desc", show_rejected, warehouse_name or STANDARD)
    return JobStarted(await downloads.start_product_download(ctx, wanted))


@api.read("/product/get-download-job-status", scope="products:read", fails=[JobNotFound], method="POST")
async def get_product_download(ctx: MerchantCtx, *, job_id: JobId, base_url: BaseUrl) -> DownloadStatus:
    """Get the status of your batch product download.

    The status is PENDING, RUNNING, FINISHED, FAILED or CANCELLED. Counts are of the lines below the header. The
    link works for 72 hours after the download is ready, unless the access token that asked for it is revoked.
    """
    job = await downloads.find_download(ctx, job_id)
    path = downloads.link_path(ctx.link_keys, job)
    return download_status(job, path and base_url + path)


@api.write("/product/cancel-download-job", scope="products:read", fails=[JobNotFound])
async def cancel_product_download(ctx: MerchantCtx, *, job_id: JobId) -> JobMessage:
    """Cancel your batch product download.

    One that has finished, or was cancelled before, stays as it is; the message says so.
    """
    return cancel_message(await downloads.cancel_download(ctx, job_id))


class EndOfSpan(Moment):
    """The moment before which a span ends; a bare day belongs to the span as a whole."""

    def read(self, name: str, text: str) -> datetime:
        moment = Moment.read(self, name, text)
        return moment + timedelta(days=1) if "T" not in text else moment


@api.write("/order/create-download-job", scope="orders:read", fails=[TooManyJobs, SpanReversed])
async def start_order_download(
    ctx: MerchantCtx,
    *,
    start: Annotated[
        datetime,
        Moment(),
        Doc("Only orders placed at or after this time: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, UTC."),
    ]
    | None = None,
    end: Annotated[
        datetime,
        EndOfSpan(),
        Doc("Only orders placed before this time, or on this day or before: the same forms, UTC."),
    ]
    | None = None,
    since: Annotated[
        datetime,
        Moment(),
        Doc("Only orders changed at or after this time: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, UTC."),
    ]
    | None = None,
    limit: Annotated[int, Whole(1, 10_000_000), Doc("The most orders that the file has; all if left out.")]
    | None = None,
    sort: Annotated[
        str, Choice(("asc", "desc")), Doc("The order by the time at which they were placed: asc or desc.")
    ] = "desc",
) -> JobStarted:
    """Start a batch order download.

    A job makes a CSV file (UTF-8, RFC 4180) of your orders, as they are at one moment: a header, then a line for
    each order. Ask for its status, which has the link in the end; you also get the link by mail. A text that a
    spreadsheet would take for a formula has an apostrophe in front.
    """
    if start and end and end <= start:
        raise SpanReversed(name="end", other="start")
    wanted = OrderCut(start, end, since, limit, sort == "desc")
    return JobStarted(await downloads.start_order_download(ctx, wanted))


@api.read("/order/get-download-job-status", scope="orders:read", fails=[JobNotFound], method="POST")
async def get_order_download(ctx: MerchantCtx, *, job_id: JobId, base_url: BaseUrl) -> DownloadStatus:
    """Get the status of your batch order download.

    The status is PENDING, RUNNING, FINISHED, FAILED or CANCELLED. Counts are of the lines below the header. The
    link works for 72 hours after the download is ready, unless the access token that asked for it is revoked.
    """
    job = await downloads.find_download(ctx, job_id, downloads.ORDERS)
    path = downloads.link_path(ctx.link_keys, job)
    return download_status(job, path and base_url + path)


@api.write("/order/cancel-download-job", scope="orders:read", fails=[JobNotFound])
async def cancel_order_download(ctx: MerchantCtx, *, job_id: JobId) -> JobMessage:
    """Cancel your batch order download.

    One that has finished, or was cancelled before, stays as it is; the message says so.
    """
    return cancel_message(await downloads.cancel_download(ctx, job_id, downloads.ORDERS))


@api.write(
    "/variant/bulk-sku-update",
    scope="products:write",
    fails=[WarehouseNotFound, TooManyJobs],
    body_limit=64 * MIB,
)
async def start_bulk_update(
    ctx: MerchantCtx,
    *,
    updates: Annotated[
        Updates,
        JsonRows(MOST_ROWS, RowTaker),
        Doc(
            'A JSON array of up to 100,000 objects like {"sku": "aaa", "inventory": 10, "enabled": false}. Each '
            "needs a `sku`, and `inventory` (0 to 500,000) or `enabled` (true or false) or both."
        ),
    ],
    warehouse_name: Annotated[
        v.WarehouseName,
        Doc("The warehouse that `inventory` is set in; STANDARD if left out. `enabled` counts in all of them."),
    ]
    | None = None,
) -> JobStarted:
    """Bulk update product variations.

    A job applies the rows in their order, so of two with one SKU the second decides. A row that cannot be applied
    is left out and listed with the reason; the others are not touched by it. A variation that you change by
    another call after this one keeps that newer change, and its row is listed, too.
    """
    return JobStarted(await bulk_updates.start_update(ctx, updates, warehouse_name))


@api.read("/variant/get-bulk-update-job-status", scope="products:read", fails=[JobNotFound])
async def get_bulk_update(ctx: MerchantCtx, *, job_id: JobId, base_url: BaseUrl) -> BulkUpdateStatus:
    """Get the job status of variation bulk updates.

    The status is 1 PENDING, 2 RUNNING, 3 FAILED, 4 FINISHED or 5 CANCELLED. Counts are of rows; times are UTC.
    """
    return bulk_update_status(await bulk_updates.find_update(ctx, job_id), base_url)


@api.read("/variant/get-bulk-update-job-successes", scope="products:read", fails=[JobNotFound])
async def list_bulk_successes(
    ctx: MerchantCtx, *, job_id: JobId, start: ResultStart = 0, limit: ResultLimit = 50
) -> Annotated[Listing[str], Under("successes")]:
    """Get the successfully updated SKUs from variation bulk updates.

    In the order of the rows, as far as the job is; a SKU that was given twice is listed twice.
    """
    page = Page(start, limit)
    found, more = await bulk_updates.list_successes(ctx, job_id, page)
    return Listing(found, page, more, "successes")


@api.read("/variant/get-bulk-update-job-failures", scope="products:read", fails=[JobNotFound])
async def list_bulk_failures(
    ctx: MerchantCtx, *, job_id: JobId, start: ResultStart = 0, limit: ResultLimit = 50, locale: Locale
) -> Annotated[Listing[RowError], Under("errors")]:
    """Get the errors from variation bulk updates.

    In the order of the rows, as far as the job is. The error code is 29 for a SKU that you do not have.
    """
    page = Page(start, limit)
    found, more = await bulk_updates.list_failures(ctx, job_id, page)
    told = [(failure.sku, api.table.tell(failure, locale)) for failure in found]
    return Listing([RowError(sku, failed.code, failed.message) for sku, failed in told], page, more, "errors")


@api.write("/variant/cancel-bulk-update-job", scope="products:read", fails=[JobNotFound])
async def cancel_bulk_update(ctx: MerchantCtx, *, job_id: JobId) -> JobMessage:
    """Cancel a bulk product variations update job.

    What is done stays done, and its lists stay to be read; no row is applied after this answer.
    """
    return cancel_message(await bulk_updates.cancel_update(ctx, job_id))
