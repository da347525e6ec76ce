"""The log by itself: finding, paging, thirty days, and how much it may take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.market import Market
from tradepost.domain import request_log
from tradepost.domain.access import fingerprint
from tradepost.domain.context import Ctx
from tradepost.domain.request_log import Call, Pack, PackMaker, Said, Search, Shown, call, is_id, moment_of
from tradepost.wire.taken import new_request_id

DAY = timedelta(days=1)


def id_at(moment: datetime, number: int = 0) -> str:
    """The id of a call at a moment."""
    digits = f"{int(moment.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-{number:012x}"


def call_of(call_id: str, path: str = "/api/v2/x", status: int = 200, **more: Any) -> Call:
    told: dict[str, Any] = {"service": "merchant", "method": "GET", "endpoint": "x", "code": 0}
    told |= {"microseconds": 1, "client": None, "app_id": None, "token_id": None} | more
    return Call(id=call_id, path=path, status=status, **told)


async def packed(account_id: str, calls: Sequence[Call], said: str = "said") -> Pack:
    maker = PackMaker(account_id)
    for one in calls:
        maker.add(one, Said(asked=said, query=one.id))
    return await maker.finish()


def keep(
    market: Market, account_id: str, *packs: Sequence[Call], most_per_day: int = 1_000, said: str = "x"
) -> int:
    async def act(ctx: Ctx) -> int:
        made = [await packed(account_id, calls, said) for calls in packs]
        return await request_log.keep_packs(ctx.db, made, {}, most_per_day)

    return int(market.operate(act))


def search(market: Market, account_id: str | None, limit: int = 100, **wanted: Any) -> Any:
    return market.operate(lambda ctx: request_log.search_calls(ctx, account_id, Search(**wanted), limit))


def find(market: Market, account_id: str | None, call_id: str) -> Any:
    return market.operate(lambda ctx: request_log.find_call(ctx, account_id, call_id))


def ids(found: Any) -> list[str]:
    return [line.call.id for line in found.lines]


def usd(market: Market) -> str:
    return market.world.merchants["usd"].account_id


def now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def test_ids_are_ordered_and_tell_their_moment() -> None:
    before = now() - timedelta(milliseconds=1)
    made = [new_request_id() for _ in range(1_000)]
    assert all(is_id(one) for one in made)
    assert len({*made}) == 1_000
    assert [moment_of(one) for one in made] == sorted(moment_of(one) for one in made)
    assert before <= moment_of(made[0]) <= moment_of(made[-1]) <= now()
    # Calls within one microsecond may come in any order.
    assert [one[:16] for one in made] == sorted(one[:16] for one in made)
    assert not is_id("5f5f5f5f-5f5f-4f5f-8f5f-5f5f5f5f5f5f")
    assert not is_id("x")


def test_calls_are_found_by_what_they_were(market: Market) -> None:
    at, account = now(), usd(market)
    calls = [
        call_of(id_at(at - timedelta(minutes=n), n), path, status, code=code, app_id=app)
        for n, (path, status, code, app) in enumerate(
            [
                ("/api/v2/product", 200, 0, "a" * 24),
                ("/api/v2/product/add", 400, 1000, "a" * 24),
                ("/api/v2/order", 404, 1004, "b" * 24),
                ("/api/v2/product", 500, 9000, None),
            ]
        )
    ]
    assert keep(market, account, *([one] for one in calls)) == 4
    named = [one.id for one in calls]
    assert ids(search(market, account)) == named
    assert ids(search(market, account, path="product")) == [named[0], named[1], named[3]]
    assert ids(search(market, account, path="%")) == []
    assert ids(search(market, account, status=4)) == [named[1], named[2]]
    assert ids(search(market, account, status=404)) == [named[2]]
    assert ids(search(market, account, code=9000)) == [named[3]]
    assert ids(search(market, account, app_id="b" * 24)) == [named[2]]
    assert ids(search(market, account, since=at - timedelta(seconds=90))) == named[:2]
    assert ids(search(market, account, until=at - timedelta(seconds=90))) == named[2:]
    assert ids(search(market, account, service="wishpost")) == []
    assert ids(search(market, None)) == named
    assert ids(search(market, market.world.merchants["cny"].account_id)) == []


def overlapping(at: datetime) -> tuple[list[str], list[list[Call]]]:
    """Calls that several processes took down at the same time, the latest first, and the packs that they are in."""
    named = [id_at(at - timedelta(milliseconds=37 * n), 999 - n) for n in range(120)]
    piles: list[list[Call]] = [[] for _ in range(9)]
    for n, one in enumerate(named):
        piles[n // 40 * 3 + n % 3].append(call_of(one, status=500 if n % 17 == 0 else 200))
    return named, piles


@pytest.mark.parametrize(("limit", "status"), [(7, None), (50, None), (119, None), (120, None), (3, 5), (2, 500)])
def test_pages_follow_each_other_without_a_gap(market: Market, limit: int, status: int | None) -> None:
    named, piles = overlapping(now())
    keep(market, usd(market), *piles)
    expected = [one for n, one in enumerate(named) if status is None or n % 17 == 0]
    seen: list[str] = []
    before: str | None = None
    for _ in range(40):
        page = search(market, usd(market), limit, before=before, status=status)
        assert len(page.lines) <= limit
        seen += ids(page)
        before = page.next
        if before is None:
            break
    assert before is None
    assert seen == expected


def test_a_rare_call_is_looked_for_piece_by_piece(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradepost.domain.request_log.operations.MOST_SEEN", 20)
    monkeypatch.setattr("tradepost.domain.request_log.operations.PACKS_AT_ONCE", 2)
    named, piles = overlapping(now())
    keep(market, usd(market), *piles)
    seen: list[str] = []
    pages = 0
    before: str | None = None
    while pages == 0 or before is not None:
        page = search(market, usd(market), 5, status=5, before=before)
        seen += ids(page)
        assert before is None or page.next is None or page.next < before
        before = page.next
        pages += 1
    assert seen == named[::17]
    assert pages > 3


def test_a_call_is_found_with_what_was_said(market: Market) -> None:
    named, piles = overlapping(now())
    keep(market, usd(market), *piles, said="a long text " * 300)
    for one in (named[0], named[57], named[-1]):
        found = find(market, usd(market), one)
        assert found.call.id == found.said.query == one
        assert found.account_id == usd(market)
    assert market.sql("select bool_and(is_compressed) from request_log")
    for whose, one in (
        (usd(market), "x"),
        (usd(market), id_at(now(), 5)),
        (market.world.merchants["cny"].account_id, named[3]),
    ):
        with pytest.raises(request_log.CallUnknown):
            find(market, whose, one)


def test_what_is_older_than_thirty_days_is_gone(market: Market) -> None:
    account, at = usd(market), now()
    young, old = (id_at(at - 30 * DAY + timedelta(minutes=n)) for n in (1, -1))
    keep(market, account, [call_of(young)], [call_of(old)], [call_of(id_at(at))])
    assert old not in ids(search(market, account))
    assert young in ids(search(market, account))
    with pytest.raises(request_log.CallUnknown):
        find(market, account, old)


def forget(market: Market, most_bytes: int = 1 << 40) -> int:
    async def act(ctx: Ctx) -> int:
        return await request_log.forget_old_calls(ctx, most_bytes)

    return int(market.operate(act))


def count(market: Market) -> int:
    return int(market.sql("select count(*) from request_log"))


def test_old_slots_are_emptied_and_nothing_that_is_kept(market: Market) -> None:
    account, at = usd(market), now()
    keep(market, account, *([call_of(id_at(at - n * DAY))] for n in range(30)))
    assert forget(market) == 0
    assert count(market) == 30
    # The twelfth slot, whose turn comes next, has what is 33 days old and more.
    keep(market, account, [call_of(id_at(at - 34 * DAY))], [call_of(id_at(at - 35 * DAY))])
    assert call.slot_to_empty(at) in {call.slot_at(at - n * DAY) for n in (34, 35)}
    assert forget(market) == 1
    assert 30 <= count(market) <= 31


def test_what_nobody_emptied_in_time_goes_all_the_same(market: Market) -> None:
    """Where no worker ran for days, old calls lie in the slot of today."""
    account, at = usd(market), now()
    keep(market, account, [call_of(id_at(at - 36 * DAY))], [call_of(id_at(at))])
    market.sql("update request_log_tally set day = day - 36")
    keep(market, account, [call_of(id_at(at, 1))])
    assert forget(market) == 0
    assert count(market) == 2
    assert market.sql("select count(*) from request_log_tally") == 1


def test_the_oldest_days_go_where_all_takes_too_much(market: Market) -> None:
    account, at = usd(market), now()
    keep(market, account, *([call_of(id_at(at - n * DAY))] for n in (0, 12, 24)))
    assert forget(market, 1) == 2
    assert ids(search(market, account)) == [id_at(at)]


def test_a_day_is_bounded_in_calls_and_in_bytes(market: Market) -> None:
    account = usd(market)
    assert keep(market, account, [call_of(new_request_id()) for _ in range(8)], most_per_day=8) == 8
    assert keep(market, account, [call_of(new_request_id()) for _ in range(3)], most_per_day=8) == 0
    [tally] = market.operate(lambda ctx: request_log.list_tallies(ctx, account, (now() - DAY).date()))
    assert (tally.kept, tally.missed) == (8, 3)
    market.sql("update request_log_tally set kept = 0, bytes = 8 * 4096")
    assert keep(market, account, [call_of(new_request_id())], most_per_day=8) == 0
    market.sql("update request_log_tally set bytes = 8 * 4096 - 1")
    assert keep(market, account, [call_of(new_request_id())], most_per_day=8) == 1


def test_owners_are_found_by_what_was_shown(market: Market) -> None:
    grant = market.world.merchants["usd"]
    token = Shown("merchant", fingerprint(grant.access_token))
    app = Shown("merchant", None, grant.client_id)
    nobody = Shown("wishpost", None, grant.client_id)
    found = market.operate(lambda ctx: request_log.owners_of(ctx.db, [token, app, nobody]))
    assert found[token].account_id == grant.account_id
    assert found[token].app_id == found[app].app_id == grant.client_id
    assert nobody not in found
