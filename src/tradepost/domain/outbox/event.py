"""Something that happened and that somebody outside wants to know, and a letter about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tradepost.domain.context import Ctx


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in an account: a topic, and what it is about."""

    account_id: str
    id: str
    topic: str
    about: Mapping[str, Any]
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter to one person, and whether it went out."""

    account_id: str
    id: str
    recipient: str
    subject: str
    body: str
    created_at: datetime
    sent_at: datetime | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says: one line, and the text."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to write to, and in which language."""

    email: str
    name: str
    locale: str


Hearer = Callable[[Ctx, Event], Awaitable[None]]
"""Is told of every event, in the transaction that notes that it was told."""
Writer = Callable[[Event, Person], Words | None]
"""Puts an event into words for a person; None where no letter is written about it."""
