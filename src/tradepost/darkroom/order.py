"""What the rooms of the darkroom are asked and say, apart from them: asking takes no decoder of pictures."""

from __future__ import annotations

from typing import Final

import msgspec

SECONDS: Final = 10
"""What a picture may take."""


class Order(msgspec.Struct, frozen=True):
    """What is to be made of the bytes that follow."""

    formats: tuple[str, ...]
    size: int


class Outcome(msgspec.Struct, frozen=True):
    """What became of a picture: a reason where nothing did, otherwise what it is and how many bytes follow."""

    reason: str = ""
    extension: str = ""
    width: int = 0
    height: int = 0
    picture: int = 0
    small: int = 0
