"""What happened is written down with the change, and told afterwards: at least once, by jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from tradepost.domain import jobs
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import Advance, Job
from tradepost.domain.outbox import rows
from tradepost.domain.outbox.event import Event, Hearer, Mail, Person, Words, Writer
from tradepost.domain.outbox.failures import NotThere

TELL: Final = "tell_event"
SEND: Final = "send_mail"
LANE: Final = "outbox"
KEPT: Final = timedelta(days=30)


async def record_event(ctx: Ctx, account_id: str, topic: str, about: Mapping[str, Any]) -> str:
    """Write down that something happened, in the transaction that makes it happen; gives the event's id."""
    event_id = ctx.new_id()
    await rows.insert_event(ctx.db, account_id, event_id, topic, about, ctx.now)
    await jobs.enqueue(ctx, account_id, TELL, f"{LANE}:{TELL}", {"event_id": event_id})
    return event_id


async def tell_event(ctx: Ctx, job: Job, write: Writer, hearers: Sequence[Hearer] = ()) -> Advance:
    """Write the letters about an event and let others hear of it, once."""
    event_id = job.arguments["event_id"]
    event = await rows.find_event(ctx.db, job.account_id, event_id)
    if event is not None and await rows.mark_told(ctx.db, job.account_id, event_id, ctx.now):
        for person in await _addressees(ctx, event):
            if words := write(event, person):
                await queue_mail(ctx, job.account_id, person.email, words, event_id=event_id)
        for hear in hearers:
            await hear(ctx, event)
    return Advance(position=1, done=True)


async def _addressees(ctx: Ctx, event: Event) -> Sequence[Person]:
    """Whoever the event itself names, else the people of the account."""
    to = event.about.get("to")
    return await rows.people(ctx.db, event.account_id) if to is None else [Person(**to)]


async def queue_mail(
    ctx: Ctx, account_id: str, recipient: str, words: Words, *, event_id: str | None = None
) -> str:
    """Write a letter, to be sent once this is committed; gives its id."""
    mail_id = ctx.new_id()
    await rows.insert_mail(ctx.db, account_id, mail_id, event_id, recipient, words, ctx.now)
    await jobs.enqueue(ctx, account_id, SEND, f"{LANE}:{SEND}", {"mail_id": mail_id})
    return mail_id


async def find_mail(ctx: Ctx, job: Job) -> Mail:
    """The letter that a job is to send; raises NotThere."""
    mail = await rows.find_mail(ctx.db, job.account_id, job.arguments["mail_id"])
    if mail is None:
        raise NotThere
    return mail


async def mark_mail(ctx: Ctx, job: Job, refused: str | None) -> Advance:
    """Note that a letter is on its way, or why it never will be."""
    await rows.mark_mail(ctx.db, job.account_id, job.arguments["mail_id"], ctx.now, refused)
    return Advance(position=1, done=True)


async def list_mail(ctx: Ctx, limit: int) -> list[Mail]:
    """The latest letters of every account, the newest first."""
    return await rows.latest_mail(ctx.db, limit)


async def forget_old_events(ctx: Ctx) -> int:
    """Delete events and letters that nobody will ask for any more; gives how many."""
    return await rows.delete_old(ctx.db, ctx.now - KEPT)
