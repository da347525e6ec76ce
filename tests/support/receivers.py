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

RECOVERING = ("ok", "500", "302", "429", "hang", "cut", "drip", "huge")
"""Those that take everything in the end."""
HOPELESS = ("never", "gone", "tls")


@dataclass(frozen=True)
class Message:
    """What arrived: where, when (monotonic), with which headers (lower case), and how it was answered."""

    path: str
    at: float
    headers: Mapping[str, str]
    body: str
    status: int | None


@dataclass
class Receivers:
    """All of them; `faults` is how often each misbehaves before it takes what comes."""

    port: int
    tls_port: int
    faults: Mapping[str, int]
    messages: list[Message] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    hanging: bool = False

    def url(self, name: str) -> str:
        """Where a receiver is."""
        return f"https://127.0.0.1:{self.tls_port}/tls" if name == "tls" else f"http://127.0.0.1:{self.port}/{name}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one message."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
            await self._answer(head[0].split(" ")[1].strip("/"), headers, body, writer)
        except (OSError, EOFError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, name: str, headers: Mapping[str, str], body: str, writer: asyncio.StreamWriter) -> None:
        self.met[name] += 1
        misbehaves = self.met[name] <= self.faults.get(name, 0) or (name == "hang" and self.hanging)
        status = self._status(name) if misbehaves or name in ("never", "gone") else 200
        self.messages.append(Message(name, time.monotonic(), headers, body, status))
        if status is None:
            if name == "hang":
                await asyncio.sleep(30)
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

    @staticmethod
    def _status(name: str) -> int | None:
        if name in ("hang", "cut"):
            return None
        return {"never": 500, "gone": 410}.get(name) or (int(name) if name.isdigit() else 200)


@contextmanager
def receivers(faults: Mapping[str, int]) -> Iterator[Receivers]:
    """All of them, for as long as this is open."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    found = Receivers(0, 0, faults)
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
