"""Where access tokens are used from, and telling an owner, once, that it is somewhere new.

A bearer token opens for whoever has it. That is not prevented; it is shown, so that whoever's token was taken sees
it and takes it back. A place is a network and a program. Nothing here knows where on earth an address is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import groupby
from typing import Any, Final

from tradepost.domain import inbox, world
from tradepost.domain.access import rows
from tradepost.domain.context import Ctx, Rows

NEW_PLACE_TOPIC: Final = "token_new_place"
"""What an owner is told when a token of an app is used from somewhere new."""
MOST_PLACES: Final = 100
"""Places that are kept of one token; of more the latest."""
LETTERS_PER_DAY: Final = 5
"""New places of one app that its owner gets a letter about within a day; the page shows all."""
KEPT_DAYS: Final = 400
"""How long a place is known; longer than a consent lasts."""
MOST_AGENT: Final = 200
MOST_ADDRESS: Final = 64

_PROGRAM = re.compile(r"[^\s/;,()]{1,40}")


@dataclass(frozen=True, slots=True)
class Use:
    """Calls that a token opened: from which address, and what their client calls itself, without secrets."""

    account_id: str
    token_id: str
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a token is used from: the address of the last time, and what the client called itself then.

    `is_new` tells that the app had never been used from this network, or never with this program. Times are the
    machine's.
    """

    token_id: str
    address: str
    agent: str
    is_new: bool
    first_used_at: datetime
    last_used_at: datetime


def network_of(address: str) -> str:
    """The network of an address: its /24, or the /48 of an IPv6 address; "" for what is no address."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    bits = 32 - 24 if found.version == 4 else 128 - 48
    return f"{type(found)(int(found) >> bits << bits)}/{24 if found.version == 4 else 48}"


def program_of(agent: str) -> str:
    """The program out of what a client calls itself: its first name in small letters, without a version."""
    found = _PROGRAM.search(agent)
    return "" if found is None else found[0].lower()[:40]


async def note_uses(db: Rows, uses: Sequence[Use]) -> int:
    """Note where tokens were used just now, and tell the owners of those that are somewhere new; gives how many.

    The later of two uses in one place counts. One statement, unless a token is somewhere for the first time. What
    is noted is not durable at once: a crash of the database may lose the last second of it.
    """
    last = {(use.account_id, use.token_id, network_of(use.address), program_of(use.agent)): use for use in uses}
    if not last:
        return 0
    first = await rows.keep_uses(db, [(*key, use.address, use.agent) for key, use in last.items()])
    if not first:
        return 0
    # Two servers that see the same new place at the same moment: the later one finds it known.
    for account_id in sorted({account_id for account_id, _ in first}):
        await rows.hold_places(db, account_id)
    found = await rows.judge_places(db, first)
    await rows.drop_places(db, first, MOST_PLACES)
    new = sorted((row for row in found if row["is_new"]), key=_place)
    if not new:
        return 0
    ctx = await world.enter(db)
    return sum([await _tell(ctx, list(places)) for _, places in groupby(new, _app)])


def _app(row: Any) -> tuple[str, str]:
    return row["account_id"], row["app_id"]


def _place(row: Any) -> tuple[str, ...]:
    return *_app(row), row["token_id"], row["network"], row["program"]


async def _tell(ctx: Ctx, places: Sequence[Any]) -> bool:
    """Tell the owner of new places of one app, in one letter; whether he was."""
    place = places[0]
    account_id, app_id = _app(place)
    if await rows.count_new_places(ctx.db, account_id, app_id) - len(places) >= LETTERS_PER_DAY:
        return False
    world.begin(ctx, f"new place {' '.join(_place(place))}")
    # Nothing of what the client calls itself: a letter holds no words of somebody unknown.
    about = {"app_id": app_id, "app": place["app"], "token_id": place["token_id"], "address": place["address"]}
    await inbox.tell_account(ctx, place["service"], account_id, NEW_PLACE_TOPIC, about)
    return True


async def list_places(ctx: Ctx, account_id: str, token_ids: Sequence[str]) -> dict[str, list[Place]]:
    """Where some tokens of the bound account are used from, by their ids, the latest place first."""
    found: dict[str, list[Place]] = {}
    for row in await rows.list_places(ctx.db, account_id, token_ids):
        found.setdefault(row["token_id"], []).append(Place(**dict(row)))
    return found


async def forget_old_places(ctx: Ctx) -> int:
    """Forget where nothing was used from for long, and what newer tokens tell again; gives how many places."""
    return await rows.delete_places(ctx.db, KEPT_DAYS)
