"""The guard, asked in this process: what it never dials, and what it makes of hosts that mean no good.

S07's corpus is in two files beside this one. Every entry is asked for as it is and as the target of redirects; a
canary on all addresses of this machine counts who comes. With the guard taken away it is reached, so it is there.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import trustme

from tests.support.outside import Canary, Host, addresses_of_this_machine, canary, host
from tradepost.egress import fetching
from tradepost.egress.addresses import Judge, is_public, read_allowance
from tradepost.egress.exchange import NotNow, Refused
from tradepost.egress.fetching import Fetching, believing
from tradepost.egress.urls import BadUrl, Target, read_url

FOLDER = Path(__file__).parent
MOST = 4096
REDIRECTS = (300, 301, 302, 303, 307, 308)

# What names lead to. The public address is one of nobody's test network, and only dialled when the guard is off.
NAMES = {
    "private.names.example": ["10.1.2.3"],
    "loopback.names.example": ["127.0.0.1"],
    "mixed.names.example": ["127.0.0.1", "9.9.9.9"],
    "mixed-last.names.example": ["9.9.9.9", "8.8.8.8", "127.0.0.1"],
    "mixed6.names.example": ["9.9.9.9", "::1"],
    "mapped.names.example": ["::ffff:127.0.0.1"],
    "linklocal6.names.example": ["fe80::1%1"],
    "many.names.example": [f"9.9.9.{n}" for n in range(50)],
    "fifty-private.names.example": [f"10.0.0.{n}" for n in range(50)],
    "nothing.names.example": [],
    "odd.names.example": ["not an address"],
    "our.own.example": ["9.9.9.9"],
    "public.names.example": ["9.9.9.9"],
    "metadata.google.internal": ["169.254.169.254"],
}


def lines(name: str) -> list[tuple[str, str]]:
    """The entries of a file of the corpus."""
    found = []
    for line in (FOLDER / name).read_text(encoding="utf-8").strip().split("\n"):
        if not line.startswith("#"):
            kind, _, value = line.partition("\t")
            found.append((kind, value.encode("latin-1", "backslashreplace").decode("unicode_escape")))
    return found


def hostile(port: int) -> list[str]:
    """The whole corpus, at the port of a canary; what this machine is called besides, too."""
    urls = [f"http://{name}:{port}/" for _, name in lines("hostile_hosts.tsv")]
    urls += [f"http://{name}/" for kind, name in lines("hostile_hosts.tsv") if kind != "name"]
    urls += [url.replace("{port}", str(port)) for _, url in lines("hostile_urls.tsv")]
    for address in addresses_of_this_machine():
        urls.append(f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/")
    return [*urls, f"http://{socket.gethostname()}:{port}/", f"http://{'a.' * 150}example:{port}/"]


async def scripted(name: str, port: int) -> list[str]:
    """Names as the table above has them; anything else as the system reads numbers, without asking a network."""
    if name in NAMES:
        return NAMES[name]
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        raise Refused("its name") from None
    return [str(entry[4][0]) for entry in found]


async def nowhere(piece: bytes) -> None:
    """Whoever does not want to see what comes."""


def guard(*allowed: str, ports: tuple[int, ...] = (80, 443)) -> Fetching:
    """A guard with an operator's allowances."""
    judge = Judge([read_allowance(text) for text in allowed], ports)
    return Fetching(judge, resolve=scripted, refused_hosts={("our.own.example", None)})


def fetch(guarded: Fetching, url: str, seconds: float = 5.0) -> bytes:
    """What is behind a URL."""
    pieces: list[bytes] = []

    async def write(piece: bytes) -> None:
        pieces.append(piece)

    asyncio.run(guarded.fetch(url, MOST, seconds, write))
    return b"".join(pieces)


@pytest.fixture(scope="module")
def bird() -> Iterator[Canary]:
    with canary() as opened:
        yield opened


@pytest.fixture(scope="module")
def outside() -> Iterator[Host]:
    with host() as opened:
        yield opened


def attempts(guarded: Fetching, urls: list[str]) -> list[str]:
    """Ask for all of them, many at a time; gives those that were fetched."""

    async def one(url: str) -> str | None:
        try:
            await guarded.fetch(url, MOST, 3.0, nowhere)
        except (Refused, NotNow):
            return None
        return url

    async def everything() -> list[str]:
        room = asyncio.Semaphore(32)

        async def ask(url: str) -> str | None:
            async with room:
                return await one(url)

        return [url for url in await asyncio.gather(*map(ask, urls)) if url is not None]

    return asyncio.run(everything())


def ways(outside: Host, url: str) -> list[str]:
    """A URL as it is, and behind each kind of redirect; some cannot even be written as a redirect's target."""
    try:
        text = quote(url, safe="")
    except UnicodeError:
        return [url]
    return [url, *(outside.url(f"/redirect?status={status}&to={text}") for status in REDIRECTS)]


def test_nothing_of_the_corpus_is_dialled(bird: Canary, outside: Host) -> None:
    """The guard lets the redirecting host through and takes the canary's port for a usual one."""
    guarded = guard(f"127.0.0.1:{outside.port}", ports=(80, 443, bird.port))
    urls = [way for url in hostile(bird.port) for way in ways(outside, url)]
    assert len(urls) > 1500
    began = time.monotonic()
    assert attempts(guarded, urls) == []
    assert bird.take() == []
    assert time.monotonic() - began < 60


def test_the_canary_is_reached_without_the_guard(
    bird: Canary, outside: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test above says of nothing: the same URLs, a judge that lets everything, and a lenient reading."""
    monkeypatch.setattr(Judge, "lets", lambda *_: True)
    monkeypatch.setattr(fetching, "read_url", lenient)
    monkeypatch.setattr(fetching, "follow", lambda before, location: lenient(location))
    monkeypatch.setattr(fetching, "MOST_DIALLED", 1)
    local = [
        url
        for url in hostile(bird.port)
        if url.startswith("http://") and url.isascii() and leads_here(url) and "names.example" not in url
    ]
    assert len(local) > 25
    reached = attempts(guard(), [way for url in local for way in (url, *ways(outside, url)[2:3])])
    assert len(reached) > len(local)
    met = set(bird.take())
    for address in addresses_of_this_machine():
        if not address.startswith("fe80"):
            assert address in met


def lenient(url: str) -> Target:
    """A URL as a careless client reads it."""
    try:
        parts = urlsplit(url)
        return Target(parts.scheme, parts.hostname or "", parts.port or 80, parts.path + "?" + parts.query)
    except ValueError:
        raise BadUrl("not even so") from None


def leads_here(url: str) -> bool:
    """Whether the system's resolver takes its host for an address of this machine."""
    try:
        parts = urlsplit(url)
        found = socket.getaddrinfo(parts.hostname, parts.port, flags=socket.AI_NUMERICHOST)
        addresses = {ip_address(str(entry[4][0])) for entry in found}
    except (OSError, ValueError, UnicodeError):
        return False
    own = {str(ip_address(address)) for address in addresses_of_this_machine() if "%" not in address}
    return all(address.is_loopback or str(address) in own for address in addresses)


def test_a_name_is_resolved_once_and_what_was_judged_is_dialled(bird: Canary, outside: Host) -> None:
    """A name that leads elsewhere the second time finds nobody who asks a second time."""
    asked: list[str] = []

    async def rebinding(name: str, port: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["::1"]

    guarded = replace(guard(f"127.0.0.1:{outside.port}"), resolve=rebinding)
    assert fetch(guarded, f"http://rebinding.names.example:{outside.port}/good") == b"good"
    assert asked == ["rebinding.names.example"]
    with pytest.raises(Refused):  # between two hops
        fetch(guarded, f"http://rebinding.names.example:{outside.port}/redirect?to=/good")
    assert bird.take() == []


def test_every_hop_is_judged_anew(outside: Host) -> None:
    guarded = guard(f"127.0.0.1:{outside.port}")
    assert fetch(guarded, outside.url("/redirect?to=/good")) == b"good"
    assert fetch(guarded, outside.url(f"/redirect?to=//127.0.0.1:{outside.port}/good")) == b"good"
    assert fetch(guarded, outside.url("/hops?left=3")) == b"arrived"
    for path in ("/hops?left=4", "/hops?left=21", "/around", "/no-location", "/redirect?to=/good&status=300"):
        with pytest.raises(Refused):
            fetch(guarded, outside.url(path))


@pytest.mark.parametrize("path", ["good", "chunked", "open-ended", "interim", "more-behind", "refresh"])
def test_what_is_fetched(outside: Host, path: str) -> None:
    assert fetch(guard(f"127.0.0.1:{outside.port}"), outside.url(f"/{path}")) == b"good"


def test_no_more_is_taken_than_was_told(outside: Host) -> None:
    """A host that tells a length and sends on is left as soon as it has sent so much."""
    assert fetch(guard(f"127.0.0.1:{outside.port}"), outside.url("/lies")) == b"x" * 1024


REFUSED = (
    *("endless", "tiny-chunks", "gzip", "gzip-twice", "long-chunk", "big-head"),
    *("interim-endless", "upgrade", "old", "no-http", "two-lengths", "both-lengths", "negative", "long-length"),
    *("too-long", "gone", "partial", "empty", "nowhere"),
)
LATER = ("drip", "drip-head", "half", "half-chunk", "huge-chunk", "silent", "closed", "down", "busy")


@pytest.mark.parametrize("path", [*REFUSED, *LATER])
def test_odd_answers_are_refused_or_put_off(outside: Host, path: str) -> None:
    """What time does not mend is refused for good; whatever it is, it ends in time."""
    began = time.monotonic()
    with pytest.raises(Refused if path in REFUSED else NotNow):
        fetch(guard(f"127.0.0.1:{outside.port}"), outside.url(f"/{path}"), seconds=0.6)
    assert time.monotonic() - began < 30


def test_nobody_there_is_for_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(NotNow):
        fetch(guard(f"127.0.0.1:{port}"), f"http://127.0.0.1:{port}/")


# -- TLS


def tls_host(make: Callable[[trustme.CA], ssl.SSLContext], ca: trustme.CA) -> tuple[socket.socket, int]:
    """A host that shows a certificate, and answers one `good` a connection."""
    context = make(ca)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(4096)
                    secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngood")
            except OSError:
                connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return listening, listening.getsockname()[1]


def shows(*names: str, expired: bool = False, oldest: bool = False) -> Callable[[trustme.CA], ssl.SSLContext]:
    """A certificate for these names."""

    def make(ca: trustme.CA) -> ssl.SSLContext:
        from datetime import UTC, datetime, timedelta

        ends = datetime.now(UTC) + timedelta(days=-1 if expired else 1)
        begins = datetime.now(UTC) - timedelta(days=2)
        certificate = ca.issue_cert(*names, not_before=begins, not_after=ends)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        if oldest:
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context

    return make


@pytest.mark.parametrize(
    ("make", "is_good"),
    [
        (shows("tls.names.example"), True),
        (shows("other.names.example"), False),
        (shows("127.0.0.1"), False),
        (shows("tls.names.example", expired=True), False),
    ],
    ids=["good", "another name", "the address only", "expired"],
)
def test_the_other_side_proves_its_name(
    make: Callable[[trustme.CA], ssl.SSLContext], is_good: bool, tmp_path: Path
) -> None:
    """By the name of the URL, whatever address was judged and dialled."""
    ca = trustme.CA()
    file = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    listening, port = tls_host(make, ca)

    async def here(name: str, asked: int) -> list[str]:
        return ["127.0.0.1"]

    with listening:
        guarded = replace(guard(f"127.0.0.1:{port}"), tls=believing(file), resolve=here)
        url = f"https://tls.names.example:{port}/"
        if is_good:
            assert fetch(guarded, url) == b"good"
        else:
            with pytest.raises(Refused):
                fetch(guarded, url)
        with pytest.raises(Refused):  # of nobody whom the system believes
            fetch(replace(guarded, tls=believing(None)), url)


def test_the_environment_is_not_asked(
    outside: Host, bird: Canary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for a proxy, nor for certificates, nor for a place to write the keys of connections to."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{bird.port}")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "hostile.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "hostile.pem"))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b")
    assert fetch(guard(f"127.0.0.1:{outside.port}"), outside.url("/good")) == b"good"
    assert bird.take() == []
    listening, port = tls_host(shows("tls.names.example"), ca)

    async def here(name: str, asked: int) -> list[str]:
        return ["127.0.0.1"]

    with listening, pytest.raises(Refused):
        fetch(
            replace(guard(f"127.0.0.1:{port}"), resolve=here, tls=believing(None)),
            f"https://tls.names.example:{port}/",
        )
    assert not os.path.exists(tmp_path / "keys")


# -- what may be dialled


@pytest.mark.parametrize("text", ["9.9.9.9", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2620:fe::fe", "2a00:1450::1"])
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ip_address(text))
    assert Judge().lets(text, 443)
    assert not Judge().lets(text, 8443)
    assert Judge([read_allowance("public:8443")]).lets(text, 8443)


def test_an_operator_allows_networks_with_a_port_or_without() -> None:
    judge = Judge(
        [read_allowance(t) for t in ("10.1.0.0/16", "10.2.0.7:9000", "[fd00::7]:9000", "fd01::/16", "public:81")]
    )
    for address, port in [
        ("10.1.2.3", 80),
        ("10.1.255.255", 443),
        ("10.2.0.7", 9000),
        ("fd00::7", 9000),
        ("fd01::1", 80),
    ]:
        assert judge.lets(address, port)
    for address, port in [
        ("10.1.2.3", 9000),
        ("10.2.0.7", 80),
        ("10.2.0.8", 9000),
        ("fd00::7", 80),
        ("10.0.0.1", 81),
        ("127.0.0.1", 80),
    ]:
        assert not judge.lets(address, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "public",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "10.0.0.1:0",
        "10.0.0.1:65536",
        "10.0.0.1:",
        "[fd00::1",
        "fd00::1:",
        "*:80",
        "localhost:80",
        "public:",
        "10.0.0.1:9000 ",
    ],
)
def test_what_is_no_allowance_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        read_allowance(text)


def test_a_url_is_read_one_way() -> None:
    assert read_url("HTTP://Shop.Example./a/b?c=d#e") == Target("http", "shop.example", 80, "/a/b?c=d")
    assert read_url("https://[2A00:0:0::1]:8443?x") == Target("https", "2a00::1", 8443, "/?x")
    assert read_url("http://9.9.9.9:80/").authority == "9.9.9.9"
    assert read_url("https://[2a00::1]:8443/").authority == "[2a00::1]:8443"
