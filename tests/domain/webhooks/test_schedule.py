"""When something is sent again, and what attempts mean: all without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tradepost.domain.webhooks.schedule import (
    DELIVERED,
    FAILED,
    HEALTHY,
    MOST_ATTEMPTS,
    PAUSES,
    PENDING,
    Attempt,
    Delivery,
    after,
    health_after,
    pause_after,
    sent_again,
)

NOW = datetime(2021, 5, 19, 16, 37, tzinfo=UTC)
FRESH = Delivery("a" * 24, "b" * 24, "c" * 24, "{}", PENDING, 0, 0, NOW, NOW, None)


def answered(status: int | None, retry_after: str = "") -> Attempt:
    """An attempt with this answer."""
    return Attempt(NOW, 10, status, None if status else "timeout", retry_after)


def test_ten_attempts_in_three_days_each_within_a_fifth_of_its_time() -> None:
    assert MOST_ATTEMPTS == 10
    assert sum(PAUSES, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
    for number in range(200):
        delivery, at = replace(FRESH, id=f"{number:024x}"), NOW
        for pause in PAUSES:
            delivery = after(delivery, answered(500), at)
            assert delivery.state == PENDING
            assert delivery.due_at is not None
            assert 0.8 <= (delivery.due_at - at) / pause <= 1.2
            at = delivery.due_at
        assert after(delivery, answered(500), at).state == FAILED
    drawn = {pause_after(f"{number:024x}", 1) for number in range(200)}
    assert len(drawn) == 200
    assert max(drawn, key=str) != min(drawn, key=str)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_answer_of_200_and_more_is_taken(status: int) -> None:
    told = after(FRESH, answered(status), NOW)
    assert (told.state, told.attempts, told.due_at, told.ended_at) == (DELIVERED, 1, None, NOW)


@pytest.mark.parametrize("status", [None, 100, 199, 301, 302, 307, 400, 404, 429, 500, 503])
def test_any_other_answer_is_none(status: int | None) -> None:
    assert after(FRESH, answered(status), NOW).state == PENDING


def test_gone_ends_both() -> None:
    told = after(FRESH, answered(410), NOW)
    assert told.state == FAILED
    assert health_after(HEALTHY, answered(410), told, NOW).stopped_because == "gone"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("3600", 3600), ("Wed, 19 May 2021 17:37:00 GMT", 3600), ("999999999", 86400), ("-5", 0), ("soon", 0)],
)
def test_a_receiver_may_ask_for_time(told: str, seconds: int) -> None:
    attempt = answered(429, told)
    tried = after(FRESH, attempt, NOW)
    assert tried.due_at is not None
    assert tried.due_at >= NOW + timedelta(seconds=max(seconds, 4))
    wish = health_after(HEALTHY, attempt, tried, NOW).not_before
    assert wish == (NOW + timedelta(seconds=seconds) if seconds else None)
    assert answered(500, told).wished_pause == timedelta()


def test_days_of_nothing_stop_a_subscription_when_something_is_given_up() -> None:
    last = replace(FRESH, attempts=9, round_attempts=9)
    failing = health_after(HEALTHY, answered(500), FRESH, NOW)
    assert (failing.failures, failing.failing_since) == (1, NOW)
    for days, stopped in ((4, None), (5, "failing")):
        at = NOW + timedelta(days=days)
        assert health_after(failing, answered(500), after(last, answered(500), at), at).stopped_because == stopped
    assert health_after(failing, answered(500), FRESH, NOW + timedelta(days=9)).stopped_because is None
    assert health_after(failing, answered(200), FRESH, NOW) == HEALTHY


def test_sending_again_begins_anew_and_keeps_count() -> None:
    told = after(replace(FRESH, attempts=9, round_attempts=9), answered(500), NOW)
    again = sent_again(told, NOW)
    assert (again.state, again.attempts, again.round_attempts, again.due_at) == (PENDING, 10, 0, NOW)
    assert after(again, answered(500), NOW).state == PENDING
