"""The letters that merchants get, in their languages: one text file for each, the subject in its first line."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from tradepost.domain import access, consents, downloads, merchants, people
from tradepost.domain.downloads import LIFETIME, LinkKeys
from tradepost.domain.outbox import SECRET_PLACE, Event, Person, Words, seal_owner
from tradepost.domain.sealing import SealingKeys

LOCALES: Final = ("en", "zh", "fr", "de")
# Whoever is suspended cannot ask for his notifications, so he gets a letter.
TOPICS: Final = (
    *downloads.READY_TOPICS,
    *downloads.FAILED_TOPICS,
    merchants.SUSPENDED_TOPIC,
    merchants.RESUMED_TOPIC,
    consents.REUSED_TOPIC,
    access.NEW_PLACE_TOPIC,
    *access.JUDGED_TOPICS,
    *people.TOPICS,
)
_PAGES: Final = {"sign_up_asked": "/confirm", "reset_asked": "/reset"}
"""Where the links of letters lead that hold a secret."""
_NAMES: Final = {"merchant": "Tradepost", "wishpost": "WishPost"}
"""What the services are called in letters that either may send."""


class LetterWriter:
    """Puts what happened into words, with links that work."""

    def __init__(self, public_urls: Mapping[str, str], keys: LinkKeys, seals: SealingKeys) -> None:
        """`public_urls` are what links begin with, by the service that they lead to.

        What makes a link good is sealed until the letter goes out.
        """
        self._public_urls = public_urls
        self._keys = keys
        self._seals = seals

    def __call__(self, event: Event, person: Person) -> Words | None:
        """The letter about an event to a person; None where nobody is written to about it."""
        if event.topic not in TOPICS:
            return None
        subject, body = text_of(event.topic, person.locale if person.locale in LOCALES else LOCALES[0])
        blanks = self._blanks(event, person)
        text = body.format_map(blanks)
        kept = self._sealed(event) if SECRET_PLACE in text else None
        return Words(subject.format_map(blanks), text, kept)

    def _sealed(self, event: Event) -> bytes | None:
        """What stands at SECRET_PLACE, sealed."""
        if event.topic in downloads.READY_TOPICS:
            return self._seals.seal(self._download(event).partition("?")[2].encode(), seal_owner(event.account_id))
        sealed = event.about.get("sealed")
        return None if sealed is None else base64.b64decode(sealed)

    def _download(self, event: Event) -> str:
        """The path of a download with its signed query."""
        # The job ended in the transaction in which this happened, so at the same moment of the world.
        version, ended_at = event.about["version"], event.happened_at
        return self._keys.path(event.account_id, event.about["job_id"], version, ended_at)

    def _blanks(self, event: Event, person: Person) -> Mapping[str, Any]:
        blanks = {"name": person.name, "hours": int(LIFETIME.total_seconds()) // 3600, **event.about}
        service = event.about.get("service", "merchant")
        blanks["service"], page = _NAMES[service], self._public_urls[service]
        blanks["page"] = page
        if event.topic in downloads.READY_TOPICS:
            blanks["link"] = f"{page}{self._download(event).partition('?')[0]}?{SECRET_PLACE}"
        if event.topic in access.JUDGED_TOPICS:
            blanks["link"] = f"{page}/developer/apps/{event.about['app_id']}"
        if event.topic in people.TOPICS:
            blanks["link"] = f"{page}{_PAGES.get(event.topic, '')}?token={SECRET_PLACE}"
        return blanks


@cache
def text_of(topic: str, locale: str) -> tuple[str, str]:
    """Subject and body of a letter with their blanks."""
    file = resources.files(__package__) / f"{topic}.{locale}.txt"
    subject, _, body = file.read_text(encoding="utf-8").partition("\n\n")
    return subject.strip(), body
