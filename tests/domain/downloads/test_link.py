"""Links that nobody can make up or change, and keys that can be replaced without breaking those in use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradepost.domain.downloads.link import KEY_LENGTH, LIFETIME, Link, LinkKeys

OLD, NEW = b"o" * KEY_LENGTH, b"n" * KEY_LENGTH
KEYS = LinkKeys([OLD])
ENDED = datetime(2026, 11, 22, 10, 48, 1, 999_999, tzinfo=UTC)
ACCOUNT, JOB = "a" * 24, "b" * 24


def taken_apart(path: str) -> tuple[str, dict[str, str]]:
    """The name of the file and the query of a link."""
    parts = urlsplit(path)
    assert parts.path.startswith("/downloads/")
    return parts.path.removeprefix("/downloads/"), dict(parse_qsl(parts.query, strict_parsing=True))


def made(keys: LinkKeys = KEYS, version: int = 3, at: datetime = ENDED) -> str:
    return keys.path(ACCOUNT, JOB, version, at)


def test_a_link_says_what_it_was_made_of() -> None:
    name, query = taken_apart(made())
    assert name == f"{ACCOUNT}-{JOB}-3-20261122T104801Z.csv"
    link = KEYS.read(name, query)
    assert link == Link(ACCOUNT, JOB, 3, datetime(2026, 11, 25, 10, 48, 1, tzinfo=UTC))
    # Never longer than the file is kept.
    assert link.expires_at <= ENDED + LIFETIME


def test_the_same_link_each_time() -> None:
    """Whoever polls the status again and again is told one address, in whichever zone the database answers."""
    assert made() == made(at=ENDED.astimezone(timezone(timedelta(hours=9))))


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**16))
def test_every_link_can_be_read(version: int, microseconds: int) -> None:
    at = datetime(2001, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    link = KEYS.read(*taken_apart(made(version=version, at=at)))
    assert link is not None
    assert (link.version, link.expires_at) == (version, (at + LIFETIME).replace(microsecond=0))


def test_nothing_of_it_can_be_changed() -> None:
    """Each character of the whole link, put in place of by others of its kind and of none."""
    path = made()
    for at in range(len("/downloads/"), len(path)):
        for other in "0a1bA-_~\u00e9":
            if other == path[at]:
                continue
            changed = path[:at] + other + path[at + 1 :]
            assert KEYS.read(*_loosely(changed)) is None, changed


def _loosely(path: str) -> tuple[str, dict[str, str]]:
    """A link that may be broken, taken apart."""
    name, _, query = path.removeprefix("/downloads/").partition("?")
    return name, dict(parse_qsl(query, keep_blank_values=True))


@pytest.mark.parametrize("lost", ["expires", "key", "signature"])
def test_every_part_is_needed(lost: str) -> None:
    name, query = taken_apart(made())
    assert KEYS.read(name, {key: value for key, value in query.items() if key != lost}) is None
    assert KEYS.read(name, {**query, lost: ""}) is None


@pytest.mark.parametrize(
    "other",
    [
        made(version=4),
        made(at=ENDED + timedelta(seconds=1)),
        KEYS.path("c" * 24, JOB, 3, ENDED),
        KEYS.path(ACCOUNT, "c" * 24, 3, ENDED),
        made(LinkKeys([NEW])),
    ],
)
def test_the_signature_of_another_link_is_worth_nothing(other: str) -> None:
    name, query = taken_apart(made())
    foreign_name, foreign = taken_apart(other)
    assert KEYS.read(name, {**query, "signature": foreign["signature"]}) is None
    if foreign_name != name:
        assert KEYS.read(foreign_name, query) is None


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("", {}),
        ("../../etc/passwd", {"expires": "1", "key": "x", "signature": "x"}),
        ("x.csv", {"expires": "9" * 400, "key": "\x00", "signature": "\u0663" * 9}),
    ],
)
def test_rubbish_is_no_link(name: str, query: dict[str, str]) -> None:
    assert KEYS.read(name, query) is None
    _, good = taken_apart(made())
    assert KEYS.read(name, good) is None


def test_a_new_key_signs_and_the_old_one_is_still_good() -> None:
    both = LinkKeys([NEW, OLD])
    assert both.read(*taken_apart(made(KEYS))) is not None
    assert LinkKeys([NEW]).read(*taken_apart(made(both))) is not None
    assert KEYS.read(*taken_apart(made(both))) is None
    assert LinkKeys([NEW]).read(*taken_apart(made(KEYS))) is None


@pytest.mark.parametrize("keys", [[], [b"k" * (KEY_LENGTH - 1)], [NEW, b""]])
def test_keys_that_could_be_guessed_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(AssertionError):
        LinkKeys(keys)
