"""Announcements: what an account manager tells merchants, news of the marketplace, and news for senders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tradepost.domain.inbox import CATEGORIES
from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, acting, do, show
from tradepost.surfaces.pages.site import Visit
from tradepost.surfaces.pages.visit import Problem, Sent
from tradepost.values import Fact
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/announcements"
FIELDS: Final = {"RecipientUnknown": "merchant_id", "merchant_ids": "merchant_id"}
FEATURE: Final = (
    *("title", "body", "link", "cn_title", "cn_body", "cn_link"),
    *("program", "action", "cn_action", "action_at"),
)


async def show_form(visit: Visit, problem: Problem | None = None, about: str = "") -> Response:
    """The forms of what can be announced; `about` is the one that a problem is about."""
    async with acting(visit) as ctx:
        manager = ctx.actor.name
    return show(
        visit,
        "announcements.html",
        200 if problem is None else problem.status,
        problem=problem,
        about=about,
        sent=visit.sent,
        nothing=Sent(),
        manager=manager,
        categories=[("", visit.say("choose")), *((name, visit.say(f"category.{name}")) for name in CATEGORIES)],
    )


async def announce(visit: Visit) -> Response:
    """Tell it; merchants have a notification of it."""
    try:
        async with acting(visit) as ctx:
            given = {name: visit.form.get(name) for name in ("title", "message", "manager_name")}
            whom = (visit.form.get("merchant_id") or "").strip()
            one = [whom] if whom else None
            told = await do(visit, ctx, "/announcements/message", **given, merchant_ids=one)
    except Fact as fact:
        return await show_form(visit, visit.problem(fact, FIELDS), "message")
    return visit.done("office_announced", HERE, count=str(told.merchants))


async def publish_update(visit: Visit) -> Response:
    """Publish news of the marketplace, of which every merchant has a notification."""
    category = visit.form.get("category") or ""
    given: dict[str, Any] = {name: text for name in FEATURE if (text := (visit.form.get(name) or "").strip())}
    if category:
        given["categories"] = [category]
    if visit.form.get("important") == "on":
        given["important"] = "true"
    if when := given.get("action_at"):
        given["action_at"] = f"{when}T00:00:00"
    try:
        async with acting(visit) as ctx:
            await do(visit, ctx, "/announcements/update", features=[given])
    except Fact as fact:
        # What is wrong is told of features[0].title, where the form has a field.
        inside = str(fact.blanks().get("name", "")).rpartition(".")[2].partition("[")[0]
        return await show_form(visit, visit.problem(fact, {"features": inside}), "update")
    return visit.done("office_published", HERE)


async def tell_senders(visit: Visit) -> Response:
    """Announce something to everybody who sends parcels; an empty line begins another paragraph."""
    text = (visit.form.get("words") or "").replace("\r\n", "\n")
    words = [part.strip() for part in text.split("\n\n") if part.strip()]
    try:
        async with acting(visit) as ctx:
            given = {name: visit.form.get(name) for name in ("title", "url")}
            await do(visit, ctx, "/announcements/senders", **given, words=words)
    except Fact as fact:
        return await show_form(visit, visit.problem(fact, {"AnnouncementUnusable": "words"}), "senders")
    return visit.done("office_senders_told", HERE)


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HERE: {"GET": show_form, "POST": announce},
    f"{HERE}/update": {"POST": publish_update},
    f"{HERE}/senders": {"POST": tell_senders},
}
LARGE: Final = dict.fromkeys(PAGES, 1 << 17)
"""Texts in two languages, of which a character may be nine bytes of a form."""
