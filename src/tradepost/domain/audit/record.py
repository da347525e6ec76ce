"""A row of the audit log, how rows are chained, and what a look through all of them finds; without a database."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tradepost.domain.audit.failures import AnchorUnusable
from tradepost.domain.context import Ctx, Merchant, Operator, Shipper

BEGINNING: Final = bytes(32)
"""What the first link follows."""
MOST_TOLD: Final = 20
"""Troubles that are told one by one; of more there is no end."""
_ANCHOR = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)
_SECRET = re.compile(r"(?:mp_[a-z]{2}_|whsec_)[A-Za-z0-9+/=_-]+", re.ASCII)
_KINDS: Final = ((Merchant, "merchant"), (Shipper, "sender"), (Operator, "operator"))


@dataclass(frozen=True, slots=True)
class Record:
    """One row. `actor` is an id, empty where there is none; `subject` is the account that it is done to."""

    id: int
    at: datetime
    actor_kind: str
    actor: str
    client: str
    verb: str
    subject: str | None
    about: str

    @property
    def text(self) -> str:
        """What of it goes into its hash: the same as the function audit_text of the migrations makes."""
        at = f"{self.at:%Y-%m-%dT%H:%M:%S.%f}"
        row = [str(self.id), at, self.actor_kind, self.actor, self.client, self.verb, self.subject, self.about]
        return json.dumps(row, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far the log went once: kept elsewhere, it shows whether the end was cut off or all of it made anew."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look through the log found: how many rows, how far it goes, and what is not as it was written."""

    rows: int
    head: Anchor | None
    troubles: tuple[str, ...]


def read_anchor(text: str) -> Anchor:
    """An anchor as it was printed; raises AnchorUnusable."""
    found = _ANCHOR.fullmatch(text.strip())
    if found is None:
        raise AnchorUnusable(anchor=text[:64])
    return Anchor(int(found[1]), bytes.fromhex(found[2]))


def link_hash(before: bytes, written: Record) -> bytes:
    """The hash of a link: over the one before and its row."""
    return hashlib.sha256(before + written.text.encode()).digest()


def who_acts(ctx: Ctx) -> tuple[str, str, str]:
    """Kind, id and address of whoever acts in a context; what nobody asked for the program does by itself."""
    if ctx.by is not None:
        return ctx.by.kind, ctx.by.id, ctx.by.client
    for kind, name in _KINDS:
        if isinstance(ctx.actor, kind):
            return name, ctx.actor.id, ""
    return "program", "", ""


def written_down(about: dict[str, Any]) -> str:
    """What an act is about as it is kept: JSON in a fixed order. What looks like a secret of ours is not in it."""
    return _SECRET.sub("***", json.dumps(about, ensure_ascii=False, sort_keys=True, default=str))
