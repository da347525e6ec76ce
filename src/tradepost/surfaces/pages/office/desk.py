"""What all pages of operators have: who is signed in, and the calls of the operator's API that they are made of.

A page reads and changes by the endpoints of that API, in one transaction in the role of the platform; what is
written by them names the operator and, in place of a token, his session.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from tradepost.domain import merchants, operators, world
from tradepost.domain.context import By, Ctx, Operator, OperatorCtx, random_id
from tradepost.domain.people import Device, Person, Signed
from tradepost.domain.sealing import SealingKeys
from tradepost.surfaces.pages.lists import PAGE, Neighbours
from tradepost.surfaces.pages.site import Site, Visit
from tradepost.wire.endpoint import Surface
from tradepost.wire.forms import Parameters
from tradepost.wire.http_types import Response

ROOT: Final = "/operator"


class Office(Site):
    """The pages of operators, who sign in by a door of their own."""

    root = ROOT
    who = "operator"
    words = "office."
    apis: Sequence[Surface] = ()
    """Every way in of this installation, whose limits are shown."""

    async def find_session(self, ctx: Ctx, session: str, *, needs_code: bool = False) -> Signed | None:
        """The operator who is signed in by a session or has yet to show a code; None if it is none or over."""
        return await operators.find_session(ctx, session, needs_code=needs_code)

    async def person_of(self, ctx: Ctx, signed: Signed) -> tuple[Person, str]:
        """The operator who is signed in, with what is kept of his password, and his name."""
        person = await operators.person_of(ctx, signed)
        return person, person.name

    async def prove(self, ctx: Ctx, signed: Signed) -> None:
        """Note that an operator has just shown his password."""
        await operators.prove(ctx, signed)

    async def enter_code(self, ctx: Ctx, half: Signed, code: str, seals: SealingKeys, device: Device) -> str | None:
        """Sign in an operator who has shown his password and now a code; gives his session."""
        return await operators.enter_code(ctx, half, code, seals, device.client)


@asynccontextmanager
async def acting(visit: Visit) -> AsyncIterator[OperatorCtx]:
    """One transaction as the operator who is signed in; everybody else is sent to the door.

    A form that was not made for this session is refused: no page that begins with this can be called otherwise.
    """
    async with visit.open() as (ctx, signed):
        signed = visit.need_signed(signed)
        is_sent = visit.request.method == "POST"
        if is_sent:
            visit.check_form()
        tools = visit.site.kit.tools()
        seed = None if tools.chance is None or not is_sent else tools.chance.seed
        made = OperatorCtx(
            ctx.db,
            ctx.now,
            Operator(signed.account_id, signed.account_name, signed.locale),
            random_id if seed is None else world.ForetoldIds(seed),
            signed.session_id,
            tools.order_rules,
        )
        if is_sent:
            await world.begin_anew(made)
        yield replace(made, by=By("operator", signed.user_id, visit.request.client or ""))


async def ask(visit: Visit, ctx: OperatorCtx, path: str, **query: str) -> Any:
    """What an endpoint of the operator's API answers; raises what it raises."""
    given = Parameters()
    given.add_place(list(query.items()))
    return await _call(visit, ctx, "GET", path, given)


async def do(visit: Visit, ctx: OperatorCtx, path: str, **body: Any) -> Any:
    """Do what an endpoint of the operator's API does with a body; what is None or empty is left out of it."""
    given = Parameters()
    given.body = {name: value for name, value in body.items() if value not in (None, "")}
    return await _call(visit, ctx, "POST", path, given)


async def _call(visit: Visit, ctx: OperatorCtx, method: str, path: str, given: Parameters) -> Any:
    api = visit.site.kit.api
    endpoint = api.find(method, api.prefix + path)
    return await endpoint.handler(ctx, **endpoint.bind(given, visit.request.base_url, visit.say.locale))


def place(visit: Visit) -> dict[str, str]:
    """Where a list begins that a visit asks for, and how long it is, as the API takes it."""
    after = visit.query.get("after")
    return {"limit": str(PAGE)} | ({"after": after} if after else {})


def pager(visit: Visit, following: str | None) -> Neighbours:
    """The links of a list: to its first page, and behind what is shown."""
    path = visit.request.path
    before = path + visit.query.without("after") if visit.query.get("after") else ""
    return Neighbours(before, path + visit.query.with_(after=following) if following else "")


async def names(ctx: OperatorCtx, found: Iterable[Any]) -> dict[str, str]:
    """What the shops are called that things are about."""
    return await merchants.names_of(ctx, [one.merchant_id for one in found])


def show(visit: Visit, template: str, status: int = 200, **values: Any) -> Response:
    """A page of operators; `when` in its template is a moment out of the API's text."""
    return visit.render(f"office/{template}", status, when=_moment, **values)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
