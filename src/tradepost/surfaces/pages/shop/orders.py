"""The orders of a shop: lists, one order, and what its merchant does with it. Chapters about orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from tradepost.domain import orders, reference
from tradepost.domain.orders import OrderFilter, OrderRules
from tradepost.domain.orders.failures import (
    CarrierUnknown,
    ParcelNotForOrder,
    ReasonForUnfulfilled,
    ReasonNotAccepted,
    ReasonNoteMissing,
    TrackingMissing,
    TrackingReused,
)
from tradepost.surfaces.pages import lists
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import LAST, Bookmark, Fact
from tradepost.wire.http_types import Response

STATES: Final = (orders.APPROVED, orders.SHIPPED, orders.REFUNDED, orders.REVIEW)
VIEWS: Final = ("todo", "all")
SOON: Final = timedelta(days=1)
MOST_GENERATED: Final = 10_000
FIELDS: Final = {
    fact.__name__: name
    for name, facts in {
        "tracking_provider": (CarrierUnknown,),
        "tracking_number": (TrackingMissing, TrackingReused, ParcelNotForOrder),
        "reason_code": (ReasonNotAccepted, ReasonForUnfulfilled),
        "reason_note": (ReasonNoteMissing,),
    }.items()
    for fact in facts
} | {"NotTrackingNumber": "tracking_number"}
"""Which field a refusal is about."""


async def show_orders(visit: Visit, problem: Problem | None = None) -> Response:
    """What must be shipped, the first placed first; or all orders, the last placed first, searched and filtered."""
    query = visit.query
    view = lists.one_of(query.get("view"), VIEWS, "todo")
    text = lists.asked_text(visit, "q", 100)
    async with visit.shop() as ctx:
        if view == "todo" and not text:
            page = lists.stretch(visit)
            found, more = await orders.list_to_fulfil(ctx, OrderFilter(), page)
            pages = lists.around(visit, page, more)
        else:
            try:
                found, more = await _find(visit, ctx, text)
            except lists.Unusable as unusable:
                found, more, problem = [], False, unusable.problem
            last = Bookmark(found[-1].placed_at, found[-1].id) if found else None
            pages = lists.behind(visit, last, more)
        waiting = await orders.count_waiting(ctx)
    return visit.render(
        "shop/orders.html",
        200 if problem is None else problem.status,
        view="all" if text else view,
        found=found,
        pages=pages,
        waiting=waiting,
        now=ctx.now,
        soon=ctx.now + SOON,
        given={name: query.get(name) or "" for name in ("state", "from", "to")} | {"q": text},
        states=[("", visit.say("any")), *((state, visit.say(f"order.{state}")) for state in STATES)],
        problem=problem,
        wanted=visit.form.get("orders") or "100",
    )


async def _find(visit: Visit, ctx: Any, text: str) -> tuple[Any, bool]:
    """The orders that a search or the filters are about."""
    if text:
        by_id = await orders.find_orders(ctx, [text.lower()])
        if by_id:
            return list(by_id.values()), False
        found, more = await orders.page_orders(ctx, lists.bookmark(visit), lists.PAGE, transaction_id=text.lower())
        return (
            (found, more)
            if found
            else await orders.page_orders(ctx, lists.bookmark(visit), lists.PAGE, tracking_number=text)
        )
    query = visit.query
    state = lists.one_of(query.get("state"), STATES) or None
    last_day = lists.asked_end(visit, "to")
    end = LAST if last_day is None else Bookmark(last_day, "")
    return await orders.page_orders(
        ctx, lists.bookmark(visit, end), lists.PAGE, state=state, since=lists.asked_day(visit, "from")
    )


async def show_order(visit: Visit, problem: Problem | None = None, about: str = "") -> Response:
    """One order, with the forms for what can be done with it; `about` is the form that a problem is about."""
    async with visit.shop() as ctx:
        order = await orders.find_order(ctx, visit.blanks["id"])
        scans = await orders.list_scans(ctx, order.tracking_number) if order.tracking_number else []
        together, _ = await orders.page_orders(ctx, LAST, lists.PAGE, transaction_id=order.transaction_id)
        rules = ctx.order_rules or OrderRules()
    say = visit.say
    reasons = [
        (str(code), say(f"reason.{code}"))
        for code, reason in reference.REFUND_REASONS.items()
        if code in rules.refund_reasons and not (reason.unfulfilled_only and order.state == orders.SHIPPED)
    ]
    return visit.render(
        "shop/order.html",
        200 if problem is None else problem.status,
        order=order,
        scans=scans,
        together=[other for other in together if other.id != order.id],
        now=ctx.now,
        soon=ctx.now + SOON,
        carriers=[("", say("choose")), *((name, name) for name in reference.CARRIERS)],
        countries=[("", say("any")), *((code, f"{code} · {name}") for code, name in reference.COUNTRIES.items())],
        reasons=[("", say("choose")), *sorted(reasons, key=lambda reason: reason[1])],
        problem=problem,
        about=about,
        sent=visit.sent,
        country=reference.COUNTRIES.get(order.address.country, order.address.country),
    )


async def _change(visit: Visit, path: str, names: tuple[str, ...], about: str, done: str) -> Response:
    """Do something with an order by an endpoint, with the fields of a form; or show what is wrong with them."""
    order_id = visit.blanks["id"]
    given = {name: visit.form.get(name) or "" for name in names} | {"id": order_id}
    try:
        async with visit.shop() as ctx:
            await orders.find_order(ctx, order_id)
            await visit.call(ctx, path, given)
    except Fact as fact:
        return await show_order(visit, visit.problem(fact, FIELDS), about)
    return visit.done(done, f"/orders/{order_id}")


async def fulfil(visit: Visit) -> Response:
    """Say how an order was shipped."""
    names = ("tracking_provider", "tracking_number", "ship_note", "origin_country_code")
    return await _change(visit, "/order/fulfill-one", names, "fulfil", "fulfilled")


async def modify(visit: Visit) -> Response:
    """Say it again, and rightly."""
    names = ("tracking_provider", "tracking_number", "ship_note")
    return await _change(visit, "/order/modify-tracking", names, "modify", "modified")


async def refund(visit: Visit) -> Response:
    """Give a buyer his money back."""
    return await _change(visit, "/order/refund", ("reason_code", "reason_note"), "refund", "refunded")


async def generate(visit: Visit) -> Response:
    """Make up orders for this shop; in a sandbox only."""
    desk = visit.site.kit.desk
    async with visit.shop() as ctx:
        merchant_id = ctx.actor.id
    if desk is None:
        return visit.trouble("not_there", 404)
    text = (visit.form.get("orders") or "").strip()
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= count <= MOST_GENERATED:
        return await show_orders(visit, Problem(visit.say("generate_wrong"), "orders"))
    try:
        made = await desk.generate(merchant_id, count, None)
    except Fact:
        return await show_orders(visit, Problem(visit.say("generate_not")))
    return visit.done("generated", "/orders?view=all", count=str(made.orders))


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    "/orders": {"GET": show_orders},
    "/orders/generate": {"POST": generate},
    "/orders/{id}": {"GET": show_order},
    "/orders/{id}/fulfil": {"POST": fulfil},
    "/orders/{id}/tracking": {"POST": modify},
    "/orders/{id}/refund": {"POST": refund},
}
