"""Downloads and bulk updates: jobs with their progress, and a CSV file to apply. Chapters about batch jobs."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from tradepost.domain import bulk_updates, downloads, jobs, warehouses
from tradepost.domain.bulk_updates import MOST_ROWS, Updates
from tradepost.surfaces.merchant_v2.bulk_rows import RowTaker
from tradepost.surfaces.pages import lists
from tradepost.surfaces.pages.asked import cookie
from tradepost.surfaces.pages.shop.home import KINDS
from tradepost.surfaces.pages.site import Page, Visit, cookie_name
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Bookmark, Fact
from tradepost.values import Page as Stretch
from tradepost.wire.http_types import Response

FILES: Final = "/files"
FOLLOW: Final = "follow"
"""What is asked, and kept by a cookie, about following what is under way: `off` stops it, `on` goes on."""
SHOWN: Final = 200
MOST_FILE: Final = 8 << 20
CANCEL: Final = {
    downloads.PRODUCTS: "/product/cancel-download-job",
    downloads.ORDERS: "/order/cancel-download-job",
    bulk_updates.KIND: "/variant/cancel-bulk-update-job",
}
COLUMNS: Final = ("sku", "inventory", "enabled")


async def show_files(visit: Visit, problem: Problem | None = None, about: str = "") -> Response:
    """The jobs that the shop asked for, the last first, and forms for more; `about` is the form that is wrong."""
    async with visit.shop() as ctx:
        found, more = await jobs.page_asked(ctx, ctx.actor.id, KINDS, lists.bookmark(visit), lists.PAGE)
        names = [one.name for one in await warehouses.list_warehouses(ctx)]
    links = {
        job.id: downloads.link_path(ctx.link_keys, job)
        for job in found
        if job.kind != bulk_updates.KIND and ctx.link_keys is not None
    }
    last = Bookmark(found[-1].created_at, found[-1].id) if found else None
    return _render(
        visit,
        "shop/files.html",
        FILES,
        any(job.is_open for job in found),
        200 if problem is None else problem.status,
        found=found,
        links=links,
        pages=lists.behind(visit, last, more),
        warehouses=[(name, name) for name in sorted(names, key=lambda name: (name != "STANDARD", name))],
        problem=problem,
        about=about,
        sent=visit.sent,
        bulk=bulk_updates.KIND,
    )


async def show_update(visit: Visit) -> Response:
    """A bulk update with the lines that were not applied, each with the reason."""
    async with visit.shop() as ctx:
        job = await bulk_updates.find_update(ctx, visit.blanks["id"])
        failed, more = await bulk_updates.list_failures(ctx, job.id, Stretch(0, SHOWN))
    table = visit.site.kit.api.table
    told = [(failure.sku, table.tell(failure, visit.say.locale).message) for failure in failed]
    return _render(visit, "shop/bulk_update.html", visit.request.path, job.is_open, job=job, failed=told, more=more)


def _render(visit: Visit, template: str, path: str, is_open: bool, status: int = 200, **values: Any) -> Response:
    """A page of work, which follows what `is_open` until its reader stops that; his browser keeps what he chose.

    `path` is where the page is to be had, for one that was answered to a form as well.
    """
    kept = cookie_name(visit, FOLLOW)
    chosen = visit.query.get(FOLLOW) or cookie(visit.request, kept)
    query = visit.query.without(FOLLOW) if path == visit.request.path else ""
    following = {
        "is_open": is_open,
        "is_on": chosen != "off",
        "here": path + query,
        "other": f"{path}{query}{'&' if query else '?'}{FOLLOW}={'on' if chosen == 'off' else 'off'}",
    }
    follows = is_open and chosen != "off"
    response = visit.render(template, status, follows=follows, following=following, **values)
    if visit.query.get(FOLLOW) in ("on", "off"):
        response.headers["Set-Cookie"] = visit.cookie(FOLLOW, "off", gone=chosen == "on")
    return response


async def _start(visit: Visit, path: str, names: tuple[str, ...], about: str) -> Response:
    """Ask for a file by an endpoint; or show what is wrong with the form."""
    try:
        async with visit.shop() as ctx:
            await visit.call(ctx, path, {name: visit.form.get(name) or "" for name in names})
    except Fact as fact:
        problem = visit.problem(fact, {"SpanReversed": "end"})
        return await show_files(visit, problem, about)
    return visit.done("job_started", FILES)


async def start_products(visit: Visit) -> Response:
    """Ask for a file of the products."""
    return await _start(visit, "/product/create-download-job", ("since",), "products")


async def start_orders(visit: Visit) -> Response:
    """Ask for a file of the orders."""
    return await _start(visit, "/order/create-download-job", ("start", "end"), "orders")


async def start_update(visit: Visit) -> Response:
    """Apply a CSV file to stock and sale, by a job."""
    try:
        # Reading 100,000 lines takes a while, in which others are answered.
        updates = await asyncio.to_thread(read_updates, visit.form.get("updates") or "")
    except FileUnusable as unusable:
        return await show_files(visit, Problem(visit.say(unusable.key), "updates"), "bulk")
    try:
        async with visit.shop() as ctx:
            await bulk_updates.start_update(ctx, updates, visit.form.get("warehouse_name") or None)
    except Fact as fact:
        return await show_files(visit, visit.problem(fact), "bulk")
    return visit.done("job_started", FILES)


class FileUnusable(Exception):
    """A file that cannot be applied; `key` is that of the words for it."""

    def __init__(self, key: str) -> None:
        self.key = key


def read_updates(text: str) -> Updates:
    """The rows of a CSV file whose first line names its columns, with commas, semicolons or tabs between them."""
    first, _, _ = text.lstrip("\ufeff").partition("\n")
    separator = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=separator)
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    if "sku" not in names or not names.keys() & {"inventory", "enabled"}:
        raise FileUnusable("bulk_no_sku")
    taker, count = RowTaker(), 0
    try:
        for line in reader:
            count += 1
            if count > MOST_ROWS:
                raise FileUnusable("bulk_too_many")
            cells = {name: (line.get(names[name]) or "").strip() for name in COLUMNS if name in names}
            taker.add({name: cell or None for name, cell in cells.items()})
    except csv.Error:
        raise FileUnusable("bulk_not_text") from None
    if not count:
        raise FileUnusable("bulk_no_rows")
    return taker.done()


async def cancel(visit: Visit) -> Response:
    """Cancel a job; what it has done stays done."""
    kind = lists.one_of(visit.form.get("kind"), list(CANCEL), bulk_updates.KIND)
    async with visit.shop() as ctx:
        await visit.call(ctx, CANCEL[kind], {"job_id": visit.blanks["id"]})
    return visit.done("job_cancelled", FILES)


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    FILES: {"GET": show_files},
    "/files/products": {"POST": start_products},
    "/files/orders": {"POST": start_orders},
    "/files/updates": {"POST": start_update},
    "/files/updates/{id}": {"GET": show_update},
    "/files/{id}/cancel": {"POST": cancel},
}
LARGE: Final = {"/files/updates": MOST_FILE}
