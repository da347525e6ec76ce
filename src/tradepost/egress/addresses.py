"""Which addresses may be dialled: the public ones and what the operator allows, nothing else.

The list is our own, because the standard library's idea of a global address is another one: it holds multicast, the
metadata service behind NAT64, and 168.63.129.16 for global. Of IPv6 only 2000::/3 is given out for the public at
all, so everything else is refused without being named: loopback, link-local, unique local, multicast, and all forms
that carry an IPv4 address inside.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORTS: Final = (80, 443)
"""What may be dialled of public addresses, and of allowed networks that name no port."""
PUBLIC: Final = "public"

_DENIED_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a carrier's customers; a cloud's metadata is in it
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's own services
        "169.254.0.0/16",  # link-local, with the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunnels
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # measuring
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_6: Final = IPv6Network("2000::/3")
_DENIED_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, with Teredo, which carries IPv4
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries IPv4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_ALLOWANCE = re.compile(
    r"(public|\[[0-9A-Fa-f:.]+\](?:/[0-9]{1,3})?|[0-9A-Fa-f:./]+?)(?::([1-9][0-9]{0,4}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an operator lets through: a network (None is all that is public), at one port or at the usual ones."""

    network: Network | None
    port: int | None

    def lets(self, address: Address, port: int) -> bool:
        """Whether this address at this port is let through."""
        if port not in (PORTS if self.port is None else (self.port,)):
            return False
        return is_public(address) if self.network is None else address in self.network


def read_allowance(text: str) -> Allowance:
    """What an operator wrote: `10.1.0.0/16`, `10.1.2.3:9000`, `[fd00::1]:9000`, `public:8443`.

    Raises ValueError for anything else.
    """
    # A colon is part of an IPv6 address, which therefore stands in brackets where a port follows.
    bare = text if text.count(":") > 1 and not text.startswith("[") else None
    found = None if bare else _ALLOWANCE.fullmatch(text)
    if not bare and not found:
        raise ValueError(f"{text!r} is no network, nor one with a port")
    name, told = (bare, None) if bare or found is None else found.groups()
    port = None if told is None else int(told)
    if name is None or (port is not None and port > 65535) or (name == PUBLIC and port is None):
        raise ValueError(f"{text!r} is no network, nor one with a port")
    return Allowance(None if name == PUBLIC else ip_network(re.sub(r"[\[\]]", "", name)), port)


def is_public(address: Address) -> bool:
    """Whether anybody on the internet can be reached there, and nobody else."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _DENIED_4)
    return address in _PUBLIC_6 and not any(address in network for network in _DENIED_6)


class Judge:
    """Says which addresses may be dialled."""

    def __init__(self, allowed: Collection[Allowance] = (), ports: Collection[int] = PORTS) -> None:
        """`allowed` are the operator's; `ports` those of public addresses."""
        self._allowed = tuple(allowed)
        self._ports = ports

    def may_let(self, port: int) -> bool:
        """Whether any address at all may be dialled at a port."""
        return port in self._ports or any(
            port in (PORTS if allowed.port is None else (allowed.port,)) for allowed in self._allowed
        )

    def lets(self, text: str, port: int) -> bool:
        """Whether an address as the resolver wrote it may be dialled at a port."""
        try:
            address = ip_address(text)
        except ValueError:
            return False
        if getattr(address, "scope_id", None) is not None:
            return False
        if port in self._ports and is_public(address):
            return True
        return any(allowance.lets(address, port) for allowance in self._allowed)


def judge_of(allowed: Collection[str]) -> Judge:
    """The judge of an installation whose operator allows these networks."""
    return Judge([read_allowance(text) for text in allowed])
