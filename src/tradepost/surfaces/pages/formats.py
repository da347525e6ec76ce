"""Amounts, numbers and times as people of a language write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

_BABEL: Final = {"en": "en_GB", "zh": "zh_Hans_CN", "fr": "fr_FR", "de": "de_DE"}

# Where the day does not come first.
_DAY: Final = {"zh": "M月d日"}
_MOMENT: Final = {"zh": "yyyy年M月d日 HH:mm"}


class Formats:
    """How one language writes them; all times in UTC."""

    def __init__(self, locale: str) -> None:
        self._locale = Locale.parse(_BABEL[locale])

    @staticmethod
    @cache
    def of(locale: str) -> Formats:
        """Those of a language."""
        return Formats(locale)

    def money(self, amount: Decimal | str | None, currency: str = "USD") -> str:
        """An amount with its currency; a dash for none."""
        if amount is None:
            return "–"
        told: str = format_currency(Decimal(amount), currency, locale=self._locale)
        return told

    def number(self, amount: Decimal | str | int | None) -> str:
        """A number; a dash for none."""
        if amount is None:
            return "–"
        told: str = format_decimal(Decimal(amount), locale=self._locale)
        return told

    def day(self, moment: datetime | None) -> str:
        """The day of a moment; a dash for none."""
        if moment is None:
            return "–"
        told: str = format_date(moment.astimezone(UTC), "medium", locale=self._locale)
        return told

    def date(self, day: date) -> str:
        """A day."""
        told: str = format_date(day, _DAY.get(self._locale.language, "d MMM"), locale=self._locale)
        return told

    def moment(self, moment: datetime | None) -> str:
        """A moment to the minute, UTC; a dash for none."""
        if moment is None:
            return "–"
        pattern = _MOMENT.get(self._locale.language, "d MMM yyyy, HH:mm")
        told: str = format_datetime(moment.astimezone(UTC), pattern, tzinfo=UTC, locale=self._locale)
        return told
