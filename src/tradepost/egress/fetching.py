"""From a URL to the bytes behind it: resolve once, judge every address, dial one of those that were judged."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from tradepost.egress.addresses import Judge
from tradepost.egress.exchange import Exchange, NotNow, Refused, Sending, Unreached, open_exchange
from tradepost.egress.urls import BadUrl, Target, follow, read_url

MOST_REDIRECTS: Final = 3
MOST_ADDRESSES: Final = 32
"""A name with more is not looked at: judging all of them is the rule."""
MOST_DIALLED: Final = 3
RESOLVE_SECONDS: Final = 5.0
_REDIRECTS: Final = (301, 302, 303, 307, 308)
# What says that the other side has a bad day, and not that there is nothing.
_PASSING: Final = frozenset({408, 425, 429, *range(500, 600)})

LONGEST_TYPE: Final = 100
MOST_ANSWER: Final = 4 << 10
ANSWER_SECONDS: Final = 1.0
"""How much of the body of an answer to something that was sent is read, and for how long."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""All addresses of a name, as text."""
Write = Callable[[bytes], Awaitable[None]]
"""Takes the pieces of a body, one after the other."""


class Resolver:
    """Asks the system, in threads of its own: one that hangs keeps nobody else waiting."""

    def __init__(self, threads: int = 32) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, name: str, port: int) -> list[str]:
        """All addresses of a name; raises Refused where there is no such name, NotNow where nobody can tell."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await loop.run_in_executor(self._threads, _ask_system, name, port)
        except TimeoutError:
            raise NotNow("its name is not told") from None
        except socket.gaierror as error:
            gone = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
            raise (Refused if gone else NotNow)("its name") from error
        except (OSError, UnicodeError) as error:
            raise NotNow("its name") from error
        return found


def _ask_system(name: str, port: int) -> list[str]:
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def believing(ca_file: Path | None) -> Callable[[], ssl.SSLContext]:
    """How the other side proves who it is: by the system's certificates, or by those of a file.

    The usual helper would take its word from the environment (SSL_CERT_FILE, SSLKEYLOGFILE); this does not.
    """
    made: list[ssl.SSLContext] = []

    def context() -> ssl.SSLContext:
        if not made:
            made.append(_tls_context(ca_file))
        return made[0]

    return context


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
        return context
    usual = ssl.get_default_verify_paths()
    for file, folder in ((usual.openssl_cafile, None), (None, usual.openssl_capath)):
        if Path(file or folder or "").exists():
            context.load_verify_locations(cafile=file, capath=folder)
    return context


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body that was handed on whole: what the other side calls its content, for the log only, and its size."""

    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """That something was answered, whatever it says: its status, and its Retry-After ("" for none)."""

    status: int
    retry_after: str


@dataclass(frozen=True)
class Fetching:
    """Fetches URLs; what it may dial is the judge's to say."""

    judge: Judge
    resolve: Resolve = field(default_factory=Resolver)
    tls: Callable[[], ssl.SSLContext] = field(default_factory=lambda: believing(None))
    refused_hosts: Collection[tuple[str, int | None]] = ()
    """Our own hosts, each with a port or for all: we do not call ourselves from outside."""

    async def fetch(self, url: str, most_bytes: int, seconds: float, write: Write) -> Fetched:
        """Hand the body behind a URL to `write` piece by piece; raises Refused or NotNow, at any time."""
        try:
            async with asyncio.timeout(seconds), AsyncExitStack() as held:
                exchange = await self._arrive(read_url(url), most_bytes, held)
                size = 0
                async for piece in exchange.body():
                    size += len(piece)
                    await write(piece)
                return Fetched(exchange.headers.get("content-type", "")[:LONGEST_TYPE], size)
        except TimeoutError:
            raise NotNow("it takes too long") from None
        except BadUrl as error:
            raise Refused(str(error)) from None

    async def deliver(self, url: str, sending: Sending, seconds: float) -> Delivered:
        """Send something to a URL, and no further than that: redirects are answers like others.

        It is sent once at most: another address is tried only where nobody was at the first. Of the body of the
        answer a little is read, so that polite receivers come to their end, and dropped. Raises Refused or NotNow.
        """
        try:
            async with asyncio.timeout(seconds), AsyncExitStack() as held:
                exchange = await self._open(read_url(url), MOST_ANSWER, held, sending)
                with suppress(Refused, NotNow, TimeoutError, OSError):
                    async with asyncio.timeout(ANSWER_SECONDS):
                        async for _ in exchange.body():
                            pass
                return Delivered(exchange.status, exchange.headers.get("retry-after", "")[:LONGEST_TYPE])
        except TimeoutError:
            raise NotNow("it takes too long") from None
        except BadUrl as error:
            raise Refused(str(error)) from None

    async def _arrive(self, target: Target, most_bytes: int, held: AsyncExitStack) -> Exchange:
        """The answer that is wanted, after redirects, each of which is judged like the first URL."""
        for _ in range(MOST_REDIRECTS + 1):
            async with AsyncExitStack() as here:
                exchange = await self._open(target, most_bytes, here)
                if exchange.status not in _REDIRECTS:
                    _check(exchange, most_bytes)
                    await held.enter_async_context(here.pop_all())
                    return exchange
                target = follow(target, exchange.headers.get("location", ""))
        raise Refused("too many redirects")

    async def _open(
        self, target: Target, most_bytes: int, held: AsyncExitStack, sending: Sending | None = None
    ) -> Exchange:
        """The first answer of one of a host's addresses."""
        why = NotNow("no address")
        for address in (await self._judged(target))[:MOST_DIALLED]:
            try:
                return await held.enter_async_context(open_exchange(target, address, self.tls, most_bytes, sending))
            except NotNow as error:
                if sending is not None and not isinstance(error, Unreached):
                    raise
                why = error
        raise why

    async def _judged(self, target: Target) -> list[str]:
        """The addresses that may be dialled: all that there are, or none."""
        if any((target.host, port) in self.refused_hosts for port in (target.port, None)):
            raise Refused("our own host")
        found = [target.host] if _is_address(target.host) else await self.resolve(target.host, target.port)
        if not found or len(found) > MOST_ADDRESSES:
            raise Refused("its addresses")
        # One that is not to be reached makes the name one that leads there.
        if not all(self.judge.lets(address, target.port) for address in found):
            raise Refused("where it leads")
        return found


def may_lead_outside(url: str, judge: Judge, schemes: Collection[str]) -> bool:
    """Whether a URL is one that may be sent to, as far as can be told without asking for its addresses."""
    try:
        target = read_url(url)
    except BadUrl:
        return False
    if target.scheme not in schemes or not judge.may_let(target.port):
        return False
    return not _is_address(target.host) or judge.lets(target.host, target.port)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _check(exchange: Exchange, most_bytes: int) -> None:
    """Refuse what is not wanted before any of its body is read."""
    if exchange.status in _PASSING:
        raise NotNow(f"status {exchange.status}")
    if exchange.status != 200:
        raise Refused(f"status {exchange.status}")
    if exchange.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused("a content coding")
    told = exchange.headers.get("content-length", "0")
    if not told.isascii() or not told.isdigit() or len(told) > 15 or int(told) > most_bytes:
        raise Refused("its length")
