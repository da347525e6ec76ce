"""Operators, their tokens and their acts as they stand in lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class OperatorLine:
    """Somebody or something that acts for the marketplace: a person, or a storefront's server."""

    id: str
    name: str
    locale: str
    disabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token of an operator; the token itself was shown once."""

    id: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Act:
    """What an operator did: when, with which token, and on whom, where it was about one merchant or user."""

    acted_at: datetime
    operator: str
    token_id: str
    verb: str
    subject: str | None
    about: Mapping[str, Any]
