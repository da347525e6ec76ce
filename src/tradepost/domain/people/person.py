"""People, and people who are signed in: for how long, and which passwords are any good; without a database."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tradepost.domain.people.failures import PasswordLong, PasswordPlain, PasswordShort, PasswordUntypable

IDLE_MINUTES: Final = 30
ABSOLUTE_HOURS: Final = 12
CODE_MINUTES: Final = 10
"""How long a sign-in waits for its one-time code."""
PROOF_MINUTES: Final = 10
"""For how long a password or a code is good for what takes more than being signed in."""
SIGN_UP_HOURS: Final = 24
RESET_MINUTES: Final = 60
LEAST_PASSWORD: Final = 8
MOST_PASSWORD: Final = 1_000
_UNTYPABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""The categories of Unicode that no field for a password takes: controls, halves of characters, breaks of lines."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs in with an address. `password_hash` is what is kept of the password."""

    account_id: str
    user_id: str
    name: str
    locale: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class Device:
    """Where somebody signs in from: his address, and what his browser says that it is."""

    client: str = ""
    agent: str = ""


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
    proved_at: datetime | None = None
    """When he last showed his password or a code."""

    @property
    def is_proved(self) -> bool:
        """Whether that is recent enough for what takes more than being signed in."""
        return self.proved_at is not None and self.at < self.proved_at + timedelta(minutes=PROOF_MINUTES)


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session as its person sees it in the list."""

    id: str
    client: str
    agent: str
    created_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True)
class NewSignUp:
    """What it takes to ask for a shop; of the password there is a hash only. The currency is ISO 4217."""

    email: str
    name: str
    password_hash: str
    currency: str
    locale: str


def is_open(
    created_at: datetime, used_at: datetime, ended_at: datetime | None, now: datetime, needs_code: bool = False
) -> bool:
    """Whether a session is still good: not ended, used a while ago at most, and begun today.

    One that waits for its code waits some minutes.
    """
    life = timedelta(minutes=CODE_MINUTES) if needs_code else timedelta(hours=ABSOLUTE_HOURS)
    return ended_at is None and now < used_at + timedelta(minutes=IDLE_MINUTES) and now < created_at + life


def check_new_password(password: str, *known: str) -> None:
    """Whether somebody may have this password: 8 to 1,000 characters, whichever he can type.

    `known` is what others know of him. Raises PasswordShort, PasswordLong, PasswordUntypable, PasswordPlain.
    """
    text = unicodedata.normalize("NFC", password)
    if len(text) < LEAST_PASSWORD:
        raise PasswordShort(least=LEAST_PASSWORD)
    if len(text) > MOST_PASSWORD:
        raise PasswordLong(most=MOST_PASSWORD)
    if any(unicodedata.category(sign) in _UNTYPABLE for sign in text):
        raise PasswordUntypable
    plain = {unicodedata.normalize("NFC", word).strip().casefold() for word in known}
    if not text.strip() or len(set(text)) == 1 or text.strip().casefold() in plain:
        raise PasswordPlain
