"""The ASGI application: the only file that knows the server's protocol.

It tells the services apart by the Host header and, where that names no service, by the port; it finds out who
called and how, hands a Request to the gate and writes the Response. `/livez` and `/readyz` are answered here,
for every service, because whoever asks them has no token.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec
import structlog

from tradepost.values import Fact
from tradepost.wire import gate, refusals
from tradepost.wire.attachments import Attachments
from tradepost.wire.endpoint import Surface
from tradepost.wire.http_types import Request, Response, is_host
from tradepost.wire.reading import BodyReader, Receive
from tradepost.wire.taken import Calls, new_request_id, taken
from tradepost.wire.turns import Queues

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

log = structlog.get_logger("tradepost.http")


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its endpoints, who may enter, and the endpoints of the generation before, by their prefix."""

    surface: Surface
    sessions: gate.Sessions
    older: Surface | None = None
    calls: Calls | None = None
    """Who is told of every call that was answered."""

    def surface_of(self, path: str) -> Surface:
        """The endpoints among which a path is looked for."""
        if self.older is not None and path.startswith(self.older.prefix + "/"):
            return self.older
        return self.surface


@dataclass(frozen=True, slots=True)
class Addresses:
    """How a call finds its service, and whose forwarding headers are believed."""

    default: str
    """The service for every name that is not in `names`."""
    names: Mapping[str, str]
    """Host name (lower case, without port) to service."""
    ports: Mapping[int | str, str] = field(default_factory=dict)
    """Local port, or path of a Unix socket, to service; asked only where the Host is an address."""
    trusted_proxies: Collection[Network] = ()
    inside: Mapping[str, str] = field(default_factory=dict)
    """Services that live at the addresses of the default one, by what their paths begin with."""


class Extra(Protocol):
    """Answers what belongs to no service; whoever may reach it needs no token."""

    def answer(self, request: Request) -> Awaitable[Response]:
        """The answer to a call; only faults of its own come out as errors."""


class Pages(Extra, Protocol):
    """Answers the pages of one service."""

    def has(self, path: str) -> bool:
        """Whether there is such a page."""


class App:
    """The ASGI application of all services."""

    def __init__(
        self,
        services: Mapping[str, Service],
        addresses: Addresses,
        rules: gate.Rules,
        *,
        attachments: Mapping[str, Attachments],
        ready: Callable[[], Awaitable[str | None]],
        on_start: Callable[[], Awaitable[None]],
        on_stop: Callable[[], Awaitable[None]],
        extras: Mapping[str, Extra] | None = None,
        pages: Mapping[str, Pages] | None = None,
    ) -> None:
        """`attachments` are the files to hand out, by what their paths begin with.

        `extras` answer the paths that they are named for and what is below them, whatever the service.
        `pages` are those for people, by service.
        `ready` tells what is missing before calls can be served, or None when nothing is.
        """
        self._services = services
        self._addresses = addresses
        self._rules = rules
        self._attachments = attachments
        self._queues = Queues()
        self._ready = ready
        self._on_start = on_start
        self._on_stop = on_stop
        self._extras = dict(extras or {})
        self._pages = dict(pages or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._on_start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._on_stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in ("/livez", "/readyz"):
            response = await self._health(path)
        else:
            request = self._request(scope, receive)
            for folder, attachments in self._attachments.items():
                if path.startswith(folder):
                    await self._attachment(attachments, path.removeprefix(folder), request, receive, send)
                    return
            name = self._service_name(scope, request.host, path)
            if name in self._pages and self._pages[name].has(path) and is_host(request.host):
                await _send(await self._extra(self._pages[name], request), send)
                return
            for root, extra in self._extras.items():
                if path == root or path.startswith(f"{root}/"):
                    await _send(await self._extra(extra, request), send)
                    return
            response = await self._call(self._services[name], request)
        await _send(response, send)

    async def _call(self, service: Service, request: Request) -> Response:
        surface, request_id = service.surface_of(request.path), new_request_id()
        began = time.perf_counter()
        response = await gate.answer(surface, service.sessions, self._rules, self._queues, request, request_id)
        if service.calls is not None:
            took = time.perf_counter() - began
            service.calls.take(taken(request_id, surface, request, response, int(took * 1e6)))
        return response

    async def _extra(self, extra: Extra, request: Request) -> Response:
        surface = self._services[self._addresses.default].surface
        request_id = new_request_id()
        try:
            gate.check_transport(self._rules, request)
            response = await extra.answer(request)
        except Fact as fact:
            return gate.refusal(surface, fact, request_id)
        except Exception:
            log.exception("unexpected", request_id=request_id, path=request.path)
            return gate.refusal(surface, refusals.Unexpected(), request_id)
        response.headers["Wish-Request-Id"] = request_id
        return response

    async def _attachment(
        self, attachments: Attachments, name: str, request: Request, receive: Receive, send: Send
    ) -> None:
        """Hand out the file that a link leads to, or say in the envelope why not, whatever host it was asked of."""
        surface = self._services[attachments.service].surface
        request_id = new_request_id()
        try:
            gate.check_transport(self._rules, request)
            if request.method not in ("GET", "HEAD"):
                raise refusals.MethodNotAllowed(method=request.method, allowed="GET or HEAD")
            file = await attachments.open(name, _link_query(request.query))
        except Fact as fact:
            wanted = request.headers.get("accept-language", "")[:2].lower()
            locale = wanted if wanted in surface.table.locales else None
            await _send(gate.refusal(surface, fact, request_id, locale), send)
            return
        except Exception:
            log.exception("unexpected", request_id=request_id, path=request.path)
            await _send(gate.refusal(surface, refusals.Unexpected(), request_id), send)
            return
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Wish-Request-Id": request_id}
        headers["Wish-Rate-Limit-Remaining"] = str(surface.default_limits[0].limit)
        headers |= file.headers
        lines = header_lines(Response(200, b"", file.content_type, headers), file.size)
        gone = asyncio.create_task(_disconnected(receive))
        try:
            async with aclosing(file.pieces):
                await send({"type": "http.response.start", "status": 200, "headers": lines})
                if request.method == "GET":
                    async for piece in file.pieces:
                        if gone.done():
                            return
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    def refuse(self, server: tuple[str, int | None] | None, fact: Fact) -> Response:
        """The answer to something that never became a request; the service is the one of the local address."""
        surface = self._services[self._by_port(server)].surface
        return gate.refusal(surface, fact, new_request_id())

    async def _health(self, path: str) -> Response:
        missing = await self._ready() if path == "/readyz" else None
        told = {"status": "ok"} if missing is None else {"status": "unavailable", "missing": missing}
        return Response(200 if missing is None else 503, msgspec.json.encode(told), "application/json")

    def _service_name(self, scope: Scope, host: str, path: str) -> str:
        found = self._by_host(scope, host)
        if found == self._addresses.default and self._addresses.inside:
            return next((other for start, other in self._addresses.inside.items() if path.startswith(start)), found)
        return found

    def _by_host(self, scope: Scope, host: str) -> str:
        name = _without_port(host).lower().removesuffix(".")
        if found := self._addresses.names.get(name):
            return found
        if name in ("", "localhost") or _is_address(name) or not is_host(host):
            return self._by_port(scope.get("server"))
        return self._addresses.default

    def _by_port(self, server: tuple[str, int | None] | None) -> str:
        path_or_host, port = server or ("", None)
        return self._addresses.ports.get(path_or_host if port is None else port, self._addresses.default)

    def _request(self, scope: Scope, receive: Receive) -> Request:
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            # A header that is sent twice is joined, so that two tokens can never pass as one.
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        client = scope["client"][0] if scope.get("client") else None
        scheme = scope["scheme"]
        host = headers.get("host", "localhost")
        if self._addresses.trusted_proxies and self._is_trusted(client):
            scheme = headers.get("x-forwarded-proto", scheme)
            host = headers.get("x-forwarded-host", host)
            client = self._forwarded_client(headers.get("x-forwarded-for", ""), client)
        body = BodyReader(headers, receive)
        return Request(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"],
            headers=headers,
            scheme=scheme,
            host=host,
            client=client,
            read_body=body.read,
            stream_body=body.stream,
            seen=body,
        )

    def _is_trusted(self, client: str | None) -> bool:
        if client is None:
            return True  # a Unix socket is reached only by who may open the file
        try:
            address = ipaddress.ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self._addresses.trusted_proxies)

    def _forwarded_client(self, chain: str, nearest: str | None) -> str | None:
        """The last address of the chain that is not a trusted proxy: those before it could be made up."""
        for hop in reversed([part.strip() for part in chain.split(",") if part.strip()]):
            if not self._is_trusted(hop):
                return hop
        return nearest


async def _disconnected(receive: Receive) -> None:
    """Return when the caller has left, whose server would go on taking what nobody reads."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _link_query(query: bytes) -> dict[str, str]:
    """The parameters of a link; none where there are more than any link of ours has."""
    try:
        return dict(parse_qsl(query.decode("ascii", "replace"), max_num_fields=10))
    except ValueError:
        return {}


async def _send(response: Response, send: Send) -> None:
    if response.late:
        await asyncio.sleep(response.late)
    await send({"type": "http.response.start", "status": response.status, "headers": header_lines(response)})
    if response.cut:  # the server closes a connection whose answer did not come to its end
        half = response.body[: len(response.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        return
    await send({"type": "http.response.body", "body": response.body})


def header_lines(response: Response, size: int | None = None) -> list[tuple[bytes, bytes]]:
    """The headers of an answer as they go out; `size` is that of a body which follows by itself."""
    lines = {
        b"content-type": response.content_type.encode("ascii"),
        b"content-length": b"%d" % (len(response.body) if size is None else size),
        b"cache-control": b"no-store",
        b"referrer-policy": b"no-referrer",
        b"x-content-type-options": b"nosniff",
    }
    if response.status == 204:  # which has no body, and so nothing to be told of one
        del lines[b"content-type"], lines[b"content-length"]
    for name, value in response.headers.items():
        lines[name.lower().encode("ascii")] = value.encode("ascii")
    return list(lines.items())


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


@lru_cache(maxsize=256)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
