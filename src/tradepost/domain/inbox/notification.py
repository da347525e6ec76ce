"""Something a merchant should know: a topic, and what it is about. The words are for whoever shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing that happened; `viewed_at` is None until the merchant has seen it."""

    id: str
    topic: str
    about: Mapping[str, Any]
    created_at: datetime
    viewed_at: datetime | None
