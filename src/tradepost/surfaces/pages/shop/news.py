"""What the marketplace tells a shop: notifications, announcements, updates, and infractions with their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.domain import inbox, infractions
from tradepost.domain.inbox import TextUnusable
from tradepost.domain.infractions import InfractionFilter
from tradepost.surfaces.merchant_v2.wording import notice
from tradepost.surfaces.pages import lists
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.wire.http_types import Response

STAGES: Final = ("1", "2", "3")
SUBJECTS: Final = {"order_id": "/orders/", "ticket_id": "/tickets/", "product_id": "/products/"} | {
    "infraction_id": "/infractions/"
}
"""Where the page is of what a notification is about."""


async def show_notifications(visit: Visit) -> Response:
    """What was not viewed yet, the latest first; the latest announcement; the updates of the marketplace."""
    page = lists.stretch(visit)
    async with visit.shop() as ctx:
        found, more = await inbox.list_notifications(ctx, page)
        announcement = await inbox.find_announcement(ctx)
        updates = await inbox.list_updates(ctx)
    told = []
    for one in found:
        words = notice(one.topic, one.about, visit.say.locale)
        link = next((path + str(one.about[key]) for key, path in SUBJECTS.items() if one.about.get(key)), "")
        told.append({"id": one.id, "title": words.title, "text": words.text, "at": one.created_at, "link": link})
    return visit.render(
        "shop/notifications.html",
        found=told,
        pages=lists.around(visit, page, more),
        announcement=announcement,
        updates=updates[:10],
    )


async def mark_viewed(visit: Visit) -> Response:
    """Note that a notification was seen."""
    async with visit.shop() as ctx:
        await visit.call(ctx, "/noti/mark-as-viewed", {"noti_id": visit.blanks["id"]})
    return visit.done("viewed", "/notifications")


async def show_infractions(visit: Visit) -> Response:
    """The infractions of a stage, the last changed first."""
    stage = lists.one_of(visit.query.get("stage"), STAGES, "1")
    page = lists.stretch(visit)
    async with visit.shop() as ctx:
        found, more = await infractions.list_infractions(ctx, InfractionFilter(int(stage)), page)
        counts = {one: await infractions.count_infractions(ctx, int(one)) for one in STAGES}
    told = [(one, _reason(one, visit.say.locale)) for one in found]
    return visit.render(
        "shop/infractions.html", stage=stage, found=told, counts=counts, pages=lists.around(visit, page, more)
    )


def _reason(one: infractions.Infraction, locale: str) -> str:
    return one.reason or notice(one.cause or "", {}, locale).title


async def show_infraction(visit: Visit, problem: Problem | None = None) -> Response:
    """One infraction with what shows it and what was written about it."""
    async with visit.shop() as ctx:
        one, messages = await infractions.find_infraction(ctx, visit.blanks["id"])
    paths = {"order": "/orders/", "ticket": "/tickets/", "product": "/products/"}
    return visit.render(
        "shop/infraction.html",
        200 if problem is None else problem.status,
        one=one,
        reason=_reason(one, visit.say.locale),
        messages=messages,
        proofs=[
            (proof, paths[proof.kind] + proof.object_id if proof.kind in paths else "") for proof in one.proofs
        ],
        problem=problem,
        sent=visit.sent,
    )


async def answer_infraction(visit: Visit) -> Response:
    """Write to the marketplace about an infraction; the API of merchants cannot."""
    infraction_id = visit.blanks["id"]
    try:
        async with visit.shop() as ctx:
            message = visit.form.get("message") or ""
            await infractions.answer_infraction(ctx, infraction_id, "merchant", message)
    except TextUnusable:
        return await show_infraction(visit, Problem(visit.say("message_wrong"), "message"))
    except infractions.InfractionClosed:
        return await show_infraction(visit, Problem(visit.say("infraction.closed"), "", 409))
    except infractions.InfractionNotFound:
        return visit.trouble("not_there", 404)
    return visit.done("replied", f"/infractions/{infraction_id}")


async def show_one_infraction(visit: Visit) -> Response:
    """The page of an infraction, if there is such a one."""
    try:
        return await show_infraction(visit)
    except infractions.InfractionNotFound:
        return visit.trouble("not_there", 404)


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    "/notifications": {"GET": show_notifications},
    "/notifications/{id}/viewed": {"POST": mark_viewed},
    "/infractions": {"GET": show_infractions},
    "/infractions/{id}": {"GET": show_one_infraction},
    "/infractions/{id}/answer": {"POST": answer_infraction},
}
LARGE: Final = {"/infractions/{id}/answer": 1 << 16}
