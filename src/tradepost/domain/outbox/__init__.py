"""What goes out of the system by itself: events, written down with the change that causes them, and letters."""

from tradepost.domain.outbox.event import SECRET_PLACE, Event, Hearer, Mail, Person, Words, Writer, seal_owner
from tradepost.domain.outbox.failures import NotThere
from tradepost.domain.outbox.operations import (
    SEND,
    TELL,
    find_mail,
    forget_old_events,
    list_mail,
    mark_mail,
    queue_mail,
    record_event,
    tell_event,
)

__all__ = [
    "SECRET_PLACE",
    "SEND",
    "TELL",
    "Event",
    "Hearer",
    "Mail",
    "NotThere",
    "Person",
    "Words",
    "Writer",
    "find_mail",
    "forget_old_events",
    "list_mail",
    "mark_mail",
    "queue_mail",
    "record_event",
    "seal_owner",
    "tell_event",
]
