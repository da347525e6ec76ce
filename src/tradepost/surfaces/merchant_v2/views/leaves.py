"""Leaf types of the merchant service, and how values become them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

NumberText = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
FlagText = Annotated[str, msgspec.Meta(pattern="^(True|False)$")]
OptionalText = str | UnsetType
OptionalNumber = NumberText | UnsetType

UNPAID = "999999"
"""What US dollar amounts read for a merchant who is not paid in US dollars."""


def money(amount: Decimal) -> str:
    """An amount the way a float prints: 100 is 100.0, 4.90 is 4.9."""
    text = f"{amount:f}"
    if "." not in text:
        return text + ".0"
    text = text.rstrip("0")
    return text + "0" if text.endswith(".") else text


def maybe_money(amount: Decimal | None) -> str | UnsetType:
    """An amount that may be missing, and is then left out."""
    return UNSET if amount is None else money(amount)


def flag(value: bool) -> str:
    """A boolean as the word it is on this wire."""
    return "True" if value else "False"


def maybe(text: str | None) -> str | UnsetType:
    """A text that may be missing, and is then left out."""
    return UNSET if text is None else text
