"""Something that happened and that somebody outside wants to know, and a letter about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tradepost.domain.context import Ctx
from tradepost.domain.sealing import SealingKeys, SealUnknown

SECRET_PLACE: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Where in a letter its secret is put when it is sent."""


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
    sealed: bytes | None
    """What the text says at SECRET_PLACE and the database does not know."""

    def opened(self, seals: SealingKeys) -> str:
        """The text as it goes out; where its secret was sealed with a key that is gone, without it."""
        if self.sealed is None:
            return self.body
        try:
            secret = seals.open(self.sealed, seal_owner(self.account_id)).decode()
        except SealUnknown:
            secret = ""
        return self.body.replace(SECRET_PLACE, secret)


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says: one line, and the text."""

    subject: str
    body: str
    sealed: bytes | None = None
    """What stands at SECRET_PLACE, sealed for `seal_owner`; None where nothing does."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to write to, and in which language."""

    email: str
    name: str
    locale: str


def seal_owner(account_id: str) -> str:
    """Whose the secrets of letters about an account are: what they are sealed for."""
    return f"letter {account_id}"


Hearer = Callable[[Ctx, Event], Awaitable[None]]
"""Is told of every event, in the transaction that notes that it was told."""
Writer = Callable[[Event, Person], Words | None]
"""Puts an event into words for a person; None where no letter is written about it."""
