"""What goes out of the system by itself: events, written down with the change that causes them, and letters."""

from tradepost.domain.outbox.event import Event, Hearer, Mail, Person, Words, Writer
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
    "tell_event",
]
