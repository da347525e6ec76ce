"""What recurs in the calls of this generation."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from tradepost.wire.params import Doc, LookedUp

Token = Annotated[str, LookedUp(512), Doc("The access token, if it does not stand in the header.")]


class Answered(Struct):
    """That it worked.

    `timestamp` is the time in China.
    """

    timestamp: str
