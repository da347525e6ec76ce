"""The request log: the calls of an account, searched; one call whole; and the same call once more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from tradepost.domain import request_log
from tradepost.domain.context import Ctx
from tradepost.domain.request_log import CallUnknown, Found, Kept, Search
from tradepost.surfaces.pages import lists
from tradepost.surfaces.pages.developer.again import (
    ask_again,
    is_repeatable,
    is_whole,
    query_without_token,
    without_token,
)
from tradepost.surfaces.pages.developer.app_names import names_of_apps
from tradepost.surfaces.pages.developer.showing import TOKEN, address, blanks_of, curl, pretty, raw_options
from tradepost.surfaces.pages.site import Page, Stop, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response

CALLS: Final = "/calls"
STATUSES: Final = ("2", "4", "5")
MOST_WANTED: Final = 200


async def show_calls(visit: Visit) -> Response:
    """The calls of whoever is signed in, the latest first, searched by path, status, app and day."""
    async with visit.open() as (ctx, signed):
        person = visit.need_signed(signed)
        found, problem = await search_for(visit, ctx, visit.site.service, person.account_id)
        days = await request_log.list_tallies(ctx, person.account_id, (ctx.now - timedelta(days=2)).date())
        apps = await names_of_apps(ctx, visit.site.service, person.account_id)
    return render_calls(visit, found, problem, missed=sum(day.missed for day in days), apps=apps)


async def search_for(
    visit: Visit, ctx: Ctx, service: str | None, account_id: str | None
) -> tuple[Found, Problem | None]:
    """The calls that a visit looks for; or none, and what is wrong with what it was given."""
    try:
        search = _read_search(visit, service)
    except lists.Unusable as unusable:
        return Found((), None), unusable.problem
    return await request_log.search_calls(ctx, account_id, search, lists.PAGE), None


def _read_search(visit: Visit, service: str | None) -> Search:
    """What a visit looks for; the id of a call leads to its page at once. Raises Unusable."""
    query = visit.query
    text = lists.asked_text(visit, "q", MOST_WANTED)
    if request_log.is_id(text.lower()):
        raise Stop(visit.redirect(f"{visit.request.path}/{text.lower()}"))
    status = lists.one_of(query.get("status"), STATUSES)
    before = query.get("before") or ""
    return Search(
        path=text or None,
        status=int(status) if status else None,
        code=lists.asked_number(visit, "code"),
        app_id=lists.asked_text(visit, "app", 24) or None,
        service=service,
        since=lists.asked_day(visit, "from"),
        until=lists.asked_end(visit, "to"),
        before=before if request_log.is_id(before) else None,
    )


def render_calls(visit: Visit, found: Found, problem: Problem | None, **more: Any) -> Response:
    """The list of the calls that were found; with `names`, by account, it tells whose each is.

    With `apps`, the names of apps by their ids, one of them is chosen by its name.
    """
    query, path = visit.query, visit.request.path
    return visit.render(
        "developer/calls.html",
        200 if problem is None else problem.status,
        lines=found.lines,
        given={name: query.get(name) or "" for name in ("q", "status", "code", "app", "account", "from", "to")},
        statuses=[("", visit.say("any")), *((key, visit.say(f"calls.status_{key}")) for key in STATUSES)],
        pages=lists.Neighbours(
            path + query.without("before") if query.get("before") else "",
            path + query.with_(before=found.next) if found.next else "",
        ),
        path=path,
        problem=problem,
        choices=_choices(visit, more.get("apps", {})),
        **{"names": None, "missed": 0, "apps": {}, **more},
    )


def _choices(visit: Visit, apps: Mapping[str, str]) -> list[tuple[str, str]]:
    """The apps that can be chosen, by name; those of one name, and one that nobody knows, by their ids, too."""
    given = (visit.query.get("app") or "").strip()
    known = dict(apps) | ({given: apps.get(given, "")} if given else {})
    often = Counter(known.values())
    told = {app: name if name and often[name] == 1 else f"{name} {app}".strip() for app, name in known.items()}
    return [("", visit.say("any")), *sorted(told.items(), key=lambda one: (one[1].casefold(), one[0]))]


async def show_call(visit: Visit) -> Response:
    """One call with all that was said, and what the same call is answered now, once somebody asked for that."""
    async with visit.open() as (ctx, signed):
        person = visit.need_signed(signed)
        try:
            kept = await request_log.find_call(ctx, person.account_id, visit.blanks["id"])
        except CallUnknown:
            return visit.trouble("calls.unknown", 404)
        apps = await names_of_apps(ctx, visit.site.service, person.account_id)
    return render_call(visit, kept, may_repeat=_may_repeat(visit, kept), apps=apps)


async def repeat(visit: Visit) -> Response:
    """Send a call again as the account that is signed in, and show both answers; in a sandbox only."""
    if visit.site.kit.desk is None:
        return visit.trouble("not_there", 404)
    async with visit.account() as ctx:
        try:
            kept = await request_log.find_call(ctx, ctx.actor.id, visit.blanks["id"])
        except CallUnknown:
            return visit.trouble("calls.unknown", 404)
        if not is_repeatable(visit.site.kit.api, kept):
            return visit.trouble("calls.not_again")
        answer = await ask_again(visit, ctx, kept)
        apps = await names_of_apps(ctx, visit.site.service, ctx.actor.id)
    return render_call(visit, kept, answer, may_repeat=_may_repeat(visit, kept), apps=apps)


def _may_repeat(visit: Visit, kept: Kept) -> bool:
    return visit.site.kit.desk is not None and is_repeatable(visit.site.kit.api, kept)


@dataclass(frozen=True, slots=True)
class _Body:
    """A body as a person reads it."""

    text: str
    kind: str
    size: int
    is_cut: bool


def render_call(visit: Visit, kept: Kept, again: Response | None = None, **more: Any) -> Response:
    """One call with all that was said, and what it was answered `again`."""
    said = kept.said
    answered = said.answered.decode("utf-8", "replace")
    shown = [parameter for parameter in parse_qsl(said.query, keep_blank_values=True) if "&" not in parameter[0]]
    return visit.render(
        "developer/call.html",
        call=kept.call,
        said=said,
        parameters=shown,
        asked=_Body(pretty(said.asked), said.asked_type, said.asked_size, said.is_asked_cut),
        answered=_Body(pretty(answered), said.answered_type, said.answered_size, said.is_answered_cut),
        again=None
        if again is None
        else {
            "status": again.status,
            "code": again.code,
            "id": again.headers.get("Wish-Request-Id", ""),
            "text": pretty(again.body.decode("utf-8", "replace")),
            "is_same": not said.is_answered_cut and again.body == said.answered,
        },
        curl=_curl(visit, kept),
        is_whole=is_whole(said),
        path=visit.request.path.partition(f"/{kept.call.id}")[0],
        **{"may_repeat": False, "whose_call": "", "apps": {}, **more},
    )


def _curl(visit: Visit, kept: Kept) -> tuple[str, list[str]]:
    """The same call for a shell, and the variables that are to hold the secrets that it was made with.

    "" where what would be copied is another call: not all of it was kept, or it has what no shell can hand over.
    """
    said, call = kept.said, kept.call
    asked = without_token(said)
    if not is_whole(said) or "\0" in asked:
        return "", []
    url = visit.request.base_url + address(call.path, query_without_token(said))
    try:
        has_token = not visit.site.kit.api.find(call.method, call.path).open
    except Fact:
        has_token = True
    blanks = [*([TOKEN] if has_token else []), *blanks_of(url), *blanks_of(asked)]
    options = raw_options(said.asked_type, asked) if asked else []
    return curl(call.method, url, options, has_token=has_token), list(dict.fromkeys(blanks))


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    CALLS: {"GET": show_calls},
    f"{CALLS}/{{id}}": {"GET": show_call},
    f"{CALLS}/{{id}}/again": {"POST": repeat},
}
