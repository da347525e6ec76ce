"""A client that asks at a fixed pace, so that what it waits for is the program and not its own haste.

Moments are planned beforehand and waits are counted from the plan: a program that stands still for a while is seen
by every call that should have been made meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paced:
    """What single calls waited for, in milliseconds."""

    calls: int
    p50_ms: float
    p99_ms: float
    most_ms: float


def paced(host: str, token: str, paths: Sequence[str], connections: int, rate: int, seconds: int) -> Paced:
    """Call at `rate` a second in all, over some connections, for so long; raises AssertionError on any failure."""
    return asyncio.run(_paced(host, token, paths, connections, rate, seconds))


async def _paced(host: str, token: str, paths: Sequence[str], connections: int, rate: int, seconds: int) -> Paced:
    began = time.perf_counter() + 0.1
    waits: list[float] = []

    async def talk(first: int) -> None:
        name, _, port = host.partition(":")
        reader, writer = await asyncio.open_connection(name, int(port))
        for number in range(first, rate * seconds, connections):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            path = paths[number % len(paths)]
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head[:16], head
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            waits.append(1000 * (time.perf_counter() - due))
        writer.close()

    await asyncio.gather(*(talk(first) for first in range(connections)))
    waits.sort()
    return Paced(len(waits), waits[len(waits) // 2], waits[len(waits) * 99 // 100], waits[-1])
