"""Sends a call that was kept once more, through the gate, as the merchant who is signed in.

The token that the call showed is not known any more, and not needed: the session stands for him. So what is asked
again is what the merchant may do, whatever his token could; it is not counted against a limit either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import parse_qsl, urlencode

from tradepost.domain.context import MerchantCtx
from tradepost.domain.request_log import Kept
from tradepost.surfaces.pages.visit import Visit
from tradepost.surfaces.sessions import OneCaller
from tradepost.values import Fact
from tradepost.wire import gate, refusals
from tradepost.wire.endpoint import Surface
from tradepost.wire.gate import Rules
from tradepost.wire.http_types import Request, Response
from tradepost.wire.taken import new_request_id
from tradepost.wire.turns import Queues

REMOVED: Final = "[removed]"
_STANDS_FOR_HIM: Final = "the-session-of-whoever-is-signed-in"
_queues = Queues()


def is_repeatable(api: Surface, kept: Kept) -> bool:
    """Whether a call can be sent as it was: to an endpoint that is there, with a body that is there as a whole."""
    said = kept.said
    if kept.call.service != api.name or said.asked_size > len(said.asked.encode()) or REMOVED in said.asked:
        return False
    try:
        return not api.find(kept.call.method, kept.call.path).open
    except Fact:
        return False


async def ask_again(visit: Visit, ctx: MerchantCtx, kept: Kept) -> Response:
    """What the same call is answered now; what it changes is committed with the transaction of the context."""
    said, call = kept.said, kept.call
    body = said.asked.encode()
    pairs = [pair for pair in parse_qsl(said.query, keep_blank_values=True) if pair[1] != REMOVED]
    headers = {"authorization": f"Bearer {_STANDS_FOR_HIM}", "user-agent": said.agent}
    if body:
        headers |= {"content-type": said.asked_type, "content-length": str(len(body))}

    async def read_body(limit: int) -> bytes:
        if len(body) > limit:
            raise refusals.BodyTooLarge(limit=f"{limit / (1 << 20):g} MiB")
        return body

    async def stream_body(limit: int) -> AsyncIterator[bytes]:
        yield await read_body(limit)

    request = Request(
        method=call.method,
        path=call.path,
        query=urlencode(pairs).encode(),
        headers=headers,
        scheme=visit.request.scheme,
        host=visit.request.host,
        client=None,  # whoever sends a form from far away was let in by https
        read_body=read_body,
        stream_body=stream_body,
    )
    rules = Rules(plain_http_from_loopback=True)
    return await gate.answer(visit.site.kit.api, OneCaller(ctx), rules, _queues, request, new_request_id())
