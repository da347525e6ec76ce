"""The older way to announcements: which days they are of, the pages around one, and what it does not take."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.support.answer import Answer
from tests.support.market import NOW, Market
from tradepost.domain import announcements
from tradepost.domain.context import Ctx

URL = "https://wishpost.cn/api/v3/announcements"


def ask(market: Market, **body: Any) -> Answer:
    data = json.dumps(body).encode()
    # As clients of that generation label it.
    return market.request("POST", URL, "wishpost:lan", data, {"content-type": "application/x-www-form-urlencoded"})


def titles(market: Market, **body: Any) -> list[str]:
    answer = ask(market, **body)
    assert answer.status == 200, answer.body
    return [item["title"] for item in answer.json["data"]["announcements"]]


@pytest.fixture
def market(market: Market) -> Market:
    """Beside the three of the world, one each at the beginning and the end of May 12th in China, one later."""

    async def publish(ctx: Ctx) -> None:
        for title, at in (
            ("first", datetime(2021, 5, 11, 16, tzinfo=UTC)),
            ("last", datetime(2021, 5, 12, 15, 59, 59, 999_000, tzinfo=UTC)),
            ("later", NOW + timedelta(hours=1)),
        ):
            await announcements.publish(ctx, title, ["x"], at=at)

    market.operate(publish)
    return market


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"start_date": "2021-05-12", "end_date": "2021-05-12"}, ["last", "first"]),
        ({"start_date": "2021-05-13", "end_date": "2021-05-13"}, []),
        ({"start_date": "2021-05-11", "end_date": "2021-05-11"}, []),
        ({"start_date": "2021-05-12 00:00:00", "end_date": "2021-05-12 23:59:58"}, ["first"]),
        ({"start_date": "2021-05-12T00:00:01", "end_date": "2021-05-12 23:59:59"}, ["last"]),
        ({"start_date": "2021-05-11T16:00:00Z", "end_date": "2021-05-11T16:00:00.000+00:00"}, ["first"]),
        ({"start_date": "2021-05-12", "end_date": "2021-05-01"}, []),
        ({"start_date": "2021-05-12", "end_date": ""}, ["Maintenance", "last", "first"]),
        ({"end_date": "2021-05-11", "start_date": None}, ["Holiday", "New channel"]),
    ],
)
def test_days_are_whole_and_those_of_china(market: Market, body: dict[str, Any], expected: list[str]) -> None:
    assert titles(market, **body) == expected
    told = ask(market, **body).json["data"]
    assert told["pagination"]["total"] == len(expected)
    assert {name: told[name] for name in ("start_date", "end_date")} == {
        name: body.get(name) or None for name in ("start_date", "end_date")
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 500])
def test_pages_lead_through_all_of_them_and_back(market: Market, limit: int) -> None:
    whole = titles(market)
    assert len(whole) == 5
    place: dict[str, int] | None = {"limit": limit, "offset": 0}
    forth, steps = [], []
    while place is not None:
        told = ask(market, **place).json["data"]
        forth += [item["title"] for item in told["announcements"]]
        steps.append((place, told["pagination"]))
        place = told["pagination"]["next"]
    assert forth == whole
    assert steps[0][1]["previous"] is None
    for (before, _), (_, pagination) in pairwise(steps):
        assert pagination["previous"] == before
        assert pagination["total"] == 5


def test_a_page_behind_the_end_leads_back(market: Market) -> None:
    told = ask(market, limit=2, offset=1_000_000).json["data"]
    assert told["announcements"] == []
    assert told["pagination"] == {"total": 5, "next": None, "previous": {"limit": 2, "offset": 3}}


def test_what_nobody_may_read_yet_is_not_there(market: Market) -> None:
    assert "later" not in titles(market)
    market.sql("update world_clock set fixed_at = fixed_at + interval '1 hour'")
    assert titles(market)[0] == "later"
    assert ask(market).json["data"]["pagination"]["total"] == 6


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        *(
            (name, value, f"'{name}' must be a date or time in the documented format")
            for name in ("start_date", "end_date")
            for value in (
                *("19.05.2021", "2021-02-30", "2021-5-1", "2021-05-19 24:00:00", "2021-05-19 10:00", "1621413420"),
                *("2021-05-19T08:37:00+25:00", "1969-12-31", "3000-01-01", "٢٠٢١-05-19", "now", 20210519, True),
            )
        ),
        ("start_date", ["2021-05-19"], "'start_date' must be a single value"),
        ("end_date", {"day": 1}, "'end_date' must be a single value"),
        *(
            ("limit", value, "'limit' must be a whole number from 1 to 500")
            for value in (0, 501, -1, 1.5, "ten", "1e2", True)
        ),
        *(
            ("offset", value, "'offset' must be a whole number from 0 to 1000000")
            for value in (-1, 1_000_001, 0.5, "x", False)
        ),
    ],
)
def test_what_it_does_not_take_is_named(market: Market, name: str, value: Any, says: str) -> None:
    answer = ask(market, **{name: value})
    assert (answer.status, answer.code) == (400, 1100)
    assert says in answer.json["message"]


@pytest.mark.parametrize("value", ["1970-01-01", "2999-12-31", "2999-12-31 23:59:59", "2999-12-31T23:59:59-14:00"])
def test_days_at_the_edges_are_taken(market: Market, value: str) -> None:
    for name in ("start_date", "end_date"):
        assert ask(market, **{name: value}).status == 200


def test_what_is_no_object_is_refused(market: Market) -> None:
    for data, code in ((b"[]", 1101), (b"{", 1101), (b"", 1101), (b"limit=1", 1101)):
        assert market.request("POST", URL, "wishpost:lan", data).code == code, data
    # By GET it is the newer call still, and nothing else is there.
    assert isinstance(market.request("GET", URL, "wishpost:lan").data, list)
    answer = market.request("PUT", URL, "wishpost:lan")
    assert (answer.code, answer.headers["allow"]) == (4005, "GET, POST")
