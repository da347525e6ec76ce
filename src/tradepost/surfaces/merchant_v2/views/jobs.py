"""Jobs as the merchant service shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from tradepost.domain.jobs import CANCELLED, PENDING, RUNNING, Job

# 4 is the reference's; it tells no other.
STATUS_NUMBERS: Final = {"pending": 1, "running": 2, "failed": 3, "finished": 4, "cancelled": 5}

CANCELLED_NOW: Final = "Job cancelled successfully."
CANCELLED_BEFORE: Final = "Job has already been cancelled."
FINISHED_BEFORE: Final = "Job has already finished."


class JobStarted(msgspec.Struct):
    """A job that was asked for."""

    job_id: str


class JobMessage(msgspec.Struct):
    """What became of the wish to cancel a job."""

    message: str


class DownloadStatus(msgspec.Struct):
    """How far a download is; counts and times appear when there are any, the link when the file is ready."""

    status: str
    created_date: str
    total_count: int | UnsetType = UNSET
    processed_count: int | UnsetType = UNSET
    download_link: str | UnsetType = UNSET
    start_run_time: str | UnsetType = UNSET
    end_run_time: str | UnsetType = UNSET


class ResultLinks(msgspec.Struct):
    """Where the lists of what became of the rows are."""

    successes: str
    failures: str


class BulkUpdateStatus(msgspec.Struct):
    """How far a bulk update is."""

    status: int
    state: str
    merchant_id: str
    success_count: int
    failure_count: int
    processed_count: int
    results: ResultLinks
    id: str
    uploader_id: str
    start_time: str | UnsetType = UNSET
    end_time: str | UnsetType = UNSET


class RowError(msgspec.Struct):
    """A row of a bulk update that was not applied."""

    sku: str
    error_code: int
    error: str


def cancel_message(state_before: str) -> JobMessage:
    """What the caller of cancel is told, by the state that the job was in."""
    if state_before == CANCELLED:
        return JobMessage(CANCELLED_BEFORE)
    return JobMessage(CANCELLED_NOW if state_before in (PENDING, RUNNING) else FINISHED_BEFORE)


def download_status(job: Job, link: str | None) -> DownloadStatus:
    """The status of a download."""
    told = DownloadStatus(job.state.upper(), _long_time(job.created_at))
    if job.total is not None:
        told.total_count, told.processed_count = job.total, job.processed
    if link is not None:
        told.download_link = link
    if job.started_at is not None:
        told.start_run_time = _long_time(job.started_at)
    if job.ended_at is not None:
        told.end_run_time = _long_time(job.ended_at)
    return told


def bulk_update_status(job: Job, base_url: str) -> BulkUpdateStatus:
    """The status of a bulk update."""
    lists = f"{base_url}/api/v2/variant/get-bulk-update-job-"
    told = BulkUpdateStatus(
        status=STATUS_NUMBERS[job.state],
        state=job.state.upper(),
        merchant_id=job.account_id,
        success_count=job.succeeded,
        failure_count=job.failed,
        processed_count=job.processed,
        results=ResultLinks(*(f"{lists}{which}?job_id={quote(job.id)}" for which in ("successes", "failures"))),
        id=job.id,
        uploader_id=job.person_id or job.account_id,
    )
    if job.started_at is not None:
        told.start_time = _short_time(job.started_at)
    if job.ended_at is not None:
        told.end_time = _short_time(job.ended_at)
    return told


def _long_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def _short_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
