"""The autopilot's beats without a database: at which times, with which numbers, and what is left out."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.support.market import NOW
from tradepost.domain.autopilot import MOST_AT_ONCE, MOST_PACE, Autopilot, Beat


def beats(found: Autopilot, until: timedelta) -> tuple[list[Beat], Autopilot]:
    """All beats that come about with the clock so much later, and how things stand then."""
    came = []
    while (stepped := found.step(NOW + until)) is not None:
        beat, found = stepped
        came.append(beat)
    return came, found


def on(pace: int) -> Autopilot:
    """One that was switched on a moment ago."""
    return Autopilot(True, pace, "s", 0, NOW)


def test_beats_come_at_the_pace_from_the_moment_on() -> None:
    came, after = beats(on(12), timedelta(minutes=14))
    minutes = [(beat.number, (beat.at - NOW) // timedelta(minutes=1)) for beat in came]
    assert minutes == [(1, 0), (2, 5), (3, 10)]
    assert (after.beats, after.next_at) == (3, NOW + timedelta(minutes=15))
    assert after.due(NOW + timedelta(minutes=14)) == 0


def test_off_nothing_is_due() -> None:
    off = Autopilot(False, 12, "s", 0, NOW)
    assert off.due(NOW + timedelta(days=9)) == 0
    assert off.step(NOW + timedelta(days=9)) is None


def test_a_clock_moved_back_brings_nothing_twice() -> None:
    _, after = beats(on(12), timedelta(hours=1))
    assert beats(after, timedelta(minutes=30))[0] == []
    assert beats(after, timedelta(hours=1, minutes=5))[0][0].number == after.beats + 1


def test_of_many_that_were_missed_the_last_come_about() -> None:
    """Numbers and times go on as if the others had been there."""
    came, after = beats(on(60), timedelta(days=30))
    all_of_them = 30 * 24 * 60 + 1
    assert len(came) == MOST_AT_ONCE
    assert (came[0].number, came[-1].number) == (all_of_them - MOST_AT_ONCE + 1, all_of_them)
    assert came[-1].at == NOW + timedelta(days=30)
    assert after.beats == all_of_them


@given(
    pace=st.integers(1, MOST_PACE),
    minutes=st.lists(st.integers(-600, 20_000), min_size=1, max_size=8),
)
def test_however_the_clock_is_moved(pace: int, minutes: list[int]) -> None:
    """Numbers and times only grow, no beat is of a time to come, and one look never brings more than the bound."""
    found, clock, last = on(pace), timedelta(), Beat(0, NOW - timedelta(seconds=1), "s")
    for move in minutes:
        clock = max(clock + timedelta(minutes=move), timedelta())
        came, found = beats(found, clock)
        assert len(came) <= MOST_AT_ONCE
        for beat in came:
            assert beat.number > last.number
            assert last.at < beat.at <= NOW + clock
            last = beat
        assert found.due(NOW + clock) == 0
