"""Keeping calls, finding them, forgetting them. All times are the machine's: the log is about what it did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from tradepost.domain.context import Ctx, Rows
from tradepost.domain.request_log import rows
from tradepost.domain.request_log.call import (
    BYTES_PER_CALL,
    KEPT_DAYS,
    LAST_ID,
    MOST_SEEN,
    UNPROVEN_SHARE,
    Found,
    Kept,
    Line,
    Owner,
    Search,
    Shown,
    Tally,
    is_id,
    later,
    least_id,
    next_id,
    slot_at,
    slot_to_empty,
)
from tradepost.domain.request_log.failures import CallUnknown
from tradepost.domain.request_log.packing import MOST_SECONDS, Pack, calls_of, said_in

PACKS_AT_ONCE = 100


async def owners_of(db: Rows, shown: Sequence[Shown]) -> Mapping[Shown, Owner]:
    """Whose calls are, by what they showed; those of nobody that is known are left out."""
    by_token = await rows.owners_by_token(db, [one for one in shown if one.token_hash is not None])
    return by_token | await rows.owners_by_app(db, [one for one in shown if one.token_hash is None])


async def keep_packs(db: Rows, packs: Sequence[Pack], missed: Mapping[str, int], most_per_day: int) -> int:
    """Keep packs, unless their account has as many calls already as are kept of one day; gives how many calls were.

    Calls that are not proven to be their account's have a tenth of that for themselves and nothing of the rest: who
    names somebody's app must not end his log. `missed` are calls that could not be kept, by account; they are
    counted, as are those that are too many. What is kept here is not durable at once: a crash of the database may
    lose the last second of it.
    """
    today = (await rows.commit_later(db)).date()
    accounts = sorted({pack.account_id for pack in packs} | missed.keys())
    before = await rows.tallies_of(db, accounts, today)
    kept, counts = [], []
    for account_id in accounts:
        added: list[int] = []
        lost = missed.get(account_id, 0)
        for is_proven in (True, False):
            theirs = [pack for pack in packs if pack.account_id == account_id and pack.is_proven == is_proven]
            most = most_per_day if is_proven else math.ceil(most_per_day / UNPROVEN_SHARE)
            fitting = _fitting(theirs, before.get((account_id, is_proven), (0, 0)), most)
            calls = sum(pack.calls for pack in fitting)
            added += [calls, sum(pack.size for pack in fitting)]
            lost += sum(pack.calls for pack in theirs) - calls
            kept += fitting
        counts.append((account_id, added[0], added[1], added[2], added[3], lost))
    await rows.add_to_tallies(db, today, counts)
    if kept:
        await rows.insert_packs(db, kept)
    return sum(pack.calls for pack in kept)


def _fitting(packs: Sequence[Pack], before: tuple[int, int], most: int) -> list[Pack]:
    """The packs that begin while there is room, after so many calls and bytes."""
    fitting: list[Pack] = []
    calls, size = before
    for pack in packs:
        if calls >= most or size >= most * BYTES_PER_CALL:
            break
        fitting.append(pack)
        calls, size = calls + pack.calls, size + pack.size
    return fitting


async def search_calls(ctx: Ctx, account_id: str | None, search: Search, limit: int) -> Found:
    """The calls of an account that match, the latest first; for an operator None means every account, "" nobody's.

    It looks through MOST_SEEN calls or so, so that a page comes quickly however rare its calls are; then `next` is
    where to go on.
    """
    oldest = await rows.machine_now(ctx.db) - timedelta(days=KEPT_DAYS)
    search = replace(search, since=oldest if search.since is None else max(search.since, oldest))
    assert search.since is not None
    least, below = least_id(search.since), search.below
    found: list[Line] = []
    # A pack may begin before that and end after it.
    seen, end = 0, below if below == LAST_ID else later(below, MOST_SECONDS + 1)
    while True:
        packs = await rows.read_packs(ctx.db, account_id, least, end, PACKS_AT_ONCE)
        for pack in packs:
            # Packs come by their last calls, so what is later than the last call of this one is in order.
            settled = sorted((line for line in found if line.call.id > pack["last_id"]), key=_by_id, reverse=True)
            if len(settled) > limit:
                return Found(settled[:limit], settled[limit - 1].call.id)
            if seen >= MOST_SEEN and next_id(pack["last_id"]) < below:
                return Found(settled, next_id(pack["last_id"]))
            calls = [call for call in calls_of(pack["is_compressed"], pack["lines"]) if least <= call.id < below]
            found += [Line(pack["account_id"], call) for call in calls if search.matches(call)]
            seen += len(calls)
            end = pack["last_id"]
        if len(packs) < PACKS_AT_ONCE:
            found.sort(key=_by_id, reverse=True)
            return Found(found[:limit], found[limit - 1].call.id if len(found) > limit else None)


def _by_id(line: Line) -> str:
    return line.call.id


async def find_call(ctx: Ctx, account_id: str | None, request_id: str) -> Kept:
    """One call of an account (for an operator None means any) with what was said; raises CallUnknown."""
    oldest = least_id(await rows.machine_now(ctx.db) - timedelta(days=KEPT_DAYS))
    if is_id(request_id) and request_id >= oldest:
        for pack in await rows.packs_around(ctx.db, account_id, request_id):
            found = said_in(pack["is_compressed"], pack["lines"], pack["said"], request_id)
            if found is not None:
                return Kept(pack["account_id"], *found)
    raise CallUnknown(request_id=request_id[:64])


async def list_tallies(ctx: Ctx, account_id: str, since: date) -> list[Tally]:
    """How many calls of an account were kept and missed, day by day, the latest first."""
    return await rows.list_tallies(ctx.db, account_id, since)


async def forget_old_calls(ctx: Ctx, most_bytes: int) -> int:
    """Forget what is older than is kept, and the oldest days where all takes more than `most_bytes`.

    Gives how many slots were emptied.
    """
    now = await rows.machine_now(ctx.db)
    emptied = int(await rows.empty_slot(ctx.db, slot_to_empty(now)))
    # Where nobody emptied the slot before its turn came, old calls lie among those of today.
    oldest = now - timedelta(days=KEPT_DAYS)
    await rows.delete_before(ctx.db, slot_at(now), least_id(oldest), oldest.date())
    sizes = await rows.slot_sizes(ctx.db)
    for age in range(KEPT_DAYS, 0, -1):
        slot = slot_at(now - timedelta(days=age))
        if sum(sizes.values()) <= most_bytes or slot == slot_at(now):
            break
        if sizes.get(slot) and await rows.empty_slot(ctx.db, slot):
            sizes[slot] = 0
            emptied += 1
    return emptied
