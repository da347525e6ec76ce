"""Batch jobs beside what PostgreSQL itself can do: a bulk update of 100,000 rows, and a file of a whole catalogue.

Everything is timed from outside, from the first byte of the request to the status FINISHED, with two workers. The
bare limits run on the same database in turn: one `UPDATE … FROM` of the same rows, and psql's `COPY (query) TO` of
the very query that the export runs, taken down from the program's own function.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import random
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from bench.catalogue import WIDE, Shop
from bench.installation import Started
from bench.pace import Paced, paced
from tradepost.domain.products import CatalogueFilter
from tradepost.domain.products.rows import export
from tradepost.opening import connect_arguments, embedded_database
from tradepost.settings import Settings
from tradepost.storage import migrate
from tradepost.storage.database import PLATFORM_ROLE
from tradepost.storage.embedded_binaries import find_binaries

ROWS = 100_000
POLL_SECONDS = 0.02
LOOK_SECONDS = 0.1
READERS = 4
READS_PER_SECOND = 200

_BARE_UPDATE = """
    update stock s set inventory = u.inventory
      from unnest($2::text[], $3::integer[]) as u (sku, inventory), variation v, warehouse w
     where v.merchant_id = $1 and v.sku = u.sku and v.removed_at is null
       and w.merchant_id = $1 and w.name = 'STANDARD'
       and s.merchant_id = $1 and s.product_id = v.product_id and s.warehouse_id = w.id and s.variation_id = v.id
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """One run: so many rows in so many seconds."""

    rows: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds


@dataclass(frozen=True, slots=True)
class BatchResult:
    """A batch job beside its limit, round by round, and the most memory a worker held, in MiB."""

    name: str
    program: Sequence[Rate]
    bare: Sequence[Rate]
    worker_mib: float

    def ratios(self) -> list[float]:
        """The program's rate to the bare limit's, round by round."""
        return [ours.per_second / bare.per_second for ours, bare in zip(self.program, self.bare, strict=True)]


def bulk(program: Started, shop: Shop, rounds: int, *, shuffled: bool) -> BatchResult:
    """Bulk updates of 100,000 rows, in the order of the catalogue or in none."""
    settings = program.settings
    skus = asyncio.run(_skus(settings, shop.id))
    if shuffled:
        random.Random(5).shuffle(skus)
    ours, bare = [], []
    for turn in range(rounds):
        stock = [random.Random(turn).randrange(500) for _ in skus]
        bare.append(Rate(len(skus), asyncio.run(_bare_update(settings, shop.id, skus, stock))))
        body = bulk_body(skus, [pieces + 1 for pieces in stock])
        before = time.monotonic()
        run_bulk(program, shop, body, len(skus))
        ours.append(Rate(len(skus), time.monotonic() - before))
    name = f"{len(skus):,} rows, {'in no order' if shuffled else 'in the order of the catalogue'}"
    return BatchResult(name, ours, bare, worker_mib(program))


def bulk_body(skus: Sequence[str], stock: Sequence[int]) -> bytes:
    """The form of an update, escaped as clients escape it."""
    rows = [{"sku": sku, "inventory": pieces} for sku, pieces in zip(skus, stock, strict=True)]
    return b"updates=" + quote(json.dumps(rows, separators=(",", ":")), safe="").encode()


def run_bulk(program: Started, shop: Shop, body: bytes, rows: int, poll_seconds: float = POLL_SECONDS) -> None:
    """Send an update and wait until it is finished; raises AssertionError where a row failed."""
    job_id = ask(program, shop, "/api/v2/variant/bulk-sku-update", body)["job_id"]
    status = f"/api/v2/variant/get-bulk-update-job-status?job_id={job_id}"
    found = _wait(lambda: ask(program, shop, status), poll_seconds)
    assert found["state"] == "FINISHED", found
    assert found["success_count"] == rows, found


def downloads(program: Started, shop: Shop, rounds: int) -> BatchResult:
    """Files of the whole catalogue, held against psql."""
    settings = program.settings
    query = _export_query(shop.id)
    ours, bare = [], []
    for _ in range(rounds):
        bare.append(Rate(shop.products * WIDE, _bare_copy(settings, query)))
        before = time.monotonic()
        job_id = ask(program, shop, "/api/v2/product/create-download-job", b"")["job_id"]
        status = f"/api/v2/product/get-download-job-status?job_id={job_id}"
        found = _wait(lambda status=status: ask(program, shop, status))  # type: ignore[misc]
        assert found["status"] == "FINISHED", found
        ours.append(Rate(found["processed_count"], time.monotonic() - before))
        assert ours[-1].rows == shop.products * WIDE, found
    return BatchResult(f"{shop.products * WIDE:,} variations", ours, bare, worker_mib(program))


def neighbour(program: Started, shop: Shop, other: Shop, seconds: int) -> tuple[Paced, Paced]:
    """Another merchant's single reads, at a fixed pace: in quiet, and while bulk updates follow each other."""
    settings = program.settings
    skus = asyncio.run(_skus(settings, shop.id))
    paths = [f"/api/v2/product?id={key}" for key in other.product_ids[:1000]]

    def read() -> Paced:
        return paced(program.host, other.token, paths, READERS, READS_PER_SECOND, seconds)

    read()  # fills caches; not counted
    quiet = read()
    # In a process of its own: in a thread it would keep the reader waiting for the interpreter.
    over = multiprocessing.Event()
    other_client = multiprocessing.Process(target=_keep_updating, args=(program, shop, skus, over))
    other_client.start()
    try:
        return quiet, read()
    finally:
        over.set()
        other_client.join()


def _keep_updating(program: Started, shop: Shop, skus: Sequence[str], over: Event) -> None:
    """One update after another, and a look at its status ten times a second, until it is over."""
    bodies = [bulk_body(skus, [pieces] * len(skus)) for pieces in (1, 2)]
    while not over.is_set():
        for body in bodies:
            run_bulk(program, shop, body, len(skus), LOOK_SECONDS)


def worker_mib(program: Started) -> float:
    """The most memory that any worker of the installation has held so far."""
    data = program.environment["TRADEPOST_DATA"].encode()
    most = 0.0
    for process in Path("/proc").iterdir():
        try:
            if not process.name.isdigit() or b"tradepost\0work" not in (process / "cmdline").read_bytes():
                continue
            if b"TRADEPOST_DATA=" + data not in (process / "environ").read_bytes():
                continue
            status = (process / "status").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        high = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        most = max(most, int(high.split()[1]) / 1024)
    return most


def ask(program: Started, shop: Shop, target: str, body: bytes | None = None) -> Any:
    """The data of an answer, which has to be a success."""
    request = urllib.request.Request(
        f"http://{program.host}{target}", data=body, headers={"Authorization": f"Bearer {shop.token}"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    assert answer["code"] == 0, answer
    return answer["data"]


def _wait(status: Callable[[], Any], poll_seconds: float = POLL_SECONDS) -> Any:
    while True:
        found = status()
        if found.get("state", found["status"]) not in ("PENDING", "RUNNING"):
            return found
        time.sleep(poll_seconds)


async def _connect(settings: Settings) -> asyncpg.Connection[Any]:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        **connect_arguments(settings, PLATFORM_ROLE), server_settings={"search_path": migrate.SCHEMA, "jit": "off"}
    )
    return connection


async def _skus(settings: Settings, merchant_id: str) -> list[str]:
    connection = await _connect(settings)
    try:
        found = await connection.fetch(
            "select sku from variation where merchant_id = $1 order by product_id, position limit $2",
            merchant_id,
            ROWS,
        )
        return [row["sku"] for row in found]
    finally:
        await connection.close()


async def _bare_update(settings: Settings, merchant_id: str, skus: list[str], stock: list[int]) -> float:
    connection = await _connect(settings)
    try:
        before = time.monotonic()
        done = await connection.execute(_BARE_UPDATE, merchant_id, skus, stock)
        took = time.monotonic() - before
        assert done == f"UPDATE {len(skus)}", done
        return took
    finally:
        await connection.close()


class _Taken(Exception):
    """The query is noted."""


def _export_query(merchant_id: str) -> str:
    """The query of the export with its arguments written in, as psql wants it."""
    noted: list[tuple[str, tuple[Any, ...]]] = []

    class Notebook:
        async def copy_from_query(self, query: str, *args: Any, **options: Any) -> str:
            noted.append((query, args))
            raise _Taken

    async def nowhere(piece: bytes) -> None:
        return None

    with contextlib.suppress(_Taken):
        notebook: Any = Notebook()
        url = "https://merchant.example"
        asyncio.run(export.copy(notebook, merchant_id, CatalogueFilter(), True, "USD", url, nowhere))
    query, arguments = noted[0]
    for at in range(len(arguments), 0, -1):
        query = query.replace(f"${at}", _literal(arguments[at - 1]))
    return query


def _literal(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | int) else f"'{value}'"


def _bare_copy(settings: Settings, query: str) -> float:
    """psql writes the file, as the platform's role; gives the seconds."""
    embedded = embedded_database(settings)
    assert embedded is not None
    address = connect_arguments(settings, PLATFORM_ROLE)
    psql = find_binaries(None).folder / "psql"
    with tempfile.TemporaryDirectory() as folder:
        one_line = " ".join(query.split())
        command = f"\\copy ({one_line}) to '{folder}/bare.csv' with (format csv, header)"
        options = f"-c jit=off -c search_path={migrate.SCHEMA}"
        target = f"host={address['host']} dbname={address['database']} user={address['user']} options='{options}'"
        before = time.monotonic()
        subprocess.run([psql, "-X", "-q", target, "-c", command], check=True)
        return time.monotonic() - before


def told(result: BatchResult) -> str:
    """One line of the table."""
    ratios = result.ratios()
    ours, bare = (statistics.median(rate.per_second for rate in rates) for rates in (result.program, result.bare))
    return (
        f"{result.name:<46}{ours:>12,.0f}{bare:>12,.0f}{statistics.median(ratios):>8.2f}"
        f"{f'[{min(ratios):.2f}-{max(ratios):.2f}]':>14}{result.worker_mib:>10.0f}"
    )
