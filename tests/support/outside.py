"""The world outside as tests have it: a host that answers as it is told, and canaries that must never be reached.

Both are real sockets of this machine. Nothing here asks a network.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

Step = bytes | float
"""Bytes to send, or seconds to wait."""
Script = Iterator[Step]
PATIENCE_SECONDS = 30.0


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """A whole answer; `length` is what it claims, where that is not the truth."""
    told = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {told}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(to: str, status: str = "302 Found") -> bytes:
    """An answer that sends elsewhere."""
    return answer(b"", f"Location: {to}", status=status)


@dataclass
class Canary:
    """A listener on every address of this machine, at one port; whoever connects is noted by where he came in."""

    port: int
    met: list[str] = field(default_factory=list)

    def take(self) -> list[str]:
        """Where somebody came in since this was asked the last time."""
        time.sleep(0)
        met, self.met[:] = list(self.met), []
        return met


@contextmanager
def canary() -> Iterator[Canary]:
    """A canary on a port of the system's choice."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256) as listening:
        bird = Canary(listening.getsockname()[1])

        def note(connection: socket.socket) -> None:
            bird.met.append(connection.getsockname()[0].removeprefix("::ffff:"))
            with connection, suppress(OSError):
                connection.sendall(answer(b"the canary", "Content-Type: text/plain"))

        with _accepting(listening, note):
            yield bird


def addresses_of_this_machine() -> list[str]:
    """Some address of each kind that this machine has, loopback ones first; with a zone where one is needed."""
    found = ["127.0.0.1"]
    with suppress(OSError), socket.socket(socket.AF_INET6) as opened:
        opened.bind(("::1", 0))
        found.append("::1")
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.connect(("198.51.100.1", 9))  # nothing is sent: this only asks which address would be used
        found.append(opened.getsockname()[0])
    with suppress(OSError), open("/proc/net/if_inet6", encoding="ascii") as file:
        for line in file:
            digits, _, _, _, _, device = line.split()
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))
            found.append(f"{address}%{device}" if address.startswith("fe80") else address)
    return list(dict.fromkeys(found))


class Host:
    """A host on loopback that plays a script for each path, and counts what it was asked for."""

    def __init__(self, port: int, play: Callable[[str], Script]) -> None:
        self.port = port
        self.asked: Counter[str] = Counter()
        self._play = play

    def url(self, path: str) -> str:
        """The URL of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self, connection: socket.socket) -> None:
        """Answer one connection."""
        with connection, suppress(OSError):
            connection.settimeout(PATIENCE_SECONDS)
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := connection.recv(4096)):
                    return
                head += data
            target = head.split(b" ", 2)[1].decode("latin-1")
            self.asked[target] += 1
            for step in self._play(target):
                if isinstance(step, bytes):
                    connection.sendall(step)
                else:
                    time.sleep(step)


@contextmanager
def host(play: Callable[[str], Script] | None = None) -> Iterator[Host]:
    """A host that plays what it is told, or the odd answers below."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        made = Host(listening.getsockname()[1], play or odd)
        with _accepting(listening, made.serve):
            yield made


@contextmanager
def _accepting(listening: socket.socket, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def odd(target: str) -> Script:
    """Answers of hosts that are broken, slow or hostile, by their path."""
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.path == "/redirect":
        yield redirect(query.get("to", ""), query.get("status", "302") + " Elsewhere")
    elif parts.path == "/around":
        yield redirect("/around")
    elif parts.path == "/hops":
        left = int(query["left"])
        yield redirect(f"/hops?left={left - 1}") if left else answer(b"arrived")
    elif found := ODD.get(parts.path):
        yield from found()
    else:
        yield answer(b"not here", status="404 Not Found")


def _steps(*steps: Step) -> Callable[[], Script]:
    return lambda: iter(steps)


def _again(first: bytes, then: Sequence[Step]) -> Callable[[], Script]:
    def play() -> Script:
        yield first
        while True:
            yield from then

    return play


_OPEN = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

ODD: dict[str, Callable[[], Script]] = {
    "/good": _steps(answer(b"good")),
    "/chunked": _steps(_CHUNKED, b"4\r\ngood\r\n0\r\n\r\n"),
    "/open-ended": _steps(_OPEN, b"go", b"od"),
    "/interim": _steps(
        b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", answer(b"good")
    ),
    "/more-behind": _steps(answer(b"good") + b"HTTP/1.1 200 OK\r\n\r\nmore"),
    "/lies": _again(answer(b"", length=1024), [b"x" * 65536]),
    "/endless": _again(_OPEN, [b"x" * 65536]),
    "/tiny-chunks": _again(_CHUNKED, [b"1\r\nx\r\n" * 4096]),
    "/drip": _again(_OPEN, [b"x", 0.05]),
    "/drip-head": _again(b"HTTP/1.1 200 OK\r\n", [b"X: y\r\n", 0.05]),
    "/half": _steps(answer(b"half", length=4096)),
    "/half-chunk": _steps(_CHUNKED, b"ff\r\nhalf"),
    "/silent": _steps(5.0),
    "/closed": _steps(),
    "/gzip": _steps(answer(b"\x1f\x8b", "Content-Encoding: gzip")),
    "/gzip-twice": _steps(answer(b"\x1f\x8b", "Content-Encoding: gzip, gzip")),
    "/huge-chunk": _steps(_CHUNKED, b"ffffffffffffffff\r\n"),
    "/long-chunk": _steps(_CHUNKED, b"fffffffffffffffff\r\n"),
    "/big-head": _steps(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * (1 << 20) + b"\r\n\r\n"),
    "/interim-endless": _again(b"", [b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100]),
    "/upgrade": _steps(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    "/old": _steps(b"good"),
    "/no-http": _steps(b"220 mail.example ESMTP\r\n"),
    "/two-lengths": _steps(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\ngood"),
    "/both-lengths": _steps(
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"
    ),
    "/negative": _steps(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\ngood"),
    "/long-length": _steps(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\ngood"),
    "/too-long": _steps(answer(b"x" * 5000)),
    "/down": _steps(answer(b"", status="503 Service Unavailable")),
    "/busy": _steps(answer(b"", "Retry-After: 1", status="429 Too Many Requests")),
    "/gone": _steps(answer(b"", status="410 Gone")),
    "/partial": _steps(answer(b"good", status="206 Partial Content")),
    "/empty": _steps(answer(b"", status="204 No Content")),
    "/no-location": _steps(answer(b"", status="302 Found")),
    "/refresh": _steps(answer(b"good", "Refresh: 0; url=http://127.0.0.1/")),
}
