"""Sends prepared requests over some connections for some seconds: by wrk or, where it is missing, by ourselves.

The same calls go to whatever is compared. Our own client costs several times what wrk costs, on the same
cores as what it measures, so its figures are good for a look and not for the record.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `target` is the path with its query, `body` a form."""

    method: str
    target: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where calls go, in whose name, and which: `calls` are sent in turn."""

    host: str
    token: str
    calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a client saw in one run."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


class LoadError(Exception):
    """A run in which something failed, so that its figures mean nothing."""


def generator() -> str:
    """What sends the load here."""
    return "wrk" if shutil.which("wrk") else "own client (wrk is not installed)"


def run(target: Target, seconds: int, connections: int) -> Sample:
    """One run; raises LoadError where a single answer was not a success."""
    first = random.randrange(len(target.calls))
    if shutil.which("wrk"):
        return _run_wrk(target, seconds, connections, first)
    return asyncio.run(_Client(target, connections, first).run(seconds))


def _run_wrk(target: Target, seconds: int, connections: int, first: int) -> Sample:
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as requests:
        requests.writelines(f"{call.method}\t{call.target}\t{call.body}\n" for call in target.calls)
        requests.flush()
        environment = {"BENCH_TOKEN": target.token, "BENCH_REQUESTS": requests.name, "BENCH_FROM": str(first)}
        done = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(_SCRIPT), f"http://{target.host}"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
    told = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("bench ")]
    if not told:
        raise LoadError(done.stdout + done.stderr)
    count, microseconds, p50, p99, failed = (int(number) for number in told[0])
    if failed or not count:
        raise LoadError(f"{failed} of {count} calls failed: {target.calls[0]}")
    return Sample(count, microseconds / 1e6, p50 / 1e3, p99 / 1e3)


class _Client:
    """Keep-alive connections that send one request after the other."""

    def __init__(self, target: Target, connections: int, first: int) -> None:
        self._address = urlsplit(f"//{target.host}")
        self._messages = [_message(target, call) for call in target.calls]
        self._connections = connections
        self._at = first
        self._latencies: list[float] = []

    async def run(self, seconds: float) -> Sample:
        started = time.perf_counter()
        await asyncio.gather(*(self._talk(started + seconds) for _ in range(self._connections)))
        took = time.perf_counter() - started
        sorted_ms = sorted(1000 * latency for latency in self._latencies)
        count = len(sorted_ms)
        return Sample(count, took, sorted_ms[count // 2], sorted_ms[min(count - 1, count * 99 // 100)])

    async def _talk(self, until: float) -> None:
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        while (before := time.perf_counter()) < until:
            self._at = (self._at + 1) % len(self._messages)
            writer.write(self._messages[self._at])
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            body = await reader.readexactly(int(length))
            if b" 200 " not in head[:16]:
                raise LoadError(f"{head!r} {body!r}")
            self._latencies.append(time.perf_counter() - before)
        writer.close()


def _message(target: Target, call: Call) -> bytes:
    lines = [
        f"{call.method} {call.target} HTTP/1.1",
        f"Host: {target.host}",
        f"Authorization: Bearer {target.token}",
    ]
    if call.body:
        lines += [f"Content-Length: {len(call.body)}", "Content-Type: application/x-www-form-urlencoded"]
    return ("\r\n".join(lines) + "\r\n\r\n" + call.body).encode()
