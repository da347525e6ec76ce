"""What people attempt who have not shown who they are: forms that only their browser can send, and throttles.

Nobody who is not signed in has a session to seal a form with, so each browser has a secret of its own, the visitor.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from tradepost.domain import access
from tradepost.domain.access.failures import RateLimitReached
from tradepost.domain.context import Ctx
from tradepost.domain.people import Device
from tradepost.surfaces.pages.asked import cookie
from tradepost.surfaces.pages.site import Visit, cookie_name
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Response

MOST_EMAIL: Final = 320
# Each takes 19 MiB and 30 ms of a processor.
_checking = asyncio.Semaphore(4)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Try:
    """Something that is counted by whom it is about."""

    service: str
    limits: tuple[RateLimit, ...]
    client: str
    token: str = ""
    scope: str | None = None
    agent: str = ""


async def hold_back(visit: Visit, ctx: Ctx, counted: Sequence[tuple[RateLimit, str]]) -> None:
    """Count an attempt at each limit, by whom it is about; raises RateLimitReached.

    Binds the connection to nobody.
    """
    for limit, whom in counted:
        await access.admit_anybody(ctx.db, _Try(visit.site.service, (limit,), whom))


async def is_held_back(visit: Visit, counted: Sequence[tuple[RateLimit, str]]) -> bool:
    """The same in a transaction of its own; whether it is too often."""
    try:
        async with visit.open() as (ctx, _):
            await hold_back(visit, ctx, counted)
    except RateLimitReached:
        return True
    return False


async def slowly(work: Callable[..., Result], *given: Any) -> Result:
    """Do what a password takes beside the loop, a few at a time."""
    async with _checking:
        return await asyncio.to_thread(work, *given)


def digest(text: str) -> str:
    """What something is counted by: the same for the same text, and too short to tell it."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


def device_of(visit: Visit) -> Device:
    """Where a visit comes from."""
    return Device(visit.request.client or "", visit.request.headers.get("user-agent", ""))


def field_of(visit: Visit, name: str, most: int = MOST_EMAIL) -> str:
    """What a form holds, cut."""
    return (visit.form.get(name) or "")[:most]


def check_visitor(visit: Visit, purpose: str) -> None:
    """Stop where a form was not made for this browser."""
    visit.check_seal(purpose, cookie(visit.request, cookie_name(visit, "visitor")), visit.form.get("seal"))


def visitor_form(visit: Visit, template: str, purpose: str, status: int = 200, **values: Any) -> Response:
    """A page with a form that only this browser can send."""
    name = cookie_name(visit, "visitor")
    visitor = cookie(visit.request, name)
    is_known = access.looks_right(visitor, access.SESSION_PREFIX)
    visitor = visitor if is_known else access.new_session()
    response = visit.render(template, status, bare=True, seal=visit.seal(purpose, visitor), **values)
    if not is_known:
        response.headers["Set-Cookie"] = visit.cookie("visitor", visitor)
    return response
