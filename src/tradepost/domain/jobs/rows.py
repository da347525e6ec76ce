"""The SQL of jobs: it finds, locks and stores them; what may happen to one stands in `job`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec

from tradepost.domain.context import Rows
from tradepost.domain.jobs.failures import LaneTaken
from tradepost.domain.jobs.job import Claim, Job
from tradepost.values import Bookmark

CHANNEL: Final = "tradepost_job"
"""What listens here wakes when there is something to do."""

_COLUMNS = (
    "account_id, id, kind, lane, arguments, created_at, due_at, token_id, person_id, state, started_at, ended_at, "
    "position, total, processed, succeeded, failed, result, worker, fence, tries, waits, error"
)


@dataclass(frozen=True, slots=True)
class Locked:
    """A job whose row this transaction holds, the machine's time, and whether its worker lives."""

    job: Job
    clock: datetime
    worker_lives: bool = True


def _job(row: Any) -> Job:
    columns = dict(row.items())
    columns["arguments"] = msgspec.json.decode(columns["arguments"])
    if columns["result"] is not None:
        columns["result"] = msgspec.json.decode(columns["result"])
    return Job(**columns)


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


async def insert(
    db: Rows,
    account_id: str,
    job_id: str,
    kind: str,
    lane: str,
    arguments: Mapping[str, Any],
    token_id: str | None,
    now: datetime,
) -> None:
    """Write down a job that is due at once, and wake a worker when this is committed."""
    await insert_all(db, account_id, kind, [(job_id, lane, arguments)], token_id, now)


async def insert_all(
    db: Rows,
    account_id: str,
    kind: str,
    work: Sequence[tuple[str, str, Mapping[str, Any]]],
    token_id: str | None,
    now: datetime,
) -> None:
    """Write down jobs (id, lane and arguments of each) in one statement."""
    ids, lanes, arguments = zip(*work, strict=True)
    await db.execute(
        """
        insert into job (account_id, id, kind, lane, arguments, token_id, person_id, created_at, due_at)
        select $1, t.id, $2, t.lane, t.arguments, $6,
               (select id from merchant_user where merchant_id = $1 order by created_at, id limit 1),
               $7, clock_timestamp()
          from unnest($3::text[], $4::text[], $5::jsonb[]) as t (id, lane, arguments)
        """,
        account_id,
        kind,
        list(ids),
        list(lanes),
        [_text(one) for one in arguments],
        token_id,
        now,
    )
    await wake(db)


async def wake(db: Rows) -> None:
    """Tell the workers, once this is committed, that there is something to do."""
    await db.execute("select pg_notify($1, '')", CHANNEL)


async def count_open(db: Rows, account_id: str, lane: str) -> int:
    """How many jobs of an account wait or run in a lane."""
    return int(
        await db.fetchval(
            "select count(*) from job where account_id = $1 and lane = $2 and state in ('pending', 'running')",
            account_id,
            lane,
        )
    )


async def page_asked(
    db: Rows, account_id: str, kinds: list[str], after: Bookmark, limit: int
) -> tuple[list[Job], bool]:
    """Some jobs of an account of these kinds behind a place in the list, the last asked for first."""
    found = await db.fetch(
        f"select {_COLUMNS} from job where account_id = $1 and kind = any($2) and (created_at, id) < ($3, $4) "
        "order by created_at desc, id desc limit $5",
        account_id,
        kinds,
        after.at,
        after.id,
        limit + 1,
    )
    return [_job(row) for row in found[:limit]], len(found) > limit


async def count_open_of(db: Rows, account_id: str, kinds: list[str]) -> int:
    """How many jobs of an account of these kinds wait or run."""
    return int(
        await db.fetchval(
            "select count(*) from job where account_id = $1 and kind = any($2) and state in ('pending', 'running')",
            account_id,
            kinds,
        )
    )


async def find(db: Rows, account_id: str, job_id: str) -> Job | None:
    """A job by its id."""
    row = await db.fetchrow(f"select {_COLUMNS} from job where account_id = $1 and id = $2", account_id, job_id)
    return _job(row) if row else None


async def lock(db: Rows, account_id: str, job_id: str) -> Locked | None:
    """Take the row of a job for this transaction."""
    row = await db.fetchrow(
        f"select {_COLUMNS}, clock_timestamp() as clock from job "
        "where account_id = $1 and id = $2 for no key update",
        account_id,
        job_id,
    )
    if row is None:
        return None
    columns = dict(row.items())
    at = columns.pop("clock")
    return Locked(_job(columns), at)


async def clock(db: Rows) -> datetime:
    """The machine's time at the database, which is one for all workers."""
    found: datetime = await db.fetchval("select clock_timestamp()")
    return found


_NEXT = f"""
    with workers as materialized (select live_workers() as alive)
    select {_COLUMNS}, clock_timestamp() as clock, worker is null or worker = any(alive) as worker_lives
      from job, workers
     where state in ('pending', 'running') and kind = any($1)
       and (due_at <= clock_timestamp() or (worker is not null and not worker = any(alive)))
       and tries < $2
       -- Two questions and not one with an "or", so that each is one look into an index.
       and (state = 'running' or not exists (
            select from job other
             where other.account_id = job.account_id and other.lane = job.lane and other.state = 'running')
        and not exists (
            select from job other
             where other.account_id = job.account_id and other.lane = job.lane and other.state = 'pending'
               and (other.due_at, other.id) < (job.due_at, job.id)))
     order by due_at
     limit 1
       for no key update of job skip locked
"""


async def lock_next(db: Rows, kinds: list[str], fewer_tries: int) -> Locked | None:
    """Take the row of the job of these kinds that is due the longest; of a lane the first, if none of it runs.

    Only of those that were begun fewer times than that without getting any further.
    """
    row = await db.fetchrow(_NEXT, kinds, fewer_tries)
    if row is None:
        return None
    columns = dict(row.items())
    at, lives = columns.pop("clock"), columns.pop("worker_lives")
    return Locked(_job(columns), at, lives)


async def store(db: Rows, job: Job) -> None:
    """Write a job back whose row this transaction holds; raises LaneTaken."""
    try:
        await db.execute(
            """
            update job set
                state = $3, started_at = $4, ended_at = $5, position = $6, total = $7, processed = $8,
                succeeded = $9, failed = $10, result = $11, due_at = $12, worker = $13, fence = $14, tries = $15,
                waits = $16, error = $17
             where account_id = $1 and id = $2
            """,
            job.account_id,
            job.id,
            job.state,
            job.started_at,
            job.ended_at,
            job.position,
            job.total,
            job.processed,
            job.succeeded,
            job.failed,
            _text(job.result),
            job.due_at,
            job.worker,
            job.fence,
            job.tries,
            job.waits,
            job.error,
        )
    except asyncpg.UniqueViolationError:
        raise LaneTaken from None


async def renew(db: Rows, claims: Sequence[Claim], until: datetime) -> None:
    """Let the leases of these claims run until then, but for rows that somebody holds."""
    await db.execute(
        """
        update job set due_at = $4
          from (select job.account_id, job.id
                  from unnest($1::text[], $2::text[], $3::bigint[]) as c (account_id, id, fence)
                  join job on job.account_id = c.account_id and job.id = c.id and job.fence = c.fence
                 where job.state = 'running' and job.worker is not null
                   for no key update of job skip locked) as mine
         where job.account_id = mine.account_id and job.id = mine.id
        """,
        [claim.account_id for claim in claims],
        [claim.id for claim in claims],
        [claim.fence for claim in claims],
        until,
    )


async def held_by(db: Rows, worker: int) -> set[tuple[str, str, int]]:
    """Account, id and fence of every job in a worker's hands."""
    found = await db.fetch("select account_id, id, fence from job where worker = $1 and state = 'running'", worker)
    return {(row["account_id"], row["id"], row["fence"]) for row in found}


async def latest(db: Rows, limit: int) -> list[Job]:
    """Jobs of every account: at work, parked, waiting, then those that ended last."""
    found = await db.fetch(
        f"""
        select {_COLUMNS} from job
         order by array_position(array['running', 'failed', 'pending'], state), ended_at desc, due_at
         limit $1
        """,
        limit,
    )
    return [_job(row) for row in found]


async def account_of(db: Rows, job_id: str) -> str | None:
    """Whose job this is."""
    found: str | None = await db.fetchval("select account_id from job where id = $1", job_id)
    return found


async def add_chores(db: Rows, names: list[str]) -> None:
    """Write down chores that are not there yet, due at once; all of them or none."""
    await db.execute(
        "insert into chore (name, due_at) select unnest($1::text[]), clock_timestamp() on conflict do nothing",
        names,
    )


async def take_chore(db: Rows, name: str, every: timedelta) -> int | None:
    """Put a chore off until its next time, if that time has come; whoever does so first has it.

    Gives how many times there was something to do by now, this one counted; None where it is not due.
    """
    turn: int | None = await db.fetchval(
        """
        insert into chore as c (name, due_at) values ($1, clock_timestamp() + $2::interval)
            on conflict (name) do update set due_at = excluded.due_at where c.due_at <= clock_timestamp()
        returning c.done + 1
        """,
        name,
        every,
    )
    return turn


async def count_chore(db: Rows, name: str) -> None:
    """Note that there was something to do for a chore."""
    await db.execute("update chore set done = done + 1 where name = $1", name)


async def hurry_chores(db: Rows) -> datetime:
    """Let all chores be due now; gives when that was, by the machine's clock."""
    at: datetime = await db.fetchval("select clock_timestamp()")
    await db.execute("update chore set due_at = $1", at)
    return at


async def count_due(db: Rows, since: datetime) -> int:
    """How many jobs are at work or due, and chores that have been due since then; one where none is known."""
    found: int = await db.fetchval(
        """
        select (select count(*) from job
                 where state = 'running' or (state = 'pending' and due_at <= clock_timestamp()))
             + (select count(*) from chore where due_at <= $1)
             + (not exists (select from chore))::int
        """,
        since,
    )
    return found


async def delete_ended(db: Rows, before: datetime, with_files: list[str]) -> int:
    """Delete jobs that ended before then, with the packs that belong to them; gives how many.

    Jobs of the kinds `with_files` stay until their files are gone.
    """
    return int(
        await db.fetchval(
            """
            with gone as (
                delete from job
                 where ended_at < $1 and (kind <> all($2) or coalesce(result, '{}') ? 'gone') returning true)
            select count(*) from gone
            """,
            before,
            with_files,
        )
    )
