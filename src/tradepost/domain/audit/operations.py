"""Writing acts down, reading them, and finding out whether somebody has been at them."""

from __future__ import annotations

from typing import Any, Final

from tradepost.domain.audit import rows
from tradepost.domain.audit.record import (
    BEGINNING,
    MOST_TOLD,
    Anchor,
    Record,
    Verdict,
    link_hash,
    who_acts,
    written_down,
)
from tradepost.domain.context import Ctx

_STEP: Final = 1_000


async def record(ctx: Ctx, verb: str, subject: str | None = None, **about: Any) -> None:
    """Write down what is done in this transaction: `app.added`, on which account, and the ids that it is about.

    Who does it is told by the context. Nothing in `about` may be a secret, or a text that somebody wrote.
    """
    kind, actor, client = who_acts(ctx)
    if ctx.token_id is not None:
        about = {"by_token_id": ctx.token_id, **about}
    await rows.insert(ctx.db, ctx.now, kind, actor, client, verb, subject, written_down(about))


async def list_records(ctx: Ctx, limit: int) -> list[tuple[int, Record]]:
    """The latest acts with their numbers, the newest first."""
    return await rows.latest(ctx.db, limit)


async def find_head(ctx: Ctx) -> Anchor | None:
    """How far the log goes at the moment; None where nothing was done yet."""
    return await rows.head(ctx.db)


async def verify(ctx: Ctx, anchor: Anchor | None = None) -> Verdict:
    """Go through the whole log and compute every link anew; with an anchor, see that it is still in there."""
    troubles: list[str] = []
    before, number, counted = BEGINNING, 0, 0
    while True:
        found = await rows.links_after(ctx.db, number, _STEP)
        if not found:
            break
        for link, written in found:
            if link.number != number + 1:
                troubles.append(f"links {number + 1} to {link.number - 1} are gone")
            if written is None:
                troubles.append(f"the row of link {link.number} is gone")
            elif link_hash(before, written) != link.hash:
                troubles.append(f"row {written.id} or link {link.number} is not what was written")
            if anchor is not None and link.number == anchor.number and link.hash != anchor.hash:
                troubles.append(f"link {link.number} is not the one of the anchor")
            before, number, counted = link.hash, link.number, counted + 1
    if anchor is not None and number < anchor.number:
        troubles.append(f"the log ends at {number}, before the anchor's {anchor.number}")
    if loose := await rows.count_unlinked(ctx.db):
        troubles.append(f"{loose} rows are in no link")
    if len(troubles) > MOST_TOLD:
        troubles = [*troubles[:MOST_TOLD], f"and {len(troubles) - MOST_TOLD} more"]
    return Verdict(counted, Anchor(number, before) if number else None, tuple(troubles))
