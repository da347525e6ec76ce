"""The ways that parcels take in the sandbox: what carriers see of one, when and where, from its pick-up to its end.

A way follows from the parcel alone: from where it is sent, where to, by which channel, and its id, which seeds
everything that is left to chance. So the same parcel always goes the same way, whoever asks and whenever.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tradepost.domain import reference
from tradepost.domain.parcels import Details, Parcel, Scan

Place = tuple[str | None, str | None, str | None]
"""Country, province and city."""

CHINA: Final = "CN"
# Where the warehouses are that parcels are handed over at; others begin at their sender's.
_WAREHOUSES: Final[dict[str, Place]] = {
    str(code): (CHINA, warehouse["province_en"], warehouse["city_en"])
    for code, warehouse in reference.HANDOVER_WAREHOUSES.items()
}
# By channel: where its parcels are sorted, and from where they fly.
_HUBS: Final[dict[str, tuple[Place, Place]]] = {
    "5001": ((CHINA, "Guangdong", "Dongguan"), ("HK", None, "Hong Kong")),
    "200": ((CHINA, "Zhejiang", "Hangzhou"), (CHINA, "Shanghai", "Shanghai")),
}
_OTHER_HUBS: Final = ((CHINA, "Guangdong", "Guangzhou"), (CHINA, "Guangdong", "Guangzhou"))
# Where mail from abroad arrives.
_GATES: Final[dict[str, tuple[Place, ...]]] = {
    "US": (("US", "CA", "Los Angeles"), ("US", "NY", "New York"), ("US", "IL", "Chicago")),
    "CA": (("CA", "BC", "Vancouver"), ("CA", "ON", "Toronto")),
    "BR": (("BR", "PR", "Curitiba"),),
    "MX": (("MX", None, "Mexico City"),),
    "AU": (("AU", "NSW", "Sydney"),),
    "GB": (("GB", None, "London"),),
    "DE": (("DE", "HE", "Frankfurt"),),
    "FR": (("FR", None, "Paris"),),
    "IT": (("IT", None, "Milan"),),
    "ES": (("ES", None, "Madrid"),),
    "NL": (("NL", None, "Amsterdam"),),
    "PL": (("PL", None, "Warsaw"),),
    "SE": (("SE", None, "Stockholm"),),
    "CH": (("CH", "ZH", "Zurich"),),
    "JP": (("JP", None, "Tokyo"),),
    "KR": (("KR", None, "Incheon"),),
}
_NEAR: Final = frozenset(("HK", "JP", "KR", "MO", "MY", "PH", "SG", "TH", "TW", "VN"))

SILENT: Final = "silent"
REFUSED: Final = "refused"
REJECTED: Final = "rejected"
CUSTOMS: Final = "customs"
LOST: Final = "lost"
ADDRESS: Final = "address"
RETURNED: Final = "returned"
ANYWAY: Final = "anyway"
TROUBLES: Final = {
    REFUSED: "the carrier refuses it",
    SILENT: "the carrier never gives it a number",
    REJECTED: "the first sorting centre sends it back",
    CUSTOMS: "it fails at the customs of its destination and comes back",
    LOST: "it is lost after its flight, and tracking ends",
    ADDRESS: "its address cannot be found, and it comes back",
    RETURNED: "nobody is at home twice, and it comes back",
    ANYWAY: "it is sent although it was cancelled",
}
"""What can go wrong on demand."""
_DEMAND: Final = "9999"
# One way in a hundred of each of these, by chance.
_CHANCES: Final = (REJECTED, CUSTOMS, LOST, ADDRESS, RETURNED, RETURNED)


@dataclass(frozen=True, slots=True)
class _Stop:
    """Something that is seen so many hours after what was seen before it."""

    status: int
    place: Place
    least: float
    most: float
    remark: str | None = None


def trouble_of(details: Details) -> str | None:
    """What is to go wrong with a parcel: asked for by its recipient's postal code, `9999-LOST` for example.

    `9999` alone is what no carrier of the sandbox delivers to.
    """
    code, _, wanted = (details.recipient.zipcode or "").partition("-")
    if code != _DEMAND:
        return None
    if not wanted:
        return REFUSED
    return wanted.lower() if wanted.lower() in TROUBLES else None


def way_of(parcel: Parcel, details: Details) -> Sequence[Scan]:
    """All that carriers will have seen of a parcel in the end, in order; nothing of one without a number.

    Parcels that are not registered are seen until their flight and no longer.
    """
    if parcel.numbered_at is None:
        return ()
    source = random.Random(parcel.id)
    drawn = source.randrange(100)
    trouble = trouble_of(details) or (_CHANCES[drawn] if drawn < len(_CHANCES) else None)
    at = parcel.numbered_at
    seen = []
    for stop in _stops(parcel, details, trouble, source):
        at += timedelta(hours=source.uniform(stop.least, stop.most))
        seen.append(Scan(_minute(at), stop.status, *stop.place, stop.remark))
    return seen


def _minute(at: datetime) -> datetime:
    """The next full minute: carriers tell no seconds."""
    return at.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _stops(parcel: Parcel, details: Details, trouble: str | None, source: random.Random) -> Iterator[_Stop]:
    begin = _WAREHOUSES.get(details.warehouse_code or "") or _place(details.pickup or details.sender)
    channel, _, registered = parcel.otype.rpartition("-")
    hub, leaves = _HUBS.get(channel, _OTHER_HUBS)
    home = _place(details.recipient)
    yield _Stop(2, begin, 6, 30)
    yield _Stop(3, hub, 2, 10)
    if trouble == REJECTED:
        yield _Stop(6, hub, 4, 20, "Goods not accepted")
        return
    yield _Stop(5, hub, 4, 20)
    if home[0] != CHINA:
        gate = source.choice(_GATES.get(details.recipient.country, ((home[0], None, None),)))
        yield from _abroad(hub, leaves, gate, registered == "1", trouble)
    if (registered == "1" and trouble not in (LOST, CUSTOMS)) or home[0] == CHINA:
        yield from _last_mile(home, begin, trouble)


def _abroad(hub: Place, leaves: Place, gate: Place, registered: bool, trouble: str | None) -> Iterator[_Stop]:
    yield _Stop(7, hub, 2, 8)
    yield _Stop(9, hub, 6, 24)
    yield _Stop(11, hub, 2, 6)
    yield _Stop(13, hub, 2, 24)
    yield _Stop(15, leaves, 2, 8)
    yield _Stop(16, leaves, 4, 30)
    if not registered:
        return
    if trouble == LOST:
        yield _Stop(27, (None, None, None), 24 * 30, 24 * 30, "Lost on its way")
        return
    near = gate[0] in _NEAR
    yield _Stop(30, gate, 3 if near else 10, 6 if near else 16)
    yield _Stop(17, gate, 2, 12)
    if trouble == CUSTOMS:
        yield _Stop(18, gate, 12, 72, "Papers incomplete")
        yield _Stop(25, hub, 24 * 7, 24 * 20)
        return
    yield _Stop(19, gate, 4, 72)


def _last_mile(home: Place, begin: Place, trouble: str | None) -> Iterator[_Stop]:
    yield _Stop(21, home, 12, 72)
    if trouble == ADDRESS:
        yield _Stop(22, home, 2, 24, "Address not found")
    elif trouble == RETURNED:
        yield _Stop(22, home, 2, 24, "Nobody at home")
        yield _Stop(22, home, 20, 30, "Nobody at home")
    else:
        yield _Stop(26, home, 2, 24, "Out for delivery")
        yield _Stop(23, home, 1, 10)
        return
    # What was sent within China does not come back from abroad.
    yield _Stop(10 if home[0] == CHINA else 25, begin, 24 * 7, 24 * 20)


def _place(address: object) -> Place:
    return (getattr(address, "country", None), getattr(address, "province", None), getattr(address, "city", None))
