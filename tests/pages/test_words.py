"""What pages say: every language whole, every scope in words, the language that is asked for."""

from __future__ import annotations

import pytest

from tests.support.calls import SURFACES
from tradepost.surfaces.pages.chapters import CONSENT_PATHS
from tradepost.surfaces.pages.words import LOCALES, pick, words


@pytest.mark.parametrize("locale", LOCALES)
def test_every_scope_is_told_in_words(locale: str) -> None:
    asked = [scope for service in CONSENT_PATHS for scope in SURFACES[service].scopes]
    told = [words(locale)(f"scope.{scope}") for scope in asked]
    assert len(set(told)) == len(told)
    assert all(told)


@pytest.mark.parametrize(
    ("asked", "accepted", "locale"),
    [
        ("fr", "de", "fr"),
        ("xx", "de-CH,de;q=0.9,en;q=0.8", "de"),
        (None, "it,zh-CN;q=0.7", "zh"),
        (None, "", "en"),
        ("", "*", "en"),
    ],
)
def test_the_language_is_the_one_asked_for(asked: str | None, accepted: str, locale: str) -> None:
    assert pick(asked, accepted) == locale
