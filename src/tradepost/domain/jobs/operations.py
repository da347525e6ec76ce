"""What callers do with jobs, and what workers do; each in the transaction of whoever calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from tradepost.domain import audit
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import job as machine
from tradepost.domain.jobs import rows
from tradepost.domain.jobs.failures import JobLost, JobNotFound, JobNotParked, TooManyJobs
from tradepost.domain.jobs.job import Advance, Claim, Job
from tradepost.values import Bookmark

MOST_OPEN: Final = 1000
"""How many jobs of a kind that it asked for itself an account may have waiting."""
KEPT: Final = timedelta(days=30)


async def enqueue(
    ctx: Ctx, account_id: str, kind: str, lane: str, arguments: Mapping[str, Any], *, most_open: int | None = None
) -> str:
    """Write down a job with the change that asks for it, and wake a worker once that is committed; gives its id.

    Raises TooManyJobs where the account has `most_open` waiting or running in this lane.
    """
    if most_open is not None and await rows.count_open(ctx.db, account_id, lane) >= most_open:
        raise TooManyJobs(limit=most_open)
    job_id = ctx.new_id()
    await rows.insert(ctx.db, account_id, job_id, kind, lane, arguments, ctx.token_id, ctx.now)
    return job_id


async def enqueue_all(ctx: Ctx, account_id: str, kind: str, work: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Write down several jobs of one kind at once, each with its lane and its arguments."""
    if work:
        wanted = [(ctx.new_id(), lane, arguments) for lane, arguments in work]
        await rows.insert_all(ctx.db, account_id, kind, wanted, ctx.token_id, ctx.now)


async def find_job(ctx: Ctx, account_id: str, kind: str | Collection[str], job_id: str) -> Job:
    """A job of an account as it is now, of one kind or of several; raises JobNotFound, for any other kind, too."""
    found = await rows.find(ctx.db, account_id, job_id)
    if found is None or found.kind not in ((kind,) if isinstance(kind, str) else kind):
        raise JobNotFound(job_id=job_id)
    return found


async def cancel_job(ctx: Ctx, account_id: str, kind: str, job_id: str) -> Job:
    """Cancel a job; gives it as it was before.

    A step that is being done is waited for, so nothing is changed any more once this is committed. Raises
    JobNotFound.
    """
    found = await rows.lock(ctx.db, account_id, job_id)
    if found is None or found.job.kind != kind:
        raise JobNotFound(job_id=job_id)
    cancelled = machine.cancel(found.job, ctx.now)
    if cancelled is not None:
        await rows.store(ctx.db, cancelled)
    return found.job


async def page_asked(
    ctx: Ctx, account_id: str, kinds: Collection[str], after: Bookmark, limit: int
) -> tuple[list[Job], bool]:
    """Some jobs of an account of these kinds behind a place in the list, the last asked for first."""
    return await rows.page_asked(ctx.db, account_id, list(kinds), after, limit)


async def count_open(ctx: Ctx, account_id: str, kinds: Collection[str]) -> int:
    """How many jobs of an account of these kinds wait or run."""
    return await rows.count_open_of(ctx.db, account_id, list(kinds))


async def list_jobs(ctx: Ctx, limit: int) -> list[Job]:
    """Jobs of every account: at work, given up, waiting, then the latest that ended."""
    return await rows.latest(ctx.db, limit)


async def release_job(ctx: Ctx, job_id: str) -> Job:
    """Let a parked job try again; raises JobNotFound, JobNotParked."""
    account_id = await rows.account_of(ctx.db, job_id)
    locked = account_id and await rows.lock(ctx.db, account_id, job_id)
    if not locked:
        raise JobNotFound(job_id=job_id)
    released = machine.release(locked.job, locked.clock)
    if released is None:
        raise JobNotParked(job_id=job_id, state=locked.job.state)
    await rows.store(ctx.db, released)
    await rows.wake(ctx.db)
    await audit.record(ctx, "job.retried", released.account_id, job_id=released.id, kind=released.kind)
    return released


async def add_chores(ctx: Ctx, names: Sequence[str]) -> None:
    """Let it be known which chores there are: those that are new are due at once, and are counted from then on."""
    await rows.add_chores(ctx.db, list(names))


async def take_chore(ctx: Ctx, name: str, every: timedelta) -> int | None:
    """A chore if it is due: it is the caller's, and due again after so long once his work is committed.

    Gives how many times there was something to do, should there be now; None where it is not due.
    """
    return await rows.take_chore(ctx.db, name, every)


async def count_chore(ctx: Ctx, name: str) -> None:
    """Note that there was something to do for a chore that is the caller's."""
    await rows.count_chore(ctx.db, name)


async def hurry_chores(ctx: Ctx) -> datetime:
    """Let all chores be due now; gives when that was, by the machine's clock."""
    return await rows.hurry_chores(ctx.db)


async def count_due(ctx: Ctx, since: datetime) -> int:
    """How much is at work or due: jobs of every account, and chores that have been due since then.

    Where nobody has said yet which chores there are, that counts, too.
    """
    return await rows.count_due(ctx.db, since)


async def forget_old_jobs(ctx: Ctx, with_files: Collection[str]) -> int:
    """Delete what ended long ago; gives how many jobs there were.

    Jobs of the kinds `with_files` stay until their files were deleted.
    """
    return await rows.delete_ended(ctx.db, ctx.now - KEPT, list(with_files))


# -- what workers do


async def claim_next(ctx: Ctx, worker: int, kinds: Collection[str], *, alone: bool = True) -> Job | None:
    """Take the job of these kinds that has been due the longest; None where there is nothing to do.

    Whoever works on others, too, and so is not `alone`, gets none that may have ended its workers.
    A job that was tried too often is parked here, and comes back as failed. Raises LaneTaken where another
    worker was faster.
    """
    locked = await rows.lock_next(ctx.db, list(kinds), 1 << 30 if alone else machine.SUSPICIOUS_TRIES)
    if locked is None:
        return None
    claimed = machine.claim(locked.job, worker, locked.clock, ctx.now, locked.worker_lives)
    assert claimed is not None, "the statement and the machine disagree about what can be claimed"
    await rows.store(ctx.db, claimed)
    return claimed


async def hold(ctx: Ctx, held: Claim) -> Job:
    """Take the row of a claimed job for this transaction; raises JobLost where it is somebody else's now."""
    locked = await rows.lock(ctx.db, held.account_id, held.id)
    if locked is None or not machine.holds(locked.job, held):
        raise JobLost
    return locked.job


async def advance(ctx: Ctx, held: Claim, step: Advance) -> Job:
    """Note what a step came to, with its effects; raises JobLost."""
    locked = await rows.lock(ctx.db, held.account_id, held.id)
    moved = locked and machine.advance(locked.job, held, step, locked.clock, ctx.now)
    if not moved:
        raise JobLost
    await rows.store(ctx.db, moved)
    if not moved.is_open:
        await rows.wake(ctx.db)  # the next of its lane can begin
    return moved


async def give_back(ctx: Ctx, held: Claim) -> None:
    """Let others go on with a job; nothing where it is theirs already."""
    locked = await rows.lock(ctx.db, held.account_id, held.id)
    if locked and (given := machine.give_back(locked.job, held, locked.clock)):
        await rows.store(ctx.db, given)
        await rows.wake(ctx.db)


async def put_off(ctx: Ctx, held: Claim, error: str, *, passing: bool = False) -> Job | None:
    """Try a job again later after an error, or park it; None where it is somebody else's."""
    locked = await rows.lock(ctx.db, held.account_id, held.id)
    if locked is None:
        return None
    after = machine.put_off(locked.job, held, error, locked.clock, ctx.now, passing=passing)
    if after is not None:
        await rows.store(ctx.db, after)
    return after


async def renew_leases(ctx: Ctx, worker: int, claims: Sequence[Claim]) -> set[tuple[str, str, int]]:
    """Renew the leases of what a worker has in hand; gives account, id and fence of each job that is his.

    What he has let go of is not renewed, so that somebody gets it. A job whose row is in a step's hands is left
    alone: the step renews it by itself.
    """
    clock = await rows.clock(ctx.db)
    await rows.renew(ctx.db, claims, clock + machine.LEASE)
    return await rows.held_by(ctx.db, worker)


async def note_progress(ctx: Ctx, held: Claim, processed: int, total: int | None) -> None:
    """Show how far a step is that has not come to its end."""
    locked = await rows.lock(ctx.db, held.account_id, held.id)
    if locked and (renewed := machine.renew(locked.job, held, locked.clock)):
        await rows.store(ctx.db, replace(renewed, processed=processed, total=total))
