"""Parameters and fields that recur in the operator's service, each with its reader and its meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

from tradepost.surfaces.operator_v1.failures import NotBookmark, NotId
from tradepost.values import Bookmark
from tradepost.wire.params import Doc, Key, Moment, Text, Whole

MOST_LIMIT: Final = 200
DEFAULT_LIMIT: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Id:
    """An id: 24 hex digits in small letters."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    _pattern: ClassVar[re.Pattern[str]] = re.compile("[0-9a-f]{24}", re.ASCII)

    def read(self, name: str, text: str) -> str:
        if not self._pattern.fullmatch(text):
            raise NotId(name=name)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9a-f]{24}$"}


@dataclass(frozen=True, slots=True)
class PageEnd:
    """Where a page ended, as its `next` says: microseconds since 1970 and an id."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    _pattern: ClassVar[re.Pattern[str]] = re.compile("([0-9]{1,17})-([0-9a-f]{24})", re.ASCII)

    def read(self, name: str, text: str) -> Bookmark:
        if (found := self._pattern.fullmatch(text)) is None:
            raise NotBookmark(name=name)
        return Bookmark(_EPOCH + timedelta(microseconds=int(found[1])), found[2])

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{1,17}-[0-9a-f]{24}$"}


MerchantId = Annotated[str, Id(), Doc("The id of the merchant.")]
OrderId = Annotated[str, Id(), Doc("The id of the order.")]
TicketId = Annotated[str, Id(), Doc("The id of the ticket.")]
InfractionId = Annotated[str, Id(), Doc("The id of the infraction.")]
SenderId = Annotated[str, Id(), Doc("The id of the user of the logistics service.")]
After = Annotated[Bookmark, PageEnd(), Doc("The `next` of the page before; the first page if left out.")]
Limit = Annotated[int, Whole(1, MOST_LIMIT), Doc("How many at most.")]
Number = Annotated[str, Key(64), Doc("The number that the parcel travels under.")]
At = Annotated[datetime, Moment(), Doc("When, YYYY-MM-DDTHH:MM:SS in UTC; now if left out.")]
Message = Annotated[str, Text(2000), Doc("What is said.")]
Words = Annotated[str, Text(2000, strip=True), Doc("Why, in words that the merchant reads.")]


def moment(at: datetime) -> str:
    """A moment as this service tells and takes it: in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def moment_or_none(at: datetime | None) -> str | None:
    """The same of something that may not have happened."""
    return None if at is None else moment(at)


def next_page(more: bool, places: Sequence[tuple[datetime, str]]) -> str | None:
    """What `after` is for the next page: the place of this one's last item; None where there is no more."""
    if not more or not places:
        return None
    at, item_id = places[-1]
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}-{item_id}"
