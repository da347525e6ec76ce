"""Parameters that recur in the logistics service, each with its reader and its meaning, and its words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Struct

from tradepost.domain import parcels
from tradepost.surfaces.wishpost_v3.failures import NotObjectId
from tradepost.values import Words
from tradepost.wire import refusals
from tradepost.wire.params import Doc, Whole

MOST_LIMIT: Final = 500
DEFAULT_LIMIT: Final = 50
CHINA: Final = timedelta(hours=8)

STATE_NAMES: Final = {
    "booked": "Created",
    "numbered": "Accepted",
    "handed_over": "HandedOver",
    "in_transit": "InTransit",
    "delivered": "Delivered",
    "returned": "Returned",
    "cancelled": "Cancelled",
    "refused": "Failed",
}
"""What the states of a parcel are called here; `Created` is the one word that is known of the original."""
STATE_CODES: Final = {state: number for number, state in enumerate(STATE_NAMES, start=1)}
STATES: Final = {name: state for state, name in STATE_NAMES.items()}
assert STATES.keys() == set(STATE_NAMES.values())
assert set(parcels.STATES) == STATE_NAMES.keys()


@dataclass(frozen=True, slots=True)
class Time:
    """A moment as the reference writes it: milliseconds are optional, an offset or Z must be there."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    # The + of an offset is a blank where a query was not escaped, which clients get wrong.
    _pattern: ClassVar[re.Pattern[str]] = re.compile(
        r"(19[7-9][0-9]|2[0-9]{3})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?"
        r"(?:Z|([+ -])([0-9]{2}):([0-9]{2}))",
        re.ASCII,
    )

    def read(self, name: str, text: str) -> datetime:
        if found := self._pattern.fullmatch(text):
            year, month, day, hour, minute, second, millis, sign, ahead, minutes = found.groups()
            try:
                shift = timedelta(hours=int(ahead or 0), minutes=int(minutes or 0))
                zone = timezone(-shift if sign == "-" else shift)
                parts = (int(part) for part in (year, month, day, hour, minute, second))
                if int(minutes or 0) < 60:
                    return datetime(*parts, int(millis or 0) * 1000, tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]
            except (ValueError, OverflowError):
                pass
        raise refusals.NotMoment(name=name)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True, slots=True)
class ObjectId:
    """A BSON object id: 24 hex digits, in either case."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    _pattern: ClassVar[re.Pattern[str]] = re.compile("[0-9a-fA-F]{24}", re.ASCII)

    def read(self, name: str, text: str) -> str:
        if not self._pattern.fullmatch(text):
            raise NotObjectId(name=name)
        return text.lower()

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9a-f]{24}$"}


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by, and in which direction."""

    by: str
    descending: bool


@dataclass(frozen=True, slots=True)
class SortBy:
    """The name of a sortable attribute, with .asc or .desc behind it or, for .asc, nothing.

    The reference's own example says `created_at_max.desc`, so the bounds of an attribute stand for it.
    """

    names: tuple[str, ...]
    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False

    def read(self, name: str, text: str) -> Order:
        attribute, _, direction = text.partition(".")
        known = attribute.removesuffix("_min").removesuffix("_max")
        if known not in self.names or direction not in ("", "asc", "desc") or text.endswith("."):
            raise refusals.NotChoice(name=name, choices=Words(", ".join(self.words)))
        return Order(known, direction == "desc")

    @property
    def words(self) -> tuple[str, ...]:
        """What it may say."""
        return tuple(f"{name}.{direction}" for name in self.names for direction in ("asc", "desc"))

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}


NEWEST_FIRST: Final = Order("created_at", descending=True)


def in_order(asked: Order | None, id_min: object, id_max: object) -> Order:
    """How a list is sorted: as was asked, or so that who walks it by the bounds that he gave meets everything.

    Ids are random: behind the last item of a page that is sorted by time, half of the ids below its own are new.
    """
    if asked is not None:
        return asked
    if id_min is None and id_max is None:
        return NEWEST_FIRST
    return Order("id", descending=id_max is not None)


SORTED: Final = (
    "The order. If left out: the newest first; with `id_max` by the id, the highest first; with `id_min` alone the "
    "lowest first. Ids break a tie."
)
Limit = Annotated[int, Whole(1, MOST_LIMIT), Doc("How many at most.")]
IdMin = Annotated[str, ObjectId(), Doc("Only those with this id or a higher one.")]
IdMax = Annotated[str, ObjectId(), Doc("Only those with this id or a lower one.")]
CreatedMin = Annotated[datetime, Time(), Doc("Only those of this moment or later.")]
CreatedMax = Annotated[datetime, Time(), Doc("Only those of this moment or earlier.")]
Sorting = Annotated[Order, SortBy(("created_at", "id")), Doc(SORTED)]


class Money(Struct, gc=False):
    """An amount of money.

    `amount` is a number with two decimals, as text. `currency_code` is its currency, ISO 4217.
    """

    amount: str
    currency_code: str


def fixed(number: Decimal, places: int) -> str:
    """A number with so many decimals, three at most, as text."""
    # Most numbers come with the decimals of their column, and `format` takes four times as long as to see that.
    told = str(number)
    return told if told[-places - 1 : -places] == "." else f"{number:.{places}f}"


_json = msgspec.json.Encoder().encode


def moment(at: datetime) -> str:
    """A moment as this service tells it: in UTC, with milliseconds."""
    # A long list is times for a good part, and this writes them three times as fast as `isoformat`: in quotes, with
    # six decimals or none.
    told = _json(at if at.tzinfo is UTC else at.astimezone(UTC)).decode()
    return f"{told[1:24]}+00:00" if at.microsecond else f"{told[1:20]}.000+00:00"


def china_time(at: datetime) -> str:
    """A moment as older generations told it: on the clocks of China, without an offset."""
    return f"{at + CHINA:%Y-%m-%d %H:%M:%S}"
