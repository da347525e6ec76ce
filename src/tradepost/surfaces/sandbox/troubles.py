"""What a call meets of the faults that somebody asked for. With none set it costs a look at an empty list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from tradepost.domain import faults
from tradepost.domain.access.failures import BY_LEVEL, TokenExpired
from tradepost.domain.context import Ctx
from tradepost.domain.faults import Fault
from tradepost.sandbox.conditions import Conditions
from tradepost.values import Fact
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.refusals import ServiceUnavailable, Unexpected
from tradepost.wire.troubles import Trouble

LIMIT_SECONDS = 60
_LEVELS = {"merchant": "app_user", "wishpost": "user", "operator": "operator"}
Look = Callable[[Callable[[Ctx], Awaitable[bool]]], Awaitable[bool]]


class Troubles:
    """The gate's idea of what may go wrong on purpose."""

    def __init__(self, conditions: Conditions, look: Look) -> None:
        """`look` runs something in the platform's role, in a transaction that makes no ids."""
        self._conditions = conditions
        self._look = look

    async def meet(self, service: str, path: str, limits: Sequence[RateLimit], ctx: Any) -> Trouble | None:
        """The first fault that this call meets, if any; `limits` are those that hold for it."""
        if ctx.actor is None:
            return None
        for fault in self._conditions.faults:
            if fault.may_meet(service, path, ctx.actor.id) and await self._meets(fault, ctx):
                return _trouble(fault, limits, ctx)
        return None

    async def _meets(self, fault: Fault, ctx: Any) -> bool:
        account, token_id = ctx.actor.id, ctx.token_id
        return await self._look(lambda found: faults.meet(found, fault, account, token_id))


def _trouble(fault: Fault, limits: Sequence[RateLimit], ctx: Any) -> Trouble:
    told = f"{fault.kind}; id={fault.id}"
    return Trouble(
        told,
        _fact(fault, limits, ctx),
        late=fault.seconds if fault.kind == "slow" else 0.0,
        cut=fault.kind == "cut",
    )


def _fact(fault: Fault, limits: Sequence[RateLimit], ctx: Any) -> Fact | None:
    match fault.kind:
        case "limited":
            level = _LEVELS[fault.service]
            reset = ctx.now + timedelta(seconds=LIMIT_SECONDS)
            # Told is the limit that really holds, as it would be told of calls that are used up.
            limit = next((limit.limit for limit in limits if limit.level == level), 0)
            return BY_LEVEL[level](limit=limit, seconds=LIMIT_SECONDS, reset=reset)
        case "broken":
            return Unexpected()
        case "unavailable":
            return ServiceUnavailable()
        case "expired":
            return TokenExpired()
    return None
