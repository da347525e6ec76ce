"""Receivers of webhooks as they are met: a server on loopback whose paths each misbehave in a way of their own."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import trustme
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

RECOVERING = ("ok", "500", "302", "429", "hang", "cut", "drip", "huge")
"""Those that take everything in the end."""
HOPELESS = ("never", "gone", "tls")
HOLDING = "holding"
"""What the names of those begin with that answer when they are told to and not before."""
HANG_SECONDS = 30.0
KILLED_SECONDS = 10.0
"""Whoever hangs up earlier was killed; a sender that is tired of waiting needs longer."""


@dataclass(frozen=True)
class Message:
    """What arrived: where, when (monotonic), with which headers (lower case), and how it was answered."""

    path: str
    at: float
    headers: Mapping[str, str]
    body: str
    status: int | None
    forged: str = ""
    """Why the published library does not believe it, if it was asked."""


@dataclass
class Receivers:
    """All of them; `faults` is how often each misbehaves before it takes what comes."""

    port: int
    tls_port: int
    faults: Mapping[str, int]
    messages: list[Message] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    faulted: Counter[str] = field(default_factory=Counter)
    secrets: dict[str, list[str]] = field(default_factory=dict)
    """Of whom the messages are verified as they arrive, and with what: each secret must believe each message."""
    ended: dict[str, list[str]] = field(default_factory=dict)
    """And which secrets must not."""
    held: int = 0
    """Messages that wait for an answer of those that hold."""
    given_up: int = 0
    """How many of them the sender was tired of."""
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _answering: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self, holds: bool) -> None:
        """Let those that hold keep everybody waiting from now on, or answer whoever waits."""
        self.loop.call_soon_threadsafe(self._answering.clear if holds else self._answering.set)

    def url(self, name: str) -> str:
        """Where a receiver is."""
        return f"https://127.0.0.1:{self.tls_port}/tls" if name == "tls" else f"http://127.0.0.1:{self.port}/{name}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one message."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
            name = head[0].split(" ")[1].strip("/")
            if name.startswith(HOLDING):
                await self._wait(reader)
            await self._answer(name, headers, body, reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _wait(self, reader: asyncio.StreamReader) -> None:
        """Until somebody says so, or the other side has enough; raises EOFError then."""
        said = asyncio.create_task(self._answering.wait())
        gone = asyncio.create_task(reader.read(1))
        self.held += 1
        try:
            await asyncio.wait((said, gone), return_when=asyncio.FIRST_COMPLETED)
            if not said.done():
                self.given_up += 1
                raise EOFError
        finally:
            self.held -= 1
            said.cancel()
            gone.cancel()

    async def _answer(
        self,
        name: str,
        headers: Mapping[str, str],
        body: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.met[name] += 1
        misbehaves = self.faulted[name] < self.faults.get(name, 0)
        self.faulted[name] += misbehaves
        status = self._status(name) if misbehaves or name in ("never", "gone") else 200
        forged = self._forged(name, headers, body) if self.secrets else ""
        self.messages.append(Message(name, time.monotonic(), headers, body, status, forged))
        if status is None:
            if name == "hang":
                await self._hang(name, reader)
            return
        extra = {302: "Location: /redirected\r\n", 429: "Retry-After: 30\r\n"}.get(status, "")
        long = name in ("drip", "huge")
        size = 100 << 20 if long else 2
        writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: {size}\r\n{extra}\r\n".encode())
        while long:
            writer.write(b"x" * (1 if name == "drip" else 65536))
            await writer.drain()
            await asyncio.sleep(0.05 if name == "drip" else 0)
        writer.write(b"ok")
        await writer.drain()

    async def _hang(self, name: str, reader: asyncio.StreamReader) -> None:
        """Say nothing; whoever is killed meanwhile has not met it, and the next one will."""
        began = time.monotonic()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(HANG_SECONDS):
                await reader.read(1)
        if time.monotonic() - began < KILLED_SECONDS:
            self.faulted[name] -= 1

    def _forged(self, name: str, headers: Mapping[str, str], body: str) -> str:
        for secret in self.secrets.get(name, ("none",)):
            try:
                Webhook(secret).verify(body, dict(headers))
            except (ValueError, WebhookVerificationError) as error:
                return repr(error)
        for secret in self.ended.get(name, ()):
            with contextlib.suppress(WebhookVerificationError):
                Webhook(secret).verify(body, dict(headers))
                return "signed with a secret that was taken back"
        return ""

    @staticmethod
    def _status(name: str) -> int | None:
        if name in ("hang", "cut"):
            return None
        return {"never": 500, "gone": 410}.get(name) or (int(name) if name.isdigit() else 200)


@contextmanager
def receivers(faults: Mapping[str, int]) -> Iterator[Receivers]:
    """All of them, for as long as this is open."""
    found = Receivers(0, 0, faults)
    loop = found.loop
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    nobody_knows = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(nobody_knows)

    async def start(tls: ssl.SSLContext | None) -> asyncio.Server:
        return await asyncio.start_server(found.serve, "127.0.0.1", 0, ssl=tls)

    async def stop() -> None:
        for server in servers:
            server.close()
        ours = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)

    servers = [asyncio.run_coroutine_threadsafe(start(tls), loop).result(10) for tls in (None, nobody_knows)]
    found.port, found.tls_port = (server.sockets[0].getsockname()[1] for server in servers)
    try:
        yield found
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
