"""Every letter in every language: no blank is left, and its link works."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tradepost.domain import consents, downloads, merchants
from tradepost.domain.downloads import LinkKeys
from tradepost.domain.merchants.operations import LOCALES as SHOP_LOCALES
from tradepost.domain.outbox import Event, Person, Words
from tradepost.worker.letters import LOCALES, TOPICS, LetterWriter, text_of

URL = "https://merchant.example"
KEYS = LinkKeys([b"a key of at least thirty-two bytes"])
ENDED = datetime(2026, 11, 22, 10, 48, 1, 250_000, tzinfo=UTC)
ACCOUNT, JOB = "a" * 24, "b" * 24
ABOUT: dict[str, dict[str, Any]] = {
    **{topic: {"job_id": JOB, "lines": 1234, "version": 3} for topic in downloads.READY_TOPICS},
    **{topic: {"job_id": JOB} for topic in downloads.FAILED_TOPICS},
    merchants.SUSPENDED_TOPIC: {},
    merchants.RESUMED_TOPIC: {},
    consents.REUSED_TOPIC: {"app_id": "c" * 24, "app": "Example ERP"},
}


def letter(topic: str, locale: str, name: str = "岚的灯笼") -> Words:
    event = Event(ACCOUNT, "e" * 24, topic, ABOUT[topic], ENDED)
    words = LetterWriter(URL, KEYS)(event, Person("lan@lanterns.example", name, locale))
    assert words is not None
    return words


def test_there_is_one_for_every_language_of_a_shop() -> None:
    assert set(LOCALES) == set(SHOP_LOCALES)
    assert set(TOPICS) == set(ABOUT)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("topic", TOPICS)
def test_no_blank_is_left(topic: str, locale: str) -> None:
    words = letter(topic, locale)
    assert words.subject.strip() == words.subject != ""
    assert "\n" not in words.subject
    assert not re.search(r"[{}]", words.subject + words.body)
    assert "岚的灯笼" in words.body
    assert (JOB in words.body) == ("job_id" in ABOUT[topic])
    assert words.body.endswith("\n")
    assert max(map(len, re.sub(r"https://\S+", "", words.body).splitlines())) <= 120


@pytest.mark.parametrize("locale", LOCALES)
def test_the_link_opens(locale: str) -> None:
    body = letter(downloads.READY_TOPICS[0], locale).body
    (link,) = re.findall(r"\S*://\S*", body)
    parts = urlsplit(link)
    assert f"{parts.scheme}://{parts.netloc}" == URL
    read = KEYS.read(parts.path.removeprefix("/downloads/"), dict(parse_qsl(parts.query)))
    assert read is not None
    assert (read.account_id, read.job_id, read.version) == (ACCOUNT, JOB, 3)
    assert read.expires_at == ENDED.replace(microsecond=0) + timedelta(hours=72)
    # On a line of its own, so that no mail reader takes a full stop for a part of it.
    assert link in body.splitlines()
    assert "1234" in body
    assert "72" in body


@pytest.mark.parametrize("topic", TOPICS)
def test_languages_differ_and_an_unknown_one_is_english(topic: str) -> None:
    assert len({text_of(topic, locale) for locale in LOCALES}) == len(LOCALES)
    assert letter(topic, "tlh") == letter(topic, "en")


def test_a_name_is_only_a_name() -> None:
    """Braces in it are no blanks."""
    assert "{job_id}" in letter(downloads.FAILED_TOPICS[0], "en", name="{job_id} {0.__class__}").body


def test_nothing_is_written_about_other_topics() -> None:
    event = Event(ACCOUNT, "e" * 24, "something_else", {}, ENDED)
    assert LetterWriter(URL, KEYS)(event, Person("lan@lanterns.example", "Lan", "en")) is None
