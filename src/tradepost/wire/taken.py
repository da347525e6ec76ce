"""Calls that were answered, for whoever keeps them, and the ids that they are found by."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from tradepost.wire.endpoint import Surface
from tradepost.wire.http_types import Request, Response
from tradepost.wire.reading import LOOKED_AT

MOST_ANSWERED: Final = 4_096


@dataclass(slots=True)
class Taken:
    """A call and its answer, which may not have gone out yet. It holds on to nothing of the connection.

    `asked` and `answered` are the beginnings of the bodies, and `…_size` how much there was: LOOKED_AT bytes of
    what was asked and of what is wrong with it, MOST_ANSWERED of a success, because reads answer much and often.
    """

    id: str
    surface: Surface
    microseconds: int
    """How long it took to answer; waiting on purpose before the answer goes out is not in it."""
    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    client: str | None
    token: str
    asked: bytes
    asked_size: int
    status: int
    code: int
    answered: bytes
    answered_size: int
    answered_type: str


def taken(request_id: str, surface: Surface, request: Request, response: Response, microseconds: int) -> Taken:
    """What is to be known of a call."""
    body = response.body
    return Taken(
        request_id,
        surface,
        microseconds,
        request.method,
        request.path,
        request.query,
        request.headers,
        request.client,
        request.token,
        request.seen.beginning,
        request.seen.size,
        response.status,
        response.code,
        body[: LOOKED_AT if response.code else MOST_ANSWERED],
        len(body),
        response.content_type,
    )


class Calls(Protocol):
    """Takes note of calls."""

    def take(self, call: Taken) -> None:
        """Take note of a call, at once: somebody waits for his answer."""


def new_request_id() -> str:
    """The id of a call: a UUID of version 7 (RFC 9562), so that ids are ordered as calls came in."""
    ms, rest = divmod(time.time_ns(), 1_000_000)
    drawn = os.urandom(8)
    number = ms << 80 | 7 << 76 | (rest << 12) // 1_000_000 << 64
    digits = f"{number | 1 << 63 | int.from_bytes(drawn) >> 2:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
