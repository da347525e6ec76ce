"""What becomes of a call on purpose, and who knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tradepost.values import Fact
from tradepost.wire.endpoint import RateLimit


@dataclass(frozen=True, slots=True)
class Trouble:
    """What becomes of a call on purpose: it fails, or its answer comes so many seconds late, or half of it."""

    told: str
    """What the header Tradepost-Fault says of it."""
    fact: Fact | None
    late: float
    cut: bool


class Troubles(Protocol):
    """Knows what is to go wrong on purpose; only a sandbox has one."""

    async def meet(self, service: str, path: str, limits: Sequence[RateLimit], ctx: Any) -> Trouble | None:
        """What an admitted call of a service meets, if anything; `limits` are those of its endpoint."""
