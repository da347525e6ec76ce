"""The life of a request, from a path to the bytes of an answer; `answer` is the one way through.

The gate knows no product and no account. Who may enter is told by the `Sessions` it is handed; what a failure
is called is told by the table of the surface.
"""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec
import structlog

from tradepost.values import Fact, TryLater
from tradepost.wire import answers, fields, forms, once, refusals, shown
from tradepost.wire.endpoint import BODY_LIMIT, Endpoint, RateLimit, Surface
from tradepost.wire.forms import Parameters
from tradepost.wire.http_types import Document, Request, Response, is_host
from tradepost.wire.paging import Listing, links, most_start
from tradepost.wire.troubles import Troubles
from tradepost.wire.turns import Queues, Turns

LOOPBACK = ("127.0.0.1", "::1", None)
RETRY_SECONDS = 2
_NO_TURN: AbstractAsyncContextManager[None] = nullcontext()
_PRINTABLE = re.compile(r"[!-~]{1,64}", re.ASCII)

log = structlog.get_logger("tradepost.gate")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks, for what, and which of his calls are counted."""

    service: str
    token: str
    scope: str | None
    limits: tuple[RateLimit, ...]
    client: str
    agent: str
    is_open: bool = False
    """Whether no token is asked for, because the call itself says who it is from."""


class Session(Protocol):
    """An admitted caller: the context his call runs in, and what is left of his limit."""

    ctx: Any
    locale: str
    remaining: int

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """One transaction around a write: committed at its end, rolled back by any exception."""

    async def recall(self, key: str, fingerprint: bytes) -> bytes | None:
        """The answer to a call that was done under this key; None where it is to be done now.

        Asked first of all in a transaction, which has the key from then on. Raises a fact where the key stands for
        another call, by the fingerprint of what is asked for, or for one that is not done yet.
        """

    async def keep(self, key: str, answer: bytes) -> None:
        """Keep the answer to a call under its key, in the transaction that does what it asks for."""


class Sessions(Protocol):
    """Admits callers; raises a fact for anybody it does not admit."""

    def open(self, credentials: Credentials) -> AbstractAsyncContextManager[Session]:
        """A session for one call."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How strict this installation is."""

    plain_http_from_loopback: bool
    """Whether a caller on this machine may leave HTTPS out (the sandbox)."""
    strict: bool = False
    """Whether an undeclared failure is an error of ours (tests) or only logged (everywhere else)."""
    troubles: Troubles | None = None


class _Reply:
    """How to answer this call, as far as it is known yet."""

    __slots__ = ("cut", "format", "headers", "late", "locale", "request_id", "surface", "table")

    def __init__(self, surface: Surface, request_id: str, path: str = "") -> None:
        self.surface = surface
        self.table = surface.table.at(path)
        self.request_id = request_id
        self.late, self.cut = 0.0, False
        self.format = "json"
        self.locale = surface.table.default_locale
        self.headers: dict[str, str] = {
            "Wish-Request-Id": request_id,
            "Wish-Rate-Limit-Remaining": str(surface.default_limits[0].limit),
        }

    def success(self, data: Any, message: str) -> Response:
        return self._write(200, answers.Envelope(message, 0, data))

    def page(self, data: Any, paging: dict[str, str]) -> Response:
        return self._write(200, answers.Envelope("", 0, data, paging or msgspec.UNSET), is_page=True)

    def again(self, body: bytes) -> Response:
        self.headers["Idempotent-Replayed"] = "true"
        return Response(200, body, answers.JSON, self.headers)

    def flat(self, data: Any) -> Response:
        return Response(200, answers.to_flat_json(data), answers.JSON, self.headers)

    def older(self, data: Any) -> Response:
        return Response(200, answers.to_root_xml(data), answers.XML, self.headers)

    def document(self, made: Document) -> Response:
        self.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
        return Response(200, made.data, made.content_type, self.headers)

    def failure(self, fact: Fact) -> Response:
        failed = self.table.tell(fact, self.locale)
        if isinstance(fact, TryLater):
            if fact.reset is not None:
                self.headers["Wish-Rate-Limit-Remaining"] = "0"
                self.headers["Wish-Rate-Limit-Reset"] = http_moment(fact.reset)
            else:
                self.headers["Retry-After"] = str(RETRY_SECONDS)
        elif isinstance(fact, refusals.MethodNotAllowed):
            self.headers["Allow"] = fact.allowed.replace(" or ", ", ")
        if self.surface.is_older:
            body = answers.to_root_failure(failed.code, failed.message)
            return Response(failed.http, body, answers.XML, self.headers, code=failed.code)
        kind = failed.type if self.surface.tells_type else msgspec.UNSET
        return self._write(failed.http, answers.Envelope(failed.message, failed.code, failed.data, type=kind))

    def _write(self, status: int, envelope: answers.Envelope, is_page: bool = False) -> Response:
        if self.format == "xml":
            body = answers.to_xml(envelope, is_page)
            return Response(status, body, answers.XML, self.headers, code=envelope.code)
        return Response(status, answers.to_json(envelope), answers.JSON, self.headers, code=envelope.code)


async def answer(
    surface: Surface, sessions: Sessions, rules: Rules, queues: Queues, request: Request, request_id: str
) -> Response:
    """Answer one call. In order:

    1. the query tells the format and the language, so that what follows is answered in them, and the path and
       the method are looked up; where they lead nowhere, a small body tells them, too;
    2. plain HTTP is refused, unless the caller sits on this machine and the rules allow it;
    3. query and body become one set of parameters, the body within the limit of the endpoint; before a large one
       is read its caller is let in, where he shows a token by then, and waits for his turn;
    4. format, language and selection of fields are taken from it;
    5. the token is found, and a session opened: token, scope and rate limit in one round trip; a heavy call waits
       for its turn before;
    6. the parameters are read, each refusal naming the first that is wrong;
    7. the handler runs, a write of more than one statement inside one transaction, which a failure undoes unless
       it says that what was done stays; under a key it is done once, and answered the same from then on;
    8. the tree it returns is written in the envelope.

    Whatever happens comes out as an answer in the envelope: a fact by the table of the surface, anything else
    as Unexpected, logged once under the request id.
    """
    reply = _Reply(surface, request_id, request.path)
    try:
        try:
            response = await _serve(surface, sessions, rules, queues, request, reply)
            response.late, response.cut = reply.late, reply.cut
            return response
        except Fact as fact:
            return reply.failure(fact)
    except Exception:
        log.exception("unexpected", request_id=request_id, path=request.path)
        return reply.failure(refusals.Unexpected())


def refusal(surface: Surface, fact: Fact, request_id: str, locale: str | None = None) -> Response:
    """The answer to something that never came as far as the gate, in the surface's first format.

    In its first language, too, where none is known.
    """
    reply = _Reply(surface, request_id)
    reply.locale = locale or reply.locale
    return reply.failure(fact)


def check_transport(rules: Rules, request: Request) -> None:
    """Raises HttpsRequired for a call over plain HTTP from somewhere that may not."""
    if request.scheme != "https" and not (rules.plain_http_from_loopback and request.client in LOOPBACK):
        raise refusals.HttpsRequired


async def _serve(
    surface: Surface, sessions: Sessions, rules: Rules, queues: Queues, request: Request, reply: _Reply
) -> Response:
    given = forms.parse_query(request.query)
    _take_form(surface, given, reply)
    if not is_host(request.host):
        raise refusals.RequestMalformed
    try:
        endpoint = surface.find(request.method, request.path)
    except (refusals.PathUnknown, refusals.MethodNotAllowed):
        await forms.add_readable_body(given, request, BODY_LIMIT)
        _take_form(surface, given, reply)
        raise
    given.add_place(surface.blanks_of(endpoint, request.path))
    limits = surface.limits_of(endpoint)
    reply.headers["Wish-Rate-Limit-Remaining"] = str(limits[0].limit)
    check_transport(rules, request)
    await _add_body(surface, endpoint, sessions, queues.bodies, given, request)
    locale = _take_form(surface, given, reply)
    selection = _take_fields(surface, endpoint, given)
    asked = _credentials(surface, endpoint, given, request, limits)
    key = once.key_of(surface, endpoint, request)
    turn = queues.heavy.take(asked.token) if endpoint.heavy else _NO_TURN
    async with turn, sessions.open(asked) as session:
        reply.headers["Wish-Rate-Limit-Remaining"] = str(session.remaining)
        if not locale and session.locale in surface.table.locales:
            reply.locale = session.locale
        if rules.troubles is not None:
            await _meet_trouble(surface, endpoint, session, rules.troubles, request, reply)
        client = shown.client(endpoint, given, request) if endpoint.open else None
        arguments = endpoint.bind(given, request.base_url, reply.locale, client)
        _name_ignored(surface, endpoint, given, reply)
        if key is not None:
            asked_for = once.fingerprint(endpoint, given)
            return await _run_once(endpoint, session, arguments, rules, reply, key, asked_for)
        data = await _run(surface, endpoint, session, arguments, rules)
    if selection and not isinstance(data, Listing | Document) and not endpoint.flat:
        data = fields.select(answers.to_tree(data), selection)
    return _success(surface, endpoint, given, request, reply, data)


def _success(
    surface: Surface, endpoint: Endpoint, given: Parameters, request: Request, reply: _Reply, data: Any
) -> Response:
    """The answer that holds what a handler came to."""
    if isinstance(data, Listing):
        how = ["format", "locale"] if len(surface.formats) > 1 else ["locale"]
        kept = how + [name for param in endpoint.params for name in param.names]
        url, token = request.base_url + request.path, surface.token_parameter
        paging = links(data, url, given, kept, token, most_start(endpoint.params))
        return reply.page(data.data, paging)
    return _in_form(endpoint, data, reply)


def _in_form(endpoint: Endpoint, data: Any, reply: _Reply) -> Response:
    """What an endpoint tells, as its generation tells it."""
    if endpoint.empty:
        return Response(204, b"", answers.JSON, reply.headers)
    if isinstance(data, Document):
        return reply.document(data)
    if reply.surface.is_older:
        return reply.older(data)
    return reply.flat(data) if endpoint.flat else reply.success(data, endpoint.says)


async def _meet_trouble(
    surface: Surface, endpoint: Endpoint, session: Session, troubles: Troubles, request: Request, reply: _Reply
) -> None:
    """Let a call meet what it is to meet; raises it where that is a failure."""
    trouble = await troubles.meet(surface.service, request.path, surface.limits_of(endpoint), session.ctx)
    if trouble is None:
        return
    reply.headers["Tradepost-Fault"] = trouble.told
    if trouble.fact is not None:
        raise trouble.fact
    reply.late, reply.cut = trouble.late, trouble.cut


async def _add_body(
    surface: Surface,
    endpoint: Endpoint,
    sessions: Sessions,
    turns: Turns,
    given: Parameters,
    request: Request,
) -> None:
    """Read the body; a large one in its turn."""
    if endpoint.body is not None:
        take = forms.take_markup if surface.is_older else forms.take_value
        await take(given, request, endpoint.body_limit)
        return
    told = request.headers.get("content-length", "")
    is_small = told.isascii() and told.isdigit() and len(told) < 10 and int(told) <= BODY_LIMIT
    if endpoint.body_limit <= BODY_LIMIT or is_small or not forms.has_body(request):
        await forms.add_body(given, request, endpoint.body_limit, endpoint.collecting)
        return
    # Whoever shows a token before the body is let in or turned away before it is read. Those who do not, and so
    # could be anybody, have their turns together.
    caller = ""
    if "authorization" in request.headers or (
        surface.token_parameter and surface.token_parameter in given.query_names
    ):
        asked = _credentials(surface, endpoint, given, request, limits=())
        async with sessions.open(asked):
            caller = asked.token
    async with turns.take(caller):
        await forms.add_body(given, request, endpoint.body_limit, endpoint.collecting)


async def _run(
    surface: Surface, endpoint: Endpoint, session: Session, arguments: dict[str, Any], rules: Rules
) -> Any:
    if endpoint.kind == "read" or endpoint.one_statement:
        return await _handle(surface, endpoint, session, arguments, rules)
    kept: Fact | None = None
    async with session.transaction():
        try:
            return await _handle(surface, endpoint, session, arguments, rules)
        except surface.failure_base as failure:
            if not failure.keeps:
                raise
            kept = failure
    raise kept


async def _run_once(
    endpoint: Endpoint,
    session: Session,
    arguments: dict[str, Any],
    rules: Rules,
    reply: _Reply,
    key: str,
    fingerprint: bytes,
) -> Response:
    """Do a write unless it was done under this key; what it does and its answer are committed together."""
    async with session.transaction():
        before = await session.recall(key, fingerprint)
        if before is not None:
            return reply.again(before)
        data = await _handle(reply.surface, endpoint, session, arguments, rules)
        response = reply.success(data, endpoint.says)
        await session.keep(key, response.body)
    return response


async def _handle(
    surface: Surface, endpoint: Endpoint, session: Session, arguments: dict[str, Any], rules: Rules
) -> Any:
    try:
        return await endpoint.handler(session.ctx, **arguments)
    except surface.failure_base as failure:
        kind = type(failure)
        if not isinstance(failure, TryLater) and kind not in (*endpoint.failures, *surface.common_failures):
            log.error("undeclared failure", endpoint=endpoint.name, failure=kind.__name__)
            if rules.strict:
                raise AssertionError(f"{endpoint.name} does not declare {kind.__name__}") from failure
        raise


def _take_form(surface: Surface, given: Parameters, reply: _Reply) -> str | None:
    """Answer in the format and the language that are asked for by now; gives the language, None where none is."""
    if len(surface.formats) > 1 and (text := given.take("format")):
        reply.format = "json"
        reply.format = surface.format_reader.read("format", text) or "json"
    if not (text := given.take("locale")):
        return None
    reply.locale = surface.locale_reader.read("locale", text) or reply.locale
    return reply.locale


def _take_fields(surface: Surface, endpoint: Endpoint, given: Parameters) -> fields.Selection | None:
    text = given.take("fields") if surface.takes_fields(endpoint) else ""
    return fields.parse_fields(text, endpoint.returns) if text else None


def _credentials(
    surface: Surface, endpoint: Endpoint, given: Parameters, request: Request, limits: tuple[RateLimit, ...]
) -> Credentials:
    request.token = "" if endpoint.open else shown.token(shown.sent_token(surface, endpoint, given), request)
    return Credentials(
        service=surface.service,
        token=request.token,
        scope=endpoint.scope,
        limits=limits,
        client=request.client or "",
        agent=request.headers.get("user-agent", ""),
        is_open=endpoint.open,
    )


def _name_ignored(surface: Surface, endpoint: Endpoint, given: Parameters, reply: _Reply) -> None:
    """Tell in a header which parameters meant nothing: `inventroy=5` should not vanish without a trace."""
    if unknown := given.names() - surface.own_parameters_of(endpoint) - endpoint.names:
        shown = [name if _PRINTABLE.fullmatch(name) else "?" for name in sorted(unknown)[:10]]
        reply.headers["Tradepost-Ignored-Parameters"] = ", ".join(shown)


def http_moment(moment: datetime) -> str:
    """A moment as the rate limit headers print it: 2021-05-19T16:37:00.000+00:00."""
    return moment.isoformat(timespec="milliseconds")
