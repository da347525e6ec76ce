"""A certificate authority of one installation, for clients that want to reach it under the names of the original.

It may vouch for the names it was made for, for this machine and for nothing else (name constraints, RFC 5280,
4.2.1.10), so that its key, stolen, opens no other site to anybody. Its folder is open to its owner alone; the
certificate that clients are to trust lies beside it, for everybody to read.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS: Final = 3650
SERVER_DAYS: Final = 397
"""What browsers believe at most of a public authority; some hold any other to it as well."""
RENEW_DAYS: Final = 60
"""A server's certificate that ends sooner is made anew."""
_SKEW: Final = timedelta(hours=1)
_MACHINE_NAMES: Final = ("localhost",)
_MACHINE_NETWORKS: Final = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_MACHINE_ADDRESSES: Final = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))


class AuthorityError(Exception):
    """The authority cannot vouch for what is wanted; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Certified:
    """The certificate that clients trust, when it ends, and what a server shows them."""

    authority: Path
    ends: datetime
    fingerprint: str
    """SHA-256 of the authority's certificate, in hex with colons."""
    chain: Path
    """The server's certificate and its key."""


class Authority:
    """The authority of a data folder. Everything is made when it is first wanted."""

    def __init__(self, data: Path, hosts: Sequence[str]) -> None:
        """`hosts` are the names that a server is to have beside those of this machine."""
        self._data = data
        self._folder = data / "tls"
        self._names = tuple(dict.fromkeys((*hosts, *_MACHINE_NAMES)))

    @property
    def certificate(self) -> Path:
        """Where the authority's certificate is, or will be."""
        return self._data / "ca.pem"

    def certify(self, now: datetime) -> Certified:
        """Have a certificate for the server that is good for some time; `now` is the machine's time in UTC.

        Raises AuthorityError where the authority was made for other names, or has come to its end.
        """
        with self._lock():
            if not (self._key.exists() and self.certificate.exists()):
                self._make_authority(now)
            authority = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            self._check(authority, now)
            if not self._is_good(authority, now):
                self._make_server(authority, now)
        return Certified(
            self.certificate.resolve(),
            authority.not_valid_after_utc,
            authority.fingerprint(hashes.SHA256()).hex(":").upper(),
            self._folder / "server.pem",
        )

    def _check(self, authority: x509.Certificate, now: datetime) -> None:
        again = f"Remove {self._folder} to have another one made, which clients have to trust anew."
        if now >= authority.not_valid_after_utc - timedelta(days=RENEW_DAYS):
            raise AuthorityError(f"The certificate authority of {self._data} is at its end. {again}")
        permitted = (
            authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
        )
        known = {name.value for name in permitted if isinstance(name, x509.DNSName)}
        if missing := [name for name in self._names if name not in known]:
            raise AuthorityError(
                f"The certificate authority of {self._data} was not made for {', '.join(missing)}. {again}"
            )

    def _is_good(self, authority: x509.Certificate, now: datetime) -> bool:
        """Whether the server's certificate is the authority's, for these names, and not near its end."""
        file = self._folder / "server.pem"
        if not file.exists():
            return False
        server = x509.load_pem_x509_certificate(file.read_bytes())
        try:
            server.verify_directly_issued_by(authority)
        except (InvalidSignature, ValueError):
            return False
        told = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if told.get_values_for_type(x509.DNSName) != list(self._names):
            return False
        return server.not_valid_before_utc <= now < server.not_valid_after_utc - timedelta(days=RENEW_DAYS)

    def _make_authority(self, now: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        serial = x509.random_serial_number()
        name = _named(f"Tradepost local authority {serial % 0x10000:04x}")
        permitted: list[x509.GeneralName] = [x509.DNSName(host) for host in self._names]
        permitted += [x509.IPAddress(network) for network in _MACHINE_NETWORKS]
        made = (
            _begun(name, name, key.public_key(), serial, now, now + timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.NameConstraints(permitted, None), critical=True)
            .sign(key, hashes.SHA256())
        )
        # The key last: what is there without it is made again.
        _write(self.certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)
        _write(self._key, _pem(key), 0o600)

    def _make_server(self, authority: x509.Certificate, now: datetime) -> None:
        issuer = serialization.load_pem_private_key(self._key.read_bytes(), None)
        assert isinstance(issuer, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(now + timedelta(days=SERVER_DAYS), authority.not_valid_after_utc)
        names: list[x509.GeneralName] = [x509.DNSName(host) for host in self._names]
        names += [x509.IPAddress(address) for address in _MACHINE_ADDRESSES]
        serial = x509.random_serial_number()
        identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        made = (
            _begun(_named("Tradepost"), authority.subject, key.public_key(), serial, now, ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
            )
            .sign(issuer, hashes.SHA256())
        )
        # In one file with its key, so that a server never loads one of them without the other.
        _write(self._folder / "server.pem", made.public_bytes(serialization.Encoding.PEM) + _pem(key), 0o600)

    @property
    def _key(self) -> Path:
        return self._folder / "authority.key"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time makes or renews anything."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        with (self._folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def server_context(certified: Certified) -> ssl.SSLContext:
    """How a server speaks TLS; a renewed certificate is loaded into the same context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certified.chain)
    return context


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    serial: int,
    now: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(now - _SKEW)
        .not_valid_after(ends)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, data: bytes, mode: int) -> None:
    """A whole file or none, which nobody else could open at any time."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.chmod(mode)
    fresh.replace(file)
