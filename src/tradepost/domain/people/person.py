"""A person, and a person who is signed in: how long that lasts, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

IDLE_MINUTES: Final = 30
ABSOLUTE_HOURS: Final = 12


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs in with an address. `password_hash` is what is kept of the password."""

    account_id: str
    user_id: str
    name: str
    locale: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody who is signed in, and for which account he acts."""

    account_id: str
    account_name: str
    user_id: str
    locale: str
    suspended: bool
    session_id: str
    at: datetime


def is_open(created_at: datetime, used_at: datetime, ended_at: datetime | None, now: datetime) -> bool:
    """Whether a session is still good: not ended, used a while ago at most, and begun today."""
    return (
        ended_at is None
        and now < used_at + timedelta(minutes=IDLE_MINUTES)
        and now < created_at + timedelta(hours=ABSOLUTE_HOURS)
    )
