"""Moments as the logistics service tells them: written by hand for speed, so held against the library's way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from tradepost.surfaces.wishpost_v3.vocabulary import moment

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-9, minutes=-30))])
# Without a zone, as the strategy wants its bounds.
FIRST, LAST = (datetime(year, 6, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1970, 2999))
MOMENTS = st.datetimes(FIRST, LAST, timezones=ZONES)


@given(MOMENTS)
def test_a_moment_is_told_in_utc_with_milliseconds(at: datetime) -> None:
    assert moment(at) == at.astimezone(UTC).isoformat(timespec="milliseconds")


@given(MOMENTS.map(lambda at: at.replace(microsecond=0)))
def test_full_seconds_have_milliseconds_too(at: datetime) -> None:
    assert moment(at) == at.astimezone(UTC).isoformat(timespec="milliseconds")
