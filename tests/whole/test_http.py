"""What is no proper request of HTTP, over real sockets: refused in the envelope, bounded in size and time."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.program import Client, Program, resident_mib, serving
from tradepost.wire.protocol import HEAD_SECONDS, MOST_HEAD


@pytest.fixture(scope="module")
def running() -> Iterator[Program]:
    """One program for all of them."""
    with serving() as program:
        yield program


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=HEAD_SECONDS + 30)


def exchange(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes, and read one answer until the connection ends or the answer is complete."""
    with connect(url) as connection:
        connection.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received or len(received) < _length(received):
            chunk = connection.recv(65536)
            if not chunk:
                break
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, body


def _length(received: bytes) -> int:
    head = received.partition(b"\r\n\r\n")[0]
    found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return len(head) + 4 + int(found.group(1)) if found else 0


MALFORMED = {
    "no request line": b"hello\r\n\r\n",
    "unknown method": b"BREW /api/v2/auth_test HTTP/1.1\r\nHost: a\r\n\r\n",
    "unknown version": b"GET /api/v2/auth_test HTTP/9.9\r\nHost: a\r\n\r\n",
    "two lengths": b"POST /api/v2/auth_test HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
    "length and chunks": b"POST /api/v2/auth_test HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": b"POST /api/v2/auth_test HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "length of 23 digits": b"POST /api/v2/auth_test HTTP/1.1\r\nHost: a\r\nContent-Length: "
    + b"9" * 23
    + b"\r\n\r\n",
    "space before the colon": b"GET /api/v2/auth_test HTTP/1.1\r\nHost : a\r\n\r\n",
    "a host that is none": b'GET /api/v3/oauth/test HTTP/1.1\r\nHost: evil.example"x\r\n\r\n',
}


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=list(MALFORMED))
def test_malformed(running: Program, service: str, request_bytes: bytes) -> None:
    """In the envelope of the service whose port it is, with a request id."""
    status, headers, body = exchange(getattr(running, service), request_bytes)
    assert status == 400
    assert len(headers["wish-request-id"]) == 36
    told = json.loads(body)
    assert (told["code"], told["data"]) == (1101, {})
    assert ("type" in told) == (service == "merchant")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/v2/auth_test?x=" + b"a" * MOST_HEAD + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v2/auth_test HTTP/1.1\r\nHost: a\r\nX: " + b"a" * MOST_HEAD + b"\r\n\r\n",
        b"GET /api/v2/auth_test HTTP/1.1\r\nHost: a\r\n" + b"X: aaaaaaaaaaaa\r\n" * 6000 + b"\r\n",
    ],
    ids=["url", "one header", "many headers"],
)
def test_a_head_that_is_too_large(running: Program, head: bytes) -> None:
    status, headers, body = exchange(running.merchant, head)
    assert (status, json.loads(body)["code"]) == (431, 4013)
    assert "wish-request-id" in headers


def test_a_head_without_an_end_is_cut_off(running: Program) -> None:
    """Long before it costs memory."""
    (pid,) = running.web_pids()
    before = resident_mib(pid)
    sent = 0
    with connect(running.merchant) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n")
        line = b"X-header: " + b"a" * 8000 + b"\r\n"
        try:
            while sent < 50_000_000:
                connection.sendall(line)
                sent += len(line)
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert sent < 10_000_000
    assert resident_mib(pid) - before < 40


def test_bytes_that_should_have_been_escaped(running: Program) -> None:
    """Raw UTF-8 in a query is taken as it is meant."""
    token = running.credentials()["merchants"][0]["access_token"]
    head = f"GET /api/v2/variant?sku=中文 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
    status, _, body = exchange(running.merchant, head.encode())
    assert (status, json.loads(body)["message"]) == (400, "No 'Variant' Found with sku: '中文'")


def test_who_says_nothing_is_hung_up_on(running: Program) -> None:
    """After ten seconds, and not before, whether it says nothing at all or stops in the middle of a head."""
    begun = time.monotonic()
    with connect(running.merchant) as silent, connect(running.merchant) as half:
        half.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nX: ")
        for connection in (silent, half):
            assert connection.recv(1) == b""
            assert time.monotonic() - begun > HEAD_SECONDS - 1


def test_a_connection_that_is_used_stays(running: Program) -> None:
    """The deadline is one for each head, not for the connection."""
    with Client(running.merchant) as client:
        first = client.get("/livez")
        port = client.local_port
        time.sleep(0.2)
        assert (first.status, client.get("/livez").status) == (200, 200)
        assert client.local_port == port


@pytest.mark.parametrize(
    ("port", "host", "wishpost"),
    [
        ("merchant", "wishpost.cn", True),
        ("merchant", "WishPost.cn.:443", True),
        ("merchant", "", False),
        ("wishpost", "", True),
        ("wishpost", "localhost.", True),
        ("wishpost", "[::1]:8081", True),
        ("wishpost", "merchant.wish.com", False),
    ],
)
def test_whose_call_it_is(running: Program, port: str, host: str, wishpost: bool) -> None:
    """By the name in the Host header, and by the port where that says nothing."""
    status, _, body = exchange(
        getattr(running, port), f"GET /api/v3/channels HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    )
    assert (status, json.loads(body)["code"]) == ((401, 4000) if wishpost else (404, 4001))
