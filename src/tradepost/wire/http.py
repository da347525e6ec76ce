"""The ASGI application: the only file that knows the server's protocol.

It tells the services apart by the Host header and, where that names no service, by the port; it finds out who
called and how, hands a Request to the gate and writes the Response. `/livez` and `/readyz` are answered here,
for every service, because whoever asks them has no token.
"""

from __future__ import annotations

import asyncio
import ipaddress
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from tradepost.values import Fact
from tradepost.wire import gate, refusals
from tradepost.wire.endpoint import Surface
from tradepost.wire.http_types import Request, Response, is_host

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

BODY_SECONDS = 60

log = structlog.get_logger("tradepost.http")


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its endpoints, and who may enter."""

    surface: Surface
    sessions: gate.Sessions


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


class App:
    """The ASGI application of all services."""

    def __init__(
        self,
        services: Mapping[str, Service],
        addresses: Addresses,
        rules: gate.Rules,
        *,
        ready: Callable[[], Awaitable[str | None]],
        on_start: Callable[[], Awaitable[None]],
        on_stop: Callable[[], Awaitable[None]],
    ) -> None:
        """`ready` tells what is missing before calls can be served, or None when nothing is."""
        self._services = services
        self._addresses = addresses
        self._rules = rules
        self._ready = ready
        self._on_start = on_start
        self._on_stop = on_stop

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
            service = self._services[self._service_name(scope, request.host)]
            response = await gate.answer(service.surface, service.sessions, self._rules, request, str(uuid.uuid4()))
        await send({"type": "http.response.start", "status": response.status, "headers": header_lines(response)})
        await send({"type": "http.response.body", "body": response.body})

    def refuse(self, server: tuple[str, int | None] | None, fact: Fact) -> Response:
        """The answer to something that never became a request; the service is the one of the local address."""
        surface = self._services[self._by_port(server)].surface
        return gate.refusal(surface, fact, str(uuid.uuid4()))

    async def _health(self, path: str) -> Response:
        missing = await self._ready() if path == "/readyz" else None
        told = {"status": "ok"} if missing is None else {"status": "unavailable", "missing": missing}
        return Response(200 if missing is None else 503, msgspec.json.encode(told), "application/json")

    def _service_name(self, scope: Scope, host: str) -> str:
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
        return Request(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"],
            headers=headers,
            scheme=scheme,
            host=host,
            client=client,
            read_body=_BodyReader(headers, receive).read,
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


def header_lines(response: Response) -> list[tuple[bytes, bytes]]:
    """The headers of an answer as they go out."""
    lines = [
        (b"content-type", response.content_type.encode("ascii")),
        (b"content-length", b"%d" % len(response.body)),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
    ]
    lines += [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in response.headers.items()]
    return lines


class _BodyReader:
    """Reads one body within a number of bytes and a deadline."""

    def __init__(self, headers: Mapping[str, str], receive: Receive) -> None:
        self._headers = headers
        self._receive = receive

    async def read(self, limit: int) -> bytes:
        told = self._headers.get("content-length", "")
        too_large = refusals.BodyTooLarge(limit=f"{limit / (1 << 20):g} MiB")
        if told and not (told.isascii() and told.isdigit()):
            raise refusals.BodyMalformed
        if len(told) > 18 or (told and int(told) > limit):
            raise too_large
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise refusals.BodyMalformed
                    chunk = message.get("body", b"")
                    size += len(chunk)
                    if size > limit:
                        raise too_large
                    chunks.append(chunk)
                    if not message.get("more_body", False):
                        return b"".join(chunks)
        except TimeoutError:
            raise refusals.BodySlow(seconds=BODY_SECONDS) from None


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
