"""The local certificate authority: made once, renewed in time, closed to others, good for its own names alone."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.program import wait_until
from tradepost import web
from tradepost.authority import (
    AUTHORITY_DAYS,
    RENEW_DAYS,
    SERVER_DAYS,
    Authority,
    AuthorityError,
    Certified,
    server_context,
)
from tradepost.settings import Settings

NOW = datetime.now(UTC).replace(microsecond=0)
HOSTS = ("merchant.wish.com", "wishpost.cn")


def days(count: int) -> datetime:
    return NOW + timedelta(days=count)


def certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


@contextmanager
def listening(context: ssl.SSLContext) -> Iterator[int]:
    """A server that shakes hands on a port of loopback, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as opened:

        def greet() -> None:
            while True:
                try:
                    met, _ = opened.accept()
                except OSError:
                    return
                try:
                    context.wrap_socket(met, server_side=True).close()
                except OSError:
                    met.close()

        thread = Thread(target=greet)
        thread.start()
        try:
            yield opened.getsockname()[1]
        finally:
            opened.shutdown(socket.SHUT_RDWR)
            thread.join()


def shake_hands(port: int, name: str, authority: Path | None) -> bytes:
    """Who the other side says it is; without an authority whatever it says. Raises SSLError."""
    context = ssl.create_default_context(cafile=authority)
    if authority is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        found = secured.getpeercert(binary_form=True)
        assert found is not None
        return found


def test_it_is_made_once(tmp_path: Path) -> None:
    first = Authority(tmp_path, HOSTS).certify(NOW)
    kept = first.authority.read_bytes(), first.chain.read_bytes()
    again = Authority(tmp_path, HOSTS).certify(days(300))
    assert again == first
    assert (again.authority.read_bytes(), again.chain.read_bytes()) == kept
    assert first.ends == days(AUTHORITY_DAYS)


def test_who_comes_at_once_gets_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: Authority(tmp_path, HOSTS).certify(NOW), range(16)))
    assert len(found) == 1
    assert not list(tmp_path.rglob("*.new"))


def test_nobody_else_reads_a_key(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = Authority(tmp_path / "data", HOSTS).certify(NOW)
    finally:
        os.umask(before)
    keys = [file for file in (tmp_path / "data").rglob("*") if file.is_file() and b"PRIVATE" in file.read_bytes()]
    assert len(keys) == 2
    assert {file.stat().st_mode & 0o777 for file in keys} == {0o600}
    assert {file.parent.stat().st_mode & 0o777 for file in keys} == {0o700}
    assert made.authority.stat().st_mode & 0o777 == 0o644


def test_the_servers_certificate_is_renewed_before_its_end(tmp_path: Path) -> None:
    authority = Authority(tmp_path, HOSTS)
    made = authority.certify(NOW)
    first = certificate(made.chain)
    assert first.not_valid_after_utc == days(SERVER_DAYS)
    authority.certify(days(SERVER_DAYS - RENEW_DAYS) - timedelta(seconds=1))
    assert certificate(made.chain) == first
    authority.certify(days(SERVER_DAYS - RENEW_DAYS))
    second = certificate(made.chain)
    assert second != first
    assert second.not_valid_after_utc == days(2 * SERVER_DAYS - RENEW_DAYS)
    second.verify_directly_issued_by(certificate(made.authority))


def test_nothing_outlives_the_authority(tmp_path: Path) -> None:
    authority = Authority(tmp_path, HOSTS)
    authority.certify(NOW)
    late = authority.certify(days(AUTHORITY_DAYS - RENEW_DAYS) - timedelta(seconds=1))
    assert certificate(late.chain).not_valid_after_utc == late.ends
    with pytest.raises(AuthorityError, match="is at its end"):
        authority.certify(days(AUTHORITY_DAYS - RENEW_DAYS))


def test_names_may_go_but_not_come(tmp_path: Path) -> None:
    made = Authority(tmp_path, HOSTS).certify(NOW)
    fewer = Authority(tmp_path, HOSTS[:1]).certify(NOW)
    assert fewer == made
    told = certificate(fewer.chain).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert told.get_values_for_type(x509.DNSName) == [HOSTS[0], "localhost"]
    with pytest.raises(AuthorityError, match=r"was not made for shop\.example\. Remove .*tls"):
        Authority(tmp_path, (*HOSTS, "shop.example")).certify(NOW)


@pytest.mark.parametrize("lost", ["ca.pem", "tls/authority.key", "tls/server.pem"])
def test_what_is_lost_is_made_anew(tmp_path: Path, lost: str) -> None:
    Authority(tmp_path, HOSTS).certify(NOW)
    (tmp_path / lost).unlink()
    (tmp_path / "tls" / "server.pem.new").write_bytes(b"half of it")
    made = Authority(tmp_path, HOSTS).certify(NOW)
    with listening(server_context(made)) as port:
        assert shake_hands(port, HOSTS[0], made.authority)


@pytest.mark.parametrize("name", [*HOSTS, "localhost", "127.0.0.1"])
def test_a_client_believes_it_under_every_name(tmp_path: Path, name: str) -> None:
    made = Authority(tmp_path, HOSTS).certify(NOW)
    with listening(server_context(made)) as port:
        assert shake_hands(port, name, made.authority)
        with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for|mismatch"):
            shake_hands(port, "other.example", made.authority)


@pytest.mark.parametrize("name", ["other.example", "wish.com"])
def test_with_its_key_nobody_can_pass_for_another_site(tmp_path: Path, name: str) -> None:
    made = Authority(tmp_path, HOSTS).certify(NOW)
    chain = forged(made, tmp_path / "tls" / "authority.key", name)
    with (
        listening(server_context(Certified(made.authority, made.ends, "", chain))) as port,
        pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"),
    ):
        shake_hands(port, name, made.authority)


def forged(made: Certified, stolen: Path, name: str) -> Path:
    issuer: Any = serialization.load_pem_private_key(stolen.read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")]))
        .issuer_name(certificate(made.authority).subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(days(9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(issuer, hashes.SHA256())
    )
    file = stolen.with_name("forged.pem")
    file.write_bytes(
        leaf.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return file


def test_a_server_shows_the_renewed_one_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "RENEW_SECONDS", 0.05)
    settings = Settings(data=tmp_path, tls_hosts=list(HOSTS))
    opened = socket.create_server(("127.0.0.1", 0))
    port = opened.getsockname()[1]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"].startswith("lifespan"):
            await send({"type": f"{message['type']}.complete"})

    server = web.Server(web.server_config(app), settings, [opened.detach()])

    def look() -> None:
        try:
            wait_until(lambda: server.started, what="the start")
            before = shake_hands(port, HOSTS[0], tmp_path / "ca.pem")
            (tmp_path / "tls" / "server.pem").unlink()  # as if it were near its end
            wait_until(
                lambda: shake_hands(port, HOSTS[0], tmp_path / "ca.pem") != before, what="another certificate"
            )
        finally:
            server.should_exit = True

    async def run() -> None:
        await asyncio.gather(server.serve(sockets=[]), asyncio.to_thread(look))

    asyncio.run(run())
