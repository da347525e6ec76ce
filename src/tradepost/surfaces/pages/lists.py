"""Lists over several pages: where a page begins, and links to the first one and to the next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tradepost.surfaces.pages.asked import day
from tradepost.surfaces.pages.visit import Problem, Visit
from tradepost.values import LAST, Bookmark, Page

PAGE: Final = 50
MOST_START: Final = 25_000
MOST_TOLD: Final = 40
"""How much of what cannot be used is told to whoever wrote it."""
_MARK: Final = re.compile(r"([0-9]{16})~([0-9a-f]{24})", re.ASCII)
_START: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_DAY: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""The last day that another one follows."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Links to the pages around one, "" where there is none."""

    before: str = ""
    behind: str = ""


def bookmark(visit: Visit, start: Bookmark = LAST) -> Bookmark:
    """Where the page begins that a visit asks for by `after`; at `start` where it does not, or makes no sense."""
    found = _MARK.fullmatch(visit.query.get("after") or "")
    try:
        return Bookmark(_EPOCH + timedelta(microseconds=int(found[1])), found[2]) if found else start
    except OverflowError:
        return start


def behind(visit: Visit, last: Bookmark | None, more: bool) -> Neighbours:
    """The links of a list that goes on behind bookmarks: to the first page, and behind the last item."""
    first = "" if visit.query.get("after") is None else visit.request.path + visit.query.without("after")
    if last is None or not more:
        return Neighbours(first)
    mark = f"{(last.at - _EPOCH) // timedelta(microseconds=1):016d}~{last.id}"
    return Neighbours(first, visit.request.path + visit.query.with_(after=mark))


def stretch(visit: Visit, limit: int = PAGE) -> Page:
    """The page that a visit asks for by `start`; the first where it does not, or makes no sense."""
    text = visit.query.get("start") or "0"
    return Page(min(int(text), MOST_START) if _START.fullmatch(text) else 0, limit)


def around(visit: Visit, page: Page, more: bool) -> Neighbours:
    """The links of a list that goes by numbers."""
    path = visit.request.path
    before = path + visit.query.with_(start=str(max(0, page.start - page.limit))) if page.start else ""
    has_next = more and page.start + page.limit <= MOST_START
    return Neighbours(before, path + visit.query.with_(start=str(page.start + page.limit)) if has_next else "")


def asked_text(visit: Visit, name: str, most: int) -> str:
    """What a field of a search has, without the blanks around it; nothing that is kept has a NUL in it."""
    return (visit.query.get(name) or "").replace("\0", "").strip()[:most]


class Unusable(Exception):
    """What a search was given and cannot use; `problem` tells its field, and how it is to be written."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def asked_day(visit: Visit, name: str) -> datetime | None:
    """The beginning of the day that a field of a search has; None where it is empty. Raises Unusable."""
    text = (visit.query.get(name) or "").strip()
    found = day(text)
    if text and found is None:
        raise Unusable(Problem(visit.say("day_wrong", value=text[:MOST_TOLD]), name))
    return found


def asked_end(visit: Visit, name: str) -> datetime | None:
    """The end of the day of a field of a search; None where it is empty, or no day follows. Raises Unusable."""
    found = asked_day(visit, name)
    return found + timedelta(days=1) if found is not None and found <= _LAST_DAY else None


def asked_number(visit: Visit, name: str) -> int | None:
    """The number that a field of a search has; None where it is empty. Raises Unusable."""
    text = (visit.query.get(name) or "").strip()
    if text and not _NUMBER.fullmatch(text):
        raise Unusable(Problem(visit.say("number_wrong", value=text[:MOST_TOLD]), name))
    return int(text) if text else None


def one_of(text: str | None, choices: Sequence[str], default: str = "") -> str:
    """A choice that a query makes; the default where it makes none of those that there are."""
    return text if text is not None and text in choices else default
