"""Jobs of a whole program: a shop full of goods, workers that are killed, and an auditor in the database.

The figures about jobs are scripts that print one line each; `figure` is what they have in common.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar

import asyncpg

from tests.support.program import Client, Program, Reply, children_of, kill, wait_until

Size = TypeVar("Size")
BACK_SECONDS = 30.0
OPEN = ("pending", "running")
CRASHES = ("worker", "backend", "postmaster")
_LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InternalClientError,
)

# What the auditor notes, in the transaction of whoever does it: every write to a stock level with the revision
# that it bears, every move of a job, in one order.
_AUDIT = """
create sequence tradepost.audit_order;
create table tradepost.applied (
    number bigint default nextval('tradepost.audit_order'), merchant_id text, product_id text,
    variation_id text, old_rev bigint, rev bigint, inventory integer);
create table tradepost.moved (
    number bigint default nextval('tradepost.audit_order'), at timestamptz default clock_timestamp(), job_id text,
    state text, position bigint, fence bigint, worker integer, taken_over boolean);
create function tradepost.note_applied() returns trigger language plpgsql security definer
    set enable_hashjoin = on as $$ -- a pack turns it off for itself
begin
    if tg_op = 'INSERT' then
        insert into tradepost.applied (merchant_id, product_id, variation_id, rev, inventory)
        select merchant_id, product_id, variation_id, rev, inventory from after;
    else
        insert into tradepost.applied (merchant_id, product_id, variation_id, old_rev, rev, inventory)
        select merchant_id, product_id, variation_id, before.rev, after.rev, after.inventory
          from after join before using (merchant_id, product_id, warehouse_id, variation_id);
    end if;
    return null;
end $$;
create trigger note_set after update on tradepost.stock
    referencing old table as before new table as after
    for each statement execute function tradepost.note_applied();
create trigger note_new after insert on tradepost.stock
    referencing new table as after for each statement execute function tradepost.note_applied();
create function tradepost.note_moved() returns trigger language plpgsql security definer as $$
begin
    insert into tradepost.moved (job_id, state, position, fence, worker, taken_over)
    values (new.id, new.state, new.position, new.fence, new.worker,
            new.fence > old.fence and old.state = 'running' and old.worker is not null);
    return null;
end $$;
create trigger note_moved after update on tradepost.job for each row
    when ((old.state, old.position, old.fence) is distinct from (new.state, new.position, new.fence))
    execute function tradepost.note_moved();
grant usage on sequence tradepost.audit_order to public;
"""

# So that a moment lies inside of a job: a pack of rows takes so many seconds more, while its rows are locked.
_SLOW_PACKS = """
create function tradepost.slow_down() returns trigger language plpgsql as $$
begin
    perform pg_sleep({seconds});
    return new;
end $$;
create trigger slow_down before update on tradepost.bulk_pack for each row when (new.applied)
    execute function tradepost.slow_down();
"""

# The same for an export: its lines wait at every product whose parent SKU ends in 00.
_SLOW_EXPORTS = """
create or replace function tradepost.cell(text) returns text language plpgsql stable parallel safe as $$
begin
    if $1 like 'parent-%00' then
        perform pg_sleep({seconds});
    end if;
    return case when ascii($1) in (9, 13, 43, 45, 61, 64, 65291, 65293, 65309, 65312) then '''' || $1 else $1 end;
end $$;
"""

# $1 a merchant, $2 how many products, $3 how many variations each has, $4 what describes them.
_WAITING_PICTURES = "select count(*) from picture where merchant_id = $1 and state = 'waiting'"
_STOCK_UP = (
    """
    insert into product (merchant_id, id, parent_sku, name, description, review_status, main_image,
                         original_image_url, created_at, updated_at)
    select $1, lpad(to_hex(16777216 + n), 24, '0'), 'parent-' || n, 'Ring ' || n, $2, 'approved',
           'https://pictures.example/ring.jpg', 'https://pictures.example/ring.jpg', world_now(), world_now()
      from generate_series(1, $3::integer) n
    """,
    """
    insert into variation (merchant_id, product_id, id, position, sku, color, price)
    select $1, lpad(to_hex(16777216 + n), 24, '0'), lpad(to_hex(33554432 + n * 64 + v), 24, '0'), v,
           'sku-' || ((n - 1) * $3::integer + v), 'c' || v, 1
      from generate_series(1, $2::integer) n, generate_series(1, $3::integer) v
    """,
    """
    insert into stock (merchant_id, product_id, warehouse_id, variation_id, inventory, shipping)
    select v.merchant_id, v.product_id, w.id, v.id, 0, 1
      from variation v join warehouse w on w.merchant_id = v.merchant_id and w.name = 'STANDARD'
     where v.merchant_id = $1 and v.sku like 'sku-%'
    """,
)


class Auditor:
    """The database as its superuser sees it, over one connection that is made anew when it is lost."""

    def __init__(self, running: Program) -> None:
        self._running = running
        self._loop = asyncio.Runner()
        self._connection: asyncpg.Connection[Any] | None = None

    def close(self) -> None:
        """Close the connection and what belongs to it."""
        if self._connection is not None:
            self._connection.terminate()
        self._loop.close()

    def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Ask; a database that is being started again is waited for, so nothing may be asked that hurts twice."""
        deadline = time.monotonic() + BACK_SECONDS
        while True:
            try:
                return self._loop.run(self._ask(statement, values))
            except _LOST:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def value(self, statement: str, *values: object) -> Any:
        """The first value of the first row, or None without one."""
        found = self.rows(statement, *values)
        return found[0][0] if found else None

    def run(self, script: str) -> None:
        """Run statements without parameters."""
        self._loop.run(self._script(script))

    async def _ask(self, statement: str, values: Sequence[object]) -> list[asyncpg.Record]:
        return await (await self._open()).fetch(statement, *values)

    async def _script(self, script: str) -> None:
        await (await self._open()).execute(script)

    async def _open(self) -> asyncpg.Connection[Any]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                **self._running.embedded.connection("postgres", "tradepost"),
                server_settings={"search_path": "tradepost", "application_name": "auditor"},
            )
        return self._connection

    # -- what figures have in common

    def watch(self) -> None:
        """Note from now on what is applied and how jobs move, in the tables `applied` and `moved`."""
        self.run(_AUDIT)

    def slow_packs(self, seconds: float) -> None:
        """Let each pack of a bulk update take so much longer."""
        self.run(_SLOW_PACKS.format(seconds=seconds))

    def slow_exports(self, seconds: float) -> None:
        """Let an export wait so long at each hundredth product."""
        self.run(_SLOW_EXPORTS.format(seconds=seconds))

    def stock_up(self, merchant_id: str, products: int, variations: int, description: str = "A ring.") -> None:
        """Give a merchant products with so many variations each: SKUs sku-1, sku-2 …, none of them in stock.

        The pictures of his own products come first, so that the catalogue is the same from then on.
        """
        wait_until(lambda: not self.value(_WAITING_PICTURES, merchant_id), 60, "the sandbox's own pictures")
        first, second, third = _STOCK_UP
        self.rows(first, merchant_id, description, products)
        self.rows(second, merchant_id, products, variations)
        self.rows(third, merchant_id)
        self.run("analyze")

    def job(self, job_id: str) -> Mapping[str, Any]:
        """A job as it is now."""
        (found,) = self.rows("select * from job where id = $1", job_id)
        return dict(found)

    def is_held(self, job_id: str) -> bool:
        """Whether a live worker has this job, or nobody needs to any more."""
        return bool(
            self.value(
                "select state not in ('pending', 'running') or state = 'running' and worker = any(live_workers()) "
                "from job where id = $1",
                job_id,
            )
        )

    def await_end(self, job_ids: Iterable[str], seconds: float = 60.0) -> None:
        """Wait until these jobs have ended, and everything that follows from them."""
        wanted = list(job_ids)
        wait_until(
            lambda: (
                not self.value(
                    "select count(*) from job where state in ('pending', 'running') and (id = any($1) "
                    "or kind in ('tell_event', 'send_mail'))",
                    wanted,
                )
            ),
            seconds,
            "the end of the jobs",
        )


@contextmanager
def auditing(running: Program) -> Iterator[Auditor]:
    """An auditor of a running program."""
    made = Auditor(running)
    try:
        yield made
    finally:
        made.close()


class Crew:
    """The workers of a program: the supervisor's, and some of ours, started again when they are killed."""

    def __init__(self, running: Program, auditor: Auditor, source: random.Random, ours: int = 1) -> None:
        self._running = running
        self._auditor = auditor
        self._source = source
        self._logs = count(1)
        self._ours: list[tuple[subprocess.Popen[bytes], Path]] = [self._start() for _ in range(ours)]
        wait_until(lambda: len(self._living()) == ours + 1, BACK_SECONDS, "workers")

    def _start(self) -> tuple[subprocess.Popen[bytes], Path]:
        log = self._running.folder / f"work-{next(self._logs)}.err"
        return self._running.start_worker(log), log

    def _living(self) -> list[int]:
        return list(self._auditor.value("select live_workers()"))

    def pid_of(self, worker: int) -> int | None:
        """The process that has a worker's number; None where there is none at the moment."""
        for process, log in self._ours:
            if worker in _numbers(log.read_text(encoding="utf-8")):
                return process.pid
        return self._running.worker_pid()

    def holder(self, job_id: str) -> int | None:
        """The process that has a job in hand."""
        worker = self._auditor.value("select worker from job where id = $1", job_id)
        return None if worker is None else self.pid_of(worker)

    def strike(self, kind: str, job_id: str | None = None) -> bool:
        """Kill something: a `web` process, the `worker` that has the job or any, a `backend`, the `postmaster`.

        Gives whether that takes the job out of the hands it is in.
        """
        postmaster = self._running.embedded.pid
        if kind == "web":
            kill(self._source.choice(self._running.web_pids()))
            return False
        if kind == "worker" or postmaster is None:
            pid = None if job_id is None else self.holder(job_id)
            self.kill_worker(pid if pid is not None else self._any_worker())
            return pid is not None
        # The database gives up every session when it loses one of its processes.
        kill(postmaster if kind == "postmaster" else self._source.choice(_backends(postmaster)))
        return True

    def kill_worker(self, pid: int) -> None:
        """Kill one of the workers; ours come back at once, the supervisor sees to its own."""
        kill(pid)
        for at, (process, _) in enumerate(self._ours):
            if process.pid == pid:
                process.wait()
                self._ours[at] = self._start()

    def _any_worker(self) -> int:
        pids = [process.pid for process, _ in self._ours]
        supervised = self._running.worker_pid()
        return self._source.choice(pids if supervised is None else [*pids, supervised])

    def disturb(self, kind: str, job_id: str, most_tries: int = 2) -> None:
        """Kill something, wait until somebody works on the job again, and for a step forward now and then.

        A job that is begun too often without getting any further counts as poison and is parked; that is another
        rule, and not to be met here because kills come quicker than steps. So no more than `most_tries` go without
        a step.
        """
        before = self._auditor.job(job_id)["fence"]
        taken = self.strike(kind, job_id)

        def is_back() -> bool:
            job = self._auditor.job(job_id)
            was_taken_over = not taken or job["fence"] > before
            return job["state"] not in OPEN or (was_taken_over and self._auditor.is_held(job_id))

        def is_on_its_way() -> bool:
            return bool(self._auditor.job(job_id)["tries"] <= most_tries)

        wait_until(is_back, BACK_SECONDS, f"somebody to do the job after {kind} was killed")
        wait_until(is_on_its_way, BACK_SECONDS, "a step forward")


def _numbers(log: str) -> set[int]:
    return {int(number) for number in re.findall(r'"worker": (\d+), "event": "worker ready"', log)}


def _backends(postmaster: int) -> list[int]:
    """The database's processes that serve the program; its own helpers where there are none at the moment."""
    pids = children_of(postmaster)
    return [pid for pid in pids if b"tradepost_" in _title(pid)] or pids or [postmaster]


def _title(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


# -- calls


def ask(client: Client, path: str, **form: object) -> Any:
    """The data of a call that has to succeed, asked again while the program is not there."""
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        reply: Reply | None = None
        try:
            reply = client.post(f"/api/v2/{path}", form)
        except (OSError, http.client.HTTPException):
            client.close()
        if reply is not None and reply.status == 200:
            return reply.data
        assert reply is None or reply.status == 503, f"{path}: {reply.status} {reply.body[:300]!r}"
        assert time.monotonic() < deadline, f"{path} was not answered"
        time.sleep(0.02)


def start_download(client: Client) -> str:
    """Ask for a file of the catalogue; gives its job's id."""
    return str(ask(client, "product/create-download-job", sort="asc")["job_id"])


def link_of(client: Client, job_id: str) -> str | None:
    """The link to a download as its status tells it, without the address; None while there is none."""
    link = ask(client, "product/get-download-job-status", job_id=job_id).get("download_link")
    return None if link is None else "/" + link.split("/", 3)[3]


def start_bulk(client: Client, rows: Sequence[Mapping[str, object]]) -> str:
    """Ask for a bulk update; gives its job's id."""
    return str(ask(client, "variant/bulk-sku-update", updates=json.dumps(rows))["job_id"])


def result_list(client: Client, which: str, job_id: str) -> list[Any]:
    """All of the `successes` or `failures` of a bulk update, page by page."""
    found: list[Any] = []
    under = "errors" if which == "failures" else which
    while True:
        path = f"variant/get-bulk-update-job-{which}"
        page = ask(client, path, job_id=job_id, start=len(found), limit=250)[under]
        found += page
        if len(page) < 250:
            return found


# -- figures


@dataclass
class Finding:
    """What a run came to: what is wrong, whether the thing to be tried was met, and what else is worth telling."""

    wrong: list[str] = field(default_factory=list)
    tried: bool = True
    told: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure(Generic[Size]):
    """A figure of the programme: its number, what it counts, how it is run, and the sizes it is run in.

    `run` takes a size, a seed and what to spoil: the name of the mutant, or None.
    """

    number: str
    counts: str
    run: Callable[[Size, int, str | None], Finding]
    sizes: Mapping[str, Size]
    mutant: str
    other_mutants: Sequence[str] = ()

    def check(self, size: str = "smoke") -> None:
        """One run with a seed made up, as a test."""
        seed = random.randrange(1 << 16)
        found = self.run(self.sizes[size], seed, None)
        assert not found.wrong, f"seed {seed}, {found.told}: {found.wrong}"
        assert found.tried, f"seed {seed}, {found.told}"

    def main(self, about: str | None) -> int:
        """One run as the command line asks for, one line; gives the exit status."""
        reader = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
        reader.add_argument("--size", choices=list(self.sizes), default="smoke")
        reader.add_argument("--seed", type=int, default=None, help="made up and printed if left out")
        reader.add_argument(
            "--mutant",
            nargs="?",
            const=self.mutant,
            choices=[self.mutant, *self.other_mutants],
            help="take a protection away, the first one if none is named: has to fail",
        )
        counted = all(isinstance(size, int) for size in self.sizes.values())
        if counted:
            reader.add_argument("--rounds", type=int, default=None, help="in place of a size")
        options = reader.parse_args()
        size: Any = self.sizes[options.size]
        if counted and options.rounds:
            size = options.rounds
        seed = random.randrange(1 << 16) if options.seed is None else options.seed
        began = time.monotonic()
        try:
            found = self.run(size, seed, options.mutant)
        except (OSError, AssertionError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            print(f"{self.number} - {self.counts} target=0 error seed={seed} size={options.size}: {error}")
            return 2
        verdict = "fail" if found.wrong else "pass" if found.tried else "untried"
        told = " ".join(f"{name}={value}" for name, value in found.told.items())
        line = f"{self.number} {len(found.wrong)} {self.counts} target=0 {verdict} seed={seed} {told}"
        print(f"{line} secs={time.monotonic() - began:.0f}")
        for line in found.wrong[:20]:
            print(json.dumps(line, ensure_ascii=False), file=sys.stderr)
        return {"fail": 1, "pass": 0, "untried": 2}[verdict]
