"""The API explorer: a form for every endpoint, made from its declaration; what it sends, and what is answered.

A sandbox sends the call as the account that is signed in; elsewhere the page shows the call to copy. So it is with
endpoints that are about the app which calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from tradepost.surfaces.pages.asked import FORM
from tradepost.surfaces.pages.developer import showing
from tradepost.surfaces.pages.developer.again import is_for_accounts, send
from tradepost.surfaces.pages.developer.reference import place_of
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.surfaces.pages.visit import Problem, Stop
from tradepost.wire import refusals
from tradepost.wire.describe import operations_of
from tradepost.wire.endpoint import Endpoint, Param
from tradepost.wire.http_types import Response

EXPLORER: Final = "/developer/explorer"
BODY: Final = "body"
"""The field of a body that is JSON; no parameter's begins like that."""
BEFORE: Final = "p."
"""What the field of a parameter is called, with its name: none is taken for a field of the page."""
FORMAT: Final = "answer_format"
MOST_LINE: Final = 300
"""Characters of a text that has a single line to be typed in."""
MOST_SHOWN: Final = 256 * 1024
"""Bytes of an answer that are shown."""
JSON: Final = "application/json"
_MANY_LINES: Final = frozenset({JSON})


async def show_endpoints(visit: Visit) -> Response:
    """Every endpoint of the API, by its chapters."""
    async with visit.open() as (_, signed):
        visit.need_signed(signed)
    chapters: dict[str, dict[str, Endpoint]] = {}
    for name, endpoint in operations_of(visit.site.kit.api).items():
        chapters.setdefault(endpoint.chapter, {})[name] = endpoint
    return visit.render("developer/explorer.html", chapters=chapters, may_send=_is_sandbox(visit))


async def show_endpoint(visit: Visit) -> Response:
    """The form of an endpoint, with nothing in it."""
    async with visit.open() as (_, signed):
        visit.need_signed(signed)
    return _render(visit, _endpoint(visit), None)


async def try_endpoint(visit: Visit) -> Response:
    """Send what the form says, in a sandbox, and show what was answered; elsewhere show how to send it."""
    async with visit.account() as ctx:
        endpoint = _endpoint(visit)
        try:
            call = _call(visit, endpoint)
        except _Unusable as wrong:
            return _render(visit, endpoint, None, problem=wrong.problem)
        answer = None
        if may_send(visit, endpoint):
            body, kind = (call.body, JSON) if endpoint.body else (urlencode(call.form), FORM)
            query = urlencode(call.query)
            answer = await send(visit, ctx, call.method, call.path, query, body.encode(), {"content-type": kind})
    return _render(visit, endpoint, call, answer)


def may_send(visit: Visit, endpoint: Endpoint) -> bool:
    """Whether a call is sent from the page: in a sandbox, as the account."""
    return _is_sandbox(visit) and is_for_accounts(endpoint)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call as a form makes it."""

    method: str
    path: str
    """As it is routed; `shown_path` is as it is written."""
    shown_path: str
    query: list[tuple[str, str]]
    form: list[tuple[str, str]]
    body: str = ""
    """The body of a call that has one of JSON."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of the form: one parameter, or a family of which each line has one."""

    name: str
    value: str
    doc: str
    kind: str
    """`line`, `area`, `choice` or `family`."""
    options: tuple[str, ...]
    required: bool


class _Unusable(Exception):
    """What a form says cannot be made a call."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def _is_sandbox(visit: Visit) -> bool:
    return visit.site.kit.desk is not None


def _endpoint(visit: Visit) -> Endpoint:
    """The endpoint that the path names."""
    found = operations_of(visit.site.kit.api).get(visit.blanks["name"])
    if found is None:
        raise Stop(visit.trouble("not_there", 404))
    return found


def _call(visit: Visit, endpoint: Endpoint) -> _Call:
    """What the form says; raises _Unusable where no call can be made of it."""
    pairs = [pair for param in endpoint.params for pair in _pairs(visit, param)]
    path = shown = endpoint.path
    if endpoint.blank is not None:
        value = dict(pairs).get(endpoint.blank, "")
        if not value.strip("./"):  # what has nothing there is another endpoint
            told = visit.site.kit.api.table.tell(refusals.ParameterMissing(name=endpoint.blank), visit.say.locale)
            raise _Unusable(Problem(told.message, endpoint.blank))
        before = path.rpartition("/")[0]
        path, shown = f"{before}/{value}", f"{before}/{quote(value, safe='')}"
        pairs = [pair for pair in pairs if pair[0] != endpoint.blank]
    wish = [("format", "xml")] if visit.form.get(FORMAT) == "xml" else []
    method = endpoint.documented_method
    if endpoint.body:
        return _Call(method, path, shown, pairs + wish, [], (visit.form.get(BODY) or "").replace("\r\n", "\n"))
    if method in ("GET", "DELETE"):
        return _Call(method, path, shown, pairs + wish, [])
    return _Call(method, path, shown, wish, pairs)


def _pairs(visit: Visit, param: Param) -> list[tuple[str, str]]:
    """What the form says of a parameter; nothing where its field is empty. Raises _Unusable."""
    text = (visit.form.get(BEFORE + param.name) or "").replace("\r\n", "\n")
    if param.each is None:
        return [(param.name, text)] if text else []
    pairs: list[tuple[str, str]] = []
    for line in filter(None, map(str.strip, text.split("\n"))):
        name, _, value = (part.strip() for part in line.partition("="))
        if name not in param.names or name in dict(pairs):
            raise _Unusable(Problem(visit.say("explorer.no_such_name", name=name[:100]), param.name))
        pairs.append((name, value))
    return pairs


def _field(visit: Visit, param: Param) -> _Field:
    schema = param.reader.schema()
    options = tuple(str(word) for word in schema.get("enum", ()))
    is_long = schema.get("contentMediaType") in _MANY_LINES or schema.get("maxLength", 0) > MOST_LINE
    is_long = (is_long and schema.get("format") != "uri") or "contentEncoding" in schema
    kind = "family" if param.each else "choice" if options else "area" if is_long else "line"
    return _Field(param.name, visit.sent[BEFORE + param.name], param.doc, kind, options, param.required)


def _render(
    visit: Visit,
    endpoint: Endpoint,
    call: _Call | None,
    answer: Response | None = None,
    problem: Problem | None = None,
) -> Response:
    values: dict[str, Any] = {} if call is None else _shown(visit, endpoint, call)
    return visit.render(
        "developer/endpoint.html",
        200 if problem is None else problem.status,
        endpoint=endpoint,
        fields=[_field(visit, param) for param in endpoint.params],
        before=BEFORE,
        body=endpoint.body and _Field(BODY, visit.sent[BODY], "", "area", (), True),
        name=visit.blanks["name"],
        told_at=place_of(endpoint),
        formats=visit.site.kit.api.formats,
        format_field=FORMAT,
        format=visit.form.get(FORMAT) or "json",
        is_sandbox_page=_is_sandbox(visit),
        may_send=may_send(visit, endpoint),
        problem=problem,
        call=call,
        answer=None if answer is None else _answer(answer),
        **values,
    )


def _shown(visit: Visit, endpoint: Endpoint, call: _Call) -> dict[str, str]:
    """A call to read and to copy."""
    url = visit.request.base_url + call.shown_path
    whole = f"{url}?{urlencode(call.query)}" if call.query else url
    has_token = not endpoint.open
    options = showing.json_options(call.body) if endpoint.body else showing.form_options(call.form)
    body = call.body if endpoint.body else None
    return {
        "url": whole,
        "curl": showing.curl(call.method, whole, options, has_token=has_token),
        "python": showing.python(call.method, url, call.query, call.form, body, has_token=has_token),
    }


def _answer(answer: Response) -> dict[str, object]:
    """An answer to read."""
    is_cut = len(answer.body) > MOST_SHOWN
    text = answer.body[:MOST_SHOWN].decode("utf-8", "replace")
    headers = {"Content-Type": answer.content_type} | answer.headers
    return {
        "status": answer.status,
        "code": answer.code,
        "headers": headers,
        "size": len(answer.body),
        "is_cut": is_cut,
        "text": text if is_cut else showing.pretty(text),
    }


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    EXPLORER: {"GET": show_endpoints},
    f"{EXPLORER}/{{name}}": {"GET": show_endpoint, "POST": try_endpoint},
}
LARGE: Final = {f"{EXPLORER}/{{name}}": 2 << 20}
"""A form may have what a call may, and what its own alphabet adds to that."""
