"""The first page: what waits for an operator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.domain import access, infractions, jobs, products, tickets
from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.apps import SERVICES
from tradepost.surfaces.pages.office.desk import ROOT, acting, show
from tradepost.surfaces.pages.site import Visit
from tradepost.values import FIRST
from tradepost.wire.http_types import Response

MOST: Final = 99
"""Of more it is told that there are more."""
SHOWN_JOBS: Final = 200


async def show_overview(visit: Visit) -> Response:
    """How much waits: products, tickets, infractions, and jobs that were given up."""
    async with acting(visit) as ctx:
        pending, more_pending = await products.pending_products(ctx, FIRST, MOST)
        escalated, more_escalated = await tickets.escalated_tickets(ctx, FIRST, MOST)
        answered, more_answered = await infractions.answered_infractions(ctx, FIRST, MOST)
        waiting = [app for service in SERVICES for app in (await access.waiting_apps(ctx, service, MOST))[0]]
        failed = [job for job in await jobs.list_jobs(ctx, SHOWN_JOBS) if job.state == "failed"]
    tiles = [
        (f"{ROOT}/products", "office.products", len(pending), more_pending),
        (f"{ROOT}/tickets", "office.tickets", len(escalated), more_escalated),
        (f"{ROOT}/infractions", "office.infractions", len(answered), more_answered),
        (f"{ROOT}/apps?state=waiting", "office.apps_waiting", len(waiting), False),
        (f"{ROOT}/jobs", "office.jobs_failed", len(failed), False),
    ]
    return show(visit, "overview.html", tiles=tiles)


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {ROOT: {"GET": show_overview}}
