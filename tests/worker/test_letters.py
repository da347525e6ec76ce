"""Every letter in every language: no blank is left, and its link works."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.webhooks import SEALING_KEYS
from tradepost.domain import access, consents, downloads, merchants, people
from tradepost.domain.downloads import LinkKeys
from tradepost.domain.merchants.operations import LOCALES as SHOP_LOCALES
from tradepost.domain.outbox import SECRET_PLACE, Event, Mail, Person, Words, seal_owner
from tradepost.domain.sealing import SealingKeys
from tradepost.worker.letters import LOCALES, TOPICS, LetterWriter, text_of

URL = "https://merchant.example"
URLS = {"merchant": URL, "wishpost": "https://wishpost.example"}
KEYS = LinkKeys([b"a key of at least thirty-two bytes"])
ENDED = datetime(2026, 11, 22, 10, 48, 1, 250_000, tzinfo=UTC)
ACCOUNT, JOB = "a" * 24, "b" * 24
SECRET = "mp_ln_the-secret-of-a-link"
SEALED = base64.b64encode(SEALING_KEYS.seal(SECRET.encode(), seal_owner(ACCOUNT))).decode()
ABOUT: dict[str, dict[str, Any]] = {
    **{topic: {"job_id": JOB, "lines": 1234, "version": 3} for topic in downloads.READY_TOPICS},
    **{topic: {"job_id": JOB} for topic in downloads.FAILED_TOPICS},
    merchants.SUSPENDED_TOPIC: {},
    merchants.RESUMED_TOPIC: {},
    consents.REUSED_TOPIC: {"app_id": "c" * 24, "app": "Example ERP"},
    access.NEW_PLACE_TOPIC: {
        "app_id": "c" * 24,
        "app": "Example ERP",
        "token_id": "d" * 24,
        "address": "192.0.2.7",
    },
    **{topic: {"to": {}, "sealed": SEALED} for topic in people.TOPICS},
    **{
        topic: {"service": "wishpost", "app_id": "c" * 24, "app": "Example ERP", "reason": "Whose\nis it?"}
        for topic in access.JUDGED_TOPICS
    },
}
NAMELESS = ("sign_up_asked", "sign_up_known", "reset_unknown")
"""What goes to whoever has an address that somebody typed: none of it is for that somebody to write."""


def letter(topic: str, locale: str, name: str = "岚的灯笼", **more: str) -> Words:
    event = Event(ACCOUNT, "e" * 24, topic, ABOUT[topic] | more, ENDED)
    words = LetterWriter(URLS, KEYS, SEALING_KEYS)(event, Person("lan@lanterns.example", name, locale))
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
    assert ("岚的灯笼" in words.body) == (topic not in NAMELESS)
    assert (JOB in words.body) == ("job_id" in ABOUT[topic])
    assert words.body.endswith("\n")
    assert max(map(len, re.sub(r"https://\S+", "", words.body).splitlines())) <= 120


@pytest.mark.parametrize("locale", LOCALES)
def test_the_link_opens(locale: str) -> None:
    words = letter(downloads.READY_TOPICS[0], locale)
    assert words.sealed is not None
    secret = SEALING_KEYS.open(words.sealed, seal_owner(ACCOUNT)).decode()
    assert "signature=" not in words.body
    body = words.body.replace(SECRET_PLACE, secret)
    (link,) = re.findall(r"\S*://\S*", body)
    parts = urlsplit(link)
    assert f"{parts.scheme}://{parts.netloc}" == URL
    read = KEYS.read(parts.path.removeprefix("/downloads/"), dict(parse_qsl(parts.query)))
    assert read is not None
    assert (read.account_id, read.job_id, read.version) == (ACCOUNT, JOB, 3)
    assert read.expires_at == ENDED.replace(microsecond=0) + timedelta(hours=72)
    # On a line of its own, so that no mail reader takes a full stop for a part of it.
    assert link in body.splitlines()
    assert "1234" in words.body
    assert "72" in words.body


@pytest.mark.parametrize("topic", TOPICS)
def test_languages_differ_and_an_unknown_one_is_english(topic: str) -> None:
    assert len({text_of(topic, locale) for locale in LOCALES}) == len(LOCALES)
    foreign, english = letter(topic, "tlh"), letter(topic, "en")
    assert (foreign.subject, foreign.body) == (english.subject, english.body)


def test_a_name_is_only_a_name() -> None:
    """Braces in it are no blanks."""
    assert "{job_id}" in letter(downloads.FAILED_TOPICS[0], "en", name="{job_id} {0.__class__}").body


@pytest.mark.parametrize(("topic", "page"), [("sign_up_asked", "/confirm"), ("reset_asked", "/reset")])
@pytest.mark.parametrize("locale", LOCALES)
def test_the_secret_of_a_link_is_put_in_when_it_is_sent(topic: str, page: str, locale: str) -> None:
    words = letter(topic, locale)
    assert SECRET not in words.body
    assert SECRET_PLACE in words.body
    mail = Mail(ACCOUNT, "d" * 24, "x@lan.example", words.subject, words.body, ENDED, None, None, words.sealed)
    assert f"{URL}{page}?token={SECRET}" in mail.opened(SEALING_KEYS).splitlines()
    assert SECRET not in mail.opened(SealingKeys([b"another key of thirty-two bytes ."]))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("topic", ["reset_asked", "reset_unknown", "password_changed"])
def test_each_service_writes_in_its_own_name_and_leads_to_itself(topic: str, locale: str) -> None:
    """Letters that were asked for before there were two of them are the merchant service's."""
    for service, name, other in (("merchant", "Tradepost", "WishPost"), ("wishpost", "WishPost", "Tradepost")):
        body = letter(topic, locale, service=service).body
        assert (name in body, other in body) == (True, False)
        assert (URLS[service] in body) == (topic != "reset_unknown")
        assert not [url for of, url in URLS.items() if of != service and url in body]
    assert letter(topic, locale).body == letter(topic, locale, service="merchant").body


@pytest.mark.parametrize("locale", LOCALES)
def test_a_developer_reads_what_was_said_of_his_app_and_where_to_go(locale: str) -> None:
    good, bad = (letter(topic, locale) for topic in access.JUDGED_TOPICS)
    assert "Whose\nis it?" in bad.body
    assert "Whose" not in good.body
    for words in (good, bad):
        assert "Example ERP" in words.subject
        assert f"https://wishpost.example/developer/apps/{'c' * 24}" in words.body.splitlines()
        assert "WishPost" in words.body


@pytest.mark.parametrize("topic", ["sign_up_known", "reset_unknown", "password_changed"])
def test_a_letter_without_a_link_has_no_secret(topic: str) -> None:
    words = letter(topic, "en")
    assert words.sealed is None
    assert SECRET_PLACE not in words.body


def test_nothing_is_written_about_other_topics() -> None:
    event = Event(ACCOUNT, "e" * 24, "something_else", {}, ENDED)
    assert LetterWriter(URLS, KEYS, SEALING_KEYS)(event, Person("lan@lanterns.example", "Lan", "en")) is None
