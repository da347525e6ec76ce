"""The calls below `/sandbox` as tests make them."""

from __future__ import annotations

import json
from typing import Any

from tests.support.program import Client, Reply


def control(client: Client, verb: str, **body: object) -> Any:
    """What a call to `/sandbox/…` with a JSON body answers; it has to succeed."""
    reply = asked(client, verb, **body)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)["data"]


def asked(client: Client, verb: str, **body: object) -> Reply:
    """The answer to such a call."""
    return client.post_body(f"/sandbox/{verb}", json.dumps(body).encode())


def read(client: Client, verb: str) -> Any:
    """What a call without a body tells."""
    reply = client.get(f"/sandbox/{verb}".rstrip("/"))
    assert reply.status == 200, reply.body
    return json.loads(reply.body)["data"]
