"""Announcements: what can be read when, and which of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.market import NOW, Market
from tradepost.domain import announcements
from tradepost.domain.announcements import AnnouncementFilter, AnnouncementUnusable

NEWEST = AnnouncementFilter(10, "publish_time", True)


def titles(market: Market, wanted: AnnouncementFilter = NEWEST, hours: int = 0) -> list[str]:
    found = market.operate(lambda ctx: announcements.list_announcements(ctx, wanted), NOW + timedelta(hours=hours))
    return [item.title for item in found]


def test_an_announcement_is_seen_from_its_moment_on(market: Market) -> None:
    later = NOW + timedelta(hours=2)
    market.operate(lambda ctx: announcements.publish(ctx, "Sale", ["Now."], at=later))
    assert "Sale" not in titles(market, hours=1)
    assert titles(market, hours=2)[0] == "Sale"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["Maintenance", "Holiday", "New channel"]),
        ({"descending": False, "limit": 2}, ["New channel", "Holiday"]),
        ({"created_max": NOW - timedelta(days=3)}, ["Holiday", "New channel"]),
        ({"published_min": NOW - timedelta(days=10)}, ["Maintenance", "Holiday"]),
        ({"offset": 1, "limit": 1}, ["Holiday"]),
        ({"offset": 3}, []),
        ({"sort": "created_at", "published_max": NOW - timedelta(days=3), "limit": 1}, ["Holiday"]),
    ],
)
def test_which_of_them(market: Market, changes: dict[str, Any], expected: list[str]) -> None:
    assert titles(market, replace(NEWEST, **changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, 3), ({"offset": 3, "limit": 1}, 3), ({"published_min": NOW - timedelta(days=10)}, 2)],
)
def test_how_many_of_them(market: Market, changes: dict[str, Any], expected: int) -> None:
    """Those that nobody may read yet do not count, and pages do not matter."""
    market.operate(lambda ctx: announcements.publish(ctx, "Sale", ["Now."], at=NOW + timedelta(hours=2)))
    wanted = replace(NEWEST, **changes)
    assert market.operate(lambda ctx: announcements.count_announcements(ctx, wanted), NOW) == expected


@pytest.mark.parametrize(("title", "words"), [("", ["x"]), ("a\nb", ["x"]), ("Sale", []), ("Sale", [" "])])
def test_an_announcement_says_something(market: Market, title: str, words: list[str]) -> None:
    with pytest.raises(AnnouncementUnusable):
        market.operate(lambda ctx: announcements.publish(ctx, title, words))
