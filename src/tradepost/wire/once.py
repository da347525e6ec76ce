"""Calls that are done once: the key of one, and what it asks for."""

from __future__ import annotations

import hashlib
import json

from tradepost.wire import refusals
from tradepost.wire.endpoint import Endpoint, Surface
from tradepost.wire.forms import Parameters
from tradepost.wire.http_types import KEY_HEADER, MOST_KEY, Request


def key_of(surface: Surface, endpoint: Endpoint, request: Request) -> str | None:
    """The key under which a write is to be done once; None where the caller gives none, or where it means nothing.

    Raises BadLength, BadCharacter.
    """
    key = request.headers.get(KEY_HEADER.lower())
    if key is None or not surface.keeps_answer(endpoint):
        return None
    if not 1 <= len(key) <= MOST_KEY:
        raise refusals.BadLength(name=KEY_HEADER, least=1, most=MOST_KEY)
    for at, char in enumerate(key, start=1):
        # A header that is sent twice was joined with a blank, so two keys never pass as one.
        if not "!" <= char <= "~":
            raise refusals.BadCharacter(name=KEY_HEADER, character=f"U+{ord(char):04X}", position=at)
    return key


def fingerprint(endpoint: Endpoint, given: Parameters) -> bytes:
    """What a write asks for, without the order and the blanks of its JSON and without its language: 32 bytes."""
    texts = {name: given.take(name) for name in endpoint.names}
    asked = json.dumps([endpoint.path, given.body, texts], sort_keys=True)
    return hashlib.sha256(asked.encode()).digest()
