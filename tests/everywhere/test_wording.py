"""Whatever a merchant is told has words in every language, and no blank is left in them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tradepost.domain import (
    access,
    bulk_updates,
    consents,
    downloads,
    inbox,
    infractions,
    merchants,
    orders,
    pictures,
    products,
    returns,
    tickets,
    webhooks,
)
from tradepost.surfaces.merchant_v2.surface import LOCALES
from tradepost.surfaces.merchant_v2.wording import OTHER, blanks, notice, table

ID = "a" * 24
INFRACTION = {"infraction_id": ID, "cause": None, "reason": "Late", "fine_amount": "10", "fine_currency": "USD"}
# Every topic that merchants are told about, with what it is about.
ABOUT: dict[str, dict[str, Any]] = {
    inbox.MESSAGE_TOPIC: {"title": "Title", "message": "Message"},
    inbox.ANNOUNCEMENT_TOPIC: {"title": "Title", "message": "Message"},
    inbox.UPDATE_TOPIC: {"update_id": ID, "title": "Title", "cn_title": "标题"},
    products.REJECTED_TOPIC: {"product_id": ID, "parent_sku": "ring", "reason": "It is a weapon."},
    products.REMOVED_TOPIC: {"product_id": ID, "sku": "ring-red"},
    pictures.FAILED_TOPIC: {"kind": "main", "url": "https://x.example/1.jpg", "reason": "404", "product_ids": []},
    **{topic: {"job_id": ID} for topic in downloads.FAILED_TOPICS},
    orders.REFUNDED_TOPIC: {"order_id": ID, "by": "wish", "reason_code": 1, "reason": "It was late"},
    bulk_updates.FAILED_TOPIC: {"job_id": ID, "processed": 1, "total": 2},
    returns.UNVALIDATED_TOPIC: {"warehouse_id": ID},
    merchants.SUSPENDED_TOPIC: {},
    merchants.RESUMED_TOPIC: {},
    consents.REUSED_TOPIC: {"app_id": ID, "app": "Example ERP"},
    access.NEW_PLACE_TOPIC: {
        "app_id": "c" * 24,
        "app": "Example ERP",
        "token_id": "d" * 24,
        "address": "192.0.2.7",
    },
    tickets.AWAITING_TOPIC: {"ticket_id": ID, "subject": "Where is it?"},
    infractions.ISSUED_TOPIC: INFRACTION,
    infractions.FINED_TOPIC: INFRACTION,
    infractions.ANSWERED_TOPIC: {"infraction_id": ID, "message": "Message"},
    infractions.CLOSED_TOPIC: {"infraction_id": ID, "waived": False},
    infractions.LATE_FULFILLMENT: {},
    webhooks.STOPPED_TOPIC: {"subscription_id": ID, "topic": "ORDER_ALL", "endpoint": "https://a.example"},
    OTHER: {},
}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_topic_has_words(locale: str) -> None:
    assert table(locale).keys() == ABOUT.keys()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("topic", ABOUT)
def test_words_are_whole(topic: str, locale: str) -> None:
    words = table(locale)[topic]
    assert blanks(words) <= ABOUT[topic].keys()
    told = notice(topic, ABOUT[topic], locale)
    assert told.title
    assert told.text
    assert not re.search(r"[{}]|None", told.title + told.text)


def test_words_differ_between_languages() -> None:
    own = {inbox.MESSAGE_TOPIC, inbox.ANNOUNCEMENT_TOPIC}
    for topic in ABOUT.keys() - own:
        assert len({(table(locale)[topic].title, table(locale)[topic].text) for locale in LOCALES}) == len(LOCALES)


def test_a_cause_is_told_as_a_reason() -> None:
    told = notice(infractions.ISSUED_TOPIC, INFRACTION | {"cause": infractions.LATE_FULFILLMENT}, "de")
    assert told.text == table("de")[infractions.LATE_FULFILLMENT].title


def test_what_a_caller_wrote_is_not_read_as_a_blank() -> None:
    told = notice(inbox.MESSAGE_TOPIC, {"title": "{message}", "message": "{0.__class__}{"}, "en")
    assert (told.title, told.text) == ("{message}", "{0.__class__}{")


def test_a_topic_without_words_says_something() -> None:
    assert notice("nothing_like_this", {}, "fr") == table("fr")[OTHER]
    assert notice(inbox.MESSAGE_TOPIC, {"title": "x"}, "xx").text == ""
