"""A call as the log keeps it, how long and how much; and the ids that calls are found by. Without a database.

A Wish-Request-Id is a UUID of version 7 (RFC 9562, 5.7): milliseconds since 1970, twelve bits of what is left of
the millisecond, and 62 random bits. So ids are ordered as calls came in, and an id says when its call did.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

KEPT_DAYS: Final = 30
SLOTS: Final = 12
DAYS_OF_SLOT: Final = 3
BYTES_PER_CALL: Final = 4096
"""What the calls of an account on one day may take on average before no more of them are kept that day."""
UNPROVEN_SHARE: Final = 10
"""Calls that nobody proved to be an account's, one of how many of a day they may be: they have that share alone."""
MOST_SEEN: Final = 20_000
"""Calls that one search looks through before it gives what it has, and the place to go on from."""
MOST_LIMIT: Final = 200
LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Call(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One call, without what it said.

    `code` is that of the envelope, `microseconds` how long answering took, `endpoint` what the path leads to, None
    where it leads nowhere. `token_id` is the id of the access token, never the token.
    """

    id: str
    service: str
    app_id: str | None
    token_id: str | None
    method: str
    path: str
    endpoint: str | None
    status: int
    code: int
    microseconds: int
    client: str | None

    @property
    def at(self) -> datetime:
        """When it came in, by the machine's clock."""
        return moment_of(self.id)


class Said(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What was said in a call, without secrets.

    `asked` and `answered` are the beginnings of the bodies, whose whole sizes in bytes are told beside them.
    Whether there was more is told apart: what stands for a secret is shorter or longer than the secret.
    `is_line_cut` tells it of the path, the query and the type of the body.
    """

    query: str = ""
    asked_type: str = ""
    asked: str = ""
    asked_size: int = 0
    answered_type: str = ""
    answered: bytes = b""
    answered_size: int = 0
    agent: str = ""
    languages: str = ""
    is_asked_cut: bool = False
    is_answered_cut: bool = False
    is_line_cut: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What a call showed of itself: the hash of its access token, or the id of its app where it showed none."""

    service: str
    token_hash: bytes | None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a call is: the account, "" where nobody knows, the app, and the id (never more) of the access token."""

    account_id: str
    app_id: str | None
    token_id: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A call and whose it is: an account's, or "" where nobody knows."""

    account_id: str
    call: Call


@dataclass(frozen=True, slots=True)
class Kept(Line):
    """The same with what was said."""

    said: Said


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None matches everything. `status` below 10 means its hundred: 4 is 400 to 499."""

    path: str | None = None
    """A part of the path."""
    status: int | None = None
    code: int | None = None
    app_id: str | None = None
    service: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    """The id of the last call of the page before."""

    @property
    def below(self) -> str:
        """The id that all calls are below."""
        ends = [end for end in (self.before, self.until and least_id(self.until)) if end]
        return min(ends, default=LAST_ID)

    def matches(self, call: Call) -> bool:
        """Whether a call is looked for, whenever it came."""
        return (
            (self.path is None or self.path in call.path)
            and (self.status is None or (call.status // 100 if self.status < 10 else call.status) == self.status)
            and (self.code is None or call.code == self.code)
            and (self.app_id is None or call.app_id == self.app_id)
            and (self.service is None or call.service == self.service)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """The calls that a search found, the latest first, and the id to go on before; None where there is no more."""

    lines: Sequence[Line]
    next: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many calls of a day were kept, and how many were not, because there were too many."""

    day: date
    kept: int
    missed: int


def is_id(text: str) -> bool:
    """Whether a text can be the id of a call."""
    return _ID.fullmatch(text) is not None


def moment_of(call_id: str) -> datetime:
    """When the call of an id came in, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=int(call_id[:8] + call_id[9:13], 16))


def least_id(moment: datetime) -> str:
    """The id that no call since a moment is below."""
    return _least_id_at(max(0, (moment - _EPOCH) // timedelta(milliseconds=1)))


def _least_id_at(ms: int) -> str:
    if ms >= 1 << 48:
        return LAST_ID
    digits = f"{ms:012x}"
    return f"{digits[:8]}-{digits[8:12]}-0000-0000-000000000000"


def later(call_id: str, seconds: int) -> str:
    """The least id that a call could have so long after another; an id may name a moment that no calendar has."""
    return _least_id_at(int(call_id[:8] + call_id[9:13], 16) + 1000 * seconds)


def next_id(call_id: str) -> str:
    """The id after an id: whatever is below it is at most that."""
    digits = f"{int(call_id.replace('-', ''), 16) + 1:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def slot_of(call_id: str) -> int:
    """The slot that the call of an id is kept in."""
    return slot_at(moment_of(call_id))


def slot_at(moment: datetime) -> int:
    """The slot for calls of a moment."""
    return (moment - _EPOCH).days // DAYS_OF_SLOT % SLOTS


def slot_to_empty(now: datetime) -> int:
    """The slot whose turn is next: it holds nothing younger than what is kept."""
    return slot_at(now + timedelta(days=DAYS_OF_SLOT))
