"""One request and its answer, on one connection to one address that was judged already.

Only what is needed is spoken: GET and POST, HTTP/1.1, one answer to a connection, no compression, no cookies, no
credentials. Heads and bodies have limits on the wire, so nothing that the other side sends can fill anything.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import httptools

from tradepost.egress.protocol import PIECE_BYTES
from tradepost.egress.urls import Target

MOST_HEAD: Final = 32 << 10
"""Bytes of all heads of an answer, those of interim answers included."""
CONNECT_SECONDS: Final = 5.0
_SLACK: Final = 64 << 10
"""What chunks may add to a body on the wire, beside an eighth of it."""
_AGENT: Final = "Tradepost/1 (+pictures and videos of products)"
_SENDER: Final = "Tradepost/1 (+webhooks)"
_HEADER_VALUE: Final = re.compile(r"[ -~]*", re.ASCII)


class Refused(Exception):
    """It is not fetched, and time will not change that; the reason is for the log."""


class NotNow(Exception):
    """It could not be fetched, and may be later; the reason is for the log."""


class Unreached(NotNow):
    """Nobody was there: whatever was to be sent was not, and another address may be tried."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What is sent instead of asking for something: a body with some headers, by POST."""

    headers: Mapping[str, str]
    """Printable ASCII without line breaks, and none of those that the guard sets itself."""
    body: bytes


class Answer:
    """An answer while it is read; httptools calls its methods as it comes along."""

    def __init__(self, most_body: int) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.is_headed = False
        self.is_complete = False
        self._most_body = most_body
        self._body: list[bytes] = []
        self._size = 0
        self._parser = httptools.HttpResponseParser(self)

    # -- called by the parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; those that are told twice are joined."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """A head is complete: that of an interim answer counts for nothing."""
        self.status = self._parser.get_status_code()
        if self.status == 101:
            raise Refused("another protocol")
        if self.status < 200:
            self.headers.clear()
        else:
            self.is_headed = True

    def on_body(self, data: bytes) -> None:
        """Bytes of the body, out of their chunks."""
        self._size += len(data)
        if self._size > self._most_body:
            raise Refused("too large")
        self._body.append(data)

    def on_message_complete(self) -> None:
        """An answer is complete; it counts where it was no interim one."""
        self.is_complete = self.is_headed

    # -- called by whoever reads

    def feed(self, data: bytes) -> None:
        """The next bytes from the wire; raises Refused for what is no answer, or one that nobody wants."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            # What a callback raised is in its context. What follows a complete answer means nothing.
            if isinstance(error.__context__, Refused):
                raise error.__context__ from None
            if not self.is_complete:
                raise Refused("not HTTP") from None
        except httptools.HttpParserUpgrade:
            raise Refused("another protocol") from None

    def end(self) -> None:
        """The wire has ended; raises NotNow where the answer had not."""
        if self.is_complete:
            return
        ends_with_wire = "content-length" not in self.headers and "transfer-encoding" not in self.headers
        if not self.is_headed or not ends_with_wire:
            raise NotNow("cut short")
        self.is_complete = True

    def take(self) -> bytes:
        """What came of the body since it was asked the last time."""
        taken, self._body = b"".join(self._body), []
        return taken


class Exchange:
    """An answer whose head is there, and whose body is still to be read."""

    def __init__(self, reader: asyncio.StreamReader, answer: Answer, most_wire: int) -> None:
        self._reader = reader
        self._answer = answer
        self._most_wire = most_wire
        self.status = 0
        self.headers: dict[str, str] = {}

    async def read_head(self) -> None:
        """Read as far as the head of the real answer."""
        read = 0
        while not self._answer.is_headed:
            data = await self._reader.read(4096)
            read += len(data)
            if data:
                self._answer.feed(data)
            else:
                self._answer.end()
            if read > MOST_HEAD and not self._answer.is_headed:
                raise Refused("its head is too large")
        self.status, self.headers = self._answer.status, self._answer.headers
        self._most_wire -= read

    async def body(self) -> AsyncIterator[bytes]:
        """The body in pieces of at most PIECE_BYTES."""
        if piece := self._answer.take():
            yield piece
        while not self._answer.is_complete:
            data = await self._reader.read(PIECE_BYTES)
            self._most_wire -= len(data)
            if self._most_wire < 0:
                raise Refused("too large on the wire")
            if data:
                self._answer.feed(data)
            else:
                self._answer.end()
            if piece := self._answer.take():
                yield piece


@asynccontextmanager
async def open_exchange(
    target: Target,
    address: str,
    tls: Callable[[], ssl.SSLContext],
    most_body: int,
    sending: Sending | None = None,
) -> AsyncIterator[Exchange]:
    """Dial an address, ask for a target there or send something to it, and read the head of the answer.

    The name of the target stays what TLS and the Host header are told, whatever address it was judged by.
    """
    reader, writer = await _dial(target, address, tls)
    try:
        writer.write(_request(target, sending))
        exchange = Exchange(reader, Answer(most_body), MOST_HEAD + most_body + most_body // 8 + _SLACK)
        await exchange.read_head()
        yield exchange
    except OSError as error:
        raise _told(error) from error
    finally:
        # Not closed politely: the other side is nobody to wait for.
        with suppress(OSError, RuntimeError):
            writer.transport.abort()


def _request(target: Target, sending: Sending | None) -> bytes:
    method, agent, body = ("GET", _AGENT, b"") if sending is None else ("POST", _SENDER, sending.body)
    lines = [
        f"{method} {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: {agent}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
    ]
    if sending is not None:
        lines += [f"{name}: {_one_line(value)}" for name, value in sending.headers.items()]
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _one_line(value: str) -> str:
    """A value of a header as it is; raises Refused for one that would be more than that."""
    if not _HEADER_VALUE.fullmatch(value):
        raise Refused("a header that is none")
    return value


async def _dial(
    target: Target, address: str, tls: Callable[[], ssl.SSLContext]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(opened, (address, target.port))
            if target.scheme == "https":
                return await asyncio.open_connection(
                    sock=opened, ssl=tls(), server_hostname=target.host, limit=PIECE_BYTES
                )
            return await asyncio.open_connection(sock=opened, limit=PIECE_BYTES)
    except TimeoutError:
        opened.close()
        raise Unreached("it does not answer") from None
    except OSError as error:
        opened.close()
        told = _told(error)
        raise (told if isinstance(told, Refused) else Unreached(str(told))) from error
    except BaseException:
        opened.close()
        raise


def _told(error: OSError) -> Refused | NotNow:
    if isinstance(error, ssl.SSLError):
        return Refused(f"TLS: {error.reason}")
    return NotNow(type(error).__name__)
