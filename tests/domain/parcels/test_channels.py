"""The list of channels, which is kept in memory as long as nobody changes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.market import Market
from tradepost.domain import parcels
from tradepost.domain.parcels.rows import channels as rows

NAME = "update channel set channel_name_en = $1 where otype = '5001-1'"


@pytest.fixture
def names(market: Market) -> Callable[[], dict[str, str]]:
    """What the channels are called at the moment, by their otypes."""
    return lambda: {one.otype: one.channel_name_en for one in market.operate(parcels.list_channels)}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Has an item for every time that the channels were read."""
    found: list[int] = []
    read = rows.read_channels

    async def counting(db: Any) -> Any:
        channels = await read(db)
        found.append(len(channels))
        return channels

    monkeypatch.setattr(rows, "read_channels", counting)
    return found


def test_whatever_changes_them_shows_at_once(market: Market, names: Callable[[], dict[str, str]]) -> None:
    before = names()
    market.sql(NAME, "Another name")
    assert names() == {**before, "5001-1": "Another name"}
    market.sql("update channel set closed_at = now() where otype = '5001-1'")
    assert "5001-1" not in names()
    market.sql("truncate channel cascade")
    assert names() == {}


def test_they_are_read_once(market: Market, names: Callable[[], dict[str, str]], reads: list[int]) -> None:
    market.sql(NAME, "Another name")
    first = names()
    assert [names() for _ in range(3)] == [first] * 3
    assert len(reads) == 1


def test_what_is_taken_back_does_not_stay(market: Market, names: Callable[[], dict[str, str]]) -> None:
    before = names()
    for name in ("One", "Two"):
        market.sql("savepoint before")
        market.sql(NAME, name)
        assert names()["5001-1"] == name
        market.sql("rollback to savepoint before")
        assert names() == before


def test_what_changes_while_they_are_read_is_not_kept_as_what_was_before(
    market: Market, names: Callable[[], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    market.sql(NAME, "Before")
    read = rows.read_channels

    async def overtaken(db: Any) -> Any:
        await db.execute(NAME, "Meanwhile")
        return await read(db)

    market.sql("savepoint before")
    with monkeypatch.context() as patched:
        patched.setattr(rows, "read_channels", overtaken)
        assert names()["5001-1"] == "Meanwhile"
    market.sql("rollback to savepoint before")
    assert names()["5001-1"] == "Before"


def test_where_nothing_tells_their_state_they_are_read_each_time(
    market: Market, names: Callable[[], dict[str, str]], reads: list[int]
) -> None:
    market.sql("delete from channel_revision")
    assert names() == names() != {}
    assert len(reads) == 2
