"""Leaf types of the merchant service, and how values become them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

NumberText = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
FlagText = Annotated[str, msgspec.Meta(pattern="^(True|False)$")]
OptionalText = str | UnsetType
OptionalNumber = NumberText | UnsetType


def number(amount: str) -> str:
    """A number the way a float prints, out of its decimal text without trailing zeros: 100 is 100.0, 4.9 is 4.9."""
    return amount if "." in amount else amount + ".0"


def maybe_number(amount: str | None) -> str | UnsetType:
    """A number that may be missing, and is then left out."""
    return UNSET if amount is None else amount if "." in amount else amount + ".0"


def flag(value: bool) -> str:
    """A boolean as the word it is on this wire."""
    return "True" if value else "False"


def maybe_flag(value: bool | None) -> str | UnsetType:
    """A boolean that may be missing, and is then left out."""
    return UNSET if value is None else flag(value)


def maybe(text: str | None) -> str | UnsetType:
    """A text that may be missing, and is then left out."""
    return UNSET if text is None else text


def image_url(image: str, base_url: str) -> str:
    """The URL of a picture: ours are kept as paths, others' as they were given."""
    return base_url + image if image.startswith("/") else image
