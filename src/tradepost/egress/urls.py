"""One strict reading of a URL, for judging and for dialling alike.

Readers of URLs disagree about the odd ones, and a guard that reads one host while its client dials another guards
nothing. So this form is narrower than what browsers take, and what does not fit is refused, not mended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urljoin

LONGEST_URL: Final = 2048
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

# Printable ASCII without blanks, quotes, brackets of all kinds but [], backslash, caret, bar and backtick.
_TEXT = re.compile(r"[!#-;=?-\[\]_a-z~]+", re.ASCII)
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>(?:/[^?#]*)?(?:\?[^#]*)?)"
    r"(?:#.*)?",
    re.ASCII | re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
# A name that ends so is an address to many resolvers, in one of many notations.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LONGEST_NAME: Final = 253


class BadUrl(ValueError):
    """Not a URL that is ever dialled."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: scheme, host (a name, or an address without brackets), port, and what to ask for."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The URL again."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them, the usual port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(text: str) -> Target:
    """Where a URL leads; raises BadUrl for one that is not dialled whatever it leads to."""
    found = _URL.fullmatch(text) if len(text) <= LONGEST_URL and _TEXT.fullmatch(text) else None
    if found is None:
        raise BadUrl("its form")
    scheme = found["scheme"].lower()
    port = int(found["port"]) if found["port"] else DEFAULT_PORTS[scheme]
    if port > 65535:
        raise BadUrl("its port")
    target = found["target"]
    return Target(
        scheme, _read_host(found["host"].lower()), port, target if target.startswith("/") else f"/{target}"
    )


def follow(before: Target, location: str) -> Target:
    """Where a redirect leads; raises BadUrl, also for one that leaves TLS."""
    if len(location) > LONGEST_URL or not _TEXT.fullmatch(location):
        raise BadUrl("the form of its redirect")
    try:
        joined = urljoin(before.url, location)
    except ValueError:
        raise BadUrl("the form of its redirect") from None
    after = read_url(joined)
    if before.scheme == "https" and after.scheme != "https":
        raise BadUrl("a redirect that leaves TLS")
    return after


def _read_host(host: str) -> str:
    if host.startswith("["):
        try:
            return str(IPv6Address(host[1:-1]))
        except AddressValueError:
            raise BadUrl("its address") from None
    try:
        return str(IPv4Address(host))
    except AddressValueError:
        pass
    name = host.removesuffix(".")
    labels = name.split(".")
    # A single label would be looked up in whatever domain this machine happens to be in.
    if len(name) > _LONGEST_NAME or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadUrl("its host")
    if _NUMBER.fullmatch(labels[-1]):
        raise BadUrl("its host, a number")
    return name
