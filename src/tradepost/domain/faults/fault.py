"""A fault on demand: what some calls meet instead of their answer, so that a connector's patience can be tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

FaultKind = Literal["limited", "broken", "unavailable", "slow", "cut", "expired"]
"""429, 500, 503; an answer that comes late, or whose second half never comes; a token that has ended."""

KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)
SERVICES: Final = ("merchant", "wishpost", "operator")
MOST_CALLS: Final = 1_000_000
MOST_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFault:
    """What is to happen, to which calls: of a service, to one path, of one account, by one app; None for all.

    `share` is how many of them in percent, `calls` how many of them at most, `seconds` how late a slow one is.
    """

    kind: FaultKind
    service: str = "merchant"
    path: str | None = None
    account: str | None = None
    app: str | None = None
    share: int = 100
    calls: int | None = None
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as it stands: how many calls it could have met, how many it met, and how many it is still to meet."""

    id: str
    kind: FaultKind
    service: str
    path: str | None
    account: str | None
    app: str | None
    share: int
    remaining: int | None
    seconds: float
    seen: int
    met: int

    def may_meet(self, service: str, path: str, account: str) -> bool:
        """Whether a call can be one of its calls, by all that is known without asking for the app."""
        here = self.service == service and self.path in (None, path)
        return here and self.account in (None, account) and self.remaining != 0
