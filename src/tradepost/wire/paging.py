"""Lists by offset: what an endpoint returns for one page, and the links to its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from tradepost.values import Page
from tradepost.wire.declared import Param
from tradepost.wire.forms import Parameters
from tradepost.wire.params import Whole

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """One page of a list, and whether there is more behind it."""

    items: Sequence[Item]
    page: Page
    more: bool
    under: str | None = None
    """The name that the list has inside `data`, or several with / between them; None where `data` is the list."""

    @property
    def data(self) -> Any:
        """What stands in the envelope."""
        data: Any = list(self.items)
        for name in reversed(self.under.split("/") if self.under else ()):
            data = {name: data}
        return data


@dataclass(frozen=True, slots=True)
class Under:
    """Tells in the declaration of an endpoint that its list stands in `data` under a name, or under one in another.

    async def list_failures(…) -> Annotated[Listing[Row], Under("failures")]: …
    """

    name: str


def links(
    listing: Listing[object],
    url: str,
    given: Parameters,
    known: Sequence[str],
    token: str | None,
    most_start: int | None,
) -> dict[str, str]:
    """`next` where there is more within reach, `previous` where start is above 0: links that work as they are.

    They repeat what the call told besides (`known`: its format, its language and its filters), wherever that
    stood; the parameter of the token only from the query, where whoever called has shown it in a URL already.
    """
    page = listing.page
    kept = [token] if token and token in given.query_names and given.take(token) else []
    kept += [name for name in known if name not in ("start", "limit") and given.take(name)]
    tail = "".join(f"&{quote(name)}={quote(given.take(name), safe='')}" for name in kept)
    found = {}
    if listing.more and (most_start is None or page.start + page.limit <= most_start):
        found["next"] = f"{url}?start={page.start + page.limit}&limit={page.limit}{tail}"
    if page.start > 0:
        found["previous"] = f"{url}?start={max(0, page.start - page.limit)}&limit={page.limit}{tail}"
    return found


def most_start(params: Iterable[Param]) -> int | None:
    """How far a list can be paged, by the declaration of its `start`."""
    readers = (param.reader for param in params if param.name == "start")
    return next((reader.most for reader in readers if isinstance(reader, Whole)), None)
