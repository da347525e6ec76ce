"""Jobs: what workers do, what waits, what was given up and may be tried again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.domain import jobs, operators
from tradepost.domain.jobs import JobNotFound, JobNotParked
from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, acting, show
from tradepost.surfaces.pages.site import Visit
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/jobs"
SHOWN: Final = 100


async def show_jobs(visit: Visit) -> Response:
    """At work, given up, waiting, then the latest that ended."""
    async with acting(visit) as ctx:
        found = await jobs.list_jobs(ctx, SHOWN)
    return show(visit, "jobs.html", found=found)


async def retry(visit: Visit) -> Response:
    """Let a job that was given up try again; one that is not any more stays as it is."""
    try:
        async with acting(visit) as ctx:
            job = await jobs.release_job(ctx, visit.blanks["job"])
            await operators.record_act(ctx, "retry_job", job.account_id, {"job_id": job.id, "kind": job.kind})
    except (JobNotFound, JobNotParked):
        return visit.redirect(HERE)
    return visit.done("office_retried", HERE)


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HERE: {"GET": show_jobs},
    f"{HERE}/{{job}}/retry": {"POST": retry},
}
